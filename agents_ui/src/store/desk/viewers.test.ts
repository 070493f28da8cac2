// Old snapshot + events = fresh snapshot, for each viewer of one floor: an agent on a call, a colleague who is taken out of
// a queue, one who comes into it, and supervisors with and without topics. Compared after every step, from every step.
import { describe, expect, test } from "vitest";
import { agentsOf, callOf, me, membersOf, partOf, queues, stateOf, team, unknownCard, wangCard } from "../../dev/people";
import { eventsFor, watchingFor, welcomeFor, type FloorState, type Viewer } from "../../dev/server";
import { canFrom } from "../../dev/standing";
import type { Me, PartView } from "../../wire/types";
import { emptyDesk, type Desk } from "./desk";
import { fold } from "./fold";
import { withOpened } from "./topicFold";

const who = (id: number, name: string, role: Me["role"] = "agent"): Me => ({ ...me, id, name, role, seat: role === "agent" ? `PJSIP/${998 + id}` : null });
const wang = wangCard.call;
const other = unknownCard.call;

const viewers: Record<string, Viewer> = {
  "the agent on the call": { me: who(3, "Li Wei"), topics: [] },
  "the agent on the call, who looks at its parts and at the team": { me: who(3, "Li Wei"), topics: [`call:${wang}`, "team"] },
  "a colleague who is taken out of a queue": { me: who(4, "Wang Fang"), topics: [] },
  "a colleague who is taken out of a queue that they watch": { me: who(4, "Wang Fang"), topics: ["queue:demo/support", "queue:demo/sales"] },
  "a colleague who is rung first, and comes into a queue": { me: who(5, "Chen Jie"), topics: [] },
  "somebody of none of it": { me: who(9, "刘洋"), topics: ["team"] },
  "a supervisor who looks elsewhere": { me: who(2, "Zhang Min", "supervisor"), topics: [] },
  "a supervisor with the floor": { me: who(2, "Zhang Min", "supervisor"), topics: ["floor"] },
  "a supervisor with everything open": { me: who(2, "Zhang Min", "supervisor"), topics: ["floor", "team", "queue:demo/support", "queue:demo/vip", `call:${wang}`, `call:${other}`] },
};

type Step = [name: string, change: (floor: FloorState) => FloorState];
const part = (agent: number, position: number, more: Partial<PartView>) => partOf({ agent, position, name: `agent ${agent}`, seat: `PJSIP/${998 + agent}`, ...more });

/** Puts parts in, and lets the view of their call follow: who is on it, and in which state it is. */
function withParts(floor: FloorState, state: FloorState["calls"][number]["state"], ...changed: PartView[]): FloorState {
  const is = (a: PartView, b: PartView) => a.call === b.call && a.position === b.position;
  const parts = [...floor.parts.filter((old) => !changed.some((now) => is(old, now))), ...changed].sort((a, b) => a.position - b.position);
  const id = changed[0]?.call ?? wang;
  const calls = floor.calls.map((call) => (call.call === id ? { ...call, state, agents: agentsOf(parts.filter((entry) => entry.call === id)) } : call));
  return { ...floor, parts, calls };
}
const inState = (floor: FloorState, agent: number, state: Me["state"]): FloorState => ({ ...floor, team: floor.team.map((member) => (member.agent === agent ? { ...member, state } : member)) });
const taking = (floor: FloorState, queue: string, members: FloorState["members"][string]): FloorState => ({
  ...floor, members: { ...floor.members, [queue]: members }, queues: floor.queues.map((view) => (view.queue === queue ? { ...view, members: members.length } : view)),
});

