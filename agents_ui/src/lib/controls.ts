// What I can do with a call now, and if not, why not: as the server says of my part of it. Pure.
import type { Verb } from "../store/calls/commands";
import type { CallVerb, CallView, PartView, Person, Standing } from "../wire/types";

/** Null: possible. Otherwise the reason, a key of `cannot.*`. */
export type Cannot = string | null;
export type Controls = Partial<Record<Verb, Cannot>>;

/** A consultation that I began: with whom, whether they answered, and whether I speak with them or with the caller. */
export interface Consultation { with: Person | null; answered: boolean; withThem: boolean }

/** The verbs that have another name on the desk. */
const named: Partial<Record<CallVerb, Verb>> = {
  "recording/start": "record-start", "recording/pause": "record-pause", "recording/resume": "record-resume", "recording/stop": "record-stop",
};
/** Help is no verb of call control: whoever is on a call may ask for it. */
const onTheCall: ReadonlySet<Standing> = new Set(["talking", "hold", "phone_hold", "reaching", "consulting", "alternated", "consulted", "conference", "alone", "waiting"]);
const consultations: ReadonlySet<Standing> = new Set(["reaching", "consulting", "alternated"]);

/** Whether I began a consultation that goes on: it rings, I speak with them, or they wait. */
export const isConsulting = (part: PartView | null): boolean => part !== null && consultations.has(part.standing);

export function controls(part: PartView | null, connected: boolean): Controls {
  if (!part) return {};
  const verbs = Object.entries(part.can) as [CallVerb, Cannot][];
  const table = Object.fromEntries(verbs.map(([verb, why]) => [named[verb] ?? verb, connected ? why : "no_pbx"])) as Controls;
  return onTheCall.has(part.standing) ? { ...table, help: connected ? null : "no_pbx" } : table;
}

export function consultation(call: CallView, part: PartView | null): Consultation | null {
  if (!part?.consultation) return null;
  const { leg, answered, with_them: withThem } = part.consultation;
  return { with: call.people.find((person) => person.leg === leg) ?? null, answered, withThem };
}

/** Calls that I could take to my phone: parked ones, waiting ones, and those that ring at a colleague. */
export function isForTheTaking(call: CallView, part: PartView | null): boolean {
  if (part && part.state !== "wrap_up") return false;
  return call.state === "parked" || call.state === "queued" || call.state === "ringing";
}
