// The socket as a transcript: what it says, when it gives up, and when it comes back.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { backoff, connect, type SocketState, type Wire } from "./socket";
import type { Frame, Positions } from "./types";

class Fake implements Wire {
  sent: unknown[] = [];
  closed = false;
  onopen: Wire["onopen"] = null;
  onmessage: Wire["onmessage"] = null;
  onclose: Wire["onclose"] = null;
  send(text: string) { this.sent.push(JSON.parse(text)); }
  close() { this.closed = true; }
  say(frame: unknown) { this.onmessage?.({ data: JSON.stringify(frame) }); }
}

const welcome = { type: "welcome", server_time: "2026-11-22T05:00:00.000Z", heartbeat_s: 5, positions: {}, provisional: [], resumed: false, snapshot: null };
let wires: Fake[];
let states: SocketState["name"][];
let frames: Frame[];
let positions: Positions | null;
let greeted: string[][];
let ticket: () => Promise<string>;
let told: (string | undefined)[];

const start = () =>
  connect({
    open: () => { const wire = new Fake(); wires.push(wire); return wire; },
    ticket: () => ticket(), positions: () => positions, topics: () => ["floor"], onWelcome: (named) => greeted.push(named), onFrame: (frame) => frames.push(frame),
    onState: (state) => {
      if (states.at(-1) !== state.name) states.push(state.name);
      told.push(state.name === "lost" ? state.problem?.code : undefined);
    },
    whyNoSocket: async () => ({ title: "", status: 0, code: "no_websocket" }), random: () => 1,
  });
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  [wires, states, frames, positions, greeted, told] = [[], [], [], null, [], []];
  let number = 0;
  ticket = async () => `t${(number += 1)}`;
});
afterEach(() => vi.useRealTimers());

test("says hello with a ticket, then is open", async () => {
  start();
  await settle();
  wires[0]!.onopen?.();
  wires[0]!.say(welcome);
  expect([wires[0]!.sent, states, frames]).toEqual([[{ type: "hello", ticket: "t1" }], ["connecting", "open"], [welcome]]);
});

test("comes back with a new ticket and its positions", async () => {
  start();
  await settle();
  wires[0]!.onopen?.();
  wires[0]!.say(welcome);
  positions = { "pbx:demo": 120 };
  wires[0]!.onclose?.({ code: 1006 });
  await settle(400);
  wires[1]!.onopen?.();
  expect(wires[1]!.sent).toEqual([{ type: "resume", ticket: "t2", positions: { "pbx:demo": 120 }, topics: ["floor"] }]);
  wires[1]!.say(welcome);
  expect(states).toEqual(["connecting", "open", "lost", "open"]);
  // A hello names no topics, a resume those that are open.
  expect(greeted).toEqual([[], ["floor"]]);
});

test("silence for two and a half heartbeats is a loss, even when no close was seen", async () => {
  start();
  await settle();
  wires[0]!.say(welcome);
  await settle(12_000);
  expect(states.at(-1)).toBe("open");
  await settle(2000);
  expect([wires[0]!.closed, states.at(-1)]).toEqual([true, "lost"]);
});

test("a server that never welcomes is given up after ten seconds", async () => {
  start();
  await settle(12_000);
  expect([wires[0]!.closed, states.at(-1)]).toEqual([true, "lost"]);
});

test("signed out: over without a ticket, else connected again at once, for another session was meant", async () => {
  start();
  await settle();
  wires[0]!.onclose?.({ code: 4409 });
  await settle();
  expect(wires.length).toBe(2);
  ticket = () => Promise.reject({ status: 401 });
  wires[1]!.onclose?.({ code: 4409 });
  await settle(60_000);
  expect([wires.length, states.at(-1)]).toEqual([2, "signed_out"]);
});

test("no ticket: signed out by a 401, tried again after anything else", async () => {
  ticket = () => Promise.reject({ status: 503 });
  start();
  await settle(2000);
  expect(states.at(-1)).toBe("lost");
  ticket = () => Promise.reject({ status: 401 });
  await settle(20_000);
  expect([states.at(-1), wires]).toEqual(["signed_out", []]);
});

test("too slow and a spent ticket are losses like others", async () => {
  start();
  await settle();
  wires[0]!.onclose?.({ code: 4408 });
  await settle(400);
  wires[1]!.onclose?.({ code: 4401 });
  await settle(800);
  expect(wires).toHaveLength(3);
});

test("sockets that end before they open: the second time it is said why, until one is welcomed", async () => {
  start();
  await settle();
  wires[0]!.onclose?.({ code: 1006 });
  await settle();
  expect(told.at(-1)).toBe(undefined); // a restart of the server looks like this
  await settle(400);
  wires[1]!.onclose?.({ code: 1006 });
  await settle();
  expect([states.at(-1), told.at(-1)]).toEqual(["lost", "no_websocket"]);
  await settle(800);
  expect(told.at(-1)).toBe("no_websocket"); // trying again is no reason to be silent
  wires[2]!.onopen?.();
  wires[2]!.say(welcome);
  wires[2]!.onclose?.({ code: 1006 });
  await settle();
  expect([states.at(-1), told.at(-1)]).toEqual(["lost", undefined]);
});

test("no ticket: the state carries what the server or its proxy said", async () => {
  ticket = () => Promise.reject({ status: 0, problem: { title: "", status: 0, code: "server_down" } });
  start();
  await settle(2000);
  expect(told.at(-1)).toBe("server_down");
});

test("waits longer each time, up to ten seconds, and half of it is chance", () => {
  expect([1, 2, 3, 6, 20].map((attempt) => backoff(attempt, () => 1))).toEqual([400, 800, 1600, 10_000, 10_000]);
  expect(backoff(3, () => 0)).toBe(800);
});

test("retryNow does not wait, and closing ends all of it", async () => {
  const socket = start();
  await settle();
  wires[0]!.onclose?.({ code: 1006 });
  socket.retryNow();
  await settle();
  expect(wires).toHaveLength(2);
  socket.close();
  await settle(60_000);
  expect([wires.length, wires[1]!.closed]).toEqual([2, true]);
});

test("nothing is said before the welcome nor after a loss", async () => {
  const socket = start();
  const watch = { type: "watch" as const, open: ["team"] };
  await settle();
  wires[0]!.onopen?.();
  expect(socket.say(watch)).toBe(false);
  wires[0]!.say(welcome);
  expect([socket.say(watch), wires[0]!.sent.at(-1)]).toEqual([true, watch]);
  wires[0]!.onclose?.({ code: 1006 });
  expect([socket.say(watch), wires[0]!.sent.length]).toEqual([false, 2]);
});
