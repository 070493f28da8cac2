// Today's interactions of this agent (or of everyone, for a supervisor): fetched on sign-in and after each call's end.
import { create } from "zustand";
import { api } from "../wire/api";
import { serverNow } from "../wire/clock";
import type { Interaction } from "../wire/types";

interface Today { items: Interaction[]; loaded: boolean; failed: boolean; everyone: boolean }

export const useToday = create<Today>(() => ({ items: [], loaded: false, failed: false, everyone: false }));

const PAGES = 5;
const PAGE = 100;
let timer: ReturnType<typeof setTimeout> | undefined;
let running = 0;

export async function loadToday(): Promise<void> {
  const run = (running += 1);
  const { everyone } = useToday.getState();
  const midnight = new Date(serverNow());
  midnight.setHours(0, 0, 0, 0);
  const filter = { from: midnight.toISOString(), limit: PAGE, ...(everyone ? {} : { agent: "me" as const }) };
  try {
    const items: Interaction[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < PAGES; page += 1) {
      const answer = await api.interactions({ ...filter, cursor });
      items.push(...answer.items);
      cursor = answer.next;
      if (!cursor) break;
    }
    if (run === running) useToday.setState({ items, loaded: true, failed: false });
  } catch {
    if (run === running) useToday.setState({ failed: true });
  }
}

/** Several events end one call; the list is asked for once, after the last of them. */
export function refreshToday(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void loadToday(), 600);
}

export function forgetToday(): void {
  clearTimeout(timer);
  running += 1;
  useToday.setState({ items: [], loaded: false, failed: false, everyone: false });
}

/** Answered calls, their talk time and mean; offers that rang and were not taken count apart. */
export function numbersOf(items: Interaction[]): { handled: number; talkMs: number; meanMs: number | null; missed: number } {
  const handled = items.filter((entry) => (entry.talk_ms ?? 0) > 0);
  const talkMs = handled.reduce((sum, entry) => sum + (entry.talk_ms ?? 0), 0);
  const missed = items.filter((entry) => entry.direction === "inbound" && entry.outcome !== null && !entry.talk_ms).length;
  return { handled: handled.length, talkMs, meanMs: handled.length ? talkMs / handled.length : null, missed };
}
