// What the floor says of the phone at my seat. Pure. The floor is the truth about calls; SIP only says that this
// window rings or carries the voice, and fills in while the server cannot be reached.
import type { Desk } from "../store/desk/desk";
import type { CallView, PartState, PartView } from "../wire/types";
import type { AnsweredBy, SipCall } from "./state";

/** A call of mine at this phone, with my part of it. */
export interface Here { call: CallView; part: PartView }

const speaking: ReadonlySet<PartState> = new Set(["talking", "hold", "consulting"]);
/** The agent asked for these: their phone is only the way. */
const askedFor: ReadonlySet<string> = new Set(["dialled", "picked", "pickup"]);

/** The phone of my shift when it is a browser: its seat, which is also what a call's part names. */
export function browserSeat(desk: Desk): string | null {
  return desk.me?.shift?.kind === "browser" ? desk.me.shift.seat : null;
}

function partsHere(desk: Desk, fits: (state: PartState) => boolean): Here[] {
  const seat = browserSeat(desk);
  return Object.values(desk.parts).flat().flatMap((part) => {
    const call = desk.calls[part.call];
    return call && part.seat === seat && fits(part.state) ? [{ call, part }] : [];
  });
}

/** Where the floor has me speak on this phone. */
export const speakingHere = (desk: Desk): Here | null => partsHere(desk, (state) => speaking.has(state))[0] ?? null;
export const ringingHere = (desk: Desk): Here[] => partsHere(desk, (state) => state === "ringing");

/** The floor's call that this SIP call is the voice of. SIP knows of the ringing and its end some ms before. */
export function floorCall(desk: Desk, sip: SipCall | null): Here | null {
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
  const here = rings.length === 1 ? (rings[0] ?? null) : null;
  if (here && here.call.call === returning) return "return";
  if (here?.part.why && askedFor.has(here.part.why.kind)) return "server";
  if (here && here.call.direction === "outbound") return "server";
  if (!desk.me?.preferences.auto_answer) return here || rungMs > FLOOR_WAIT_MS ? null : "wait";
  // A colleague who calls directly is not let into the room unasked.
  if (here) return here.call.direction === "internal" ? null : "preference";
  return rungMs > FLOOR_WAIT_MS ? "preference" : "wait";
}

export const FLOOR_WAIT_MS = 1500;

/** The server's word that this phone is to answer. */
export interface ToAnswer { at: string; body: { call: string; leg?: string | null } }

/** It is for the call, or the leg, that rings here by the floor's word too; one that a resume tells again is not for the next ring. */
export function isMeant(desk: Desk, event: ToAnswer, now: number): boolean {
  const { call: named, leg } = event.body;
  return isFresh(event, now) && ringingHere(desk).some(({ call, part }) => call.call === named || (part.leg !== null && part.leg === leg));
}

export const isFresh = (event: ToAnswer, now: number): boolean => Math.abs(now - Date.parse(event.at)) < MEANT_MS;

const MEANT_MS = 10_000;

/** A call that was to come back is over. While its command runs it may be gone from the desk for a moment: the old leg
 *  ends before the new one rings. */
export function isOver(desk: Desk, call: string, running: boolean): boolean {
  const view = desk.calls[call];
  return view ? view.state === "ended" : !running;
}
