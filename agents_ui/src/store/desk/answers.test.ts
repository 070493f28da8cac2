// REST answers beside events: an answer never overwrites what a newer event set, and overwrites everything older.
import { describe, expect, test } from "vitest";
import { callOf, me, partOf, promiseOf, wangCard } from "../../dev/people";
import type { Answer, Card, EventOf, Frame, HelpRequest, Positions, ServerEvent, Welcome } from "../../wire/types";
import { earliest, withCardAnswer, withHelpAnswer, withMeAnswer, withOneHelp, withPromisesAnswer } from "./answers";
import { emptyDesk, type Desk } from "./desk";
import { fold } from "./fold";

const id = wangCard.call;
const welcome: Welcome = {
  type: "welcome", server_time: "", heartbeat_s: 5, positions: { "pbx:demo": 10, desk: 3 }, provisional: [], resumed: false,
  snapshot: { me, links: {}, calls: [callOf(wangCard)], parts: [partOf()], cards: { [id]: wangCard }, queues: [] },
};
const event = <K extends ServerEvent["kind"]>(kind: K, body: EventOf<K>["body"], stream: string, seq: number) => ({ type: "event", stream, seq, at: "", kind, body }) as Frame;
const at = (pbx: number, desk = 3): Positions => ({ "pbx:demo": pbx, desk });
const play = (...frames: Frame[]): Desk => [welcome, ...frames].reduce(fold, emptyDesk);
const remarked = (remarks: string): Card => ({ ...wangCard, customer: { ...wangCard.customer!, remarks } });
const answer = <T>(value: T, positions: Positions): Answer<T> => ({ value, positions });
const remarksOf = (desk: Desk) => desk.cards[id]?.customer?.remarks;

describe("a card", () => {
  const desk = play(event("card.changed", { call: id, card: remarked("by event") }, "pbx:demo", 12));

  test("read before the event does not overwrite it; read after it does", () => {
    expect(remarksOf(withCardAnswer(desk, id, answer(remarked("by REST"), at(11))))).toBe("by event");
    expect(remarksOf(withCardAnswer(desk, id, answer(remarked("by REST"), at(12))))).toBe("by REST");
  });

  test("read before a snapshot, or with no position at all, is older than what is here", () => {
    expect(remarksOf(withCardAnswer(play(), id, answer(remarked("by REST"), at(9))))).toBe(wangCard.customer?.remarks);
    expect(remarksOf(withCardAnswer(play(), id, answer(remarked("by REST"), {})))).toBe(wangCard.customer?.remarks);
  });

  test("read before its customer changed is not taken, however new it is for the PBX", () => {
    const changed = fold(desk, event("customer.changed", { customer: 7, version: 5 }, "desk", 6));
    expect(remarksOf(withCardAnswer(changed, id, answer(remarked("by REST"), at(20, 5))))).toBe("by event");
    expect(remarksOf(withCardAnswer(changed, id, answer(remarked("by REST"), at(20, 6))))).toBe("by REST");
  });

  test("a promise that was kept after the card was read stays kept; one made since is on it", () => {
    const [kept, made] = [promiseOf(1, "visit", 60, { state: "kept", version: 2 }), promiseOf(2, "call back", 90)];
    const later = [kept, made].reduce((before, promise, index) => fold(before, event("promise.changed", { promise }, "desk", 5 + index)), desk);
    const shown = withCardAnswer(later, id, answer({ ...wangCard, promises: [promiseOf(1, "visit", 60)] }, at(12, 4)));
    expect(shown.cards[id]?.promises).toEqual([made]);
  });

  test("of a call that has left the desk is not kept", () => {
    const gone = fold(desk, event("part.changed", { agent: 3, call: id, part: partOf({ state: "left" }), happened: "left", reason: null, view: null, leaves: true, card: null, handover: null }, "pbx:demo", 13));
    expect(withCardAnswer(gone, id, answer(wangCard, at(30))).cards).toEqual({});
  });
});

describe("help", () => {
  const help = (number: number, state: HelpRequest["state"]): HelpRequest =>
    ({ id: number, call: id, interaction: 612, agent: { id: 4, name: "Wang Fang" }, said: null, state, asked_at: "", taken_by: null, taken_at: null, done_at: null });
  const states = (desk: Desk) => Object.values(desk.help).map((request) => `${request.id} ${request.state}`);
  const desk = play(event("help.changed", { help: help(1, "taken") }, "desk", 5));

  test("a list from before the event does not undo it", () => {
    expect(states(withHelpAnswer(desk, answer([help(1, "open"), help(2, "open")], at(10, 4))))).toEqual(["1 taken", "2 open"]);
    expect(states(withHelpAnswer(desk, answer([], at(10, 4))))).toEqual(["1 taken"]);
  });

  test("a list from after it counts, also in what it does not name", () => {
    expect(states(withHelpAnswer(desk, answer([help(2, "open")], at(10, 5))))).toEqual(["2 open"]);
  });

  test("the answer of taking one is older than an event that came since it was sent", () => {
    const done = fold(desk, event("help.changed", { help: help(1, "done") }, "desk", 6));
    expect(states(withOneHelp(done, answer(help(1, "taken"), desk.positions)))).toEqual(["1 done"]);
    expect(states(withOneHelp(desk, answer(help(1, "done"), desk.positions)))).toEqual(["1 done"]);
  });
});

test("promises: the list settles what it does not name, but not what changed after it was read", () => {
  const [first, second, theirs] = [promiseOf(1, "", 10), promiseOf(2, "", 20), promiseOf(3, "", 30, { owner: { id: 4, name: "Wang Fang" } })];
  const desk = [first, second, theirs].reduce((before, promise, index) => fold(before, event("promise.changed", { promise }, "desk", 5 + index)), play());
  const mine = (promise: typeof first) => promise.owner?.id === 3;
  expect(Object.keys(withPromisesAnswer(desk, answer([], at(10, 5)), mine).promises)).toEqual(["2", "3"]);
  expect(Object.keys(withPromisesAnswer(desk, answer([first], at(10, 9)), mine).promises)).toEqual(["1", "3"]);
});

test("me: the shift comes by REST, state and queues by events only, settings by whichever is newer", () => {
  const desk = play(event("settings.changed", { agent: 3, language: "en", auto_answer: true }, "desk", 5));
  const other = { ...me, shift: null, queues: [], state: { ...me.state, name: "signed_out" as const } };
  const shown = (positions: Positions) => withMeAnswer(desk, answer(other, positions)).me;
  expect(shown(at(10, 4))).toEqual({ ...me, shift: null, preferences: { auto_answer: true } });
  expect(shown(at(10, 5))?.preferences.auto_answer).toBe(false);
  expect(withMeAnswer(desk, answer({ ...other, id: 4 }, at(10, 9)))).toBe(desk);
});

test("several answers together are as old as the oldest of them", () => {
  expect(earliest(at(12, 9), at(11, 10), { "pbx:demo": 14 })).toEqual({ "pbx:demo": 11 });
});
