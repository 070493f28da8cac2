// Quick choices of a time: what people say — "tomorrow 9–10", "today by 17:00" — as moments in the viewer's zone.

export interface Slot { id: string; text: string; params: Record<string, string | number>; from: Date | null; to: Date }

const FIVE_MIN = 5 * 60_000;

function at(now: Date, days: number, hour: number, minute = 0): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour, minute);
}

/** Days until the next working day: tomorrow, or Monday over a weekend. */
export function workday(now: Date): number {
  const day = now.getDay();
  return day === 5 ? 3 : day === 6 ? 2 : 1;
}

const hours = (from: number, to: number) => ({ from: `${from}:00`, to: `${to}:00` });

/** For calling back: within the hour, later today, and two windows of the next working day. */
export function callbackSlots(now: Date): Slot[] {
  const days = workday(now);
  const word = days === 1 ? "slot.tomorrow" : "slot.monday";
  const hour = new Date(Math.ceil((now.getTime() + 3_600_000) / FIVE_MIN) * FIVE_MIN);
  const slots: Slot[] = [{ id: "hour", text: "slot.hour", params: {}, from: null, to: hour }];
  if (now.getHours() < 15) slots.push({ id: "today", text: "slot.today", params: hours(16, 17), from: at(now, 0, 16), to: at(now, 0, 17) });
  slots.push({ id: "morning", text: word, params: hours(9, 10), from: at(now, days, 9), to: at(now, days, 10) });
  slots.push({ id: "afternoon", text: word, params: hours(14, 15), from: at(now, days, 14), to: at(now, days, 15) });
  return slots;
}

/** For somebody who comes or something that is sent: until when. */
export function untilSlots(now: Date): Slot[] {
  const days = workday(now);
  const word = days === 1 ? "slot.tomorrow_by" : "slot.monday_by";
  const slots: Slot[] = [];
  for (const hour of [12, 17, 20]) {
    if (now.getHours() < hour - 1 && slots.length < 2) slots.push({ id: `today-${hour}`, text: "slot.today_by", params: { to: `${hour}:00` }, from: null, to: at(now, 0, hour) });
  }
  for (const hour of [12, 17]) slots.push({ id: `next-${hour}`, text: word, params: { to: `${hour}:00` }, from: null, to: at(now, days, hour) });
  return slots;
}

const pad = (value: number) => String(value).padStart(2, "0");

/** As the browser's own date and time fields write it. */
export function localDate(moment: Date): string {
  return `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
}

export function localTime(moment: Date): string {
  return `${pad(moment.getHours())}:${pad(moment.getMinutes())}`;
}

export function momentOf(date: string, time: string): Date | null {
  const moment = new Date(`${date}T${time}`);
  return date && time && !Number.isNaN(moment.getTime()) ? moment : null;
}
