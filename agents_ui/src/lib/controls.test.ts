// What can be done in each situation, told as call views; and why the rest cannot.
import { expect, test } from "vitest";
import type { CallParty, CallView, Me, Person } from "../wire/types";
import { consultation, controls, isForTheTaking, situation, type Controls } from "./controls";

const me = { id: 3, seat: "PJSIP/1001", role: "agent" } as Me;
const part = (state: CallParty["state"], more: Partial<CallParty> = {}) => ({ agent: 3, seat: "PJSIP/1001", leg: "me", state, muted: false, why: null, ...more }) as CallParty;
const person = (leg: string, role: Person["role"], state: Person["state"]): Person => ({ leg, role, agent: role === "agent" ? (leg === "me" ? 3 : 5) : null, seat: null, number: null, name: leg, state });
const caller = (state: Person["state"] = "talking") => person("caller", "customer", state);
const self = (state: Person["state"] = "talking") => person("me", "agent", state);
const chen = (state: Person["state"]) => person("chen", "agent", state);
const call = (state: CallView["state"], mine: CallParty | null, people: Person[], more: Partial<CallView> = {}) =>
  ({ call: "c1", pbx: "demo", direction: "inbound", state, recording: "off", agents: mine ? { "3": mine } : {}, people, ...more }) as CallView;

const can = (table: Controls) => Object.keys(table).filter((verb) => table[verb as keyof Controls] === null).sort().join(" ");
const see = (view: CallView) => [situation(view, me), can(controls(view, me, true))];

test("ringing", () => {
  expect(see(call("ringing", part("ringing"), [caller("waiting"), self("ringing")]))).toEqual(["ringing", "answer hangup"]);
});

test("my phone is up and the other end rings", () => {
  expect(see(call("ringing", part("ringing"), [self(), caller("ringing")], { direction: "outbound" }))).toEqual(["calling", "hangup mute"]);
  expect(situation(call("ringing", part("ringing"), [self("ringing")], { direction: "outbound" }), me)).toBe("ringing");
});

test("talking", () => {
  const view = call("talking", part("talking"), [caller(), self()]);
  expect(see(view)).toEqual(["talking", "conference consult dtmf hangup help hold mute park record-start transfer"]);
});

test("muted, and recording paused: the way back is offered instead", () => {
  const table = controls(call("talking", part("talking", { muted: true }), [caller(), self()], { recording: "paused" }), me, true);
  expect([table.unmute, table["record-resume"], table["record-stop"]]).toEqual([null, null, null]);
  expect(["mute", "record-start", "record-pause"].filter((verb) => verb in table)).toEqual([]);
});

test("on hold: taken back before keys are sent", () => {
  const view = call("held", part("hold"), [caller("hold"), self()]);
  expect(see(view)).toEqual(["hold", "conference consult hangup help mute park retrieve transfer"]);
  const table = controls(view, me, true);
  expect([table.dtmf, table["record-start"]]).toEqual(["on_hold", "on_hold"]);
  expect(controls({ ...view, recording: "on" }, me, true)["record-pause"]).toBe(null);
});

test.each(["talking", "consulting", "hold"] as const)("a consultation that rings, my part told as %s", (state) => {
  const view = call("talking", part(state), [caller("hold"), self(), chen("ringing")]);
  expect(see(view)).toEqual(["consulting", "cancel complete hangup help mute"]);
  expect(controls(view, me, true).conference).toBe("not_answered");
});

test("consulting, then back with the caller while the colleague waits", () => {
  const aside = call("talking", part("consulting"), [caller("hold"), self(), chen("talking")]);
  expect(see(aside)).toEqual(["consulting", "alternate cancel complete conference dtmf hangup help mute record-start"]);
  expect(consultation(aside, me)).toMatchObject({ with: { leg: "chen" }, answered: true, withThem: true });
  const back = call("talking", part("talking"), [caller(), self(), chen("hold")]);
  expect(situation(back, me)).toBe("consulting");
  expect(consultation(back, me)).toMatchObject({ answered: true, withThem: false });
});

test("a call that I dialled can be consulted about too", () => {
  const view = call("talking", part("consulting"), [self(), caller("hold"), chen("talking")], { direction: "outbound" });
  expect(consultation(view, me)?.with?.leg).toBe("chen");
});

test("consulted: the colleague decides, until they are gone", () => {
  const why = { kind: "consult", queue: null, from: "Chen Jie", penalty: null, waited_ms: null } as const;
  expect(see(call("talking", part("talking", { why }), [caller("hold"), chen("talking"), self()]))).toEqual(["consulted", "dtmf hangup help mute record-start"]);
  expect(situation(call("talking", part("talking", { why }), [caller(), self()]), me)).toBe("talking");
});

test("conference", () => {
  const view = call("conference", part("talking"), [caller(), self(), chen("talking")]);
  expect(see(view)).toEqual(["conference", "conference dtmf hangup help mute record-start"]);
});

test("wrap-up, left and ended calls offer nothing", () => {
  for (const view of [call("ended", part("wrap_up"), []), call("talking", part("left"), [caller()]), call("ended", part("talking"), [])]) {
    expect(controls(view, me, true)).toEqual({});
  }
});

test("without the PBX everything is shown and nothing is possible", () => {
  const table = controls(call("talking", part("talking"), [caller(), self()]), me, false);
  expect(new Set(Object.values(table))).toEqual(new Set(["no_pbx"]));
});

test("for the taking: parked, waiting or ringing elsewhere, not what is mine", () => {
  expect((["parked", "queued", "ringing", "talking", "ivr", "ended"] as const).filter((state) => isForTheTaking(call(state, null, []), me))).toEqual(["parked", "queued", "ringing"]);
  expect(isForTheTaking(call("ringing", part("ringing"), []), me)).toBe(false);
  expect(isForTheTaking(call("parked", part("wrap_up"), []), me)).toBe(true);
});
