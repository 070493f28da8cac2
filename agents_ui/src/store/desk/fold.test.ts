// The fold, frame by frame: what each event puts in place, what is kept and why, and what it refuses. That the whole of it
// equals a fresh snapshot is viewers.test.ts.
import { describe, expect, test } from "vitest";
import { callOf, me, membersOf, partOf, promiseOf, queues, stateOf, team, wangCard } from "../../dev/people";
import type { CallView, EventOf, Frame, HandoverView, HelpRequest, Message, PartBody, PartView, ServerEvent, Snapshot, Welcome } from "../../wire/types";
import { CALL_EVENTS } from "../../wire/types";
import { currentCall, emptyDesk, myCalls, myPart, myQueues, type Desk } from "./desk";
import { deskOf, fold, KEPT_COMMANDS } from "./fold";
import { withClosed, withOpened } from "./topicFold";

/** What `me.changed` says of an agent beside their state. */
const known = { name: "Li Wei", extension: null, role: "agent" as const, shift: null };

const id = wangCard.call;
const talking = callOf(wangCard);
const held: CallView = { ...talking, state: "held" };
const ended: CallView = { ...talking, state: "ended" };

const snapshot = (part: Partial<Snapshot> = {}): Snapshot => ({
  me, links: { demo: { state: "live", since: "2026-11-22T05:00:00.000Z", detail: null } }, calls: [], parts: [], cards: {}, queues, ...part,
});
const welcome = (part: Partial<Snapshot> = {}, seq = 10): Welcome => ({
  type: "welcome", server_time: "2026-11-22T05:00:00.000Z", heartbeat_s: 5, positions: { "pbx:demo": seq, desk: 3 }, provisional: [], resumed: false, snapshot: snapshot(part),
});
const event = <K extends ServerEvent["kind"]>(kind: K, body: EventOf<K>["body"], seq = 11, stream = "pbx:demo") =>
  ({ type: "event", stream, seq, at: "2026-11-22T05:00:01.000Z", kind, body }) as Frame;
const call = (view: CallView, seq = 11, kind: (typeof CALL_EVENTS)[number] = "call.changed") => event(kind, { call: view, reason: null }, seq);
const part = (more: Partial<PartView>, seq = 11, body: Partial<PartBody> = {}) => {
  const whole = partOf({ position: 2, ...more });
  return event("part.changed", { agent: whole.agent, call: whole.call, part: whole, happened: "changed", reason: null, view: null, leaves: whole.state === "left", card: null, handover: null, ...body }, seq);
};
const offer = (seq = 11, body: Partial<PartBody> = {}) => part({ state: "ringing" }, seq, { happened: "offered", view: talking, card: wangCard, ...body });
const watching = (topic: string, shows: object, seq = 11, stream = "pbx:demo") => ({ type: "watching", topic, stream, seq, snapshot: shows }) as Frame;

const play = (...frames: Frame[]) => frames.reduce(fold, emptyDesk);
const opened = (topics: string[], ...frames: Frame[]) => frames.reduce(fold, withOpened(play(welcome()), topics));
const onScreen = welcome({ calls: [talking], parts: [partOf({ position: 2 })], cards: { [id]: wangCard } });

