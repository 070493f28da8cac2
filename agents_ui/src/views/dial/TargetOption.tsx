// One row of the target picker: who or what it is, and how it is there now.
import { useT } from "../../i18n";
import { formatNumber } from "../../lib/format";
import { queueTitle } from "../../lib/queue";
import type { TargetRow } from "../../lib/targets";
import { Icon, type IconName } from "../../parts/Icon";
import { StateMark } from "../../parts/StateMark";
import { Timer } from "../../parts/Timer";
import { useStore } from "../../store/desk/store";

const icons: Record<TargetRow["kind"], IconName> = { agent: "user", queue: "users", contact: "phone", number: "keypad" };

interface OptionProps { id: string; row: TargetRow; active: boolean; choose: () => void; act: () => void }

export function TargetOption({ id, row, active, choose, act }: OptionProps) {
  return (
    <div
      id={id} role="option" aria-selected={active} aria-disabled={row.off !== null || undefined} className="target" data-testid={`target-${row.key}`}
      // The cursor stays in the search field.
      onMouseDown={(event) => event.preventDefault()} onClick={choose} onDoubleClick={act}
    >
      <Icon name={icons[row.kind]} />
      <Body row={row} />
    </div>
  );
}

function Body({ row }: { row: TargetRow }) {
  const t = useT();
  const language = useStore((store) => store.language);
  switch (row.kind) {
    case "agent":
      return (
        <>
          <span className="target-name">{row.agent.name}<span className="num quiet">{row.agent.extension}</span></span>
          <span className="target-state"><StateMark state={row.agent.state} />{row.off && row.off !== "signed_out" && row.agent.state.reason !== "phone_unreachable" && <span className="quiet">{t(`target_off.${row.off}`)}</span>}</span>
        </>
      );
    case "queue":
      return (
        <>
          <span className="target-name">{queueTitle(row.queue, language)}</span>
          <span className="target-state quiet">
            {row.queue.waiting ? t("picker.waiting", { count: row.queue.waiting }) : t("picker.nobody_waits")}
            {row.queue.longest_since && <> · {t("picker.longest")} <Timer since={row.queue.longest_since} /></>}
            {" · "}{t("picker.ready", { count: row.queue.ready })}
          </span>
        </>
      );
    case "contact":
      return (
        <>
          <span className="target-name">{row.name}{row.label && <span className="quiet">{row.label}</span>}</span>
          <span className="target-state num">{formatNumber(row.number)}</span>
        </>
      );
    case "number":
      return <span className="target-name num">{formatNumber(row.number)}</span>;
  }
}
