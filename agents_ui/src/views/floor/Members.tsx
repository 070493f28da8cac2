// The members of the queues that are chosen, one row a phone, with all of those queues that it serves.
import { useMemo } from "react";
import { named, useT } from "../../i18n";
import { queueTitle } from "../../lib/queue";
import { phoneOf } from "../../lib/who";
import { useStore } from "../../store/desk/store";
import { useTopics } from "../../store/session/topics";
import type { MemberView, QueueView } from "../../wire/types";

const busyStatus: ReadonlySet<string> = new Set(["ringing", "in_use", "on_hold", "busy"]);

type Duty = "ready" | "busy" | "paused" | "off";
function dutyOf(member: MemberView): Duty {
  if (busyStatus.has(member.status)) return "busy";
  if (member.status !== "idle") return "off";
  return member.paused ? "paused" : "ready";
}
const dutyTone: Record<Duty, string> = { ready: "ok", busy: "info", paused: "warn", off: "neutral" };

export function Members({ open }: { open: string[] }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const queues = useStore((store) => store.desk.queues);
  const members = useStore((store) => store.desk.members);
  useTopics(open.map((key) => `queue:${key}`));
  const rows = useMemo(() => {
    const seats = new Map<string, { member: MemberView; queues: QueueView[] }>();
    for (const key of open) {
      const queue = queues[key];
      for (const member of Object.values(members[key] ?? {})) {
        const row = seats.get(member.seat) ?? { member, queues: [] };
        seats.set(member.seat, { member, queues: queue ? [...row.queues, queue] : row.queues });
      }
    }
    return [...seats.values()].sort((a, b) => a.member.seat.localeCompare(b.member.seat));
  }, [open, queues, members]);
  if (rows.length === 0) return <p className="quiet">{t("floor.no_members")}</p>;
  return (
    <table className="table">
      <thead><tr><th>{t("floor.member")}</th><th>{t("floor.status")}</th><th>{t("floor.seat")}</th><th>{t("floor.queues_col")}</th></tr></thead>
      <tbody>
        {rows.map(({ member, queues: serves }) => {
          const duty = dutyOf(member);
          const paused = member.reason ? t("member.paused_for", { reason: named("not_ready", member.reason) }) : t("member.paused");
          return (
            <tr key={member.seat}>
              <td>{member.name ?? phoneOf(member.seat)}</td>
              <td><span className={`floor-state duty ${dutyTone[duty]}`}><span className="dot" aria-hidden="true" />{duty === "paused" ? paused : named("member", member.status)}</span></td>
              <td className="num quiet">{phoneOf(member.seat)}</td>
              <td className="quiet">{serves.map((queue) => queueTitle(queue, language)).join(", ")}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
