// Why this call came to me, in words.
import i18next from "i18next";
import { named, useT, type T } from "../../i18n";
import { formatSpan } from "../../lib/format";
import { useQueueTitle } from "../../lib/queue";
import { Icon } from "../../parts/Icon";
import type { PartView, WhyMine } from "../../wire/types";

/** Whoever was asked about a call, and has it now, was given it. */
export function wayOf(part: PartView | null): WhyMine | null {
  const why = part?.why ?? null;
  const wasAsked = part !== null && part.origin === "consult" && (part.state === "ringing" || part.standing === "consulted");
  return why?.kind === "consult" && !wasAsked ? { ...why, kind: "transfer" } : why;
}

export function CallWhy({ part }: { part: PartView | null }) {
  const t = useT();
  const titled = useQueueTitle();
  const why = wayOf(part);
  if (!why) return null;
  return (
    <p className="call-why" data-testid="call-why" data-kind={why.kind}>
      <Icon name="route" size={14} />
      <span><span className="sr">{t("came.label")} </span>{sayWhy(why, t, titled)}</span>
    </p>
  );
}

export function sayWhy(why: WhyMine, t: T, titled: (queue: string) => string): string {
  const facts = { from: why.from ?? t("came.somebody"), queue: why.queue ? titled(why.queue) : "" };
  const parts = [why.queue && why.kind === "queue" ? t("came.queue", facts) : why.queue && why.kind === "preferred" ? facts.queue : ""];
  if (why.waited_ms !== null) parts.push(t("came.waited", { time: formatSpan(why.waited_ms) }));
  if (why.kind === "queue") parts.push(t(why.penalty === null ? "came.turn" : "came.turn_penalty", { penalty: why.penalty }));
  else if (why.kind === "transfer" || why.kind === "consult" || why.kind === "conference") parts.unshift(t(why.from ? `came.${why.kind}` : `came.${why.kind}_unknown`, facts));
  else {
    const key = why.queue && why.kind === "picked" ? "picked_queue" : why.from && why.kind === "pickup" ? "pickup_from" : why.kind;
    // A kind that is newer than this desktop is named as it is.
    parts.unshift(i18next.exists(`came.${key}`) ? t(`came.${key}`, facts) : named("came", key));
  }
  return parts.filter(Boolean).join(t("came.comma"));
}
