// Old snapshot + events = fresh snapshot, for every kind of event; and what the fold refuses.
import { describe, expect, test } from "vitest";
import { callOf, me, promiseOf, queues, stateOf, team, wangCard } from "../../dev/people";
import type { CallView, Frame, HandoverView, HelpRequest, Me, Message, ServerEvent, Snapshot, Welcome } from "../../wire/types";
import { CALL_EVENTS } from "../../wire/types";
import { deskOf, emptyDesk, fold, isMine, KEPT_COMMANDS, myParty } from "./fold";
import { currentCall, myCalls } from "./store";

const supervisor: Me = { ...me, id: 2, role: "supervisor", seat: null };
const talking = callOf(wangCard);
const held: CallView = { ...talking, state: "held", agents: { "3": { ...talking.agents["3"]!, state: "hold" } } };
const left: CallView = { ...talking, agents: { "3": { ...talking.agents["3"]!, state: "left", reason: "answered_elsewhere" } } };
const wrapping: CallView = { ...talking, state: "ended", agents: { "3": { ...talking.agents["3"]!, state: "wrap_up" } } };
const wrapped: CallView = { ...wrapping, agents: { "3": { ...talking.agents["3"]!, state: "left" } } };

const snapshot = (part: Partial<Snapshot> = {}): Snapshot => ({
  me, links: { demo: { state: "live", since: "2026-11-22T05:00:00.000Z", detail: null } }, calls: [], cards: {}, queues, team, ...part,
});
const welcome = (part: Partial<Snapshot> = {}, seq = 10): Welcome => ({
  type: "welcome", server_time: "2026-11-22T05:00:00.000Z", heartbeat_s: 5, positions: { "pbx:demo": seq, desk: 3 }, resumed: false, snapshot: snapshot(part),
});
const event = (kind: ServerEvent["kind"], body: unknown, seq = 11, stream = "pbx:demo") =>
  ({ type: "event", stream, seq, at: "2026-11-22T05:00:01.000Z", kind, body }) as Frame;
const call = (kind: ServerEvent["kind"], view: CallView, seq = 11) => event(kind, { call: view, agent: "3", card: wangCard, reason: null }, seq);

const play = (...frames: Frame[]) => frames.reduce(fold, emptyDesk);
/** The parts that a fresh snapshot also knows. */
const known = ({ me: who, links, calls, cards, queues: lines, team: people }: typeof emptyDesk) => ({ who, links, calls, cards, lines, people });

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
    const state = stateOf("not_ready", 1, "lunch");
    const after = play(welcome(), event("me.changed", { agent: 3, state }), event("me.changed", { agent: 4, state: { ...state, reason: "break" } }, 12));
    expect(known(after)).toEqual(known(play(welcome({ me: { ...me, state } }))));
  });
});

test("team.changed replaces those it names and no others", () => {
  const away = { ...team[1]!, state: stateOf("not_ready", 1, "lunch") };
  const after = play(welcome(), event("team.changed", { agents: [away] }));
  expect(known(after)).toEqual(known(play(welcome({ team: [team[0]!, away, ...team.slice(2)] }))));
});

test("what I return to after calls is the last state outside them", () => {
  const state = (name: Parameters<typeof stateOf>[0], reason: string | null = null) => event("me.changed", { agent: 3, state: stateOf(name, 0, reason) }, (seq += 1));
  let seq = 10;
  const desk = play(welcome(), state("not_ready", "lunch"), state("ready"), state("reserved"), state("talking"));
  expect(desk.resting).toEqual({ name: "ready", reason: null });
  expect(fold(desk, welcome({ me: { ...me, state: stateOf("wrap_up", 3) } })).resting).toEqual({ name: "ready", reason: null });
});

test("me.changed may bring what else changed with the state: the shift", () => {
  const state = stateOf("signed_out", 0);
  const after = play(welcome(), event("me.changed", { agent: 3, state, me: { shift: null, seat: null } }));
  expect(after.me).toEqual({ ...me, state, shift: null, seat: null });
});

test("a promise changes in the ledger and on the card of its customer; an older version never wins", () => {
  const shown = welcome({ calls: [talking], cards: { [talking.call]: { ...wangCard, promises: [] } } });
  const [made, kept] = [promiseOf(90, "send the offer", 3600, { version: 2 }), promiseOf(90, "send the offer", 3600, { version: 3, state: "kept" })];
  const after = play(shown, event("promise.changed", { promise: made }));
  expect([after.promises, after.cards[talking.call]?.promises]).toEqual([{ 90: made }, [made]]);
  const settled = fold(after, event("promise.changed", { promise: kept }, 12));
  expect([settled.promises[90]?.state, settled.cards[talking.call]?.promises]).toEqual(["kept", []]);
  expect(fold(settled, event("promise.due", { promise: made }, 13)).promises[90]).toEqual(kept);
});

test("messages and help requests are kept by id, also over a fresh snapshot", () => {
  const message: Message = { id: 5, at: "2026-11-22T05:00:00.000Z", from: { id: 2, name: "Zhang Min" }, to: { agent: null, role: null, team: true }, text: "Lunch at noon", call: null };
  const help: HelpRequest = { id: 6, call: talking.call, interaction: 612, agent: { id: 4, name: "Wang Fang" }, said: null, state: "open", asked_at: message.at, taken_by: null, taken_at: null, done_at: null };
  const after = play(welcome(), event("message.sent", { message }), event("help.changed", { help: { ...help, state: "taken" } }, 12), welcome());
  expect([after.messages, after.help]).toEqual([{ 5: message }, { 6: { ...help, state: "taken" } }]);
});

test("a handover comes with its offer and goes with its call", () => {
  const handover: HandoverView = { from: { agent: 4, name: "Wang Fang" }, kind: "consult", note: "E-12", code: null, match: "verified", path: [], said: "please look", since: "2026-11-22T05:00:00.000Z" };
  const offered = play(welcome(), event("call.offered", { call: talking, agent: "3", card: wangCard, handover }), call("call.answered", talking, 12));
  expect(offered.handovers).toEqual({ [talking.call]: handover });
  expect(fold(offered, call("call.ended", left, 13)).handovers).toEqual({});
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
    event("command.done", { request: `r${index}`, command: "hold", call: "c1", ok: true, problem: null }, 11 + index));
  const kept = Object.keys(play(welcome(), ...frames).commands);
  expect(play(...[welcome(), ...frames.slice(0, 1)]).commands).toEqual({ r0: { command: "hold", call: "c1", ok: true, problem: null } });
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
