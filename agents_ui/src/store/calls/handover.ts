// The handover of a call that came from a colleague, asked for where its offer was not seen: after a reload.
import { api } from "../../wire/api";
import { useStore } from "../desk/store";

const asked = new Set<string>();

export async function fetchHandover(call: string): Promise<void> {
  if (asked.has(call)) return;
  asked.add(call);
  const handover = await api.handover(call).catch(() => null);
  const { desk, set } = useStore.getState();
  if (handover && call in desk.calls && !(call in desk.handovers)) set({ desk: { ...desk, handovers: { ...desk.handovers, [call]: handover } } });
}
