// What the floor says of the phone at my seat. Pure. The floor is the truth about calls; SIP only says that this
// window rings or carries the voice, and fills in while the server cannot be reached.
import { myParty, type Desk } from "../store/desk/fold";
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

/** How a call that has rung for `rungMs` is answered without a hand. The floor is waited for, as it tells what the call is:
 *  one that is on its way back (`returning`) is, whatever rings meanwhile is not. */
export function answersItself(desk: Desk, rungMs: number, returning: string | null = null): AnsweredBy | null | "wait" {
  const rings = ringingHere(desk);
  const part = rings.length === 1 ? (rings[0] ?? null) : null;
  if (part && part.call.call === returning) return "return";
  if (part?.party.why && askedFor.has(part.party.why.kind)) return "server";
  if (part && part.call.direction === "outbound") return "server";
  if (!desk.me?.preferences?.auto_answer) return part || rungMs > FLOOR_WAIT_MS ? null : "wait";
  // A colleague who calls directly is not let into the room unasked.
  if (part) return part.call.direction === "internal" ? null : "preference";
  return rungMs > FLOOR_WAIT_MS ? "preference" : "wait";
}

export const FLOOR_WAIT_MS = 1500;

/** The server's word that this phone is to answer. */
export interface ToAnswer { at: string; body: { call: string; leg?: string | null } }

/** It is for the call, or the leg, that rings here by the floor's word too; one that a resume tells again is not for the next ring. */
export function isMeant(desk: Desk, event: ToAnswer, now: number): boolean {
  const { call: named, leg } = event.body;
  return isFresh(event, now) && ringingHere(desk).some(({ call, party }) => call.call === named || (party.leg !== null && party.leg === leg));
}

export const isFresh = (event: ToAnswer, now: number): boolean => Math.abs(now - Date.parse(event.at)) < MEANT_MS;

const MEANT_MS = 10_000;

/** A call that was to come back is over. While its command runs it may be gone from the desk for a moment: the old leg
 *  ends before the new one rings. */
export function isOver(desk: Desk, call: string, running: boolean): boolean {
  const known = desk.calls[call];
  return known ? known.state === "ended" : !running;
}
