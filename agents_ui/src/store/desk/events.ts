// Events as they happen, for what is done once and not shown: a sound, a toast, a phone that answers itself.
// What repeats after a reconnect has already been told, and is not told again.
import type { ServerEvent } from "../../wire/types";

type Kind = ServerEvent["kind"];
type Told<K extends Kind> = Extract<ServerEvent, { kind: K }>;
const listeners = new Map<Kind, Set<(event: ServerEvent) => void>>();

/** Returns what ends it. */
export function onEvent<K extends Kind>(kind: K, listener: (event: Told<K>) => void): () => void {
  const known = listeners.get(kind) ?? new Set();
  listeners.set(kind, known);
  known.add(listener as (event: ServerEvent) => void);
  return () => known.delete(listener as (event: ServerEvent) => void);
}

export function tellEvent(event: ServerEvent): void {
  for (const listener of listeners.get(event.kind) ?? []) listener(event);
}
