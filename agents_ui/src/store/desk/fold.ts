// The pure fold: old desk + frame = new desk. Every event carries the whole new view, so a step only replaces.
// It does not know time, network or screen. Old snapshot + events must equal the fresh snapshot, for every viewer.
import type {
  AgentStateView, CallBody, Card, EventOf, Frame, PartView, Positions, ServerEvent, Snapshot,
} from "../../wire/types";
import { CALL_EVENTS } from "../../wire/types";
import { marked, putCard, putPromises } from "./cards";
import { emptyDesk, isShown, newest, queueKey, without, type Desk, type Resting } from "./desk";
import { keepsQueue, prune, withCall } from "./keeping";
import { KEPT_CUSTOMERS, withWatching } from "./topicFold";

export const KEPT_COMMANDS = 20;

export function deskOf(snapshot: Snapshot, positions: Positions): Desk {
  const parts: Desk["parts"] = {};
  for (const part of snapshot.parts) parts[part.call] = withPart(parts[part.call], part);
  const calls = Object.fromEntries(snapshot.calls.filter((call) => call.call in parts).map((call) => [call.call, call]));
  const cards = Object.entries(snapshot.cards).filter((entry): entry is [string, Card] => entry[1] !== null && entry[0] in calls);
  const queues = Object.fromEntries(snapshot.queues.map((queue) => [queueKey(queue.pbx, queue.queue), queue]));
  const marks = Object.fromEntries(["me.state", "me.settings", ...Object.keys(calls).map((call) => `card:${call}`)].map((key) => [key, positions]));
  return {
    ...emptyDesk, me: snapshot.me, links: snapshot.links, calls, parts, cards: Object.fromEntries(cards), queues, serving: Object.keys(queues), marks, positions,
  };
}

/** My parts of a call, in order; one that I have left is none. */
function withPart(parts: PartView[] | undefined, part: PartView): PartView[] {
  const others = (parts ?? []).filter((other) => other.position !== part.position);
  return part.state === "left" ? others : [...others, part].sort((a, b) => a.position - b.position);
}

function partChanged(desk: Desk, { body, stream, seq }: EventOf<"part.changed">): Desk {
  const { agent, call, part, view, card, handover } = body;
  let next = desk;
  if (isShown(desk, `call:${call}`, stream)) next = { ...next, opened: { ...next.opened, [call]: { ...next.opened[call], [part.position]: part } } };
  if (agent === null || agent !== desk.me?.id) return next;
  const mine = withPart(next.parts[call], part);
  next = { ...next, parts: mine.length ? { ...next.parts, [call]: mine } : without(next.parts, call) };
  const shown = view ?? next.calls[call];
  if (!shown) return next;
  next = withCall(next, shown);
  // I have left it: card and handover go, also where a topic keeps the call.
  if (mine.length === 0) return { ...next, handovers: without(next.handovers, call), cards: without(next.cards, call) };
  if (handover) next = { ...next, handovers: { ...next.handovers, [call]: handover } };
  return card ? marked(putCard(next, call, card), `card:${call}`, { [stream]: seq }) : next;
}

function cardChanged(desk: Desk, { body: { call, card }, stream, seq }: EventOf<"card.changed">): Desk {
  // Who watches a call by its topic hears of its card too, but shows none: a topic's snapshot has no card.
  if (!(call in desk.parts)) return desk;
  const next = card ? putCard(desk, call, card) : { ...desk, cards: without(desk.cards, call) };
  return marked(next, `card:${call}`, { [stream]: seq });
}

function queueChanged(desk: Desk, { body: { queue } }: EventOf<"queue.changed">): Desk {
  const key = queueKey(queue.pbx, queue.queue);
  if (keepsQueue(desk, queue)) return { ...desk, queues: { ...desk.queues, [key]: queue } };
  // In one step of the floor queues are told before what I am: this one may be mine a frame later.
  return { ...desk, early: { ...desk.early, [key]: queue } };
}

