// The floor for supervisors: queues with who waits and who serves, and every live call, as of this second.
import { useMemo } from "react";
import { named, useT } from "../../i18n";
import { formatTime } from "../../lib/format";
import { useNow } from "../../lib/clock";
import { queueTitle } from "../../lib/queue";
import { isForTheTaking } from "../../lib/controls";
import { whoIs } from "../../lib/who";
import { DirectionIcon, Tier, VerdictMark } from "../../parts/marks";
import { Timer } from "../../parts/Timer";
import { useStore } from "../../store/desk/store";
import { PickUpCommand } from "../dial/PickUps";
import type { CallView, QueueMember, QueueView } from "../../wire/types";

const busyStatus: ReadonlySet<string> = new Set(["ringing", "in_use", "on_hold", "busy"]);
const AMBER_MS = 30_000;
const RED_MS = 60_000;

type Duty = "ready" | "busy" | "paused" | "off";
function dutyOf(member: QueueMember): Duty {
  if (busyStatus.has(member.status)) return "busy";
  if (member.status !== "idle") return "off";
  return member.paused ? "paused" : "ready";
}
const dutyTone: Record<Duty, string> = { ready: "ok", busy: "info", paused: "warn", off: "neutral" };

export function Floor() {
  const t = useT();
  const language = useStore((store) => store.language);
  const queues = useStore((store) => store.desk.queues);
  const calls = useStore((store) => store.desk.calls);
  const live = useMemo(() => Object.values(calls).filter((call) => call.state !== "ended").sort((a, b) => a.started_at.localeCompare(b.started_at)), [calls]);
  const sorted = useMemo(() => Object.values(queues).sort((a, b) => b.waiting - a.waiting || a.queue.localeCompare(b.queue)), [queues]);
  const now = useNow();
  return (
    <div className="page floor">
      <header className="floor-head"><h1>{t("floor.heading")}</h1><span className="quiet num">{t("floor.as_of", { time: `${formatTime(new Date(now).toISOString(), language)}:${String(Math.floor(now / 1000) % 60).padStart(2, "0")}` })}</span></header>
      <section aria-labelledby="floor-queues" tabIndex={0}>
        <h2 id="floor-queues">{t("floor.queues")}</h2>
        {sorted.length === 0 && <p className="quiet">{t("floor.no_queues")}</p>}
        {sorted.length > 0 && <QueueTable queues={sorted} now={now} />}
      </section>
      <section aria-labelledby="floor-calls" tabIndex={0}>
        <h2 id="floor-calls">{t("floor.calls")} <span className="count num">{live.length}</span></h2>
        {live.length === 0 ? <p className="quiet">{t("floor.no_calls")}</p> : <CallTable calls={live} />}
      </section>
      <section aria-labelledby="floor-members" tabIndex={0}>
        <h2 id="floor-members">{t("floor.agents")}</h2>
        <Members queues={sorted} />
      </section>
    </div>
  );
}

function QueueTable({ queues, now }: { queues: QueueView[]; now: number }) {
  const t = useT();
  const language = useStore((store) => store.language);
  return (
    <table className="table">
      <thead>
        <tr><th>{t("floor.queue")}</th>{(["waiting", "longest", "ready", "busy", "paused", "off"] as const).map((name) => <th key={name} className="right">{t(`floor.${name}`)}</th>)}</tr>
      </thead>
      <tbody>
        {queues.map((queue) => {
          const waited = queue.longest_since ? now - Date.parse(queue.longest_since) : 0;
          const heat = waited > RED_MS ? "bad" : waited > AMBER_MS ? "warn" : "";
          const count = (duty: Duty) => queue.members.filter((member) => dutyOf(member) === duty).length;
          return (
            <tr key={queue.queue}>
              <td>{queueTitle(queue, language)} <span className="quiet">{queue.queue}</span></td>
              <td className={`right num ${queue.waiting ? "strong" : "quiet"}`}>{queue.waiting}</td>
              <td className={`right heat ${heat}`}>{queue.longest_since ? <Timer since={queue.longest_since} /> : "–"}</td>
              {(["ready", "busy", "paused", "off"] as const).map((duty) => <td key={duty} className={`right num ${count(duty) ? "" : "quiet"}`}>{count(duty)}</td>)}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** When the state of the call that the row shows began. */
function since(call: CallView): string {
  const party = Object.values(call.agents).find((entry) => entry.state !== "left");
  if (call.state === "queued") return call.waiting_since ?? call.queued_at ?? call.started_at;
  return party?.since ?? call.answered_at ?? call.queued_at ?? call.started_at;
}

function CallTable({ calls }: { calls: CallView[] }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const queues = useStore((store) => store.desk.queues);
  const me = useStore((store) => store.desk.me);
  // Who sits at a phone can take a call from here.
  const takes = Boolean(me?.seat);
  return (
    <table className="table calls">
      <thead><tr><th>{t("floor.who")}</th><th>{t("floor.verdict")}</th><th>{t("floor.queue")}</th><th>{t("floor.state")}</th><th>{t("floor.with")}</th><th className="right">{t("floor.time")}</th>{takes && <th><span className="sr">{t("verb.pick-up")}</span></th>}</tr></thead>
      <tbody>
        {calls.map((call) => {
          const queue = call.queue ? queues[call.queue] : undefined;
          const agents = Object.values(call.agents).filter((party) => party.state !== "left");
          return (
            <tr key={call.call}>
              <td><span className="cell-who"><DirectionIcon direction={call.direction} />{whoIs(call, t)} <Tier tier={call.customer?.tier ?? null} /></span></td>
              <td><VerdictMark code={call.verdict} /></td>
              <td>{queue ? queueTitle(queue, language) : call.queue ?? "–"}</td>
              <td><span className={`floor-state ${call.state}`}><span className="dot" aria-hidden="true" />{named("call_state", call.state)}{call.position ? ` #${call.position}` : ""}</span></td>
              <td>{agents.map((party) => party.name ?? party.seat).join(", ") || "–"}</td>
              <td className="right"><Timer since={since(call)} /></td>
              {takes && <td className="right">{isForTheTaking(call, me) && <PickUpCommand call={call} />}</td>}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Members({ queues }: { queues: QueueView[] }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const members = useMemo(() => {
    const seats = new Map<string, { member: QueueMember; queues: QueueView[] }>();
    for (const queue of queues) {
      for (const member of queue.members) {
        const known = seats.get(member.seat);
        if (known) known.queues.push(queue);
        else seats.set(member.seat, { member, queues: [queue] });
      }
    }
    return [...seats.values()].sort((a, b) => a.member.seat.localeCompare(b.member.seat));
  }, [queues]);
  return (
    <table className="table">
      <thead><tr><th>{t("floor.member")}</th><th>{t("floor.status")}</th><th>{t("floor.seat")}</th><th>{t("floor.queues_col")}</th></tr></thead>
      <tbody>
        {members.map(({ member, queues: serves }) => {
          const duty = dutyOf(member);
          const paused = duty === "paused" ? (member.reason ? t("member.paused_for", { reason: named("not_ready", member.reason) }) : t("member.paused")) : named("member", member.status);
          return (
            <tr key={member.seat}>
              <td>{member.name ?? member.seat}</td>
              <td><span className={`floor-state duty ${dutyTone[duty]}`}><span className="dot" aria-hidden="true" />{paused}</span></td>
              <td className="num quiet">{member.seat}</td>
              <td className="quiet">{serves.map((queue) => queueTitle(queue, language)).join(", ")}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
