// A key or a link turned into a command: which call, which verb, and what is said where it cannot be.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useTransport } from "../../wire/api";
import { canFrom } from "../../dev/standing";
import { storyCall, unknownCard, type StoryCall } from "../../dev/people";
import type { CallState, Me, PartState, PartView } from "../../wire/types";
import { usePhoneStore } from "../../phone/store";
import { actByKey } from "./act";
import { callNumber, takeAsked } from "./dialling";
import { emptyDesk } from "../desk/desk";
import { usePanel } from "./panel";
import { useStore } from "../desk/store";

let sent: string[];
const callStates: Partial<Record<PartState, CallState>> = { hold: "held", ringing: "ringing", wrap_up: "ended" };
const call = (id: string, state: PartState, more: Partial<PartView> = {}) =>
  storyCall(unknownCard, { call: id, state: callStates[state] ?? "talking", recording: "off", started_at: id }, [{ state, ...more }]);

function desk(...calls: StoryCall[]): void {
  const me = { id: 3, seat: "PJSIP/1001", role: "agent" } as Me;
  const links = { demo: { state: "live" as const, since: null, detail: null } };
  useStore.setState({
    phase: "signed_in", selected: null, toasts: [], socket: { name: "open", since: 0, attempt: 0 },
    desk: { ...emptyDesk, me, links, calls: Object.fromEntries(calls.map(({ view }) => [view.call, view])), parts: Object.fromEntries(calls.map(({ view, parts }) => [view.call, parts])) },
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { pathname: "/", href: "http://desk.example/" });
  sent = [];
  usePanel.setState({ picker: null, keypad: null, pickUp: false, asked: null });
  useTransport((path) => {
    sent.push(path.replace("/api", ""));
    return Promise.resolve(new Response(JSON.stringify({ title: "x", status: 409, code: "already" }), { status: 409 }));
  });
});
afterEach(async () => {
  await vi.runOnlyPendingTimersAsync();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("one key holds and takes back", async () => {
  desk(call("c1", "talking"));
  actByKey(["hold", "retrieve"]);
  await vi.advanceTimersByTimeAsync(0);
  desk(call("c1", "hold"));
  actByKey(["hold", "retrieve"]);
  expect(sent).toEqual(["/calls/c1/hold", "/calls/c1/retrieve"]);
});

test("a phone in this window answers and hangs up itself", () => {
  desk(call("c1", "ringing", { seat: "PJSIP/1101" }));
  const { desk: shown } = useStore.getState();
  const shift = { seat: "PJSIP/1101", extension: "1101", kind: "browser", since: "" };
  useStore.setState({ desk: { ...shown, me: { ...shown.me, shift } as Me } });
  const before = usePhoneStore.getState();
  usePhoneStore.setState({ call: { id: "s", state: "ringing", number: null, name: null, since: 0, by: null } });
  actByKey(["answer"]);
  expect(sent).toEqual([]); // it does not go by way of the server
  usePhoneStore.setState({ call: { id: "s", state: "talking", number: null, name: null, since: 0, by: null } });
  actByKey(["hangup"]);
  expect(sent).toEqual([]);
  usePhoneStore.setState({ call: before.call });
});

test("answering goes to what rings, wherever I look", () => {
  desk(call("c1", "wrap_up"), call("c2", "ringing"));
  useStore.setState({ selected: "c1" });
  actByKey(["answer"]);
  expect(sent).toEqual(["/calls/c2/answer"]);
});

test("what cannot be says why; what does not apply is silent", () => {
  desk(call("c1", "hold"));
  actByKey(["dtmf"]);
  actByKey(["answer"]);
  actByKey(["complete"]);
  expect(useStore.getState().toasts.map((entry) => [entry.about, entry.text])).toEqual([["Keypad", "The caller is on hold: retrieve the call first."]]);
  expect(sent).toEqual([]);
});

test("no link to the PBX: nothing is sent", () => {
  desk(call("c1", "talking"));
  useStore.setState((store) => ({ desk: { ...store.desk, links: { demo: { state: "stale", since: null, detail: null } } } }));
  actByKey(["hangup"]);
  expect([sent, useStore.getState().toasts.length]).toEqual([[], 1]);
});

test("consulting opens the picker; in a consultation the conference key merges", () => {
  desk(call("c1", "talking"));
  actByKey(["consult"]);
  expect(usePanel.getState().picker).toEqual({ mode: "consult", call: "c1", search: "" });
  desk(call("c1", "consulting", { can: canFrom("consulting") }));
  actByKey(["conference"]);
  expect(sent).toEqual(["/calls/c1/conference"]);
});

test("a number is dialled at once when I am free, asked about in a call, and always when it comes from outside", () => {
  desk(call("c1", "wrap_up"));
  callNumber("1003");
  expect([sent, usePanel.getState().asked]).toEqual([["/calls"], null]);
  callNumber("1003", "outside");
  expect(usePanel.getState().asked).toEqual({ number: "1003", why: "outside" });
  desk(call("c1", "talking"));
  callNumber("1004");
  expect(usePanel.getState().asked).toEqual({ number: "1004", why: "busy" });
  expect(sent).toHaveLength(1);
});

test.each([
  ["?dial=tel%3A%2B862162881234", "+862162881234"],
  ["?dial=+862162881234", "+862162881234"],
  ["?dial=web%2Btel%3A1003&x=1", "1003"],
  ["?dial=hello", null],
  ["?x=1", null],
])("the page opened with %s", (search, number) => {
  const replaced: string[] = [];
  vi.stubGlobal("location", { pathname: "/", href: `http://desk.example/${search}` });
  vi.stubGlobal("history", { replaceState: (_state: unknown, _title: string, url: URL) => replaced.push(url.search) });
  expect(takeAsked()).toBe(number);
  expect(replaced).toEqual(search.includes("dial") ? [search.includes("x=1") ? "?x=1" : ""] : []);
});