/** The PBX does not have it any more. */
function queueRemoved(desk: Desk, { body }: EventOf<"queue.removed">): Desk {
  const key = queueKey(body.pbx, body.queue);
  return { ...desk, queues: without(desk.queues, key), early: without(desk.early, key), members: without(desk.members, key) };
}

function memberChanged(desk: Desk, { body, stream }: EventOf<"member.changed">): Desk {
  const key = queueKey(body.pbx, body.queue);
  if (!isShown(desk, `queue:${key}`, stream)) return desk;
  const before = desk.members[key] ?? {};
  const members = body.member ? { ...before, [body.interface]: body.member } : without(before, body.interface);
  return { ...desk, members: { ...desk.members, [key]: members } };
}

function restingIn({ name, reason }: AgentStateView): Resting | null {
  return name === "ready" || name === "not_ready" ? { name, reason } : null;
}

/** My state, and the queues that I serve at this PBX: one that I no longer serve leaves the screen. */
function meChanged(desk: Desk, { body, stream, seq }: EventOf<"me.changed">): Desk {
  if (desk.me?.id !== body.agent) return desk;
  const elsewhere = desk.serving.filter((key) => !key.startsWith(`${body.pbx}/`));
  const here = body.queues.map((name) => queueKey(body.pbx, name));
  const come = here.flatMap((key) => (desk.early[key] ? [[key, desk.early[key]] as const] : []));
  const queues = [...elsewhere.map((key) => key.slice(key.indexOf("/") + 1)), ...body.queues];
  const next: Desk = {
    ...desk,
    me: { ...desk.me, state: body.state, queues },
    resting: restingIn(body.state) ?? desk.resting,
    serving: [...elsewhere, ...here],
    queues: { ...desk.queues, ...Object.fromEntries(come) },
    early: Object.fromEntries(Object.entries(desk.early).filter(([key]) => !key.startsWith(`${body.pbx}/`))),
  };
  return marked(prune(next), "me.state", { [stream]: seq });
}

/** Cards that show an older version are asked for anew; an answer from before this event is not taken. */
function customerChanged(desk: Desk, { body: { customer, version }, stream, seq }: EventOf<"customer.changed">): Desk {
  const showing = Object.keys(desk.cards).filter((call) => desk.cards[call]?.customer?.id === customer);
  const next = { ...desk, versions: newest(desk.versions, String(customer), version, KEPT_CUSTOMERS) };
  return showing.reduce((before, call) => marked(before, `card:${call}`, { [stream]: seq }), next);
}

/** A call that became part of another takes my parts of it away; those in the other are told of themselves. */
function callChanged(desk: Desk, { call }: CallBody): Desk {
  if (call.merged_into === null) return withCall(desk, call);
  return withCall({ ...desk, parts: without(desk.parts, call.call) }, call);
}

const callKinds: ReadonlySet<string> = new Set(CALL_EVENTS);

