// The phone as a transcript, with an actor for SIP: what comes in, what it does.
import { beforeEach, expect, test, vi } from "vitest";
import { me, partOf, storyCall, wangCard } from "../dev/people";
import { emptyDesk, type Desk } from "../store/desk/desk";
import type { PartState, Softphone } from "../wire/types";
import { MicrophoneError } from "./devices";
import { FLOOR_WAIT_MS } from "./floor";
import { openPhone } from "./phone";
import type { EndedBy, LineEvents, Session, SessionEvents } from "./sip";
import { silent, step, type PhoneState } from "./state";
import type { Phone, World } from "./world";

const account: Softphone = { url: "ws://pbx/ws", uri: "sip:1101@pbx", user: "1101", password: "x", display_name: "Li Wei", ice: [] };
const problem = (status: number, code: string) => ({ title: code, status, code });
const settle = () => vi.advanceTimersByTimeAsync(0);

class Call implements Session {
  said: string[] = [];
  events: SessionEvents | null = null;
  constructor(readonly id: string, readonly number: string | null = "1001", readonly name: string | null = null) {}
  listen(events: SessionEvents) { this.events = events; }
  answer() { this.said.push("200"); this.events?.answered(); }
  end(status?: number) { this.said.push(String(status ?? "BYE")); this.events?.ended("me", "Terminated"); }
  press(digits: string) { this.said.push(digits); }
  peer() { return {} as RTCPeerConnection; }
  ends(by: EndedBy) { this.events?.ended(by, ""); }
}

let state: PhoneState;
let desk: Desk;
let done: string[];
let line: LineEvents;
let locks: { taken: () => void; elsewhere: () => void };
let mark: string | null;
let microphone: () => Promise<MediaStream>;
let current: boolean;
let phone: Phone;
let reconnect: () => Promise<string>;
let getAccount: () => Promise<Softphone>;

function mine(state: PartState | null): Desk {
  const shift = { seat: "PJSIP/1101", extension: "1101", kind: "browser" as const, since: "2026-11-22T05:00:00Z", answers: true };
  const { view, parts } = storyCall(wangCard, {}, [{ seat: shift.seat, state: state ?? "left" }]);
  const there = state !== null;
  return { ...emptyDesk, me: { ...me, shift }, calls: there ? { [view.call]: view } : {}, parts: there ? { [view.call]: parts } : {} };
}

function world(): World {
  return {
    desk: () => desk, isCurrent: () => current, arrived: async () => undefined, state: () => state,
    tell: (event) => { state = step(state, event); },
    account: () => getAccount(),
    claim: async () => done.push("claim"),
    reconnect: (call) => { done.push(`reconnect ${call}`); return reconnect(); },
    problemOf: (error) => (error as { problem?: ReturnType<typeof problem> }).problem ?? null,
    openLine: (_account, events) => {
      line = events;
      done.push("open");
      return { look: () => done.push("look"), letGo: () => done.push("let go"), close: () => done.push("close") };
    },
    sound: {
      heard: (stream) => { if (stream) done.push("heard"); }, ring: (on) => { done.push(on ? "ring" : "quiet"); }, beep: async () => { done.push("beep"); },
      use: async () => [], wake: () => undefined, blocked: () => false, close: () => undefined,
    },
    hold: (on) => { locks = on; return { take: () => { done.push("take"); on.taken(); }, release: () => undefined }; },
    mark: { set: (call) => { mark = call; }, get: () => mark },
    warnOnLeave: (on) => { done.push(on ? "warn" : "free"); },
    mic: () => "", microphone: () => microphone(), measure: () => () => undefined, now: () => Date.now(), pause: () => 1000,
  };
}

async function registered(): Promise<void> {
  phone = openPhone(world());
  locks.taken();
  await settle();
  line.registered();
  done = [];
}

beforeEach(() => {
  vi.useFakeTimers();
  [state, desk, done, mark, current] = [silent, mine(null), [], null, true];
  microphone = async () => ({ getAudioTracks: () => [], getTracks: () => [] }) as unknown as MediaStream;
  reconnect = async () => "r1";
  getAccount = async () => account;
});

test("claims the phone, then registers", async () => {
  phone = openPhone(world());
  expect(state.registration.name).toBe("off");
  locks.taken();
  await settle();
  expect([state.registration.name, done]).toEqual(["connecting", ["claim", "open"]]);
  line.registered();
  expect(state.registration.name).toBe("registered");
});