describe("my calls", () => {
  test("an offer brings call, part and card; each event then replaces its own", () => {
    const desk = play(welcome(), offer(), call(held, 12), part({ state: "hold" }, 13));
    expect([desk.calls[id], myPart(desk, id)?.state, desk.cards[id]]).toEqual([held, "hold", wangCard]);
  });

  test.each(CALL_EVENTS)("%s of a call that is not on my desk changes nothing", (kind) => {
    expect(play(welcome(), call(talking, 11, kind)).calls).toEqual({});
  });

  test("the call goes with my part of it, and its card and handover; it stays through wrap-up though it ended", () => {
    const handover: HandoverView = { from: { agent: 4, name: "Wang Fang" }, kind: "consult", note: "E-12", code: null, match: "verified", path: [], said: "please look", since: "2026-11-22T05:00:00.000Z" };
    const wrapping = play(welcome(), offer(11, { handover }), call(ended, 12), part({ state: "wrap_up" }, 13));
    expect([myCalls(wrapping), wrapping.cards[id], wrapping.handovers[id]]).toEqual([[ended], wangCard, handover]);
    const done = fold(wrapping, part({ state: "left" }, 14, { happened: "wrapped" }));
    expect([done.calls, done.parts, done.cards, done.handovers]).toEqual([{}, {}, {}, {}]);
  });

  test("a colleague's part is not mine", () => {
    const desk = play(onScreen, part({ agent: 4, position: 3, state: "ringing" }));
    expect(desk.parts[id]?.map((mine) => mine.position)).toEqual([2]);
  });

  test("one that I left is told late: the part that I have since stays", () => {
    const desk = play(onScreen, part({ position: 4, state: "ringing" }), part({ position: 2, state: "left" }, 12));
    expect([myPart(desk, id)?.position, Object.keys(desk.calls)]).toEqual([4, [id]]);
  });

  test("of two parts the one that rings is looked at, and the wrap-up again when it is gone", () => {
    const both = play(onScreen, part({ state: "wrap_up" }), part({ position: 4, state: "ringing" }, 12));
    expect(myPart(both, id)?.state).toBe("ringing");
    expect(myPart(fold(both, part({ position: 4, state: "left" }, 13)), id)?.state).toBe("wrap_up");
  });

  test("a card that is still being looked up is none, and comes by itself", () => {
    const desk = play(welcome({ calls: [talking], parts: [partOf()], cards: { [id]: null } }));
    expect(desk.cards).toEqual({});
    expect(fold(desk, event("card.changed", { call: id, card: wangCard })).cards[id]).toEqual(wangCard);
    expect(fold(desk, event("card.changed", { call: "another", card: wangCard })).cards).toEqual({});
  });

  test("the tab on the screen is kept while its call lives", () => {
    const second = { ...talking, call: "b", started_at: "2026-11-22T05:12:00.000Z" };
    const desk = deskOf(snapshot({ calls: [talking, second], parts: [partOf(), partOf({ call: "b" })] }), {});
    expect([currentCall(desk, "b")?.call, currentCall(desk, "gone")?.call, currentCall(emptyDesk, "b")]).toEqual(["b", id, null]);
  });
});

describe("queues", () => {
  const support = queues[0]!;
  const serving = (...names: string[]) => event("me.changed", { ...known, agent: 3, pbx: "demo", state: me.state, queues: names }, 12);

  test("one that I no longer serve leaves the screen; one told just before I serve it is there", () => {
    expect(myQueues(play(welcome(), serving("sales", "vip"))).map((queue) => queue.queue)).toEqual(["sales", "vip"]);
    const billing = { ...support, queue: "billing" };
    const before = play(welcome(), event("queue.changed", { queue: billing }));
    expect(before.queues["demo/billing"]).toBeUndefined();
    const after = fold(before, serving("support", "billing"));
    expect([after.queues["demo/billing"], after.me?.queues, after.early]).toEqual([billing, ["support", "billing"], {}]);
  });

  test("one that the PBX has no more leaves the screen, with its members, and may come back", () => {
    const topic = "queue:demo/support";
    const removed = event("queue.removed", { pbx: "demo", queue: "support" }, 13);
    const desk = opened(["floor", topic], watching("floor", { calls: [], queues }, 11), watching(topic, { queue: support, members: membersOf["support"]! }, 12), removed);
    expect([desk.queues["demo/support"], desk.members["demo/support"]]).toEqual([undefined, undefined]);
    expect(Object.keys(desk.queues)).toEqual(queues.map((queue) => `demo/${queue.queue}`).filter((key) => key !== "demo/support"));
    expect(fold(desk, event("queue.changed", { queue: support }, 14)).queues["demo/support"]).toEqual(support);
  });

  test("queues of another PBX are not touched", () => {
    const there = { ...support, pbx: "branch" };
    const desk = play(welcome({ queues: [...queues, there] }), serving("sales"));
    expect(Object.keys(desk.queues)).toEqual(["demo/sales", "branch/support"]);
    expect(desk.me?.queues).toEqual(["support", "sales"]);
  });

  test("members are there while their topic is: whole first, then one by one", () => {
    const [first, second] = membersOf["support"] as [(typeof membersOf)["support"][number], (typeof membersOf)["support"][number]];
    const changed = { ...first, paused: true };
    const member = (of: typeof first | null, seq: number, name: string) => event("member.changed", { pbx: "demo", queue: "support", interface: name, member: of }, seq);
    const topic = "queue:demo/support";
    const desk = opened([topic], member(first, 11, first.interface), watching(topic, { queue: support, members: [first, second] }, 12), member(changed, 13, first.interface), member(null, 14, second.interface));
    expect(desk.members).toEqual({ "demo/support": { [first.interface]: changed } });
    expect(withClosed(desk, [topic]).members).toEqual({});
  });
});

