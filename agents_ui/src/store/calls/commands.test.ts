// Commands: what goes out, when they are under way, and what is said of a failure. Fake REST, real fold.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useTransport } from "../../wire/api";
import type { Frame, Problem } from "../../wire/types";
import { conference, dial, drop, give, keyOf, mover, plain, press, record, RESULT_MS, useCommands } from "./commands";
import { emptyDesk } from "../desk/desk";
import { useStore } from "../desk/store";

interface Sent { path: string; body: unknown; key: string | null }
let sent: Sent[];
let answers: ((status: number, body: unknown) => void)[];
let seq: number;

const answer = async (body: unknown, status = 202) => {
  answers.shift()?.(status, body);
  await settle();
};
const settle = () => vi.advanceTimersByTimeAsync(0);
function done(request: string, problem: Problem | null = null): void {
  const body = { request, command: "hold", call: "c1", ok: problem === null, problem };
  useStore.getState().receive({ type: "event", stream: "desk", seq: (seq += 1), at: "2026-11-22T05:00:00.000Z", kind: "command.done", body } as Frame);
}
const running = () => Object.keys(useCommands.getState().running);
const toasts = () => useStore.getState().toasts;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { pathname: "/customers/7" });
  [sent, answers, seq] = [[], [], 0];
  useStore.setState({ phase: "signed_in", desk: emptyDesk, toasts: [] });
  useTransport((path, init) => {
    sent.push({ path, body: JSON.parse(String(init.body)), key: new Headers(init.headers).get("idempotency-key") });
    return new Promise((resolve) => answers.push((status, body) => resolve(new Response(JSON.stringify(body), { status }))));
  });
});
afterEach(async () => {
  await vi.runOnlyPendingTimersAsync(); // what a test left under way is given up
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("202, then command.done: under way until the event comes", async () => {
  const outcome = plain("hold", "c1");
  expect(running()).toEqual([keyOf("hold", "c1")]);
  await answer({ request: "r1" });
  expect(useCommands.getState().running[keyOf("hold", "c1")]).toEqual({ verb: "hold", call: "c1", request: "r1" });
  done("r1");
  expect(await outcome).toEqual({ ok: true });
  expect([running(), toasts()]).toEqual([[], []]);
});

test("the event overtakes the answer", async () => {
  const outcome = plain("hold", "c1");
  done("r1");
  await answer({ request: "r1" });
  expect(await outcome).toEqual({ ok: true });
});

test("another request's result is not mine", async () => {
  const outcome = plain("hold", "c1");
  await answer({ request: "r1" });
  done("r0", { title: "x", status: 409, code: "wrong_state" });
  expect(running()).toHaveLength(1);
  done("r1");
  expect(await outcome).toEqual({ ok: true });
});

test("twice in a row is sent once, before and after the answer; another call's is another", async () => {
  const first = plain("hold", "c1");
  const second = plain("hold", "c1");
  await answer({ request: "r1" });
  const third = plain("hold", "c1");
  void plain("hold", "c2");
  expect(sent.map((one) => one.path)).toEqual(["/api/calls/c1/hold", "/api/calls/c2/hold"]);
  done("r1");
  expect(await Promise.all([first, second, third])).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
  void plain("hold", "c1");
  expect(sent).toHaveLength(3);
});

test("each sending has a key of its own", () => {
  void plain("hold", "c1");
  void plain("hold", "c2");
  const keys = sent.map((one) => one.key);
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys[0]).not.toBe(keys[1]);
});

test("an answer that never comes is given up too", async () => {
  const outcome = plain("hold", "c1");
  await vi.advanceTimersByTimeAsync(RESULT_MS);
  expect([(await outcome).ok, running()]).toEqual([false, []]);
  await answer({ request: "r1" });
  done("r1");
  expect(toasts().map((entry) => entry.problem?.code)).toEqual(["no_result"]);
});

test("a refusal at once, and a failure later, are said with what was tried, cause and remedy", async () => {
  const refused = plain("park", "c1");
  const over = { title: "Conflict", status: 409, code: "call_over", detail: "the call is over", remedy: "Nothing to do." };
  await answer(over, 409);
  expect(await refused).toEqual({ ok: false, problem: over });
  const failed = give("consult", "c1", { kind: "agent", id: 5 }, "Asks for a visit");
  await settle();
  await answer({ request: "r2" });
  const silent: Problem = { title: "Not confirmed", status: 504, code: "not_confirmed", detail: "1003 did not ring", remedy: null };
  done("r2", silent);
  expect(await failed).toEqual({ ok: false, problem: silent });
  expect(toasts().map((entry) => [entry.tone, entry.about, entry.problem?.code])).toEqual([["bad", "Park", "call_over"], ["bad", "Consult", "not_confirmed"]]);
  expect(running()).toEqual([]);
});

test("no network: said, not sent again", async () => {
  useTransport(() => {
    sent.push({ path: "", body: null, key: null });
    return Promise.reject(new TypeError("Failed to fetch"));
  });
  const outcome = await plain("hold", "c1");
  expect([outcome.ok, sent.length, toasts()[0]?.problem?.code]).toEqual([false, 1, "unreachable"]);
});

test("a result that never comes is given up, and the button is free again", async () => {
  const outcome = plain("hold", "c1");
  await answer({ request: "r1" });
  await vi.advanceTimersByTimeAsync(RESULT_MS - 1);
  expect(running()).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect((await outcome).ok).toBe(false);
  expect([running(), toasts()[0]?.problem?.code]).toEqual([[], "no_result"]);
});

test("after signing out nothing is said", async () => {
  const outcome = plain("hold", "c1");
  useStore.setState({ phase: "signed_out" });
  await answer({ title: "Unauthorized", status: 401 }, 401);
  expect([(await outcome).ok, toasts()]).toEqual([false, []]);
});

test("one mover at a time holds up the others of its call only; two legs may be dropped side by side", () => {
  void give("consult", "c1", { kind: "queue", name: "sales" }, null);
  void drop("c1", "leg.1");
  void drop("c1", "leg.2");
  expect(mover(useCommands.getState().running, "c1")).toBe("consult");
  expect(mover(useCommands.getState().running, "c2")).toBe(null);
  expect(running()).toEqual(["c1 consult ", "c1 drop leg.1", "c1 drop leg.2"]);
});

test("what each verb sends", async () => {
  void give("transfer", "a:1", { kind: "number", number: "+8613700001111" }, null);
  void conference("a:1", null);
  void press("a:1", "12#");
  void record("record-pause", "a:1");
  void dial("1003");
  await settle(); // a transfer waits for the note to be saved
  expect(new Set(sent.map((one) => [one.path, one.body]))).toEqual(new Set([
    ["/api/calls/a%3A1/transfer", { target: { kind: "number", number: "+8613700001111" }, said: null }],
    ["/api/calls/a%3A1/conference", { target: null }],
    ["/api/calls/a%3A1/dtmf", { digits: "12#" }],
    ["/api/calls/a%3A1/recording/pause", {}],
    ["/api/calls", { to: "1003", from_page: "/customers/7" }],
  ]));
});
