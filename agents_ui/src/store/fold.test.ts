// Old snapshot + events = fresh snapshot, for every kind of event; and what the fold refuses.
import { describe, expect, test } from "vitest";
import { callOf, me, queues, wangCard } from "../dev/people";
import type { CallView, Frame, Me, ServerEvent, Snapshot, Welcome } from "../wire/types";
import { CALL_EVENTS } from "../wire/types";
import { deskOf, emptyDesk, fold, isMine, KEPT_COMMANDS, myParty } from "./fold";
import { currentCall, myCalls } from "./store";

const supervisor: Me = { ...me, id: 2, role: "supervisor", seat: null };
const talking = callOf(wangCard);
const held: CallView = { ...talking, state: "held", agents: { "3": { ...talking.agents["3"]!, state: "hold" } } };
const left: CallView = { ...talking, agents: { "3": { ...talking.agents["3"]!, state: "left", reason: "answered_elsewhere" } } };
const wrapping: CallView = { ...talking, state: "ended", agents: { "3": { ...talking.agents["3"]!, state: "wrap_up" } } };
const wrapped: CallView = { ...wrapping, agents: { "3": { ...talking.agents["3"]!, state: "left" } } };

const snapshot = (part: Partial<Snapshot> = {}): Snapshot => ({
  me, links: { demo: { state: "live", since: "2026-11-22T05:00:00.000Z", detail: null } }, calls: [], cards: {}, queues, ...part,
});
const welcome = (part: Partial<Snapshot> = {}, seq = 10): Welcome => ({
  type: "welcome", server_time: "2026-11-22T05:00:00.000Z", heartbeat_s: 5, positions: { "pbx:demo": seq, desk: 3 }, resumed: false, snapshot: snapshot(part),
});
const event = (kind: ServerEvent["kind"], body: unknown, seq = 11, stream = "pbx:demo") =>
  ({ type: "event", stream, seq, at: "2026-11-22T05:00:01.000Z", kind, body }) as Frame;
const call = (kind: ServerEvent["kind"], view: CallView, seq = 11) => event(kind, { call: view, agent: "3", card: wangCard, reason: null }, seq);

const play = (...frames: Frame[]) => frames.reduce(fold, emptyDesk);
/** The parts that a fresh snapshot also knows. */
const known = ({ me: who, links, calls, cards, queues: lines }: typeof emptyDesk) => ({ who, links, calls, cards, lines });

describe("old snapshot + event = fresh snapshot", () => {
  const shown = { calls: [talking], cards: { [talking.call]: wangCard } };

  test.each(CALL_EVENTS)("%s that leaves the call on my screen", (kind) => {
    const after = play(welcome(shown), call(kind, held));
    expect(known(after)).toEqual(known(play(welcome({ calls: [held], cards: shown.cards }))));
  });

  test.each(CALL_EVENTS)("%s that takes the call off my screen", (kind) => {
    const after = play(welcome(shown), call(kind, left));
    expect(known(after)).toEqual(known(play(welcome())));
  });

  test.each(CALL_EVENTS)("%s that brings a call", (kind) => {
    expect(known(play(welcome(), call(kind, talking)))).toEqual(known(play(welcome(shown))));
  });

  test("queue.changed", () => {
    const queue = { ...queues[0]!, waiting: 9 };
    const after = play(welcome(), event("queue.changed", { queue }));
    expect(known(after)).toEqual(known(play(welcome({ queues: [queue, ...queues.slice(1)] }))));
  });

  test("link.changed", () => {
    const link = { state: "stale", since: "2026-11-22T05:00:01.000Z", detail: "gone" } as const;
    const after = play(welcome(), event("link.changed", { pbx: "demo", ...link }));
    expect(known(after)).toEqual(known(play(welcome({ links: { demo: link } }))));
  });

  test("me.changed, of me and of another", () => {
    const state = { name: "not_ready", reason: "lunch", since: "2026-11-22T05:00:01.000Z" } as const;
    const after = play(welcome(), event("me.changed", { agent: 3, state }), event("me.changed", { agent: 4, state: { ...state, reason: "break" } }, 12));
    expect(known(after)).toEqual(known(play(welcome({ me: { ...me, state } }))));
  });
});

