// What travels between server and desktop, by the names used here: aliases of schema.ts, the server's own schema.
// Times are RFC 3339 UTC strings; numbers whose name ends in _ms are integer milliseconds.
import type { components } from "./schema";

type Schemas = components["schemas"];
/** A view whose open strings are told as the codes that they are; each key must be in the schema. */
type Narrow<View, Codes extends { [Key in keyof Codes]: Key extends keyof View ? unknown : never }> = Omit<View, keyof Codes> & Codes;

// --- codes ----------------------------------------------------------------------------------------------------

export type Language = "en" | "zh";
export type Role = Me["role"];
export type AgentStateName = AgentStateView["name"];
/** How sure it is that a number is a customer's. */
export type MatchStanding = "verified" | "shared" | "guess" | "none" | "pending";
export type Direction = "inbound" | "outbound" | "internal";
export type CallState = CallView["state"];
export type PartState = PartView["state"];
/** Where an agent stands in a call; the server says it of each part. */
export type Standing = PartView["standing"];
export type LinkStateName = LinkState["state"];
export type VerdictCode =
  | "covered" | "expired" | "suspended" | "hours_left" | "hours_spent" | "not_started" | "cancelled" | "none";
export type Outcome =
  | "answered" | "abandoned" | "short_abandon" | "no_agent" | "no_answer" | "left_in_ivr" | "busy" | "failed" | "transferred" | "transfer_failed"
  | "outbound" | "internal" | "unseen";
export type Params = Record<string, string | number | boolean | null>;

export type CallVerb =
  | "answer" | "hangup" | "hold" | "retrieve" | "mute" | "unmute" | "dtmf" | "transfer" | "consult" | "alternate" | "complete"
  | "cancel" | "conference" | "drop" | "park" | "pick-up" | "recording/start" | "recording/pause" | "recording/resume"
  | "recording/stop" | "help" | "reconnect" | "wrap-up/request" | "wrap-up/extend";

// --- agents ---------------------------------------------------------------------------------------------------

export type Named = Schemas["Named"];
export type Actor = Schemas["ByView"];
export type AgentStateView = Schemas["AgentStateView"];
/** What happened that put them there: an event, and the call, queue and number it was about. */
export type Because = NonNullable<AgentStateView["because"]>;
export type Shift = Schemas["ShiftView"];
export type PhoneKind = Shift["kind"];
export type Me = Schemas["Me"];
export type SignedIn = Schemas["SignedIn"];
/** How people sign in here. */
export type Ways = Schemas["WaysView"];
export type SecondFactor = Schemas["SecondFactorView"];
export type SecondFactorSecret = Schemas["SecondFactorSecretView"];
export type TeamMember = Schemas["TeamMember"];
export type Phone = Schemas["PhoneView"];
export type Softphone = Narrow<Schemas["SoftphoneView"], { ice: RTCIceServer[] }>;

// --- calls ----------------------------------------------------------------------------------------------------

export type CustomerBrief = Schemas["CallCustomerView"];
export type CallAgent = Schemas["OnCallView"];
export type Person = Narrow<Schemas["PersonView"], { state: "ringing" | "talking" | "hold" | "parked" | "queued" | "waiting" }>;
export type CallView = Narrow<Schemas["CallView"], {
  direction: Direction; verdict: VerdictCode | null; match: MatchStanding | null; outcome: Outcome | null; people: Person[];
}>;
export type WhyMine = Narrow<Schemas["WhyView"], {
  kind: "queue" | "preferred" | "transfer" | "consult" | "pickup" | "picked" | "dialled" | "direct" | "conference" | "returned";
}>;
export type WrapUpView = Schemas["WrapUpView"];
export type WrapUpMode = WrapUpView["mode"];
/** One agent's part of one call, with what they may do next: null is possible, a reason code is why not, absent makes no sense. */
export type PartView = Narrow<Schemas["PartView"], { why: WhyMine | null; can: Partial<Record<CallVerb, string | null>> }>;
/** What the sender of a transfer or consultation knows, shown before it is accepted. */
export type HandoverView = Narrow<Schemas["HandoverView"], { match: MatchStanding | null }>;
export type Target = { kind: "agent"; id: number } | { kind: "queue"; name: string } | { kind: "number"; number: string };

// --- queues ---------------------------------------------------------------------------------------------------

export type QueueView = Schemas["QueueView"];
export type MemberView = Schemas["MemberView"];
export type QueueTarget = Schemas["QueueTargetView"];
export type Targets = Schemas["TargetsView"];

// --- customers ------------------------------------------------------------------------------------------------