test("without an account it says so; without a server it tries again", async () => {
  getAccount = () => Promise.reject({ problem: problem(409, "other_phone") });
  phone = openPhone(world());
  locks.taken();
  await settle();
  expect(state.registration.name, "who has just sat down is not known yet").toBe("connecting");
  await vi.advanceTimersByTimeAsync(5000);
  expect([state.registration.name, state.registration.fault]).toEqual(["off", "no_account"]);

  getAccount = () => Promise.reject({ problem: problem(409, "too_many_phones") });
  phone.useHere();
  await settle();
  expect([state.registration.name, state.registration.code], "asking again would change nothing").toEqual(["off", "too_many_phones"]);

  getAccount = () => Promise.reject({ problem: problem(503, "unavailable") });
  phone.useHere();
  await settle();
  expect(state.registration.name).toBe("lost");
  getAccount = async () => account;
  await vi.advanceTimersByTimeAsync(1000);
  expect(done.at(-1)).toBe("open");
});

test("rings, is answered, is hung up", async () => {
  await registered();
  const call = new Call("a");
  line.rang(call);
  expect([state.call?.state, done]).toEqual(["ringing", ["ring"]]);
  await phone.answer();
  expect([state.call?.state, call.said, mark]).toEqual(["talking", ["200"], "?"]);
  expect(done).toEqual(["ring", "quiet", "warn"]);
  phone.hangUp();
  expect([state.call, call.said, mark]).toEqual([null, ["200", "BYE"], null]);
  expect(done.at(-1)).toBe("free");
});

test("muted from another window, the microphone is muted here", async () => {
  await registered();
  desk = mine("talking");
  line.rang(new Call("a"));
  await phone.answer();
  const [id] = Object.keys(desk.calls) as [string];
  const shown = (muted: boolean) => {
    desk = { ...desk, parts: { [id]: [partOf({ call: id, seat: "PJSIP/1101", muted })] } };
    phone.follow();
  };
  shown(false);
  shown(true);
  expect(state.muted).toBe(true);
  phone.setMuted(false); // pressed here, while the floor does not show it yet
  shown(true);
  expect(state.muted).toBe(false);
  shown(false);
  expect(state.muted).toBe(false);
});

test("remembers by the floor's name which call it speaks on", async () => {
  await registered();
  line.rang(new Call("a"));
  await phone.answer();
  desk = mine("talking");
  phone.follow();
  expect(mark).toBe(wangCard.call);
  desk = mine(null);
  phone.follow();
  expect(mark).toBe(wangCard.call);
});

test("a second call finds it busy", async () => {
  await registered();
  line.rang(new Call("a"));
  const second = new Call("b");
  line.rang(second);
  expect([second.said, state.call?.id]).toEqual([["486"], "a"]);
});

test.each([[false, "480"], [true, "486"]])("rejects (busy: %s) with %s", async (busy, status) => {
  await registered();
  const call = new Call("a");
  line.rang(call);
  phone.reject(busy);
  expect([call.said, state.call]).toEqual([[status], null]);
});

test("without a microphone it says why and goes on ringing, and does not try by itself again", async () => {
  await registered();
  desk = { ...mine("ringing"), me: { ...(mine(null).me ?? me), preferences: { auto_answer: true } } };
  let tries = 0;
  microphone = () => { tries += 1; return Promise.reject(new MicrophoneError("mic_denied")); };
  const call = new Call("a");
  line.rang(call);
  await settle();
  phone.follow();
  await settle();
  expect([tries, state.trouble, state.call?.state, call.said]).toEqual([1, "mic_denied", "ringing", []]);
  microphone = async () => ({ getAudioTracks: () => [], getTracks: () => [] }) as unknown as MediaStream;
  await phone.answer();
  expect([state.call?.state, state.trouble]).toEqual(["talking", null]);
});

test("answers by itself with a beep when the agent wants it so", async () => {
  await registered();
  desk = { ...mine("ringing"), me: { ...(mine(null).me ?? me), preferences: { auto_answer: true } } };
  line.rang(new Call("a"));
  await settle();
  expect([state.call?.state, state.call?.by, done.includes("beep")]).toEqual(["talking", "preference", true]);
});

test("an answer that was hung up meanwhile leaves no microphone open", async () => {
  await registered();
  const stopped: string[] = [];
  let give: (stream: MediaStream) => void = () => undefined;
  microphone = () => new Promise((resolve) => { give = resolve; });
  const call = new Call("a");
  line.rang(call);
  void phone.answer();
  call.ends("them");
  give({ getAudioTracks: () => [], getTracks: () => [{ stop: () => stopped.push("stopped") }] } as unknown as MediaStream);
  await settle();
  expect([state.call, call.said, stopped]).toEqual([null, [], ["stopped"]]);
});