const start: FloorState = { calls: [], parts: [], cards: {}, queues, members: membersOf, team };
const steps: Step[] = [
  ["a caller comes", (floor) => ({ ...floor, calls: [callOf(wangCard, { state: "ivr", queue: null, match: "pending" })] })],
  ["they wait in support", (floor) => ({ ...floor, calls: floor.calls.map((call) => ({ ...call, state: "queued", queue: "support" })), queues: floor.queues.map((view) => ({ ...view, waiting: view.waiting + 1 })) })],
  ["two phones ring", (floor) => withParts(floor, "ringing", part(5, 1, { state: "ringing" }), part(3, 2, { state: "ringing" }))],
  ["their card is found", (floor) => ({ ...floor, cards: { [wang]: wangCard }, calls: floor.calls.map((call) => ({ ...call, match: "verified" })) })],
  ["one does not answer", (floor) => withParts(floor, "ringing", part(5, 1, { state: "left", reason: "no_answer" }))],
  ["the other does", (floor) => inState(withParts(floor, "talking", part(3, 2, { state: "talking" })), 3, stateOf("talking", 0))],
  ["a second call comes to the same agent", (floor) => withParts({ ...floor, calls: [...floor.calls, callOf(unknownCard)], cards: { ...floor.cards, [other]: unknownCard } }, "ringing", part(3, 1, { call: other, state: "ringing" }))],
  ["it is given up", (floor) => withParts(floor, "ended", part(3, 1, { call: other, state: "left", reason: "caller_left" }))],
  ["hold", (floor) => withParts(floor, "held", part(3, 2, { state: "hold" }))],
  ["a consultation rings", (floor) => withParts(floor, "talking", part(3, 2, { state: "consulting", standing: "reaching", can: canFrom("reaching"), consultation: { leg: "x", answered: false, with_them: true } }), part(4, 3, { state: "ringing" }))],
  ["she answers", (floor) => withParts(floor, "talking", part(3, 2, { state: "consulting", consultation: { leg: "x", answered: true, with_them: true } }), part(4, 3, { state: "talking", standing: "consulted", can: canFrom("consulted") }))],
  ["and is taken out of support meanwhile", (floor) => taking(floor, "support", membersOf["support"]!.filter((member) => member.agent !== 4))],
  ["support changes after that", (floor) => ({ ...floor, queues: floor.queues.map((view) => (view.queue === "support" ? { ...view, waiting: 9 } : view)) })],
  ["a member pauses", (floor) => taking(floor, "support", floor.members["support"]!.map((member) => (member.agent === 3 ? { ...member, paused: true, reason: "lunch" } : member)))],
  ["somebody comes into vip", (floor) => taking(floor, "vip", [...membersOf["vip"]!, membersOf["support"]!.find((member) => member.agent === 5)!])],
  ["the call is handed over", (floor) => withParts(floor, "talking", part(3, 2, { state: "wrap_up" }), part(4, 3, { state: "talking" }))],
  ["and rings the first agent again, who still wraps up", (floor) => withParts(floor, "talking", part(3, 4, { state: "ringing" }))],
  ["in vain", (floor) => withParts(floor, "talking", part(3, 4, { state: "left", reason: "no_answer" }))],
  ["wrap-up is over", (floor) => inState(withParts(floor, "talking", part(3, 2, { state: "left" })), 3, stateOf("ready", 0))],
  ["the caller hangs up", (floor) => withParts(floor, "ended", part(4, 3, { state: "wrap_up" }))],
  ["and all is done", (floor) => withParts(floor, "ended", part(4, 3, { state: "left" }))],
];
const floors = steps.reduce<FloorState[]>((all, [, change]) => [...all, change(all.at(-1) as FloorState)], [start]);

/** What a snapshot and the topics that are open tell. */
const shown = ({ me: person, links, calls, parts, cards, queues: lines, serving, members, opened, team: colleagues }: Desk) =>
  ({ person, links, calls, parts, cards, lines, serving: [...serving].sort(), members, opened, colleagues });

const arrive = (floor: FloorState, viewer: Viewer): Desk =>
  [welcomeFor(floor, viewer, 0), ...watchingFor(floor, viewer, 0)].reduce(fold, withOpened(emptyDesk, viewer.topics));

const sorted = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(sorted) : value && typeof value === "object" ? Object.fromEntries(Object.entries(value).sort().map(([key, entry]) => [key, sorted(entry)])) : value;
const text = (desk: Desk) => JSON.stringify(sorted(shown(desk)));

describe.each(Object.entries(viewers))("%s", (_name, viewer) => {
  const fresh = floors.map((floor) => arrive(floor, viewer));
  test.each(steps.map(([name], from) => [from, name] as const))("from step %i on (%s)", (from) => {
    let desk = fresh[from] as Desk;
    let seq = 1;
    for (let step = from; step < steps.length; step += 1) {
      const frames = eventsFor(floors[step] as FloorState, floors[step + 1] as FloorState, viewer, seq);
      seq += frames.length;
      desk = frames.reduce(fold, desk);
      const expected = fresh[step + 1] as Desk;
      // Texts are compared first: a deep comparison of all of these takes half a minute.
      if (text(desk) !== text(expected)) expect([steps[step]?.[0], shown(desk)]).toEqual([steps[step]?.[0], shown(expected)]);
    }
    expect(text(desk)).toBe(text(fresh.at(-1) as Desk));
  });
});

test("the steps do take somebody out of a queue, and their screen shows it no more", () => {
  const viewer = viewers["a colleague who is taken out of a queue that they watch"] as Viewer;
  const out = steps.findIndex(([name]) => name.startsWith("and is taken out"));
  const before = arrive(floors[out] as FloorState, viewer);
  const after = eventsFor(floors[out] as FloorState, floors[out + 1] as FloorState, viewer, 1).reduce(fold, before);
  expect([Object.keys(before.queues), Object.keys(before.members)]).toEqual([["demo/support", "demo/sales", "demo/vip"], ["demo/support", "demo/sales"]]);
  expect([Object.keys(after.queues), Object.keys(after.members), after.topics["queue:demo/support"]?.refused]).toEqual([["demo/sales", "demo/vip"], ["demo/sales"], "not_yours"]);
  expect(after.me?.queues).toEqual(["sales", "vip"]);
});
