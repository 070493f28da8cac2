// Cards that have to be asked for: none came with the offer, the customer changed, or the agent said who is calling.
import { isWithheld } from "../../lib/number";
import { api } from "../../wire/api";
import type { Answer, Card } from "../../wire/types";
import { earliest, withCardAnswer } from "../desk/answers";
import { useStore } from "../desk/store";

/** True when the call has a card then. */
export async function refreshCard(call: string): Promise<boolean> {
  const answer = await api.card(call).catch(() => cardFromRecord(call));
  const { change } = useStore.getState();
  if (answer) change((desk) => withCardAnswer(desk, call, answer));
  return call in useStore.getState().desk.cards;
}

/** Reads the cards anew that show an older version of this customer. */
export function refreshCards(customer: number): void {
  const { cards, versions } = useStore.getState().desk;
  const version = versions[customer] ?? 0;
  for (const [call, card] of Object.entries(cards)) {
    if (card.customer?.id === customer && card.customer.version < version) void refreshCard(call);
  }
}

/** The server has no card of this call (it restarted meanwhile) but knows the customer: the record says the rest. */
async function cardFromRecord(id: string): Promise<Answer<Card> | null> {
  const call = useStore.getState().desk.calls[id];
  if (!call || call.match === "pending") return null;
  const withheld = isWithheld(call.ani);
  const kind = withheld ? ("withheld" as const) : ("e164" as const);
  const number = { raw: call.ani ?? "", e164: withheld ? null : call.ani, extension: null, kind, reason: "", place: null, place_zh: null };
  const unexplained = { code: "", params: {} };
  const match = { standing: call.match ?? ("none" as const), reason: unexplained, candidates: [] };
  if (!call.customer) {
    const verdict = { code: "none" as const, rule: unexplained, contract: null };
    const card = { call: id, customer: null, number, match, verdict, products: [], cases: [], notes: [], recent: [], why: [], promises: [] };
    return { value: card, positions: useStore.getState().desk.positions };
  }
  try {
    const { id: who } = call.customer;
    const [customer, history, promises] = await Promise.all([
      api.customer(who), api.timeline(who, null), api.promises({ customer: who, state: "open" }),
    ]);
    const { verdict, products, cases, notes } = customer.value;
    const recent = history.value.items.filter((entry) => entry.id !== call.interaction).slice(0, 5);
    return {
      value: { call: id, customer: customer.value, number, match, verdict, products, cases, notes, recent, why: [], promises: promises.value },
      positions: earliest(customer.positions, history.positions, promises.positions),
    };
  } catch {
    return null;
  }
}