test("after a reload the call that was here is brought back", async () => {
  [desk, mark] = [mine("talking"), wangCard.call];
  phone = openPhone(world());
  locks.taken();
  await settle();
  line.registered();
  expect(state.recovery?.state).toBe("asking");
  await settle();
  expect([done.at(-1), state.recovery?.state]).toEqual([`reconnect ${wangCard.call}`, "coming"]);
  line.rang(new Call("b"));
  await settle();
  expect(state.call?.state).toBe("ringing");
  desk = mine("ringing");
  phone.follow();
  await settle();
  expect([state.call?.state, state.call?.by, state.recovery]).toEqual(["talking", "return", null]);
  expect(done).not.toContain("ring");
});

async function comesBack(): Promise<void> {
  [desk, mark] = [mine("talking"), wangCard.call];
  phone = openPhone(world());
  locks.taken();
  await settle();
  line.registered();
  await settle();
  expect(state.recovery?.state).toBe("coming");
}

const another = (): Desk => {
  const { view, parts } = storyCall(wangCard, { call: "another" }, [{ seat: "PJSIP/1101", state: "ringing" }]);
  return { ...mine("ringing"), calls: { another: view }, parts: { another: parts } };
};

test("after a reload the call is asked for once the server, too, has heard that the phone is registered", async () => {
  [desk, mark] = [mine("talking"), wangCard.call];
  const reachable = (reachable: boolean) => {
    const known = desk.me!;
    desk = { ...desk, me: { ...known, state: { ...known.state, phone: { ...known.state.phone, reachable } } } };
  };
  reachable(false);
  await registered();
  expect([done, mark]).toEqual([[], wangCard.call]);
  reachable(true);
  phone.follow();
  expect(done).toEqual([`reconnect ${wangCard.call}`]);
});

test("a server that has not heard of the phone yet is asked again, and said to have failed only after a while", async () => {
  [desk, mark] = [mine("talking"), wangCard.call];
  const refusal = Object.assign(new Error(), { problem: problem(409, "phone_unreachable") });
  const answers = [refusal, refusal];
  reconnect = async () => { const no = answers.shift(); if (no) throw no; return "r1"; };
  await registered();
  await vi.advanceTimersByTimeAsync(1000);
  expect([answers, state.recovery?.state]).toEqual([[], "coming"]);

  reconnect = async () => { throw refusal; };
  [desk, mark] = [mine("talking"), wangCard.call];
  await registered();
  await vi.advanceTimersByTimeAsync(15_000);
  expect([state.recovery?.state, state.recovery?.code]).toEqual(["failed", "phone_unreachable"]);
});

test("another call that rings while one is on its way back waits for a hand", async () => {
  await comesBack();
  const call = new Call("b");
  line.rang(call);
  desk = { ...mine("talking"), calls: { ...mine("talking").calls, ...another().calls }, parts: { ...mine("talking").parts, ...another().parts } };
  phone.follow();
  await settle();
  expect([state.call?.state, call.said, done.at(-1)]).toEqual(["ringing", [], "ring"]);
  // It does not come, and what rings is no reason to go on saying that it does.
  await vi.advanceTimersByTimeAsync(20_000);
  expect([state.call?.state, state.recovery?.code]).toEqual(["ringing", "did_not_come"]);
});

test("what the floor never names rings, though one is on its way back", async () => {
  await comesBack();
  line.rang(new Call("b"));
  expect(done).not.toContain("ring");
  await vi.advanceTimersByTimeAsync(FLOOR_WAIT_MS + 100);
  expect([state.call?.state, done.at(-1)]).toEqual(["ringing", "ring"]);
});

test("the way back ends with its call: the next customer is not answered for it", async () => {
  await comesBack();
  desk = { ...mine(null), commands: { r1: { command: "reconnect", call: wangCard.call, ok: true, problem: null } } };
  phone.follow();
  expect([state.recovery, mark]).toEqual([null, null]);
  line.rang(new Call("b"));
  desk = another();
  phone.follow();
  await settle();
  expect(state.call?.state).toBe("ringing");
});

const toAnswer = (call: string, ageMs = 0) => ({ at: new Date(Date.now() - ageMs).toISOString(), body: { call, leg: null } });

test.each([
  ["after the ring", 0, "talking"],
  ["told again by a resume", 11_000, "ringing"],
] as const)("the server's word to answer: %s", async (_name, age, expected) => {
  await registered();
  desk = mine("ringing");
  line.rang(new Call("a"));
  phone.toAnswer(toAnswer(wangCard.call, age));
  await settle();
  expect(state.call?.state).toBe(expected);
});