export type Company = Named;
export type Reason = Schemas["ReasonView"];
export type ContactPoint = Narrow<Schemas["ContactPointView"], { kind: "phone" | "email"; standing: MatchStanding }>;
type Kind = { kind: "person" | "company" };
export type Customer = Narrow<Schemas["CustomerView"], Kind & { contact_points: ContactPoint[] }>;
export type Contract = Schemas["ContractView"];
export type Verdict = Narrow<Schemas["VerdictView"], { code: VerdictCode }>;
export type Product = Schemas["ProductView"];
export type Case = Schemas["CaseView"];
export type Note = Schemas["NoteView"];
export type ValueChange = Schemas["ValueChangeView"];
export type CustomerListed = Narrow<Schemas["CustomerBriefView"], Kind>;
export type CustomerDetail = Narrow<Schemas["CustomerDetail"], Kind & { contact_points: ContactPoint[]; verdict: Verdict; people: CustomerListed[] }>;
export type CustomerHit = Narrow<Schemas["CustomerRowView"], Kind & { contract: { number: string; verdict: VerdictCode } | null }>;
export type Candidate = Narrow<Schemas["CandidateView"], { customer: CustomerListed; standing: MatchStanding }>;
export type Why = Schemas["Card"]["why"][number];
export type InteractionBrief = Narrow<Schemas["RecentView"], { channel: InteractionView["channel"]; direction: Direction; outcome: Outcome | null }>;
export type Card = Narrow<Schemas["Card"], {
  customer: Customer | null;
  number: Narrow<Schemas["NumberView"], { kind: "e164" | "extension" | "withheld" | "malformed" }>;
  match: Narrow<Schemas["MatchView"], { standing: MatchStanding; candidates: Candidate[] }>;
  verdict: Verdict;
  recent: InteractionBrief[];
}>;
export type Segment = Narrow<Schemas["SegmentView"], { follow_up: FollowUp | null }>;
/** An interaction as the server tells it. */
export type InteractionView = Narrow<Schemas["InteractionView"], { direction: Direction; outcome: Outcome | null; segments: Segment[] }>;
/** `at` and `agent` are ours: when it started, and who spoke last (see api.ts). */
export type Interaction = InteractionView & { at: string; agent: string | null; customer: (Named & { tier?: string | null }) | null };

// --- an agent's desk ------------------------------------------------------------------------------------------

/** A reason for not ready, as the supervisor wrote it. */
export type ReasonCode = Schemas["ReasonCodeView"];
/** Flat, parents first; only a leaf can be chosen. `queue` null is for all. */
export type WrapUpCode = Schemas["WrapUpCodeView"];
/** A draft may not know yet when or what. */
export type FollowUp =
  | { kind: "callback"; from: string | null; to: string | null; number: string | null; text: string }
  | { kind: "case"; subject: string; text: string };
/** What is typed of a contact. */
export interface DraftView { note: string | null; code: string | null; follow_up: FollowUp | null }
/** What I wrote of my part of a contact. */
export type MyDraft = Narrow<Schemas["DraftView"], { follow_up: FollowUp | null }>;
/** A finished wrap-up, and what its follow-up became. */
export type Finished = MyDraft & { promise: PromiseView | null; case: Named | null };
/** A contact that I have not finished: without its code, with a follow-up that nobody made, or left open. */
export type Owed = Narrow<Schemas["OwedItem"], { interaction: Interaction; draft: MyDraft }>;
export type PromiseView = Schemas["PromiseView"];
export type PromiseKind = PromiseView["kind"];
export type PromiseState = PromiseView["state"];
export type Message = Schemas["MessageView"];
export type MessageTo = { agent: number } | { role: "supervisors" } | { team: true };
export type Messages = Schemas["MessageList"];
export type HelpRequest = Schemas["HelpView"];
export type StateSpan = Narrow<Schemas["StateSpanView"], { name: AgentStateName }>;
/** One agent's day; each number by the formula of the same name. Null where nothing can be divided. */
export type Day = Narrow<Schemas["MyDayView"], { states: Narrow<Schemas["StateTimeView"], { name: AgentStateName }>[]; log: StateSpan[] }>;

export interface Page<T> { items: T[]; next: string | null }

export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string | null;
  code?: string;
  remedy?: string | null;
  /** What a rule decided, where one refused it. */
  reason?: { code: string; params: Record<string, string | number | boolean | null> };
  errors?: { at: string; message: string }[];
  /** The HTTP status of an answer that is not the server's own. */
  answered?: number;
  /** Seconds to wait, where the answer named them. */
  wait?: number;
  [extra: string]: unknown;
}

