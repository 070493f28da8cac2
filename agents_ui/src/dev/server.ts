// A small server for tests: it holds a floor, tells each viewer what the rules of docs/api.md let them hear, and gives the
// fresh snapshot that a desktop's desk must equal. It shares no code with the fold.
import type {
  AgentStateView, CallView, Card, Frame, Me, MemberView, PartBody, PartView, QueueView, ServerEvent, Snapshot, TeamMember, TopicSnapshot, Welcome,
} from "../wire/types";

export interface FloorState {
  calls: CallView[];
  parts: PartView[];
  cards: Record<string, Card>;
  queues: QueueView[];
  /** By queue. */
  members: Record<string, MemberView[]>;
  team: TeamMember[];
}

export interface Viewer { me: Me; topics: string[] }

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const PBX = "demo";
export const STREAM = `pbx:${PBX}`;

export const servedBy = (floor: FloorState, agent: number): string[] =>
  floor.queues.filter(({ queue }) => floor.members[queue]?.some((member) => member.agent === agent)).map(({ queue }) => queue);
const stateIn = (floor: FloorState, agent: number): AgentStateView | undefined => floor.team.find((member) => member.agent === agent)?.state;
const partsOf = (floor: FloorState, agent: number) => floor.parts.filter((part) => part.agent === agent && part.state !== "left");

export function welcomeFor(floor: FloorState, { me }: Viewer, seq: number): Welcome {
  const parts = partsOf(floor, me.id);
  const calls = floor.calls.filter((call) => parts.some((part) => part.call === call.call));
  const served = servedBy(floor, me.id);
  const snapshot: Snapshot = {
    me: { ...me, queues: served, state: stateIn(floor, me.id) ?? me.state }, links: { [PBX]: { state: "live", since: null, detail: null } }, calls, parts,
    cards: Object.fromEntries(calls.map(({ call }) => [call, floor.cards[call] ?? null])), queues: floor.queues.filter(({ queue }) => served.includes(queue)),
  };
  return { type: "welcome", server_time: "2026-11-22T05:00:00.000Z", heartbeat_s: 5, positions: { [STREAM]: seq, desk: 1 }, provisional: [], resumed: false, snapshot };
}

function shows(floor: FloorState, topic: string): TopicSnapshot {
  if (topic === "floor") return { calls: floor.calls.filter((call) => call.state !== "ended"), queues: floor.queues };
  if (topic === "team") return { team: floor.team };
  const name = topic.slice(topic.indexOf(":") + 1);
  if (topic.startsWith("call:")) return { call: floor.calls.find(({ call }) => call === name) ?? null, parts: floor.parts.filter(({ call }) => call === name) };
  const queue = name.slice(name.indexOf("/") + 1);
  return { queue: floor.queues.find((view) => view.queue === queue) as QueueView, members: floor.members[queue] ?? [] };
}

const mayOpen = (floor: FloorState, { me }: Viewer, topic: string) =>
  !topic.startsWith("queue:") || me.role !== "agent" || servedBy(floor, me.id).includes(topic.slice(topic.indexOf("/") + 1));

export function watchingFor(floor: FloorState, viewer: Viewer, seq: number): Frame[] {
  return viewer.topics.map((topic): Frame => mayOpen(floor, viewer, topic)
    ? { type: "watching", topic, stream: STREAM, seq, snapshot: shows(floor, topic) }
    : { type: "watching", topic, refused: "not_yours" });
}

function happenedTo(before: PartView | undefined, part: PartView): PartBody["happened"] {
  if (!before) return "offered";
  if (part.state === "left") return before.state === "wrap_up" ? "wrapped" : before.state === "ringing" ? "offer_ended" : "left";
  return before.state === "ringing" && part.state === "talking" ? "answered" : part.state === "hold" ? "held" : "changed";
}

/** What this viewer hears of one step, in the order of the contract: calls, parts, cards, queues, members, me, team. */
export function eventsFor(before: FloorState, after: FloorState, viewer: Viewer, seq: number): Frame[] {
  const { me } = viewer;
  const open = new Set(viewer.topics.filter((topic) => mayOpen(before, viewer, topic)));
  const serves = new Set(servedBy(after, me.id));
  const told: Pick<ServerEvent, "kind" | "body">[] = [];
  const concerns = (call: string) => after.parts.some((part) => part.call === call && part.agent === me.id && part.state !== "left") || open.has(`call:${call}`);
  for (const call of after.calls) {
    const old = before.calls.find((view) => view.call === call.call);
    if (!same(old, call) && (concerns(call.call) || open.has("floor"))) told.push({ kind: call.state === "ended" ? "call.ended" : old ? "call.changed" : "call.started", body: { call, reason: null } } as ServerEvent);
  }
  for (const part of after.parts) {
    const old = before.parts.find((view) => view.call === part.call && view.position === part.position);
    if (same(old, part) || !(part.agent === me.id || open.has(`call:${part.call}`))) continue;
    const first = !old || old.agent !== part.agent;
    const view = first ? (after.calls.find(({ call }) => call === part.call) ?? null) : null;
    told.push({ kind: "part.changed", body: { agent: part.agent, call: part.call, part, happened: happenedTo(old, part), reason: null, view, leaves: part.state === "left", card: first ? (after.cards[part.call] ?? null) : null, handover: null } } as ServerEvent);
  }
  for (const { call } of after.calls) {
    if (!same(before.cards[call], after.cards[call]) && concerns(call)) told.push({ kind: "card.changed", body: { call, card: after.cards[call] ?? null } } as ServerEvent);
  }
  for (const queue of after.queues) {
    const come = serves.has(queue.queue) && !servedBy(before, me.id).includes(queue.queue);
    const changed = !same(queue, before.queues.find((view) => view.queue === queue.queue));
    if (come || (changed && (serves.has(queue.queue) || open.has("floor") || open.has(`queue:${PBX}/${queue.queue}`)))) told.push({ kind: "queue.changed", body: { queue } } as ServerEvent);
  }
  for (const { queue } of after.queues.filter((view) => open.has(`queue:${PBX}/${view.queue}`))) {
    const [old, now] = [before.members[queue] ?? [], after.members[queue] ?? []];
    for (const id of new Set([...old, ...now].map((member) => member.interface))) {
      const member = now.find((entry) => entry.interface === id) ?? null;
      if (!same(member, old.find((entry) => entry.interface === id) ?? null)) told.push({ kind: "member.changed", body: { pbx: PBX, queue, interface: id, member } } as ServerEvent);
    }
  }
  const mine = stateIn(after, me.id);
  if (mine && (!same(mine, stateIn(before, me.id)) || !same([...serves], servedBy(before, me.id)))) told.push({ kind: "me.changed", body: { agent: me.id, pbx: PBX, name: me.name, extension: me.extension, role: me.role, state: mine, queues: [...serves], shift: me.shift } } as ServerEvent);
  const agents = after.team.filter((member) => !same(member, before.team.find((old) => old.agent === member.agent)));
  if (agents.length && open.has("team")) told.push({ kind: "team.changed", body: { agents } } as ServerEvent);
  const frames = told.map((event, index): Frame => ({ type: "event", stream: STREAM, seq: seq + index, at: "2026-11-22T05:00:01.000Z", ...event }) as Frame);
  const lost = viewer.topics.filter((topic) => mayOpen(before, viewer, topic) && !mayOpen(after, viewer, topic));
  return [...frames, ...lost.map((topic): Frame => ({ type: "watching", topic, refused: "not_yours" }))];
}
