// Events as they happen, for what is done once and not shown: a sound, a toast, a phone that answers itself.
// What a reconnect repeats was heard before, and is not passed on again.
import type { EventOf, ServerEvent } from "../../wire/types";

type Kind = ServerEvent["kind"];
const listeners = new Map<Kind, Set<(event: ServerEvent) => void>>();

/** Returns what ends it. */
export function onEvent<K extends Kind>(kind: K, listener: (event: EventOf<K>) => void): () => void {
  const all = listeners.get(kind) ?? new Set();
  listeners.set(kind, all);
  all.add(listener as (event: ServerEvent) => void);
  return () => all.delete(listener as (event: ServerEvent) => void);
}

export function tellEvent(event: ServerEvent): void {
  for (const listener of listeners.get(event.kind) ?? []) listener(event);
}
