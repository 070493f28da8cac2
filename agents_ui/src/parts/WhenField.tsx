// A time that is promised: quick choices as people say them, or a day and a window of one's own.
import { useState } from "react";
import { ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { useT } from "../i18n";
import { useMinute } from "../lib/clock";
import { formatMoment, formatTime } from "../lib/format";
import { callbackSlots, localDate, localTime, momentOf, untilSlots } from "../lib/slots";
import type { Language } from "../wire/types";

export interface When { from: string | null; to: string | null }
interface WhenFieldProps { value: When; onChange: (when: When) => void; kind: "window" | "until"; label: string }

const iso = (moment: Date | null) => moment?.toISOString() ?? null;

export function WhenField({ value, onChange, kind, label }: WhenFieldProps) {
  const t = useT();
  const now = useMinute();
  const slots = (kind === "window" ? callbackSlots : untilSlots)(new Date(now));
  const chosen = slots.find((slot) => iso(slot.to) === value.to && iso(slot.from) === value.from)?.id;
  const [custom, setCustom] = useState(false);
  const own = custom || (value.to !== null && chosen === undefined);
  return (
    <div className="when">
      <ToggleButtonGroup
        className="choices" aria-label={label} selectedKeys={own ? ["own"] : chosen ? [chosen] : []}
        onSelectionChange={(keys) => {
          const [key] = [...keys].map(String);
          const slot = slots.find((entry) => entry.id === key);
          setCustom(key === "own");
          if (slot) onChange({ from: iso(slot.from), to: iso(slot.to) });
          else if (key === undefined) onChange({ from: null, to: null });
        }}
      >
        {slots.map((slot) => <ToggleButton key={slot.id} id={slot.id} className="chip-button">{t(slot.text, slot.params)}</ToggleButton>)}
        <ToggleButton id="own" className="chip-button">{t("slot.own")}</ToggleButton>
      </ToggleButtonGroup>
      {own && <OwnTime value={value} onChange={onChange} kind={kind} now={now} />}
    </div>
  );
}

function OwnTime({ value, onChange, kind, now }: Omit<WhenFieldProps, "label"> & { now: number }) {
  const t = useT();
  const to = value.to ? new Date(value.to) : null;
  const from = value.from ? new Date(value.from) : null;
  const [date, setDate] = useState(localDate(to ?? new Date(now)));
  const [start, setStart] = useState(from ? localTime(from) : "");
  const [end, setEnd] = useState(to ? localTime(to) : "");
  function tell(day: string, first: string, last: string) {
    onChange({ from: kind === "window" ? iso(momentOf(day, first)) : null, to: iso(momentOf(day, last)) });
  }
  return (
    <div className="own-time">
      <label>{t("slot.day")}<input type="date" className="input small" value={date} min={localDate(new Date(now))} onChange={({ target }) => { setDate(target.value); tell(target.value, start, end); }} /></label>
      {kind === "window" && <label>{t("slot.from")}<input type="time" className="input small" value={start} onChange={({ target }) => { setStart(target.value); tell(date, target.value, end); }} /></label>}
      <label>{t("slot.to")}<input type="time" className="input small" value={end} onChange={({ target }) => { setEnd(target.value); tell(date, start, target.value); }} /></label>
    </div>
  );
}

/** 9:00–10:00, 23 Nov 9:00–10:00, by 17:00. */
export function whenText({ from, to }: { from: string | null; to: string }, language: Language, by: (time: string) => string, now: number): string {
  if (from === null) return by(formatMoment(to, language, now));
  const sameDay = new Date(from).toDateString() === new Date(to).toDateString();
  return `${formatMoment(from, language, now)}–${sameDay ? formatTime(to, language) : formatMoment(to, language, now)}`;
}
