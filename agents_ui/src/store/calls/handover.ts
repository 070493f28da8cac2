// The handover of a call that came from a colleague, asked for where its offer was not seen: after a reload.
import { api } from "../../wire/api";
import { withHandoverAnswer } from "../desk/answers";
import { useStore } from "../desk/store";

const asked = new Set<string>();

export async function fetchHandover(call: string): Promise<void> {
  if (asked.has(call)) return;
  asked.add(call);
  const answer = await api.handover(call).catch(() => null);
  if (answer) useStore.getState().change((desk) => withHandoverAnswer(desk, call, answer));
}
