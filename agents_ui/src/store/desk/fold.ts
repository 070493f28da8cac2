// The pure fold: old desk + frame = new desk. Every event carries the whole new view, so a step only replaces.
// It does not know time, network or screen. Old snapshot + events must equal the fresh snapshot.
import type {
  AgentStateView, CallBody, CallParty, CallView, Card, CommandDone, Frame, HandoverView, HelpRequest, LinkState, Me, Message, Positions,
  PromiseView, QueueView, ServerEvent, Snapshot, TeamMember,
} from "../../wire/types";
import { CALL_EVENTS } from "../../wire/types";

export interface Resting { name: "ready" | "not_ready"; reason: string | null }

export interface Desk {
  me: Me | null;
  links: Record<string, LinkState>;
  calls: Record<string, CallView>;
  cards: Record<string, Card>;
  queues: Record<string, QueueView>;
  team: Record<number, TeamMember>;
  /** What came with an offer by transfer or consultation, by call. */
  handovers: Record<string, HandoverView>;
  /** My open promises, and any other that changed meanwhile. A list comes by REST, its changes by events. */
  promises: Record<number, PromiseView>;
  messages: Record<number, Message>;
  help: Record<number, HelpRequest>;
  /** The state outside calls that I was last in: what follows a call when nothing else was asked for. */
  resting: Resting | null;
  /** The last position seen of each stream; what a resume sends. */
  positions: Positions;
  /** The positions that the last heartbeat named; see fold(). */
  heard: Positions;
  /** Results of commands by request id, the newest KEPT_COMMANDS only. */
  commands: Record<string, Omit<CommandDone, "request">>;
  /** The newest version heard of per customer: a card showing an older one is fetched again. */
  versions: Record<number, number>;
  /** When (seq) an interaction of a customer last changed: their timeline is read again. */
  histories: Record<number, number>;
}

export const KEPT_COMMANDS = 20;
const KEPT_VERSIONS = 200;

export const emptyDesk: Desk = {
  me: null, links: {}, calls: {}, cards: {}, queues: {}, team: {}, handovers: {}, promises: {}, messages: {}, help: {},
  resting: null, positions: {}, heard: {}, commands: {}, versions: {}, histories: {},
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
    team: Object.fromEntries(snapshot.team.map((member) => [member.agent, member])),
    positions,
  };
}

function withCall(desk: Desk, body: CallBody): Desk {
  const { call, card, handover } = body;
  if (!isKept(call, desk.me)) {
    const [calls, cards] = [without(desk.calls, call.call), without(desk.cards, call.call)];
    return { ...desk, calls, cards, handovers: without(desk.handovers, call.call) };
  }
  return {
    ...desk,
    calls: { ...desk.calls, [call.call]: call },
    cards: card ? { ...desk.cards, [call.call]: card } : desk.cards,
    handovers: handover ? { ...desk.handovers, [call.call]: handover } : desk.handovers,
  };
}

/** Promises as they are now: the older version of one never wins. Cards on the screen follow. */
export function withPromises(desk: Desk, told: PromiseView[]): Desk {
  const fresh = told.filter((promise) => promise.version >= (desk.promises[promise.id]?.version ?? 0));
  if (fresh.length === 0) return desk;
  const cards = Object.entries(desk.cards).map(([call, card]) => [call, fresh.reduce(cardWith, card)] as const);
  return { ...desk, promises: { ...desk.promises, ...byId(fresh) }, cards: Object.fromEntries(cards) };
}

function cardWith(card: Card, promise: PromiseView): Card {
  const others = card.promises.filter((known) => known.id !== promise.id);
  const about = others.length < card.promises.length || card.customer?.id === promise.customer.id;
  if (!about) return card;
  const open = promise.state === "open" ? [...others, promise] : others;
  return { ...card, promises: open.sort((a, b) => a.due.localeCompare(b.due)) };
}

export function withMessages(desk: Desk, told: Message[]): Desk {
  return { ...desk, messages: { ...desk.messages, ...byId(told) } };
}

export function withHelp(desk: Desk, told: HelpRequest[]): Desk {
  return { ...desk, help: { ...desk.help, ...byId(told) } };
}

function byId<V extends { id: number }>(told: V[]): Record<number, V> {
  return Object.fromEntries(told.map((one) => [one.id, one]));
}

function restingIn({ name, reason }: AgentStateView): Resting | null {
  return name === "ready" || name === "not_ready" ? { name, reason } : null;
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
      return { ...desk, me: { ...desk.me, ...event.body.me, state: event.body.state }, resting: restingIn(event.body.state) ?? desk.resting };
    case "team.changed": {
      const told = event.body.agents.map((member) => [member.agent, member]);
      return { ...desk, team: { ...desk.team, ...(Object.fromEntries(told) as Desk["team"]) } };
    }
    case "promise.changed":
    case "promise.due":
      return withPromises(desk, [event.body.promise]);
    case "message.sent":
      return withMessages(desk, [event.body.message]);
    case "help.changed":
      return withHelp(desk, [event.body.help]);
    case "command.done": {
      const { request, ...result } = event.body;
      return { ...desk, commands: newest(desk.commands, request, result, KEPT_COMMANDS) };
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
      return callKinds.has(event.kind) ? withCall(desk, event.body as CallBody) : desk;
  }
}

function latest(a: Positions, b: Positions): Positions {
  const both = { ...a };
  for (const [stream, seq] of Object.entries(b)) both[stream] = Math.max(both[stream] ?? 0, seq);
  return both;
}

export function fold(desk: Desk, frame: Frame): Desk {
  switch (frame.type) {
    case "welcome": {
      if (!frame.snapshot) return { ...desk, heard: {} };
      // What came by REST stays until it is read again; the same for what came with offers.
      const { promises, messages, help, handovers } = desk;
      const resting = restingIn(frame.snapshot.me.state) ?? desk.resting;
      return { ...deskOf(frame.snapshot, frame.positions), promises, messages, help, handovers, resting };
    }
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
