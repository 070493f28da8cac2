// What the floor says of the ringing and speaking here.
import { expect, test } from "vitest";
import { me, storyCall, unknownCard, wangCard, type StoryCall } from "../dev/people";
import { emptyDesk, type Desk } from "../store/desk/desk";
import type { CallView, Me, PartView } from "../wire/types";
import { answersItself, floorCall, FLOOR_WAIT_MS, isMeant, isOver, speakingHere } from "./floor";
import type { SipCall } from "./state";

const seat = "PJSIP/1101";
const atBrowser: Me = { ...me, shift: { seat, extension: "1101", kind: "browser", since: "2026-11-22T05:00:00Z", answers: true } };

function desk(calls: StoryCall[], about: Partial<Me> = {}): Desk {
  return {
    ...emptyDesk, me: { ...atBrowser, ...about }, calls: Object.fromEntries(calls.map(({ view }) => [view.call, view])),
    parts: Object.fromEntries(calls.map(({ view, parts }) => [view.call, parts])),
  };
}

const call = (part: Partial<PartView>, more: Partial<CallView> = {}, card = wangCard): StoryCall => storyCall(card, more, [{ seat, ...part }]);

const sip = (state: SipCall["state"]): SipCall => ({ id: "a", state, number: null, name: null, since: 0, by: null });
const queue = { kind: "queue", queue: "support", from: null, penalty: null, waited_ms: 1 } as const;

test.each([
  ["rings", "ringing", [call({ state: "ringing" })], wangCard.call],
  ["is spoken on", "talking", [call({ state: "talking" })], wangCard.call],
  ["is on hold at the server", "talking", [call({ state: "hold" })], wangCard.call],
  ["was answered here a moment ago", "talking", [call({ state: "ringing" })], wangCard.call],
  ["rings beside one in wrap-up", "ringing", [call({ state: "wrap_up" }), call({ state: "ringing" }, {}, unknownCard)], unknownCard.call],
  ["rings at another seat", "ringing", [call({ state: "ringing", seat: "PJSIP/1001" })], undefined],
  ["is not known", "ringing", [], undefined],
] as const)("the call that %s", (_name, state, calls, expected) => {
  expect(floorCall(desk([...calls]), sip(state))?.call.call).toBe(expected);
});

test("at a desk phone nothing is here", () => {
  expect(speakingHere(desk([call({ state: "talking", seat: "PJSIP/1001" })], { shift: me.shift }))).toBeNull();
});

const auto = { preferences: { auto_answer: true } };
test.each([
  ["a customer's call, by hand", {}, [call({ state: "ringing", why: queue })], 0, null],
  ["a customer's call, by itself", auto, [call({ state: "ringing", why: queue })], 0, "preference"],
  ["a colleague's call waits for a hand", auto, [call({ state: "ringing" }, { direction: "internal" })], 0, null],
  ["what I dialled needs no second click", {}, [call({ state: "ringing", why: { ...queue, kind: "dialled" } }, { direction: "internal" })], 0, "server"],
  ["what I picked neither", {}, [call({ state: "ringing", why: { ...queue, kind: "picked" } })], 0, "server"],
  ["the floor is waited for", auto, [], 0, "wait"],
  ["but not for long", auto, [], FLOOR_WAIT_MS + 1, "preference"],
  ["and by hand stays by hand", {}, [], FLOOR_WAIT_MS + 1, null],
] as const)("%s", (_name, part, calls, rung, expected) => {
  expect(answersItself(desk([...calls], part), rung)).toBe(expected);
});

test.each([
  ["the call that was asked for", [call({ state: "ringing" })], 0, "return"],
  ["another that rings meanwhile", [call({ state: "ringing" }, {}, unknownCard)], 0, null],
  ["another, while the old leg is not over yet", [call({ state: "talking", why: { ...queue, kind: "dialled" } })], FLOOR_WAIT_MS + 1, null],
  ["one of two", [call({ state: "ringing" }), call({ state: "ringing" }, {}, unknownCard)], FLOOR_WAIT_MS + 1, null],
  ["nothing that the floor does not know yet", [], 0, "wait"],
] as const)("on its way back: %s", (_name, calls, rung, expected) => {
  expect(answersItself(desk([...calls]), rung, wangCard.call)).toBe(expected);
});

test("a call on its way back is over when it ended, or is gone once its command is", () => {
  expect(isOver(desk([call({ state: "wrap_up" }, { state: "ivr" })]), wangCard.call, false)).toBe(false);
  expect(isOver(desk([call({ state: "wrap_up" }, { state: "ended" })]), wangCard.call, true)).toBe(true);
  expect([isOver(desk([]), wangCard.call, true), isOver(desk([]), wangCard.call, false)]).toEqual([false, true]);
});

test("phone.answer is for the call that it names", () => {
  const at = "2026-11-22T05:12:40.000Z";
  const now = Date.parse(at);
  const rings = desk([call({ state: "ringing" })]);
  const event = (named: string) => ({ at, body: { call: named } });
  expect(isMeant(rings, event(wangCard.call), now)).toBe(true);
  expect(isMeant(rings, event("other"), now)).toBe(false);
  // A leg that fetches a parked call is a call of its own until it is answered.
  const fetches = desk([call({ state: "ringing", leg: "main-cti-1.7" })]);
  expect(isMeant(fetches, { at, body: { call: "other", leg: "main-cti-1.7" } }, now)).toBe(true);
  expect(isMeant(fetches, { at, body: { call: "other", leg: "main-cti-1.8" } }, now)).toBe(false);
  expect(isMeant(desk([call({ state: "talking" })]), event(wangCard.call), now)).toBe(false);
  expect(isMeant(desk([]), event(wangCard.call), now)).toBe(false);
  // A resume tells it again: the same call may ring here a second time.
  expect(isMeant(rings, event(wangCard.call), now + 60_000)).toBe(false);
});
