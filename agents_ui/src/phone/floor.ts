// What the floor says of the phone at my seat. Pure. The floor is the truth about calls; SIP only says that this
// window rings or carries the voice, and fills in while the server cannot be reached.
import { myParty, type Desk } from "../store/fold";
import type { CallParty, CallView, PartyState } from "../wire/types";
import type { AnsweredBy, SipCall } from "./state";

export interface Part { call: CallView; party: CallParty }

const speaking: ReadonlySet<PartyState> = new Set(["talking", "hold", "consulting"]);
/** The agent asked for these: their phone is only the way. */
const askedFor: ReadonlySet<string> = new Set(["dialled", "picked", "pickup"]);

/** The phone of my shift when it is a browser: its seat, which is also what a call's part names. */
export function browserSeat(desk: Desk): string | null {
  return desk.me?.shift?.kind === "browser" ? desk.me.shift.seat : null;
}

function partsHere(desk: Desk, fits: (state: PartyState) => boolean): Part[] {
  const seat = browserSeat(desk);
  return Object.values(desk.calls).flatMap((call) => {
    const party = myParty(call, desk.me);
    return party && party.seat === seat && fits(party.state) ? [{ call, party }] : [];
  });
}

/** Where the floor has me speak on this phone. */
export const speakingHere = (desk: Desk): Part | null => partsHere(desk, (state) => speaking.has(state))[0] ?? null;
export const ringingHere = (desk: Desk): Part[] => partsHere(desk, (state) => state === "ringing");

/** The floor's call that this SIP call is the voice of. SIP knows of the ringing and its end some ms before. */
export function floorCall(desk: Desk, sip: SipCall | null): Part | null {
  if (!sip) return null;
  const rings = ringingHere(desk);
  const ring = rings.length === 1 ? (rings[0] ?? null) : null;
  if (sip.state === "talking") return speakingHere(desk) ?? ring;
  return ring ?? speakingHere(desk);
}

/** How a call that has rung for `rungMs` is answered without a hand. The floor is waited for, as it tells what the call is. */
export function answersItself(desk: Desk, sip: SipCall, rungMs: number): AnsweredBy | null | "wait" {
  const part = floorCall(desk, sip);
  if (part?.party.why && askedFor.has(part.party.why.kind)) return "server";
  if (part && part.call.direction === "outbound") return "server";
  if (!desk.me?.preferences?.auto_answer) return part || rungMs > FLOOR_WAIT_MS ? null : "wait";
  // A colleague who calls directly is not let into the room unasked.
  if (part) return part.call.direction === "internal" ? null : "preference";
  return rungMs > FLOOR_WAIT_MS ? "preference" : "wait";
}

export const FLOOR_WAIT_MS = 1500;

/** `phone.answer` is for the call, or the leg, that rings here; one from before a reconnect is not for the next call. */
export function isMeant(desk: Desk, sip: SipCall | null, event: { at: string; body: { call: string; leg?: string | null } }, now: number): boolean {
  if (sip?.state !== "ringing") return false;
  const rings = ringingHere(desk);
  if (rings.length > 0) return rings.some(({ call, party }) => call.call === event.body.call || (party.leg !== null && party.leg === event.body.leg));
  return Math.abs(now - Date.parse(event.at)) < MEANT_MS;
}

const MEANT_MS = 10_000;
