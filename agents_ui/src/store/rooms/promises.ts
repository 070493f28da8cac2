// The promise ledger: what was promised, to whom, until when; mine are loaded at sign-in, changes come as events.
import { api, ProblemError, type NewPromise, type PromiseChanges } from "../../wire/api";
import { translate } from "../../i18n";
import type { PromiseView } from "../../wire/types";
import { withPromisesAnswer } from "../desk/answers";
import { putPromises } from "../desk/cards";
import type { Desk } from "../desk/desk";
import { toast, useStore } from "../desk/store";

export type Urgency = "late" | "soon" | "later";

/** Late once its time is over; soon from the moment on at which it is raised, or its window has begun. */
export function urgencyOf(promise: PromiseView, now: number): Urgency {
  const due = Date.parse(promise.due);
  if (now >= due) return "late";
  const begun = promise.from !== null && now >= Date.parse(promise.from);
  return begun || due - now <= promise.remind_ms ? "soon" : "later";
}

export function myPromises(desk: Desk): PromiseView[] {
  return Object.values(desk.promises)
    .filter((promise) => promise.state === "open" && promise.owner?.id === desk.me?.id)
    .sort((a, b) => a.due.localeCompare(b.due));
}

export async function loadPromises(): Promise<void> {
  const answer = await api.promises({ owner: "me", state: "open" }).catch(() => null);
  if (answer) useStore.getState().change((desk) => withPromisesAnswer(desk, answer, (promise) => promise.owner?.id === desk.me?.id));
}

/** Those to a customer and, for a person, to their company; returns their ids. */
export async function loadCustomerPromises(customer: number): Promise<number[]> {
  const answer = await api.promises({ customer, state: "open" }).catch(() => null);
  if (!answer) return [];
  useStore.getState().change((desk) => withPromisesAnswer(desk, answer, (promise) => promise.customer.id === customer));
  return answer.value.map((promise) => promise.id);
}

export async function makePromise(made: NewPromise): Promise<boolean> {
  return attempt(() => api.promise(made), "promise.made");
}

export async function changePromise(promise: PromiseView, changes: PromiseChanges): Promise<boolean> {
  const said = changes.state ? `promise.now_${changes.state}` : "promise.moved";
  return attempt(() => api.changePromise(promise.id, promise.version, changes), said);
}

async function attempt(send: () => Promise<PromiseView>, said: string): Promise<boolean> {
  try {
    const promise = await send();
    useStore.getState().change((desk) => putPromises(desk, [promise]));
    toast({ tone: "ok", text: translate(said) });
    return true;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    toast({ tone: "bad", problem: error.problem });
    return false;
  }
}
