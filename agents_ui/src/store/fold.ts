// The pure fold: old desk + frame = new desk. Every event carries the whole new view, so a step only replaces.
// It does not know time, network or screen. Old snapshot + events must equal the fresh snapshot.
import type {
  CallBody, CallParty, CallView, Card, Frame, LinkState, Me, Positions, Problem, QueueView, ServerEvent, Snapshot,
} from "../wire/types";
import { CALL_EVENTS } from "../wire/types";

export interface Desk {
  me: Me | null;
  links: Record<string, LinkState>;
  calls: Record<string, CallView>;
  cards: Record<string, Card>;
  queues: Record<string, QueueView>;
  /** The last position seen of each stream; what a resume sends. */
  positions: Positions;
  /** The positions that the last heartbeat named; see fold(). */
  heard: Positions;
  /** Results of commands by request id, the newest KEPT_COMMANDS only. */
  commands: Record<string, { ok: boolean; problem: Problem | null }>;
  /** The newest version heard of per customer: a card showing an older one is fetched again. */
  versions: Record<number, number>;
  /** When (seq) an interaction of a customer last changed: their timeline is read again. */
  histories: Record<number, number>;
}

export const KEPT_COMMANDS = 20;
const KEPT_VERSIONS = 200;

export const emptyDesk: Desk = {
  me: null, links: {}, calls: {}, cards: {}, queues: {}, positions: {}, heard: {}, commands: {}, versions: {}, histories: {},
};

/** My part in a call: by agent id where the server knows it, by seat otherwise. */
export function myParty(call: CallView, me: Me | null): CallParty | null {
  if (!me) return null;
  const parties = Object.values(call.agents);
  return (
    parties.find((party) => party.agent === me.id) ??
    parties.find((party) => party.agent === null && me.seat !== null && party.seat === me.seat) ??
    null
  );
}

/** The card is on my screen from the first ring until I have wrapped up. */
export function isMine(call: CallView, me: Me | null): boolean {
  const party = myParty(call, me);
  return party !== null && party.state !== "left";
}

function isKept(call: CallView, me: Me | null): boolean {
  if (isMine(call, me)) return true;
  if (me === null || me.role === "agent") return false;
  const inWrapUp = Object.values(call.agents).some((party) => party.state === "wrap_up");
  return call.state !== "ended" || inWrapUp;
}

function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  if (!(key in record)) return record;
  const { [key]: _gone, ...rest } = record;
  return rest;
}

function newest<T>(record: Record<string, T>, key: string, value: T, limit: number): Record<string, T> {
  const entries = Object.entries({ ...without(record, key), [key]: value });
  return Object.fromEntries(entries.slice(-limit));
}

export function deskOf(snapshot: Snapshot, positions: Positions): Desk {
  const calls = Object.fromEntries(
    snapshot.calls.filter((call) => isKept(call, snapshot.me)).map((call) => [call.call, call]),
  );
  return {
    ...emptyDesk,
    me: snapshot.me,
    links: snapshot.links,
    calls,
    cards: Object.fromEntries(
      Object.entries(snapshot.cards).filter((entry): entry is [string, Card] => entry[1] !== null && entry[0] in calls),
    ),
    queues: Object.fromEntries(snapshot.queues.map((queue) => [queue.queue, queue])),
    positions,
  };
}

function withCall(desk: Desk, body: CallBody): Desk {
  const { call, card } = body;
  if (!isKept(call, desk.me)) {
    return { ...desk, calls: without(desk.calls, call.call), cards: without(desk.cards, call.call) };
  }
  return {
    ...desk,
    calls: { ...desk.calls, [call.call]: call },
    cards: card ? { ...desk.cards, [call.call]: card } : desk.cards,
  };
}

const callKinds: ReadonlySet<string> = new Set(CALL_EVENTS);

function happened(desk: Desk, event: ServerEvent): Desk {
  switch (event.kind) {
    case "queue.changed":
      return { ...desk, queues: { ...desk.queues, [event.body.queue.queue]: event.body.queue } };
    case "link.changed": {
      const { pbx, state, since, detail } = event.body;
      return { ...desk, links: { ...desk.links, [pbx]: { state, since, detail } } };
    }
    case "me.changed":
      if (desk.me?.id !== event.body.agent) return desk;
      return { ...desk, me: { ...desk.me, state: event.body.state } };
    case "command.done": {
      const { request, ok, problem } = event.body;
      return { ...desk, commands: newest(desk.commands, request, { ok, problem }, KEPT_COMMANDS) };
    }
    case "customer.changed": {
      const { customer, version } = event.body;
      return { ...desk, versions: newest(desk.versions, String(customer), version, KEPT_VERSIONS) };
    }
    case "interaction.changed": {
      const { customer } = event.body;
      return customer === null ? desk : { ...desk, histories: newest(desk.histories, String(customer), event.seq, KEPT_VERSIONS) };
    }
    default:
      // Kinds from a newer server are no reason to stop.
      return callKinds.has(event.kind) ? withCall(desk, event.body) : desk;
  }
}

function latest(a: Positions, b: Positions): Positions {
  const both = { ...a };
  for (const [stream, seq] of Object.entries(b)) both[stream] = Math.max(both[stream] ?? 0, seq);
  return both;
}

export function fold(desk: Desk, frame: Frame): Desk {
  switch (frame.type) {
    case "welcome":
      return frame.snapshot ? deskOf(frame.snapshot, frame.positions) : { ...desk, heard: {} };
    case "event": {
      // A resume may repeat what the lost connection had already brought.
      if (frame.seq <= (desk.positions[frame.stream] ?? -1)) return desk;
      return { ...happened(desk, frame), positions: { ...desk.positions, [frame.stream]: frame.seq } };
    }
    case "reset":
      // The next welcome brings a snapshot; positions are void so that a loss in between asks for one too.
      return { ...desk, positions: {}, heard: {} };
    case "heartbeat":
      // Its positions are the journal's top, and an event below it may still be on its way to us. At the next
      // heartbeat all those have come, so the one before is where we stand: a quiet desktop resumes from near.
      return { ...desk, positions: latest(desk.positions, desk.heard), heard: frame.positions };
  }
}