describe("topics", () => {
  const stranger = callOf(wangCard, { call: "c", state: "queued" });
  const floor = watching("floor", { calls: [stranger], queues: [...queues, { ...queues[0]!, queue: "billing" }] });

  test("the floor: all calls and queues; an ended call goes; closed, only mine are left", () => {
    const desk = [floor, call({ ...stranger, call: "d" }, 12), call({ ...stranger, state: "ended" }, 13)].reduce(fold, withOpened(play(onScreen), ["floor"]));
    expect([Object.keys(desk.calls), "demo/billing" in desk.queues]).toEqual([[id, "d"], true]);
    const closed = withClosed(desk, ["floor"]);
    expect([Object.keys(closed.calls), Object.keys(closed.queues)]).toEqual([[id], ["demo/support", "demo/sales", "demo/vip"]]);
  });

  test("shown anew, what is no longer there goes", () => {
    const desk = opened(["floor"], floor, watching("floor", { calls: [{ ...stranger, call: "d" }], queues }, 15));
    expect([Object.keys(desk.calls), "demo/billing" in desk.queues]).toEqual([["d"], false]);
  });

  test("before its answer and after its close nothing of a topic is taken", () => {
    expect(opened(["floor"], call(stranger)).calls).toEqual({});
    expect(opened([], floor, event("team.changed", { agents: team }, 12))).toMatchObject({ calls: {}, team: {} });
  });

  test("refused, also later: what it showed is dropped and the reason is known", () => {
    const desk = opened(["floor"], floor, { type: "watching", topic: "floor", refused: "not_yours" });
    expect([desk.calls, desk.topics]).toEqual([{}, { floor: { streams: [], refused: "not_yours" } }]);
  });

  test("the team, and who of it changed", () => {
    const away = { ...team[1]!, state: stateOf("not_ready", 1, "lunch") };
    const desk = opened(["team"], watching("team", { team }), event("team.changed", { agents: [away] }, 12));
    expect([Object.keys(desk.team).length, desk.team[away.agent]]).toEqual([team.length, away]);
  });

  test("the parts of a call that is opened, my own and others'", () => {
    const theirs = partOf({ agent: 4, position: 1, state: "left", reason: "no_answer" });
    const desk = [watching(`call:${id}`, { call: talking, parts: [theirs] }), part({ agent: 5, position: 3, state: "ringing" }, 12)].reduce(fold, withOpened(play(onScreen), [`call:${id}`]));
    expect(Object.values(desk.opened[id] ?? {}).map((entry) => [entry.agent, entry.state])).toEqual([[4, "left"], [5, "ringing"]]);
    expect(desk.parts[id]?.length).toBe(1);
  });

  test("a customer: their version, their open promises, and those that were settled meanwhile", () => {
    const [old, still] = [promiseOf(1, "send the offer", 10), promiseOf(2, "call back", 20)];
    const before = play(onScreen, event("promise.changed", { promise: old }, 4, "desk"));
    const desk = fold(withOpened(before, ["customer:7"]), watching("customer:7", { customer: 7, version: 9, promises: [still] }, 8, "desk"));
    expect([Object.keys(desk.promises), desk.versions[7], desk.histories[7]]).toEqual([["2"], 9, 8]);
    expect(desk.cards[id]?.promises.some((promise) => promise.id === 2)).toBe(true);
  });

  test("a fresh snapshot shows every open topic anew", () => {
    const desk = opened(["floor"], floor, welcome());
    expect([desk.calls, desk.topics]).toEqual([{}, { floor: { streams: [], refused: null } }]);
    const resumed = opened(["floor"], floor, { ...welcome(), snapshot: null, resumed: true });
    expect(resumed.topics["floor"]?.streams).toEqual(["pbx:demo"]);
  });
});

