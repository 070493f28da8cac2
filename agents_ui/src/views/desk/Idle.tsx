// No call: what comes next, my numbers of today, my queues now, and what I last wrote.
import { useMemo } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { formatTime } from "../../lib/format";
import { localDate } from "../../lib/slots";
import { whoWas } from "../../lib/who";
import { DirectionIcon, Tier } from "../../parts/marks";
import { Span, Timer } from "../../parts/Timer";
import { navigate } from "../../store/session/navigate";
import { myQueues, queueKey, seatOf } from "../../store/desk/desk";
import { useStore } from "../../store/desk/store";
import { useTopic } from "../../store/session/topics";
import { useToday } from "../../store/rooms/today";
import { queueTitle } from "../../lib/queue";
import { NotifyOffer } from "./NotifyOffer";
import { UnsavedNotes } from "../wrapup/UnsavedNotes";
import { brief, useDay } from "./figures";

export function Idle() {
  const t = useT();
  const language = useStore((store) => store.language);
  const me = useStore((store) => store.desk.me);
  const seat = seatOf(me);
  const allQueues = useStore((store) => store.desk.queues);
  const serving = useStore((store) => store.desk.serving);
  // Who supervises without a phone serves no queue, and looks at all of them.
  useTopic(me && !seat && me.role !== "agent" ? "floor" : null);
  const { items, everyone } = useToday();
  const mine = useMemo(() => (everyone && me ? items.filter((entry) => entry.agent === me.name) : items), [items, everyone, me]);
  const { day } = useDay(localDate(new Date(useMinute())));
  const queues = seat ? myQueues({ serving, queues: allQueues }) : Object.values(allQueues);
  const away = me?.role === "agent" && !me.shift && !me.state.on_shift;
  const state = away ? "signed_out" : !me || !seat ? "no_seat" : me.state.name === "not_ready" || me.state.name === "signed_out" ? me.state.name : "ready";
  const recent = mine.filter((entry) => entry.talk_ms).slice(0, 6);

  return (
    <div className="idle">
      <header className="idle-head">
        <h1>{t(`idle.${state}`)}</h1>
        <p>{t(`idle.${state}_help`)}</p>
      </header>
      <NotifyOffer />
      <UnsavedNotes />
      {seat && <section aria-labelledby="idle-numbers">
        <h2 id="idle-numbers">{t("idle.numbers")}</h2>
        <dl className="figures">
          {brief.map(({ id, value }) => (
            <div key={id} className="figure" data-testid={`idle-${id.replace("_ms", "")}`}>
              <dt>{t(`day.${id}`)}</dt>
              <dd className="num">{day ? value(day.numbers) : "–"}</dd>
              <dd className="figure-note">{t(`day.${id}_formula`)}</dd>
            </div>
          ))}
        </dl>
      </section>}
      {queues.length > 0 && (
        <section aria-labelledby="idle-queues">
          <h2 id="idle-queues">{t(seat ? "idle.queues" : "floor.queues")}</h2>
          <table className="table">
            <thead>
              <tr><th>{t("idle.queue")}</th><th className="right">{t("idle.waiting")}</th><th className="right">{t("idle.longest")}</th><th className="right">{t("idle.members")}</th></tr>
            </thead>
            <tbody>
              {queues.map((queue) => (
                <tr key={queueKey(queue.pbx, queue.queue)}>
                  <td>{queueTitle(queue, language)}</td>
                  <td className={`right num ${queue.waiting ? "strong" : ""}`}>{queue.waiting}</td>
                  <td className="right">{queue.longest_since ? <Timer since={queue.longest_since} /> : "–"}</td>
                  <td className="right num">{queue.ready}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {seat && <section aria-labelledby="idle-recent">
        <h2 id="idle-recent">{t("idle.recent")}</h2>
        {recent.length === 0 && <p className="quiet">{t("idle.no_recent")}</p>}
        <ul className="recent-calls">
          {recent.map((entry) => (
            <li key={entry.id}>
              <Button className="recent-call" onPress={() => navigate(entry.customer ? `/customers/${entry.customer.id}` : `/interactions/${entry.id}`)}>
                <span className="num quiet">{formatTime(entry.at, language)}</span>
                <DirectionIcon direction={entry.direction} />
                <span className="recent-who">{whoWas(entry, t)} <Tier tier={entry.customer?.tier ?? null} /></span>
                <span className="recent-note">{entry.note ?? entry.subject ?? ""}</span>
                <Span ms={entry.talk_ms} />
              </Button>
            </li>
          ))}
        </ul>
      </section>}
    </div>
  );
}