test("the server's word may come before the ring, and is for that ring only", async () => {
  await registered();
  phone.toAnswer(toAnswer(wangCard.call));
  const call = new Call("a");
  line.rang(call);
  await settle();
  expect(state.call?.state).toBe("ringing");
  desk = mine("ringing");
  phone.follow();
  await settle();
  expect([state.call?.state, state.call?.by]).toEqual(["talking", "server"]);
  call.ends("them");
  line.rang(new Call("b"));
  await settle();
  expect(state.call?.state).toBe("ringing");
});

test.each([
  ["a refusal is said", () => Promise.reject({ problem: problem(409, "not_possible") }), "not_possible"],
  ["a call that is over is not", () => Promise.reject({ problem: problem(409, "call_over") }), undefined],
])("%s", async (_name, answer, code) => {
  [desk, mark, reconnect] = [mine("talking"), wangCard.call, answer];
  phone = openPhone(world());
  locks.taken();
  await settle();
  line.registered();
  await settle();
  expect(state.recovery?.code).toBe(code);
  // Asked for once: it is not tried again at each change.
  phone.follow();
  await settle();
  expect(done.filter((one) => one.startsWith("reconnect"))).toHaveLength(1);
});

test("a call that does not come is given up in words, and what the server says of the command too", async () => {
  [desk, mark] = [mine("talking"), wangCard.call];
  phone = openPhone(world());
  locks.taken();
  await settle();
  line.registered();
  await vi.advanceTimersByTimeAsync(20_000);
  expect([state.recovery?.state, state.recovery?.code]).toEqual(["failed", "did_not_come"]);
  phone.bringBack();
  await settle();
  desk = { ...desk, commands: { r1: { command: "reconnect", call: wangCard.call, ok: false, problem: problem(409, "not_confirmed") } } };
  phone.follow();
  expect(state.recovery?.code).toBe("not_confirmed");
});

test("the desk is not trusted before it is current", async () => {
  [desk, mark, current] = [mine("talking"), wangCard.call, false];
  phone = openPhone(world());
  locks.taken();
  await settle();
  line.registered();
  await settle();
  expect(done.at(-1)).toBe("open");
  [desk, current] = [mine(null), true];
  phone.follow();
  expect([done.at(-1), mark]).toEqual(["open", null]);
});

test.each([null, "an older call"])("a call that another browser speaks on is not taken away unasked (here was: %s)", async (was) => {
  [desk, mark] = [mine("talking"), was];
  phone = openPhone(world());
  locks.taken();
  await settle();
  expect([state.registration.name, done]).toEqual(["elsewhere", []]);
  phone.useHere();
  await settle();
  line.registered();
  await settle();
  expect(done).toEqual(["claim", "open", `reconnect ${wangCard.call}`]);
});

test("a network that breaks the voice says so, and the call is sought again", async () => {
  await registered();
  const call = new Call("a");
  line.rang(call);
  await phone.answer();
  desk = mine("talking");
  call.ends("network");
  await settle();
  expect([state.dropped !== null, done.at(-1)]).toEqual([true, `reconnect ${wangCard.call}`]);
});

test("another window takes the phone: no more calls here, and the one that is on goes on", async () => {
  await registered();
  const call = new Call("a");
  line.rang(call);
  await phone.answer();
  done = [];
  phone.claimed("other");
  expect([state.registration.name, state.call?.state, done]).toEqual(["elsewhere", "talking", ["let go"]]);
  mark = "the other window's";
  call.ends("them");
  expect([done.at(-1), mark]).toEqual(["close", "the other window's"]);
});

test("another window takes it while it rings: it rings there", async () => {
  await registered();
  const call = new Call("a");
  line.rang(call);
  locks.elsewhere();
  expect([call.said, state.call, state.registration.name]).toEqual([["480"], null, "elsewhere"]);
});

test("a session that runs out in mid-call takes nothing away", async () => {
  await registered();
  const call = new Call("a");
  line.rang(call);
  await phone.answer();
  phone.rest();
  expect([state.registration.name, state.call?.state, call.said]).toEqual(["off", "talking", ["200"]]);
  phone.useHere();
  await settle();
  line.registered();
  expect([state.registration.name, state.call?.state]).toEqual(["registered", "talking"]);
  phone.hangUp();
  await settle();
  expect(done.filter((one) => one.startsWith("reconnect"))).toEqual([]);
});
