// My day: my numbers, each with its formula, my time in each state as a bar, and my calls in the list beside.
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { reasonTitle } from "../../lib/explain";
import { formatDate, formatSpan, formatTime } from "../../lib/format";
import { localDate } from "../../lib/slots";
import { whoWas } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import { DirectionIcon, OutcomeText, ToldBy } from "../../parts/marks";
import { Span } from "../../parts/Timer";
import { useLists } from "../../store/rooms/lists";
import { navigate } from "../../store/session/navigate";
import { useStore } from "../../store/desk/store";
import { partOf } from "../../store/rooms/today";
import { api } from "../../wire/api";
import type { Day, Interaction, StateSpan } from "../../wire/types";
import { figures, useDay } from "./figures";

export function DayView() {
  const t = useT();
  const language = useStore((store) => store.language);
  const now = useMinute();
  const [date, setDate] = useState<string | null>(null);
  const today = localDate(new Date(now));
  const shown = date ?? today;
  const { day, failed } = useDay(shown);

  function step(days: number) {
    const [year, month, on] = shown.split("-").map(Number) as [number, number, number];
    const next = localDate(new Date(year, month - 1, on + days));
    setDate(next >= today ? null : next);
  }

  return (
    <div className="page day" data-testid="my-day">
      <header className="page-head day-head">
        <h1>{t("day.heading")}</h1>
        <div className="day-step">
          <Button className="button ghost square small" aria-label={t("day.before")} onPress={() => step(-1)}><Icon name="back" size={14} /></Button>
          <span className="num strong" aria-live="polite">{shown === today ? t("day.today") : formatDate(shown, language)}</span>
          <Button className="button ghost square small next" aria-label={t("day.after")} isDisabled={shown === today} onPress={() => step(1)}><Icon name="back" size={14} /></Button>
        </div>
      </header>
      {failed && <div className="alert bad" role="alert"><Icon name="warn" /><span>{t("day.failed")}</span></div>}
      {day && (
        <>
          <dl className="figures day-figures">
            {figures.map(({ id, value }) => (
              <div key={id} className="figure" data-testid={`day-${id.replace("_ms", "")}`}>
                <dt>{t(`day.${id}`)}</dt>
                <dd className="num">{value(day.numbers)}</dd>
                <dd className="figure-note" title={day.formulas[id.replace("_ms", "")] ?? day.formulas[id] ?? ""}>{t(`day.${id}_formula`)}</dd>
              </div>
            ))}
          </dl>
          <TimeInStates day={day} />
          <Calls day={day} />
        </>
      )}
      {!day && !failed && <p className="quiet" role="status">{t("common.loading")}</p>}
    </div>
  );
}

/** Talk and hold are figures of their own, of what the record has; how long the phone was in use is one state here. */
const onCalls: ReadonlySet<string> = new Set(["talking", "hold"]);

function summed(day: Day): { name: string; reason: string | null; ms: number }[] {
  const shown = day.states.filter((state) => state.name !== "signed_out");
  const ms = shown.filter((state) => onCalls.has(state.name)).reduce((sum, state) => sum + state.ms, 0);
  const others = shown.filter((state) => !onCalls.has(state.name));
  return [...others, ...(ms ? [{ name: "talking", reason: null, ms }] : [])].sort((a, b) => b.ms - a.ms);
}

function TimeInStates({ day }: { day: Day }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const reasons = useLists((lists) => lists.reasons);
  const now = useMinute();
  const log = day.log.filter((part) => part.name !== "signed_out");
  const states = summed(day);
  const first = log[0];
  const last = log.at(-1);
  const [from, to] = [Date.parse(first?.since ?? day.from), last?.until ? Date.parse(last.until) : Math.max(now, Date.parse(last?.since ?? day.from) + 1000)];
  const end = (part: StateSpan) => (part.until ? Date.parse(part.until) : to);
  const name = (state: { name: string; reason: string | null }) =>
    [t(onCalls.has(state.name) ? "day.on_calls" : `state.${state.name}`), state.name === "not_ready" ? reasonTitle(state.reason, reasons, language) : ""].filter(Boolean).join(" · ");
  const total = states.reduce((sum, state) => sum + state.ms, 0);
  return (
    <section className="list" aria-labelledby="day-states">
      <h2 id="day-states">{t("day.states")}</h2>
      {log.length === 0 && <p className="quiet">{t("day.no_states")}</p>}
      {log.length > 0 && (
        <div className="day-bar" role="img" aria-label={t("day.bar")}>
          {log.map((part) => (
            <span
              key={part.since} className={`stretch ${part.name}`} style={{ insetInlineStart: `${((Date.parse(part.since) - from) / (to - from)) * 100}%`, inlineSize: `${((end(part) - Date.parse(part.since)) / (to - from)) * 100}%` }}
              title={`${formatTime(part.since, language)}–${part.until ? formatTime(part.until, language) : ""} ${name(part)}`}
            />
          ))}
        </div>
      )}
      {first && <div className="day-scale num quiet"><span>{formatTime(first.since, language)}</span><span>{last?.until ? formatTime(last.until, language) : t("day.now")}</span></div>}
      <ul className="day-states">
        {states.map((state) => (
          <li key={`${state.name} ${state.reason}`}>
            <span className={`swatch ${state.name}`} aria-hidden="true" />
            <span className="day-state">{name(state)}</span>
            <span className="num">{formatSpan(state.ms)}</span>
            <span className="num quiet">{total ? `${Math.round((state.ms / total) * 100)} %` : ""}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Calls({ day }: { day: Day }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const me = useStore((store) => store.desk.me?.id ?? 0);
  const [calls, setCalls] = useState<Interaction[] | null>(null);
  const { from, to } = day;
  useEffect(() => {
    let over = false;
    api.interactions({ from, to, agent: "me", limit: 100 }).then((page) => over || setCalls(page.items.map((entry) => partOf(entry, me))), () => null);
    return () => {
      over = true;
    };
  }, [from, to, me, day.numbers.offered, day.numbers.outbound]);
  return (
    <section aria-labelledby="day-calls">
      <h2 id="day-calls">{t("day.calls")} <span className="count num">{calls?.length ?? ""}</span></h2>
      {calls?.length === 0 && <p className="quiet">{t("day.no_calls")}</p>}
      <ul className="recent-calls">
        {calls?.map((entry) => (
          <li key={entry.id}>
            <Button className="recent-call" onPress={() => navigate(`/interactions/${entry.id}`)}>
              <span className="num quiet">{formatTime(entry.at, language)}</span>
              <DirectionIcon direction={entry.direction} outcome={entry.outcome} />
              <span className="recent-who">{whoWas(entry, t)}</span>
              <span className="recent-note">{entry.note ?? entry.subject ?? ""}</span>
              <ToldBy by={entry.told_by} />
              {entry.talk_ms ? <Span ms={entry.talk_ms} /> : <OutcomeText outcome={entry.outcome} />}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
