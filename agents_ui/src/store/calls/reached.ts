// A number that I dialled was not reached: why, told at once, because the call itself is gone a moment later.
import { translate } from "../../i18n";
import { formatNumber } from "../../lib/format";
import type { EventOf } from "../../wire/types";
import { toast, useStore } from "../desk/store";

const reasons = ["no_trunk", "number_unknown", "unreachable", "refused", "not_allowed", "congestion", "busy", "no_answer"] as const;

export function notReached({ body }: EventOf<"part.changed">): void {
  const { desk } = useStore.getState();
  if (body.happened !== "not_reached" || body.agent !== desk.me?.id) return;
  const number = formatNumber(desk.calls[body.call]?.dnis ?? null);
  const reason = reasons.find((known) => known === body.reason) ?? "failed";
  const about = number || translate("verb.dial");
  toast({ tone: reason === "busy" || reason === "no_answer" ? "warn" : "bad", about, text: translate(`not_reached.${reason}`), stays: reason === "no_trunk" });
}