test("links, and me", () => {
  const link = { state: "stale", since: "2026-11-22T05:00:01.000Z", detail: "gone" } as const;
  expect(play(welcome(), event("link.changed", { pbx: "demo", ...link })).links).toEqual({ demo: link });
  const state = stateOf("not_ready", 1, "lunch");
  const changed = (agent: number) => play(welcome(), event("me.changed", { ...known, agent, pbx: "demo", state, queues: me.queues })).me?.state;
  expect([changed(3), changed(4)]).toEqual([state, me.state]);
  expect(play(welcome(), event("settings.changed", { agent: 3, language: "en", auto_answer: true }, 4, "desk")).me?.preferences).toEqual({ auto_answer: true });
});

test("what I return to after calls is the last state outside them", () => {
  let seq = 10;
  const state = (name: Parameters<typeof stateOf>[0], reason: string | null = null) => event("me.changed", { ...known, agent: 3, pbx: "demo", state: stateOf(name, 0, reason), queues: me.queues }, (seq += 1));
  const desk = play(welcome(), state("not_ready", "lunch"), state("ready"), state("reserved"), state("talking"));
  expect(desk.resting).toEqual({ name: "ready", reason: null });
  expect(fold(desk, welcome({ me: { ...me, state: stateOf("wrap_up", 3) } })).resting).toEqual({ name: "ready", reason: null });
});

test("a promise changes in the ledger and on the card of its customer; an older version never wins", () => {
  const [made, kept] = [promiseOf(90, "send the offer", 3600, { version: 2 }), promiseOf(90, "send the offer", 3600, { version: 3, state: "kept" })];
  const shown = welcome({ calls: [talking], parts: [partOf()], cards: { [id]: { ...wangCard, promises: [] } } });
  const after = play(shown, event("promise.changed", { promise: made }, 4, "desk"));
  expect([after.promises, after.cards[id]?.promises]).toEqual([{ 90: made }, [made]]);
  const settled = fold(after, event("promise.changed", { promise: kept }, 5, "desk"));
  expect([settled.promises[90]?.state, settled.cards[id]?.promises]).toEqual(["kept", []]);
  expect(fold(settled, event("promise.due", { promise: made }, 6, "desk")).promises[90]).toEqual(kept);
  // A card that was read before the promise was kept does not bring it back.
  expect(fold(settled, event("card.changed", { call: id, card: { ...wangCard, promises: [made] } }, 12)).cards[id]?.promises).toEqual([]);
});

test("messages and help requests are kept by id, also over a fresh snapshot", () => {
  const message: Message = { id: 5, at: "2026-11-22T05:00:00.000Z", from: { id: 2, name: "Zhang Min" }, to: { agent: null, role: null, team: true }, text: "Lunch at noon", call: null };
  const help: HelpRequest = { id: 6, call: id, interaction: 612, agent: { id: 4, name: "Wang Fang" }, said: null, state: "taken", asked_at: message.at, taken_by: null, taken_at: null, done_at: null };
  const after = play(welcome(), event("message.sent", { message }, 4, "desk"), event("help.changed", { help }, 5, "desk"), welcome());
  expect([after.messages, after.help]).toEqual([{ 5: message }, { 6: help }]);
});

