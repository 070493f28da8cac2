// The handover capsule: what the colleague who sends this call knows, seen before it is answered.
import { useEffect } from "react";
import { named, useT } from "../../i18n";
import { formatTime } from "../../lib/format";
import { whoIs } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import { MatchMark, Tier } from "../../parts/marks";
import { fetchHandover } from "../../store/calls/handover";
import { choices, loadCodes, useLists } from "../../store/rooms/lists";
import { useMyPart } from "../../store/desk/hooks";
import { useStore } from "../../store/desk/store";
import type { CallView } from "../../wire/types";
import { wayOf } from "./CallWhy";

export function Handover({ call }: { call: CallView }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const me = useStore((store) => store.desk.me);
  const handover = useStore((store) => store.desk.handovers[call.call]);
  const kind = wayOf(useMyPart(call.call))?.kind;
  const expected = (kind === "transfer" || kind === "consult" || kind === "conference") && handover === undefined;
  // The offer brings it; after a reload it is asked for.
  useEffect(() => {
    if (expected) void fetchHandover(call.call);
  }, [expected, call.call]);
  // The sender's desk hears of the offer too. By way of a queue it comes as that queue's call.
  if (!handover || handover.from.agent === me?.id) return null;
  const shown = handover.kind === "consult" && kind === "transfer" ? "transfer" : handover.kind;
  const steps = handover.path.map((step) => named("step", step.step) + (step.choice ? ` (${step.choice})` : ""));
  return (
    <section className="handover" data-testid="handover" aria-labelledby="handover-heading">
      <header>
        <Icon name={shown === "consult" ? "ask" : "forward"} />
        <h2 id="handover-heading">{t(`handover.${shown}`, { name: handover.from.name })}</h2>
        {handover.since && <span className="num quiet">{formatTime(handover.since, language)}</span>}
      </header>
      {handover.said ? <blockquote className="handover-said" data-testid="handover-said">{handover.said}</blockquote> : <p className="quiet">{t("handover.nothing_said")}</p>}
      <dl>
        <div>
          <dt>{t("handover.who")}</dt>
          <dd>{whoIs(call, t)} {call.customer && <Tier tier={call.customer.tier} />} {handover.match && <MatchMark standing={handover.match} />}</dd>
        </div>
        {steps.length > 0 && <div><dt>{t("handover.path")}</dt><dd>{steps.join(" › ")}</dd></div>}
        {handover.code && <div><dt>{t("handover.code")}</dt><dd><CodeName code={handover.code} queue={call.queue} /></dd></div>}
        {handover.note && <div className="handover-note"><dt>{t("handover.note", { name: handover.from.name })}</dt><dd>{handover.note}</dd></div>}
      </dl>
    </section>
  );
}

/** A wrap-up code by its title, with the headings above it; the code itself until the list is here. */
function CodeName({ code, queue }: { code: string; queue: string | null }) {
  const language = useStore((store) => store.language);
  const codes = useLists((lists) => lists.codes[queue ?? ""]);
  useEffect(() => void loadCodes(queue), [queue]);
  const found = choices(codes ?? [], language).find((choice) => choice.code === code);
  return <>{found ? [...found.path, found.title].join(" › ") : code}</>;
}
