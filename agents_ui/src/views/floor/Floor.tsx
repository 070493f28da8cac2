// The floor for supervisors: queues with who waits and how many serve, every live call, and the members of the queues
// that are chosen, as of this second.
import { useMemo, useState } from "react";
import { useT } from "../../i18n";
import { formatTime } from "../../lib/format";
import { useNow } from "../../lib/clock";
import { queueKey } from "../../store/desk/desk";
import { useStore } from "../../store/desk/store";
import { useShown, useTopic } from "../../store/session/topics";
import { CallTable } from "./CallTable";
import { Members } from "./Members";
import { QueueTable } from "./QueueTable";

/** So many queues show their members unasked: each is a topic of its own, and a floor may have hundreds. */
const MEMBERS_OF = 12;

export function Floor() {
  const t = useT();
  const language = useStore((store) => store.language);
  const queues = useStore((store) => store.desk.queues);
  const calls = useStore((store) => store.desk.calls);
  useTopic("floor");
  const shown = useShown("floor");
  const live = useMemo(() => Object.values(calls).filter((call) => call.state !== "ended").sort((a, b) => a.started_at.localeCompare(b.started_at)), [calls]);
  const sorted = useMemo(() => Object.values(queues).sort((a, b) => b.waiting - a.waiting || a.queue.localeCompare(b.queue)), [queues]);
  const [chosen, setChosen] = useState<Record<string, boolean>>({});
  // By name and not by who waits: what is open must not change by itself.
  const first = Object.keys(queues).sort().slice(0, MEMBERS_OF);
  const open = sorted.map((queue) => queueKey(queue.pbx, queue.queue)).filter((key) => chosen[key] ?? first.includes(key));
  const now = useNow();
  return (
    <div className="page floor">
      <header className="floor-head"><h1>{t("floor.heading")}</h1><span className="quiet num">{t("floor.as_of", { time: `${formatTime(new Date(now).toISOString(), language)}:${String(Math.floor(now / 1000) % 60).padStart(2, "0")}` })}</span></header>
      <section aria-labelledby="floor-queues" tabIndex={0}>
        <h2 id="floor-queues">{t("floor.queues")}</h2>
        {sorted.length === 0 && <p className="quiet" role="status">{t(shown ? "floor.no_queues" : "common.loading")}</p>}
        {sorted.length > 0 && <QueueTable queues={sorted} now={now} open={open} onToggle={(key) => setChosen({ ...chosen, [key]: !open.includes(key) })} />}
      </section>
      <section aria-labelledby="floor-calls" tabIndex={0}>
        <h2 id="floor-calls">{t("floor.calls")} <span className="count num">{live.length}</span></h2>
        {live.length === 0 ? <p className="quiet" role="status">{t(shown ? "floor.no_calls" : "common.loading")}</p> : <CallTable calls={live} />}
      </section>
      <section aria-labelledby="floor-members" tabIndex={0}>
        <h2 id="floor-members">{t("floor.agents")}</h2>
        <Members open={open} />
      </section>
    </div>
  );
}
