// Cards and the promises on them: a promise lives in the ledger, a card repeats those to its customer. Pure.
import type { Card, Positions, PromiseView } from "../../wire/types";
import { byId, newest, type Desk } from "./desk";

const KEPT_MARKS = 500;

/** Notes that an event at `at` changed what REST may still be asked for or be answering. */
export function marked(desk: Desk, key: string, at: Positions): Desk {
  return { ...desk, marks: newest(desk.marks, key, { ...desk.marks[key], ...at }, KEPT_MARKS) };
}

/** A card as the server sent it; a promise that the ledger holds in a newer version is shown in that one. */
export function putCard(desk: Desk, call: string, card: Card): Desk {
  const newer = card.promises.flatMap((promise) => {
    const held = desk.promises[promise.id];
    return held && held.version > promise.version ? [held] : [];
  });
  return { ...desk, cards: { ...desk.cards, [call]: newer.reduce(cardWith, card) } };
}

/** Promises as they are now: the older version of one never wins. Cards on the screen follow. */
export function putPromises(desk: Desk, promises: PromiseView[], at: Positions | null = null): Desk {
  const fresh = promises.filter((promise) => promise.version >= (desk.promises[promise.id]?.version ?? 0));
  if (fresh.length === 0) return desk;
  const cards = Object.entries(desk.cards).map(([call, card]) => [call, fresh.reduce(cardWith, card)] as const);
  const next = { ...desk, promises: { ...desk.promises, ...byId(fresh) }, cards: Object.fromEntries(cards) };
  return at === null ? next : fresh.reduce((before, promise) => marked(before, `promise:${promise.id}`, at), next);
}

export function cardWith(card: Card, promise: PromiseView): Card {
  const others = card.promises.filter((shown) => shown.id !== promise.id);
  const about = others.length < card.promises.length || card.customer?.id === promise.customer.id;
  if (!about) return card;
  const open = promise.state === "open" ? [...others, promise] : others;
  return { ...card, promises: open.sort((a, b) => a.due.localeCompare(b.due)) };
}
