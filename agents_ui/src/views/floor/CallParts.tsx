// The parts that agents have, or had, in one call: who was rung, who spoke, for how long, and how it ended for each.
import { named, useT } from "../../i18n";
import { phoneOf } from "../../lib/who";
import { RangOthers, wasElsewhere } from "../../parts/RangOthers";
import { Span, Timer } from "../../parts/Timer";
import { useStore } from "../../store/desk/store";
import { useShown, useTopic } from "../../store/session/topics";

export function CallParts({ call }: { call: string }) {
  const t = useT();
  useTopic(`call:${call}`);
  const shown = useShown(`call:${call}`);
  const parts = useStore((store) => store.desk.opened[call]);
  const all = Object.values(parts ?? {}).sort((a, b) => a.position - b.position);
  if (all.length === 0) return <p className="quiet" role="status">{t(shown ? "floor.no_parts" : "common.loading")}</p>;
  return (
    <ul className="segments" data-testid="call-parts" aria-label={t("floor.parts")}>
      {all.filter((part) => !wasElsewhere(part.reason)).map((part) => (
        <li key={part.position}>
          <span>{part.name ?? phoneOf(part.seat)}</span>
          <span className="quiet">{named("origin", part.origin)}</span>
          <span>{part.state === "left" && part.reason ? named("party_reason", part.reason) : named("party_state", part.state)}</span>
          {part.talk_ms > 0 && <span className="quiet">{t("call.talk")} <Span ms={part.talk_ms} /></span>}
          {part.state !== "left" && part.since && <Timer since={part.since} />}
        </li>
      ))}
      <RangOthers names={all.filter((part) => wasElsewhere(part.reason)).map((part) => part.name ?? phoneOf(part.seat))} />
    </ul>
  );
}
