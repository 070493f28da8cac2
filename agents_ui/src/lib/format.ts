// Numbers, times and durations as people read them, in the viewer's zone and language.
import type { Language } from "../wire/types";
import { readable } from "./number";

const locale = (language: Language) => (language === "zh" ? "zh-CN" : "en-GB");
const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options);
  let made = cache.get(key);
  if (!made) cache.set(key, (made = new Intl.DateTimeFormat(locale(language), options)));
  return made;
}

const pad = (value: number) => String(value).padStart(2, "0");

/** 0:07, 4:31, 1:02:45; never negative, for two clocks may differ by a few ms. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** 45 min, 12 h 30 min. */
export function formatMinutes(total: number, language: Language): string {
  const [hours, minutes] = [Math.floor(total / 60), Math.round(total % 60)];
  const [h, m] = language === "zh" ? ["小时", hours ? "分" : "分钟"] : ["h", "min"];
  const parts = [hours ? `${hours} ${h}` : "", minutes || !hours ? `${minutes} ${m}` : ""];
  return parts.filter(Boolean).join(" ");
}

export function formatTime(at: string, language: Language): string {
  return formatter(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(new Date(at));
}

/** A calendar date (2027-03-31) has no zone: it must not slip a day for viewers west of Greenwich. */
export function formatDate(date: string, language: Language): string {
  const calendar = /^\d{4}-\d{2}-\d{2}$/.test(date);
  return formatter(language, {
    year: "numeric", month: "short", day: "numeric", ...(calendar ? { timeZone: "UTC" } : {}),
  }).format(new Date(date));
}

/** Today 14:03; 18 Nov 14:03; with the year when it is another one. */
export function formatMoment(at: string, language: Language, now = Date.now()): string {
  const [then, today] = [new Date(at), new Date(now)];
  if (then.toDateString() === today.toDateString()) return formatTime(at, language);
  const sameYear = then.getFullYear() === today.getFullYear();
  return formatter(language, {
    ...(sameYear ? {} : { year: "numeric" }), month: "short", day: "numeric",
    hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  }).format(then);
}

/** 5 days ago, in 3 hours. */
export function formatAgo(at: string, language: Language, now: number): string {
  const seconds = (Date.parse(at) - now) / 1000;
  const relative = new Intl.RelativeTimeFormat(locale(language), { numeric: "auto" });
  const size = Math.abs(seconds);
  if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
  if (size < 60 * 86_400) return relative.format(Math.round(seconds / 86_400), "day");
  if (size < 700 * 86_400) return relative.format(Math.round(seconds / (30.4 * 86_400)), "month");
  return relative.format(Math.round(seconds / (365.25 * 86_400)), "year");
}

/** 40 min, 5 h, 3 days: how long, for reading at a glance. */
export function formatRough(ms: number, language: Language): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  const [value, unit] = minutes < 90 ? [minutes, "minute"] : minutes < 48 * 60 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
  return new Intl.NumberFormat(locale(language), { style: "unit", unit: unit as string, unitDisplay: "short" }).format(value as number);
}

/** The wall clock where the customer is, or null when their zone is ours or unknown. */
export function timeThere(zone: string | null, language: Language, now: number): string | null {
  if (!zone) return null;
  try {
    const there = new Intl.DateTimeFormat(locale(language), { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }).format(now);
    return there === formatTime(new Date(now).toISOString(), language) ? null : there;
  } catch {
    return null;
  }
}

/** Groups an E.164 number for reading: +86 138 0013 8000, +86 10 8888 1234, +1 415 555 0123, +44 20 7946 0018. */
export function formatNumber(given: string | null | undefined): string {
  if (!given) return "";
  const number = readable(given);
  const masked = /^\+(86|1|44)(\d+)(•+)(\d+)$/.exec(number);
  if (masked) return `+${masked.slice(1).join(" ")}`;
  const china = /^\+86(1\d{2})(\d{4})(\d{4})$/.exec(number);
  if (china) return `+86 ${china[1]} ${china[2]} ${china[3]}`;
  const fixed = /^\+86(10|2\d|[3-9]\d{2})(\d{4})(\d{3,4})$/.exec(number);
  if (fixed) return `+86 ${fixed[1]} ${fixed[2]} ${fixed[3]}`;
  const america = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number);
  if (america) return `+1 ${america[1]} ${america[2]} ${america[3]}`;
  const london = /^\+44(20)(\d{4})(\d{4})$/.exec(number);
  if (london) return `+44 ${london[1]} ${london[2]} ${london[3]}`;
  const eight = /^\+(852|853|65)(\d{4})(\d{4})$/.exec(number);
  if (eight) return `+${eight[1]} ${eight[2]} ${eight[3]}`;
  const hotline = /^(400|800)(\d{3})(\d{4})$/.exec(number);
  if (hotline) return `${hotline[1]} ${hotline[2]} ${hotline[3]}`;
  return number;
}