test("the card stays through wrap-up and goes when it is over", () => {
  const desk = play(welcome(), call("call.offered", talking), call("call.ended", wrapping, 12));
  expect(myCalls(desk)).toEqual([wrapping]);
  expect(desk.cards[talking.call]).toEqual(wangCard);
  const done = fold(desk, call("call.wrapped", wrapped, 13));
  expect([done.calls, done.cards]).toEqual([{}, {}]);
});

test("a card that is still being looked up is none", () => {
  expect(play(welcome({ calls: [talking], cards: { [talking.call]: null } })).cards).toEqual({});
});

test("an event without a card keeps the card there is", () => {
  const desk = play(welcome(), call("call.offered", talking), event("call.held", { call: held, agent: "3" }, 12));
  expect(desk.cards[talking.call]).toEqual(wangCard);
});

test("a supervisor sees every live call, and none that is over", () => {
  const floor = play(welcome({ me: supervisor }), call("call.queued", talking), call("call.offer_ended", left, 12));
  expect(Object.keys(floor.calls)).toEqual([talking.call]);
  expect(myCalls(floor)).toEqual([]);
  expect(Object.keys(fold(floor, call("call.ended", wrapping, 13)).calls)).toEqual([talking.call]);
  expect(fold(floor, call("call.ended", wrapped, 13)).calls).toEqual({});
});

test("what a resume repeats is not applied twice; a stream has its own positions", () => {
  const desk = play(welcome(), call("call.held", held, 12));
  expect(fold(desk, call("call.answered", talking, 12))).toBe(desk);
  expect(fold(desk, call("call.answered", talking, 11))).toBe(desk);
  const other = fold(desk, event("customer.changed", { customer: 7, version: 5 }, 4, "desk"));
  expect(other.positions).toEqual({ "pbx:demo": 12, desk: 4 });
  expect(other.versions).toEqual({ 7: 5 });
});

test("a kind from a newer server moves the position and nothing else", () => {
  const desk = play(welcome());
  expect(fold(desk, event("agent.promoted" as never, {}, 20))).toEqual({ ...desk, positions: { ...desk.positions, "pbx:demo": 20 } });
});

test("a heartbeat is believed one heartbeat later: an event may still be on its way", () => {
  const beat = (seq: number): Frame => ({ type: "heartbeat", server_time: "2026-11-22T05:00:05.000Z", positions: { "pbx:demo": seq, desk: 3 } });
  const once = play(welcome(), beat(30));
  expect(once.positions["pbx:demo"]).toBe(10);
  expect(myCalls(fold(once, call("call.offered", talking, 30)))).toEqual([talking]);
  expect(fold(once, beat(40)).positions["pbx:demo"]).toBe(30);
});

test("reset voids the positions, so that the next connection asks for a snapshot", () => {
  expect(play(welcome(), { type: "reset", reason: "journal trimmed" }).positions).toEqual({});
});

test("results of commands are kept by request, the newest only", () => {
  const frames = Array.from({ length: KEPT_COMMANDS + 5 }, (_, index) =>
    event("command.done", { request: `r${index}`, ok: true, problem: null }, 11 + index));
  const kept = Object.keys(play(welcome(), ...frames).commands);
  expect(kept).toHaveLength(KEPT_COMMANDS);
  expect(kept.at(-1)).toBe(`r${KEPT_COMMANDS + 4}`);
});

test("my party is found by agent id, and by seat where the server knows no agent", () => {
  const seat: CallView = { ...talking, agents: { "PJSIP/1001": { ...talking.agents["3"]!, agent: null } } };
  const others: CallView = { ...talking, agents: { "4": { ...talking.agents["3"]!, agent: 4 } } };
  expect([isMine(talking, me), isMine(seat, me), isMine(others, me), isMine(talking, null)]).toEqual([true, true, false, false]);
  expect(myParty(seat, { ...me, seat: null })).toBeNull();
});

test("the tab on the screen is kept while its call lives", () => {
  const second = { ...talking, call: "b", started_at: "2026-11-22T05:12:00.000Z" };
  const desk = deskOf(snapshot({ calls: [talking, second] }), {});
  expect(currentCall(desk, "b")?.call).toBe("b");
  expect(currentCall(desk, "gone")?.call).toBe(talking.call);
  expect(currentCall(emptyDesk, "b")).toBeNull();
});
