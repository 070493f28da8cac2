// Queues with who waits and how many members can take a call; each row opens and closes the members of its queue below.
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { queueTitle } from "../../lib/queue";
import { Icon } from "../../parts/Icon";
import { Timer } from "../../parts/Timer";
import { queueKey } from "../../store/desk/desk";
import { useStore } from "../../store/desk/store";
import type { QueueView } from "../../wire/types";

const AMBER_MS = 30_000;
const RED_MS = 60_000;

interface QueueTableProps { queues: QueueView[]; now: number; open: string[]; onToggle: (key: string) => void }

export function QueueTable({ queues, now, open, onToggle }: QueueTableProps) {
  const t = useT();
  const language = useStore((store) => store.language);
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t("floor.queue")}</th>
          {(["waiting", "longest", "ready", "busy", "paused", "off"] as const).map((name) => <th key={name} className="right">{t(`floor.${name}`)}</th>)}
          <th className="right">{t("floor.agents")}</th>
        </tr>
      </thead>
      <tbody>
        {queues.map((queue) => {
          const key = queueKey(queue.pbx, queue.queue);
          const waited = queue.longest_since ? now - Date.parse(queue.longest_since) : 0;
          const heat = waited > RED_MS ? "bad" : waited > AMBER_MS ? "warn" : "";
          const title = queueTitle(queue, language);
          return (
            <tr key={key}>
              <td>{title}</td>
              <td className={`right num ${queue.waiting ? "strong" : "quiet"}`}>{queue.waiting}</td>
              <td className={`right heat ${heat}`}>{queue.longest_since ? <Timer since={queue.longest_since} /> : "–"}</td>
              {(["ready", "busy", "paused", "off"] as const).map((duty) => <td key={duty} className={`right num ${queue[duty] ? "" : "quiet"}`}>{queue[duty]}</td>)}
              <td className="right">
                <Button className="button small ghost" data-testid={`members-${queue.queue}`} aria-pressed={open.includes(key)} aria-label={t("floor.members_of", { queue: title })} onPress={() => onToggle(key)}>
                  <span className="num">{queue.members}</span><Icon name={open.includes(key) ? "check" : "plus"} size={13} />
                </Button>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
