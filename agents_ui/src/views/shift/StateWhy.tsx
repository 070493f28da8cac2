// Explain my state: one line at any time, and whether my phone can be rung.
import { useT } from "../../i18n";
import { explain, type Names } from "../../lib/explain";
import { formatMoment } from "../../lib/format";
import { useQueueTitle } from "../../lib/queue";
import { useMinute } from "../../lib/clock";
import { whoIs } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import { useLists } from "../../store/rooms/lists";
import { seatOf } from "../../store/desk/desk";
import { useStore } from "../../store/desk/store";

export function StateWhy() {
  const t = useT();
  const language = useStore((store) => store.language);
  const state = useStore((store) => store.desk.me?.state);
  const calls = useStore((store) => store.desk.calls);
  const reasons = useLists((lists) => lists.reasons);
  const queue = useQueueTitle();
  const now = useMinute();
  const watches = useStore((store) => store.desk.me?.role !== "agent" && seatOf(store.desk.me) === null);
  // Who only watches has no state that needs words.
  if (!state || state.since === null || (watches && !state.on_shift)) return <div className="state-why" />;
  const who: Names["who"] = (id) => (calls[id]?.customer ? whoIs(calls[id], t) : null);
  const why = explain(state, { t, language, reasons, queue, who });
  const text = t("state_why.since", { time: formatMoment(state.since, language, now), why });
  return (
    <div className="state-why">
      {state.on_shift && state.phone.reachable === false && (
        <span className="mark bad" data-testid="phone-reach" data-state="lost" role="alert">
          <Icon name="phone" size={13} />{t("seat.lost")}
        </span>
      )}
      <span data-testid="state-why" title={text}>{text}</span>
    </div>
  );
}