function happened(desk: Desk, event: ServerEvent): Desk {
  const at = { [event.stream]: event.seq };
  switch (event.kind) {
    case "part.changed":
      return partChanged(desk, event);
    case "card.changed":
      return cardChanged(desk, event);
    case "queue.changed":
      return queueChanged(desk, event);
    case "queue.removed":
      return queueRemoved(desk, event);
    case "member.changed":
      return memberChanged(desk, event);
    case "me.changed":
      return meChanged(desk, event);
    case "team.changed": {
      if (!isShown(desk, "team", event.stream)) return desk;
      return { ...desk, team: { ...desk.team, ...Object.fromEntries(event.body.agents.map((member) => [member.agent, member])) } };
    }
    case "link.changed": {
      const { pbx, state, since, detail } = event.body;
      return { ...desk, links: { ...desk.links, [pbx]: { state, since, detail } } };
    }
    case "promise.changed":
    case "promise.due":
      return putPromises(desk, [event.body.promise], at);
    case "message.sent":
      return { ...desk, messages: { ...desk.messages, [event.body.message.id]: event.body.message } };
    case "help.changed": {
      const { help } = event.body;
      return marked({ ...desk, help: { ...desk.help, [help.id]: help } }, `help:${help.id}`, at);
    }
    case "settings.changed": {
      if (desk.me?.id !== event.body.agent) return desk;
      // A server may tell only what was changed.
      const auto_answer = event.body.auto_answer ?? desk.me.preferences.auto_answer;
      return marked({ ...desk, me: { ...desk.me, preferences: { ...desk.me.preferences, auto_answer } } }, "me.settings", at);
    }
    case "command.done": {
      const { request, ...result } = event.body;
      return { ...desk, commands: newest(desk.commands, request, result, KEPT_COMMANDS) };
    }
    case "customer.changed":
      return customerChanged(desk, event);
    case "interaction.changed": {
      const { customer } = event.body;
      return customer === null ? desk : { ...desk, histories: newest(desk.histories, String(customer), event.seq, KEPT_CUSTOMERS) };
    }
    default:
      // Kinds from a newer server are no reason to stop.
      return callKinds.has(event.kind) ? callChanged(desk, event.body as CallBody) : desk;
  }
}

function latest(a: Positions, b: Positions): Positions {
  const both = { ...a };
  for (const [stream, seq] of Object.entries(b)) both[stream] = Math.max(both[stream] ?? 0, seq);
  return both;
}

function welcomed(desk: Desk, snapshot: Snapshot, positions: Positions): Desk {
  const fresh = deskOf(snapshot, positions);
  // What came by REST stays until it is read again; the same for what came with offers. Topics are shown anew.
  const { promises, messages, help, handovers, versions, histories } = desk;
  const topics = Object.fromEntries(Object.keys(desk.topics).map((topic) => [topic, { streams: [], refused: null }]));
  const marks = Object.fromEntries(Object.entries(desk.marks).filter(([key]) => /^(help|promise):/.test(key)));
  return {
    ...fresh, promises, messages, help, versions, histories, topics, marks: { ...marks, ...fresh.marks },
    handovers: Object.fromEntries(Object.entries(handovers).filter(([call]) => call in fresh.calls)),
    resting: restingIn(snapshot.me.state) ?? desk.resting,
  };
}

const some = (positions: Positions, streams: string[]): Positions =>
  Object.fromEntries(Object.entries(positions).filter(([stream]) => streams.includes(stream)));

export function fold(desk: Desk, frame: Frame): Desk {
  switch (frame.type) {
    case "welcome":
      return frame.snapshot
        ? { ...welcomed(desk, frame.snapshot, frame.positions), unconfirmed: some(frame.positions, frame.provisional) }
        : { ...desk, heard: {}, unconfirmed: {}, record: null };
    case "event": {
      // A resume may repeat what the lost connection had already brought.
      if (frame.seq <= (desk.positions[frame.stream] ?? -1)) return desk;
      const next = { ...happened(desk, frame), positions: { ...desk.positions, [frame.stream]: frame.seq } };
      return frame.provisional ? { ...next, unconfirmed: { ...desk.unconfirmed, [frame.stream]: frame.seq } } : next;
    }
    case "confirmed":
      return frame.seq < (desk.unconfirmed[frame.stream] ?? 0) ? desk : { ...desk, unconfirmed: without(desk.unconfirmed, frame.stream) };
    case "record":
      return { ...desk, record: frame.away_since === null ? null : { since: frame.away_since, stale: frame.stale } };
    case "watching":
      return withWatching(desk, frame);
    case "reset":
      // The next welcome brings a snapshot; positions are void so that a loss in between asks for one too.
      return { ...desk, positions: {}, heard: {} };
    case "heartbeat":
      // Its positions are the journal's top, and an event below it may still be on its way to us. At the next
      // heartbeat all those have come, so the one before is where we stand: a quiet desktop resumes from near.
      return { ...desk, positions: latest(desk.positions, desk.heard), heard: frame.positions };
    default:
      return desk;
  }
}
