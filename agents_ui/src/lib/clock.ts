// Time for views: one ticker for all timers, drawn from the server's clock. Nothing is ever counted up.
import { useSyncExternalStore } from "react";
import { serverNow } from "../wire/clock";

const listeners = new Set<() => void>();
let ticker: ReturnType<typeof setInterval> | undefined;
let second = 0;

function tick(): void {
  const now = Math.floor(serverNow() / 250);
  if (now === second) return;
  second = now;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  ticker ??= setInterval(tick, 250);
  document.addEventListener("visibilitychange", tick);
  return () => {
    listeners.delete(listener);
    document.removeEventListener("visibilitychange", tick);
    if (listeners.size === 0) {
      clearInterval(ticker);
      ticker = undefined;
    }
  };
}

/** Server time in ms, re-rendering each `everyMs` (a multiple of 250). */
export function useNow(everyMs = 1000): number {
  const step = useSyncExternalStore(subscribe, () => Math.floor(serverNow() / everyMs));
  return step * everyMs;
}

/** For dates that change by the minute. */
export function useMinute(): number {
  return useNow(60_000);
}
