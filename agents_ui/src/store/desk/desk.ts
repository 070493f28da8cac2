// What the server has told this desktop: the state that fold.ts advances, and look-ups in it. Pure.
import type {
  CallView, Card, CommandDone, HandoverView, HelpRequest, LinkState, Me, MemberView, Message, PartBody, PartView, Positions, PromiseView, QueueView,
  TeamMember,
} from "../../wire/types";

export interface Resting { name: "ready" | "not_ready"; reason: string | null }

/** A topic that is open. `streams`: those whose `watching` frame has come; only their events count for it. */
export interface TopicState { streams: string[]; refused: "not_yours" | "unknown" | null }

export interface Desk {
  me: Me | null;
  links: Record<string, LinkState>;
  /** Calls in which I have a part, and those that an open topic shows. */
  calls: Record<string, CallView>;
  /** My parts by call, those that I have left excepted; see myPart(). */
  parts: Record<string, PartView[]>;
  cards: Record<string, Card>;
  /** Keys of the queues that I serve. */
  serving: string[];
  /** By queueKey(): queues that I serve, and those that an open topic shows. */
  queues: Record<string, QueueView>;
  /** A queue that came just before the word that I serve it: see fold(). */
  early: Record<string, QueueView>;
  /** By queueKey() and interface, of queues whose topic is open. */
  members: Record<string, Record<string, MemberView>>;
  /** All parts of a call whose topic is open, by call and position. */
  opened: Record<string, Record<number, PartView>>;
  /** My colleagues, while the topic `team` is open. */
  team: Record<number, TeamMember>;
  topics: Record<string, TopicState>;
  /** What came with an offer by transfer or consultation, by call. */
  handovers: Record<string, HandoverView>;
  /** My open promises, and any other that changed meanwhile. A list comes by REST, its changes by events. */
  promises: Record<number, PromiseView>;
  messages: Record<number, Message>;
  help: Record<number, HelpRequest>;
  /** The state outside calls that I was last in: what follows a call when nothing else was asked for. */
  resting: Resting | null;
  /** The last position heard of each stream; what a resume sends. */
  positions: Positions;
  /** Of each stream, the last position that is not in the record yet. With one, a lost connection starts over: what
      was told may never come into the record. */
  unconfirmed: Positions;
  /** Since when the server's record is away, and the streams of which nothing is heard meanwhile. */
  record: { since: string; stale: string[] } | null;
  /** The positions that the last heartbeat named; see fold(). */
  heard: Positions;
  /** Where an event last changed something that REST reads as well: "card:<call>", "help:7"; see answers.ts. */
  marks: Record<string, Positions>;
  /** Results of commands by request id, the newest KEPT_COMMANDS only. */
  commands: Record<string, Omit<CommandDone, "request">>;
  /** The newest version heard of per customer: a card showing an older one is fetched again. */
  versions: Record<number, number>;
  /** When (seq) an interaction of a customer last changed: their timeline is read again. */
  histories: Record<number, number>;
}

export const emptyDesk: Desk = {
  me: null, links: {}, calls: {}, parts: {}, cards: {}, serving: [], queues: {}, early: {}, members: {}, opened: {}, team: {}, topics: {},
  handovers: {}, promises: {}, messages: {}, help: {}, resting: null, positions: {}, unconfirmed: {}, record: null, heard: {}, marks: {}, commands: {}, versions: {},
  histories: {},
};

export const queueKey = (pbx: string, queue: string): string => `${pbx}/${queue}`;
export const pbxStream = (pbx: string): string => `pbx:${pbx}`;

/** My part of a call. Of two (sent on while I wrap up, and offered to me again) the one that is not in wrap-up. */
export function myPart(desk: Pick<Desk, "parts">, call: string): PartView | null {
  const mine = desk.parts[call];
  return mine?.findLast((part) => part.state !== "wrap_up") ?? mine?.at(-1) ?? null;
}

/** My calls, oldest first, so that a tab keeps its place: from the first ring until I have wrapped up. */
export function myCalls(desk: Pick<Desk, "calls" | "parts">): CallView[] {
  return Object.keys(desk.parts)
    .flatMap((id) => desk.calls[id] ?? [])
    .sort((a, b) => a.started_at.localeCompare(b.started_at) || a.call.localeCompare(b.call));
}

/** Whether I am busy with another call than this one, wrap-up aside. */
export function isBusy(desk: Desk, besides: string | null = null): boolean {
  return myCalls(desk).some((call) => call.call !== besides && myPart(desk, call.call)?.state !== "wrap_up");
}

/** The call on the screen: the chosen tab while it lives, else the one being spoken on, else the oldest. */
export function currentCall(desk: Desk, selected: string | null): CallView | null {
  const calls = myCalls(desk);
  return (
    calls.find((call) => call.call === selected) ??
    calls.find((call) => myPart(desk, call.call)?.state !== "ringing") ??
    calls[0] ??
    null
  );
}

/** Whether this ended a call for me, as far as talking goes, or my wrap-up of it. */
export function endsForMe({ me }: Pick<Desk, "me">, { agent, part }: PartBody): boolean {
  return agent !== null && agent === me?.id && (part.state === "left" || part.state === "wrap_up");
}

/** The queues that I serve, in the order in which the server names them. */
export function myQueues(desk: Pick<Desk, "serving" | "queues">): QueueView[] {
  return desk.serving.flatMap((key) => desk.queues[key] ?? []);
}

/** Whether a topic is open and what it shows of this stream is here. */
export const isShown = (desk: Desk, topic: string, stream: string): boolean => desk.topics[topic]?.streams.includes(stream) ?? false;

export function without<T>(record: Record<string, T>, key: string): Record<string, T> {
  if (!(key in record)) return record;
  const { [key]: _gone, ...rest } = record;
  return rest;
}

/** Puts `value` last and keeps the last `limit`. */
export function newest<T>(record: Record<string, T>, key: string, value: T, limit: number): Record<string, T> {
  return Object.fromEntries(Object.entries({ ...without(record, key), [key]: value }).slice(-limit));
}

export function byId<V extends { id: number }>(views: V[]): Record<number, V> {
  return Object.fromEntries(views.map((view) => [view.id, view]));
}

/** The phone where I sit, else the one that is mine; null for who only watches. */
export const seatOf = (me: Me | null): string | null => me?.shift?.seat ?? me?.seat ?? null;
