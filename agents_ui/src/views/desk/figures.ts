// My figures of a day, as the server counts them: the desk and My day show the same ones, with the same words.
import { useEffect, useState } from "react";
import { useMinute } from "../../lib/clock";
import { formatSpan } from "../../lib/format";
import { useStore } from "../../store/desk/store";
import { useToday } from "../../store/rooms/today";
import { api } from "../../wire/api";
import type { Day } from "../../wire/types";

export interface Figure { id: string; value: (numbers: Day["numbers"]) => string }

const count = (value: number) => String(value);
const span = (value: number | null) => (value === null ? "–" : formatSpan(value));

export const figures: Figure[] = [
  { id: "handled", value: (n) => count(n.handled) },
  { id: "offered", value: (n) => count(n.offered) },
  { id: "no_answer", value: (n) => count(n.no_answer) },
  { id: "outbound", value: (n) => count(n.outbound) },
  { id: "talk_ms", value: (n) => span(n.talk_ms) },
  { id: "hold_ms", value: (n) => span(n.hold_ms) },
  { id: "wrap_ms", value: (n) => span(n.wrap_ms) },
  { id: "ready_ms", value: (n) => span(n.ready_ms) },
  { id: "aht_ms", value: (n) => span(n.aht_ms) },
  { id: "occupancy", value: (n) => (n.occupancy === null ? "–" : `${Math.round(n.occupancy * 100)} %`) },
];

/** What the desk shows between two calls. */
export const brief = ["handled", "talk_ms", "aht_ms", "no_answer"].map((id) => figures.find((figure) => figure.id === id) as Figure);

/** My day `on` (YYYY-MM-DD), read again with each call of mine, each change of state, and each minute. */
export function useDay(on: string): { day: Day | null; failed: boolean } {
  const since = useStore((store) => store.desk.me?.state.since);
  const calls = useToday((today) => today.items.length);
  const now = useMinute();
  const [day, setDay] = useState<Day | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let over = false;
    api.day(on).then((answer) => over || (setDay(answer), setFailed(false)), () => over || setFailed(true));
    return () => {
      over = true;
    };
  }, [on, since, calls, now]);
  return { day, failed };
}
