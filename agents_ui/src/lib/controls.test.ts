// What the desk shows of what the server says of my part; nothing is concluded here but that a PBX out of reach does nothing.
import { expect, test } from "vitest";
import { canFrom } from "../dev/standing";
import { callOf, partOf, wangCard } from "../dev/people";
import type { CallState, PartView, Person, Standing } from "../wire/types";
import { consultation, controls, isConsulting, isForTheTaking, type Controls } from "./controls";

const possible = (table: Controls) => Object.keys(table).filter((verb) => table[verb as keyof Controls] === null).sort().join(" ");
const at = (standing: Standing, more: Partial<PartView> = {}) => partOf({ standing, can: canFrom(standing, more.muted), ...more });

test("the verbs of the server, by the desk's names; a reason travels as it is", () => {
  const table = controls(partOf({ can: { hold: "calling", hangup: null, "recording/start": "on_hold", "recording/stop": null } }), true);
  expect(table).toEqual({ hold: "calling", hangup: null, "record-start": "on_hold", "record-stop": null, help: null });
});

test("what the server does not name is not offered, whatever the state", () => {
  expect(controls(partOf({ state: "talking", standing: "none", can: {} }), true)).toEqual({});
  expect(controls(null, true)).toEqual({});
});

test.each([
  ["ringing", "answer hangup"],
  ["calling", "hangup mute"],
  ["talking", "conference consult dtmf hangup help hold mute park reconnect record-pause record-stop transfer"],
  ["reaching", "cancel complete hangup help mute record-pause record-stop"],
  ["consulted", "dtmf hangup help mute record-pause record-stop"],
  ["wrap_up", ""],
] as const)("%s: %s", (standing, verbs) => {
  expect(possible(controls(at(standing), true))).toBe(verbs);
});

test("help may be asked for by whoever is on the call", () => {
  const standings: Standing[] = ["none", "ringing", "calling", "talking", "hold", "phone_hold", "reaching", "consulting", "alternated", "consulted", "conference", "alone", "waiting", "wrap_up"];
  expect(standings.filter((standing) => "help" in controls(at(standing), true))).toEqual(["talking", "hold", "phone_hold", "reaching", "consulting", "alternated", "consulted", "conference", "alone", "waiting"]);
});

test("without the PBX everything is shown and nothing is possible", () => {
  expect(new Set(Object.values(controls(at("talking"), false)))).toEqual(new Set(["no_pbx"]));
});

test("a consultation of mine: with whom, answered or not, whose ear I have", () => {
  const chen: Person = { leg: "chen", role: "agent", agent: 5, seat: null, number: "1003", name: "Chen Jie", state: "talking" };
  const call = callOf(wangCard, { people: [chen] });
  const asks = (leg: string | null, answered: boolean, with_them: boolean) => consultation(call, at("consulting", { consultation: { leg, answered, with_them } }));
  expect(asks("chen", true, true)).toEqual({ with: chen, answered: true, withThem: true });
  expect(asks("chen", true, false)).toEqual({ with: chen, answered: true, withThem: false });
  // Their phone has no leg yet.
  expect(asks(null, false, true)).toEqual({ with: null, answered: false, withThem: true });
  expect([consultation(call, at("consulted")), consultation(call, null)]).toEqual([null, null]);
  expect((["reaching", "consulting", "alternated", "consulted", "talking"] as const).map((standing) => isConsulting(at(standing)))).toEqual([true, true, true, false, false]);
});

test("for the taking: parked, waiting or ringing elsewhere, not what is mine", () => {
  const states: CallState[] = ["parked", "queued", "ringing", "talking", "held", "conference", "ivr", "ended"];
  expect(states.filter((state) => isForTheTaking(callOf(wangCard, { state }), null))).toEqual(["parked", "queued", "ringing"]);
  expect(isForTheTaking(callOf(wangCard, { state: "ringing" }), partOf({ state: "ringing" }))).toBe(false);
  expect(isForTheTaking(callOf(wangCard, { state: "parked" }), partOf({ state: "wrap_up" }))).toBe(true);
});