// --- the websocket --------------------------------------------------------------------------------------------

export type Positions = Record<string, number>;
/** What GET answered, and how far the server was at least when it read that (the header CTI-Positions). */
export interface Answer<T> { value: T; positions: Positions }
export type LinkState = Schemas["LinkView"];

export type Snapshot = Narrow<Schemas["SnapshotView"], { me: Me; calls: CallView[]; parts: PartView[]; cards: Record<string, Card | null> }>;

export interface Welcome {
  type: "welcome";
  server_time: string;
  heartbeat_s: number;
  positions: Positions;
  /** The streams in which a part of what it shows is not in the record yet. */
  provisional: string[];
  resumed: boolean;
  /** Null after a resume: what was missed comes as events. */
  snapshot: Snapshot | null;
}

export type FloorSnapshot = Narrow<Schemas["FloorTopic"], { calls: CallView[] }>;
export type CallSnapshot = Narrow<Schemas["CallTopic"], { call: CallView | null; parts: PartView[] }>;
export type TopicSnapshot = FloorSnapshot | Schemas["TeamTopic"] | Schemas["QueueTopic"] | CallSnapshot | Schemas["CustomerTopic"];

/** The answer to `watch`, one for each stream that the topic draws on; what it says is complete as of `seq`. */
export interface Shown { type: "watching"; topic: string; stream: string; seq: number; snapshot: TopicSnapshot }
/** A topic may not be watched; also when the right to it is lost later. */
export interface Refused { type: "watching"; topic: string; refused: "not_yours" | "unknown" }

/** What a desktop says after the welcome. */
export interface Watch { type: "watch"; open?: string[]; close?: string[] }

export type CallBody = Narrow<Schemas["CallBody"], { call: CallView }>;
export type PartBody = Narrow<Schemas["PartBody"], { part: PartView; view: CallView | null; card: Card | null; handover: HandoverView | null }>;
/** The end of a command, failures too; `command` is the verb, or dial, state, shift. */
export type CommandDone = Narrow<Schemas["DoneBody"], { problem: Problem | null }>;

export const CALL_EVENTS = [
  "call.started", "call.queued", "call.answered", "call.transferred", "call.parked", "call.conferenced", "call.identified", "call.changed",
  "call.ended",
] as const;
export type CallEventKind = (typeof CALL_EVENTS)[number];

interface Bodies extends Record<CallEventKind, CallBody> {
  "part.changed": PartBody;
  "card.changed": Narrow<Schemas["CardBody"], { card: Card | null }>;
  "queue.changed": Schemas["QueueBody"];
  "queue.removed": Schemas["QueueRemovedBody"];
  "member.changed": Schemas["MemberBody"];
  "me.changed": Schemas["MeBody"];
  "team.changed": Schemas["TeamBody"];
  "link.changed": Schemas["LinkBody"];
  "command.done": CommandDone;
  "promise.changed": Schemas["PromiseBody"];
  "promise.due": Schemas["PromiseBody"];
  "draft.changed": Narrow<Schemas["DraftBody"], { draft: MyDraft }>;
  "message.sent": Schemas["MessageBody"];
  "message.read": Schemas["ReadBody"];
  "settings.changed": Schemas["SettingsBody"];
  "reasons.changed": Schemas["ReasonsBody"];
  "codes.changed": object;
  "help.changed": Schemas["HelpBody"];
  "phone.answer": Schemas["PhoneAnswerBody"];
  "phone.claimed": Schemas["PhoneClaimedBody"];
  "customer.changed": Schemas["CustomerBody"];
  "interaction.changed": Schemas["InteractionBody"];
}
interface Enveloped<Kind extends string, Body> {
  type: "event"; stream: string; seq: number; at: string; kind: Kind; body: Body;
  /** It is not in the record yet: see `confirmed`. */
  provisional?: boolean;
}
export type ServerEvent = { [Kind in keyof Bodies]: Enveloped<Kind, Bodies[Kind]> }[keyof Bodies];
export type EventOf<Kind extends ServerEvent["kind"]> = Extract<ServerEvent, { kind: Kind }>;

export type Frame =
  | Welcome
  | ServerEvent
  | Shown
  | Refused
  | { type: "heartbeat"; server_time: string; positions: Positions }
  /** What came as provisional in this stream, up to this number, is in the record. */
  | { type: "confirmed"; stream: string; seq: number }
  /** The record cannot be used since then, null: it can. Of the streams in `stale` nothing is heard meanwhile. */
  | { type: "record"; away_since: string | null; stale: string[] }
  | { type: "reset"; reason: string };
