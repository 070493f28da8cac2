// What I can do with a call now, and if not, why not. Pure: a call view in, a table of verbs out.
// The server decides (cti_server/control/table.py); this says it before it is asked.
import type { Verb } from "../store/calls/commands";
import { myParty } from "../store/desk/fold";
import type { CallParty, CallView, Me, Person } from "../wire/types";

/** Where I stand in a call. `calling`: my phone is up, the other end rings. `consulting`: I began a consultation; `consulted`: somebody else did, with me. */
export type Situation = "none" | "ringing" | "calling" | "talking" | "hold" | "consulting" | "consulted" | "conference" | "wrap_up" | "over";

/** Null: possible. Otherwise the reason, a key of `cannot.*`. */
export type Cannot = string | null;
export type Controls = Partial<Record<Verb, Cannot>>;

/** A consultation that I began: with whom, whether they answered, and whether I speak with them or with the caller. */
export interface Consultation { with: Person | null; answered: boolean; withThem: boolean }

const here = (person: Person) => person.state !== "parked";

/** Everybody but me. */
export function others(call: CallView, me: Me | null): Person[] {
  const mine = myParty(call, me);
  return call.people.filter((person) => person.leg !== mine?.leg && (person.agent === null || person.agent !== me?.id));
}

/** The side that the call is about: the customer, or who was rung in a call between colleagues. */
function about(call: CallView, me: Me | null): Person | null {
  const rest = others(call, me);
  return rest.find((person) => person.role === "customer") ?? rest[0] ?? null;
}

export function consultation(call: CallView, me: Me | null): Consultation | null {
  const mine = myParty(call, me);
  if (!mine || !["talking", "consulting", "hold"].includes(mine.state) || call.state === "conference") return null;
  const caller = about(call, me);
  const third = others(call, me).find((person) => person !== caller && here(person)) ?? null;
  const heard = third !== null && third.state !== "hold";
  if (mine.state === "consulting") return { with: third, answered: third !== null && third.state !== "ringing", withThem: heard || third === null };
  if (third === null) return null;
  // Its ring belongs to the consultation too, and so does a return to the caller while the colleague waits.
  return { with: third, answered: third.state !== "ringing", withThem: third.state === "ringing" || (heard && caller?.state === "hold") };
}

export function situation(call: CallView, me: Me | null): Situation {
  const mine: CallParty | null = myParty(call, me);
  if (!mine || mine.state === "left") return "none";
  if (mine.state === "wrap_up") return "wrap_up";
  if (mine.state === "ringing") {
    const self = call.people.find((person) => person.leg === mine.leg || (person.agent !== null && person.agent === me?.id));
    const rings = mine.why?.kind === "dialled" && others(call, me).some((person) => person.state === "ringing");
    return rings || (self && self.state !== "ringing") ? "calling" : "ringing";
  }
  if (call.state === "ended") return "over";
  if (call.state === "conference") return "conference";
  // A consultation holds the caller: my own part may be told as held or as talking, the colleague in it decides.
  const theirs = mine.why?.kind === "consult" && others(call, me).some((person) => person.role === "agent" && here(person));
  if (theirs) return mine.state === "hold" ? "hold" : "consulted";
  if (consultation(call, me)) return "consulting";
  return mine.state === "hold" ? "hold" : "talking";
}

export function controls(call: CallView, me: Me | null, connected: boolean): Controls {
  const where = situation(call, me);
  const mine = myParty(call, me);
  const table = possible(where, call, mine, consultation(call, me));
  if (connected) return table;
  return Object.fromEntries(Object.keys(table).map((verb) => [verb, "no_pbx"]));
}

function possible(where: Situation, call: CallView, mine: CallParty | null, consulted: Consultation | null): Controls {
  const mute: Controls = mine?.muted ? { unmute: null } : { mute: null };
  switch (where) {
    case "ringing":
      return { answer: null, hangup: null };
    case "calling":
      return { hold: "calling", ...mute, dtmf: "calling", hangup: null };
    case "talking":
      return {
        hold: null, ...mute, dtmf: null, consult: null, transfer: null, conference: null, park: null,
        ...recordings(call), help: null, hangup: null,
      };
    case "hold":
      return {
        retrieve: null, ...mute, dtmf: "on_hold", consult: null, transfer: null, conference: null, park: null,
        ...recordings(call, "on_hold"), help: null, hangup: null,
      };
    case "consulting": {
      const wait = consulted?.answered ? null : "not_answered";
      return {
        complete: null, conference: wait, alternate: wait, cancel: null,
        hold: "consulting", ...mute, dtmf: wait, ...recordings(call, wait), help: null, hangup: null,
      };
    }
    case "consulted":
      return { hold: "consulted", ...mute, dtmf: null, ...recordings(call), help: null, hangup: null };
    case "conference":
      return {
        hold: "in_conference", ...mute, dtmf: null, consult: "in_conference", transfer: "in_conference", conference: null, park: "in_conference",
        ...recordings(call), help: null, hangup: null,
      };
    default:
      return {};
  }
}

/** `wait`: why none can be started now; one that runs can be changed at any time. */
function recordings(call: CallView, wait: Cannot = null): Controls {
  if (call.recording === "on") return { "record-pause": null, "record-stop": null };
  if (call.recording === "paused") return { "record-resume": null, "record-stop": null };
  return { "record-start": wait };
}

/** Calls that I could take to my phone: parked ones, waiting ones, and those that ring at a colleague. */
export function isForTheTaking(call: CallView, me: Me | null): boolean {
  const mine = myParty(call, me);
  if (mine && !["left", "wrap_up"].includes(mine.state)) return false;
  return call.state === "parked" || call.state === "queued" || call.state === "ringing";
}
