// What REST answered, laid into the desk. An answer says how far the server was when it was read; where an event has
// changed the same thing since, the event stands. Pure.
import type { Answer, Card, HandoverView, HelpRequest, Me, Message, Positions, PromiseView } from "../../wire/types";
import { cardWith, putCard, putPromises } from "./cards";
import { byId, type Desk } from "./desk";

/** Whether an answer that was read at `positions` is as new as the last event that changed this. */
export function isCurrent(desk: Pick<Desk, "marks">, key: string, positions: Positions): boolean {
  return Object.entries(desk.marks[key] ?? {}).every(([stream, seq]) => (positions[stream] ?? -1) >= seq);
}

/** Of several answers that make one: what all of them have heard. */
export function earliest(...all: Positions[]): Positions {
  const [first = {}, ...others] = all;
  const streams = Object.keys(first).filter((stream) => others.every((positions) => stream in positions));
  return Object.fromEntries(streams.map((stream) => [stream, Math.min(...all.map((positions) => positions[stream] ?? 0))]));
}

export function withCardAnswer(desk: Desk, call: string, { value: card, positions }: Answer<Card>): Desk {
  if (!(call in desk.parts) || !isCurrent(desk, `card:${call}`, positions)) return desk;
  // A promise may have been made or settled after the card was read.
  const later = Object.values(desk.promises).filter((promise) => !isCurrent(desk, `promise:${promise.id}`, positions));
  return putCard(desk, call, later.reduce(cardWith, card));
}

export function withHandoverAnswer(desk: Desk, call: string, { value }: Answer<HandoverView>): Desk {
  return call in desk.parts && !(call in desk.handovers) ? { ...desk, handovers: { ...desk.handovers, [call]: value } } : desk;
}

/** The state and the queues are told by events alone; the rest of me by this. */
export function withMeAnswer(desk: Desk, { value, positions }: Answer<Me>): Desk {
  if (desk.me?.id !== value.id) return desk;
  const { state, queues } = desk.me;
  const preferences = isCurrent(desk, "me.settings", positions) ? value.preferences : desk.me.preferences;
  return { ...desk, me: { ...value, state, queues, preferences } };
}

/** A list that is whole as far as `covers` goes: an open promise that it does not name is settled. */
export function withPromisesAnswer(desk: Desk, { value, positions }: Answer<PromiseView[]>, covers: (promise: PromiseView) => boolean): Desk {
  const named = new Set(value.map((promise) => promise.id));
  const settled = (promise: PromiseView) =>
    promise.state === "open" && !named.has(promise.id) && covers(promise) && isCurrent(desk, `promise:${promise.id}`, positions);
  const left = Object.values(desk.promises).filter((promise) => !settled(promise));
  return putPromises({ ...desk, promises: byId(left) }, value);
}

/** All requests that are not done: one that the list does not name is. */
export function withHelpAnswer(desk: Desk, { value, positions }: Answer<HelpRequest[]>): Desk {
  const current = (id: number) => isCurrent(desk, `help:${id}`, positions);
  const newer = Object.values(desk.help).filter((request) => !current(request.id));
  return { ...desk, help: byId([...value.filter((request) => current(request.id)), ...newer]) };
}

/** One request, as the command that changed it was answered. `positions`: where this desktop was when it asked. */
export function withOneHelp(desk: Desk, { value, positions }: Answer<HelpRequest>): Desk {
  return isCurrent(desk, `help:${value.id}`, positions) ? { ...desk, help: { ...desk.help, [value.id]: value } } : desk;
}

/** A message never changes. */
export function withMessages(desk: Desk, messages: Message[]): Desk {
  return { ...desk, messages: { ...desk.messages, ...byId(messages) } };
}
