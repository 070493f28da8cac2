// Today's interactions of this agent (or of everyone, for a supervisor): fetched on sign-in and after each call's end.
import { create } from "zustand";
import { api } from "../../wire/api";
import { serverNow } from "../../wire/clock";
import type { Interaction } from "../../wire/types";
import { useStore } from "../desk/store";

interface Today { items: Interaction[]; loaded: boolean; failed: boolean; everyone: boolean }

export const useToday = create<Today>(() => ({ items: [], loaded: false, failed: false, everyone: false }));

const PAGE = 100;
const PAGES = 5; // a day of one agent fits; a floor's longer day shows its newest 500
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
    const me = useStore.getState().desk.me;
    const shown = everyone || !me ? items : items.map((entry) => partOf(entry, me.id));
    if (run === running) useToday.setState({ items: shown, loaded: true, failed: false });
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

/** What an interaction was for one agent: their talk time, and how it ended for them. */
export function partOf(entry: Interaction, agent: number): Interaction {
  const segments = (entry.segments ?? []).filter((segment) => segment.agent?.id === agent);
  const last = segments.at(-1);
  if (!last) return entry;
  const talkMs = segments.reduce((sum, segment) => sum + (segment.talk_ms ?? 0), 0);
  if (talkMs > 0) return { ...entry, talk_ms: talkMs };
  return { ...entry, talk_ms: null, outcome: (last.outcome ?? entry.outcome) as Interaction["outcome"] };
}
