// Every live call: who, in what state, with whom and since when; a row opens the parts that agents have had in its call.
import { Fragment, useState } from "react";
import { Button } from "react-aria-components";
import { named, useT } from "../../i18n";
import { isForTheTaking } from "../../lib/controls";
import { useQueueTitle } from "../../lib/queue";
import { phoneOf, whoIs } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import { DirectionIcon, Tier, VerdictMark } from "../../parts/marks";
import { Timer } from "../../parts/Timer";
import { myPart, seatOf } from "../../store/desk/desk";
import { useStore } from "../../store/desk/store";
import type { CallView } from "../../wire/types";
import { PickUpCommand } from "../dial/PickUps";
import { CallParts } from "./CallParts";

/** When the state of the call that the row shows began. */
function since(call: CallView): string {
  if (call.state === "queued") return call.waiting_since ?? call.queued_at ?? call.started_at;
  return call.agents[0]?.since ?? call.answered_at ?? call.queued_at ?? call.started_at;
}

export function CallTable({ calls }: { calls: CallView[] }) {
  const t = useT();
  const titled = useQueueTitle();
  const desk = useStore((store) => store.desk);
  const [open, setOpen] = useState<string | null>(null);
  // Who sits at a phone can take a call from here.
  const takes = seatOf(desk.me) !== null;
  return (
    <table className="table calls">
      <thead>
        <tr>
          <th>{t("floor.who")}</th><th>{t("floor.verdict")}</th><th>{t("floor.queue")}</th><th>{t("floor.state")}</th><th>{t("floor.with")}</th>
          <th className="right">{t("floor.time")}</th><th><span className="sr">{t("floor.parts")}</span></th>{takes && <th><span className="sr">{t("verb.pick-up")}</span></th>}
        </tr>
      </thead>
      <tbody>
        {calls.map((call) => {
          const who = whoIs(call, t);
          const here = open === call.call;
          return (
            <Fragment key={call.call}>
              <tr data-call={call.call}>
                <td><span className="cell-who"><DirectionIcon direction={call.direction} />{who} <Tier tier={call.customer?.tier ?? null} /></span></td>
                <td><VerdictMark code={call.verdict} /></td>
                <td>{call.queue ? titled(call.queue) : "–"}</td>
                <td><span className={`floor-state ${call.state}`}><span className="dot" aria-hidden="true" />{named("call_state", call.state)}{call.position ? ` #${call.position}` : ""}</span></td>
                <td>{call.agents.map((agent) => agent.name ?? phoneOf(agent.seat)).join(", ") || "–"}{call.more_ringing && ` ${t("floor.more_ringing")}`}</td>
                <td className="right"><Timer since={since(call)} /></td>
                <td className="right">
                  <Button className="button ghost square small" aria-expanded={here} aria-label={t("floor.parts_of", { who })} onPress={() => setOpen(here ? null : call.call)}><Icon name="chevron" size={14} /></Button>
                </td>
                {takes && <td className="right">{isForTheTaking(call, myPart(desk, call.call)) && <PickUpCommand call={call} />}</td>}
              </tr>
              {here && <tr className="call-parts"><td colSpan={takes ? 8 : 7}><CallParts call={call.call} /></td></tr>}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}