test("what a resume repeats is not applied twice; a stream has its own positions", () => {
  const desk = play(onScreen, call(held, 12));
  expect(fold(desk, call(talking, 12))).toBe(desk);
  expect(fold(desk, call(talking, 11))).toBe(desk);
  const other = fold(desk, event("customer.changed", { customer: 7, version: 5 }, 4, "desk"));
  expect([other.positions, other.versions]).toEqual([{ "pbx:demo": 12, desk: 4 }, { 7: 5 }]);
});

test("a kind or a frame from a newer server moves the position and nothing else", () => {
  const desk = play(welcome());
  expect(fold(desk, event("agent.promoted" as "codes.changed", {}, 20))).toEqual({ ...desk, positions: { ...desk.positions, "pbx:demo": 20 } });
  expect(fold(desk, { type: "greeting" } as never)).toBe(desk);
});

test("a heartbeat is believed one heartbeat later: an event may still be on its way", () => {
  const beat = (seq: number): Frame => ({ type: "heartbeat", server_time: "2026-11-22T05:00:05.000Z", positions: { "pbx:demo": seq, desk: 3 } });
  const once = play(welcome(), beat(30));
  expect(once.positions["pbx:demo"]).toBe(10);
  expect(myCalls(fold(once, offer(30)))).toEqual([talking]);
  expect(fold(once, beat(40)).positions["pbx:demo"]).toBe(30);
});

test("reset voids the positions, so that the next connection asks for a snapshot", () => {
  expect(play(welcome(), { type: "reset", reason: "journal trimmed" }).positions).toEqual({});
});

describe("while the server's record is away", () => {
  const provisional = (frame: Frame) => ({ ...frame, provisional: true }) as Frame;
  const confirmed = (seq: number): Frame => ({ type: "confirmed", stream: "pbx:demo", seq });

  test("what is told provisionally is shown at once, and is unconfirmed until all of it is in the record", () => {
    const desk = play(welcome(), provisional(offer(11)), provisional(call(held, 12)));
    expect([desk.calls[id], desk.positions["pbx:demo"], desk.unconfirmed]).toEqual([held, 12, { "pbx:demo": 12 }]);
    expect(fold(desk, confirmed(11)).unconfirmed).toEqual({ "pbx:demo": 12 });
    expect(fold(desk, confirmed(12)).unconfirmed).toEqual({});
  });

  test("a snapshot that is ahead of the record is unconfirmed as a whole", () => {
    const desk = play({ ...welcome({}, 20), provisional: ["pbx:demo"] });
    expect(desk.unconfirmed).toEqual({ "pbx:demo": 20 });
    expect(play({ ...welcome({}, 20), provisional: ["pbx:demo"] }, welcome({}, 21)).unconfirmed).toEqual({});
  });

  test("since when it is away, and of what nothing is heard", () => {
    const away = play(welcome(), { type: "record", away_since: "2026-11-22T05:00:00.000Z", stale: ["pbx:demo"] });
    expect(away.record).toEqual({ since: "2026-11-22T05:00:00.000Z", stale: ["pbx:demo"] });
    expect(fold(away, { type: "record", away_since: null, stale: [] }).record).toBeNull();
  });
});

test("results of commands are kept by request, the newest only", () => {
  const frames = Array.from({ length: KEPT_COMMANDS + 5 }, (_, index) =>
    event("command.done", { request: `r${index}`, command: "hold", call: "c1", ok: true, problem: null }, 11 + index));
  const kept: Desk["commands"] = play(welcome(), ...frames).commands;
  expect(play(welcome(), ...frames.slice(0, 1)).commands).toEqual({ r0: { command: "hold", call: "c1", ok: true, problem: null } });
  expect([Object.keys(kept).length, Object.keys(kept).at(-1)]).toEqual([KEPT_COMMANDS, `r${KEPT_COMMANDS + 4}`]);
});
