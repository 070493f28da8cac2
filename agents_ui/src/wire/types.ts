// What travels between server and desktop: the views, the frames of /ws, and the problems of /api.
// Times are RFC 3339 UTC strings; numbers whose name ends in _ms are integer milliseconds.

export type Language = "en" | "zh";
export type Role = "agent" | "supervisor" | "administrator";
export type AgentStateName = "ready" | "not_ready" | "signed_out" | "reserved" | "talking" | "hold" | "wrap_up";
export type Standing = "verified" | "shared" | "guess" | "none" | "pending";
export type Direction = "inbound" | "outbound" | "internal";
export type CallState = "ivr" | "queued" | "ringing" | "talking" | "held" | "parked" | "conference" | "ended";
export type PartyState = "ringing" | "talking" | "hold" | "consulting" | "wrap_up" | "left";
export type LinkStateName = "live" | "connecting" | "stale" | "refused";
export type VerdictCode =
  | "covered" | "expired" | "suspended" | "hours_left" | "hours_spent" | "not_started" | "cancelled" | "none";
export type Outcome =
  | "answered" | "abandoned" | "short_abandon" | "no_agent" | "left_in_ivr" | "busy" | "failed" | "transferred"
  | "outbound" | "internal" | "unseen";
export type Params = Record<string, string | number | boolean | null>;

export interface Actor { kind: "agent" | "supervisor" | "system" | "pbx"; name: string | null }

/** What happened that put them there: an event, and the call, queue and number it was about. */
export interface Because { event: string; call: string | null; queue: string | null; number: string | null }

export interface AgentStateView {
  name: AgentStateName;
  /** A code of GET /api/reasons, one of the system's own, or the PBX's own text. */
  reason: string | null;
  since: string | null;
  by: Actor | null;
  because: Because | null;
  /** Takes effect after the call or its wrap-up. */
  pending: { name: "ready" | "not_ready"; reason: string | null; by: Actor | null } | null;
  /** The end of wrap-up's time, where it has one. */
  until: string | null;
  phone: { seat: string | null; reachable: boolean | null; since: string | null };
  on_shift: boolean;
}

export type PhoneKind = "desk" | "browser" | "other";
export interface Shift { seat: string; extension: string; kind: PhoneKind; since: string }

export interface Me {
  id: number;
  login: string;
  name: string;
  role: Role;
  language: Language;
  seat: string | null;
  extension: string | null;
  state: AgentStateView;
  queues: string[];
  shift: Shift | null;
  preferences: { auto_answer: boolean };
  /** May take waiting calls out of a queue. */
  may_pick: boolean;
}

export interface WhyMine {
  kind: "queue" | "preferred" | "transfer" | "consult" | "pickup" | "picked" | "dialled" | "direct" | "conference" | "returned";
  queue: string | null;
  from: string | null;
  penalty: number | null;
  waited_ms: number | null;
}

export type WrapUpMode = "optional" | "mandatory" | "forced";
export interface WrapUpView {
  mode: WrapUpMode;
  ends_at: string | null;
  extensions_left: number;
  code: string | null;
  code_required: boolean;
}

export interface CallParty {
  agent: number | null;
  seat: string;
  name: string | null;
  state: PartyState;
  since: string | null;
  reason: string | null;
  answered_at: string | null;
  /** Talk and hold time before `since`. */
  talk_ms: number;
  hold_ms: number;
  leg: string | null;
  muted: boolean;
  /** Who transferred or consults. */
  from: string | null;
  why: WhyMine | null;
  /** From the answer on. */
  wrap_up: WrapUpView | null;
}

/** One leg of a call as people think of it; the PBX's own Local legs are left out. */
export interface Person {
  leg: string;
  role: "customer" | "agent" | "other";
  agent: number | null;
  seat: string | null;
  number: string | null;
  name: string | null;
  state: "ringing" | "talking" | "hold" | "parked" | "queued" | "waiting";
}

export interface CustomerBrief { id: number; name: string; tier: string | null }

export interface CallView {
  call: string;
  interaction: number | null;
  pbx: string;
  direction: Direction;
  state: CallState;
  ani: string | null;
  ani_name: string | null;
  dnis: string | null;
  queue: string | null;
  position: number | null;
  path: { step: string; choice: string | null; at: string | null }[];
  started_at: string;
  queued_at: string | null;
  /** Since when this call waits now, after a transfer back into a queue too. */
  waiting_since?: string | null;
  answered_at: string | null;
  ended_at: string | null;
  wait_ms: number | null;
  held_since: string | null;
  customer: CustomerBrief | null;
  verdict: VerdictCode | null;
  match: Standing | null;
  agents: Record<string, CallParty>;
  others: { number: string | null; name: string | null; state: string }[];
  outcome: Outcome | null;
  ended_by: string | null;
  recording: "off" | "on" | "paused";
  park_space: string | null;
  people: Person[];
}

/** What the sender of a transfer or consultation knows, shown before it is accepted. */
export interface HandoverView {
  from: { agent: number; name: string };
  kind: "transfer" | "consult";
  note: string | null;
  code: string | null;
  match: Standing;
  path: CallView["path"];
  said: string | null;
  since: string;
}

export type Target = { kind: "agent"; id: number } | { kind: "queue"; name: string } | { kind: "number"; number: string };

export interface TeamMember {
  agent: number;
  name: string;
  extension: string | null;
  role: Role;
  state: AgentStateView;
  queues: string[];
}

export interface Targets {
  agents: TeamMember[];
  queues: (QueueView & { ewt: number | null })[];
  contacts: { customer: CustomerBrief; number: string; label?: string }[];
}

/** A reason for not ready, as the supervisor wrote it. */
export interface ReasonCode { code: string; title_en: string; title_zh: string; position: number; active: boolean }

/** Flat, parents first; only a leaf can be chosen. `queue` null is for all. */
export interface WrapUpCode {
  code: string; parent: string | null; queue: string | null; title_en: string; title_zh: string; position: number; active: boolean;
  leaf: boolean;
}

/** A draft may not know yet when or what. */
export type FollowUp =
  | { kind: "callback"; from: string | null; to: string | null; number: string | null; text: string }
  | { kind: "case"; subject: string; text: string };

export interface DraftView { note: string | null; code: string | null; follow_up: FollowUp | null }

/** What I wrote of my part of a contact. */
export interface MyDraft extends DraftView {
  interaction: number; segment: number; code_required: boolean; finished_at: string | null;
}

/** A finished wrap-up, and what its follow-up became. */
export interface Finished extends MyDraft { promise: PromiseView | null; case: { id: number; name: string } | null }

/** A contact that I have not finished: without its code, with a follow-up that nobody made, or left open. */
export interface Owed { interaction: Interaction; draft: MyDraft; because: "code" | "follow_up" | "unfinished" }

export type PromiseKind = "callback" | "visit" | "other";
export type PromiseState = "open" | "kept" | "broken" | "cancelled";
export interface PromiseView {
  id: number;
  customer: { id: number; name: string };
  kind: PromiseKind;
  text: string;
  /** Where to call back. */
  number: string | null;
  from: string | null;
  due: string;
  remind_ms: number;
  state: PromiseState;
  owner: { id: number; name: string } | null;
  created_by: { id: number; name: string } | null;
  created_at: string;
  interaction: number | null;
  raised_at: string | null;
  broken_at: string | null;
  settled_at: string | null;
  version: number;
}

export interface Named { id: number; name: string }

/** One of the three is there. */
export interface Message {
  id: number;
  at: string;
  from: Named;
  to: { agent: Named | null; role: "supervisors" | null; team: boolean };
  text: string;
  call: string | null;
}
export type MessageTo = { agent: number } | { role: "supervisors" } | { team: true };
export interface Messages { items: Message[]; read_to: number; unread: number }

export interface HelpRequest {
  id: number;
  call: string;
  interaction: number | null;
  agent: Named;
  said: string | null;
  state: "open" | "taken" | "done";
  asked_at: string;
  taken_by: Named | null;
  taken_at: string | null;
  done_at: string | null;
}

export interface StateSpan { name: AgentStateName; reason: string | null; since: string; until: string | null }

/** One agent's day; each number by the formula of the same name. Null where nothing can be divided. */
export interface Day {
  date: string;
  zone: string;
  from: string;
  to: string;
  numbers: {
    offered: number; handled: number; no_answer: number; rejected: number; outbound: number;
    ring_ms: number; talk_ms: number; hold_ms: number; wrap_ms: number; aht_ms: number | null;
    on_contact_ms: number; ready_ms: number; occupancy: number | null;
  };
  states: { name: AgentStateName; reason: string | null; ms: number }[];
  log: StateSpan[];
  formulas: Record<string, string>;
}

export interface Phone {
  id: number;
  pbx: string;
  seat: string;
  extension: string;
  label_en: string | null;
  label_zh: string | null;
  kind: PhoneKind;
  /** Mine alone: the phone of my browser. */
  personal: boolean;
  /** Null while nobody knows. */
  reachable: boolean | null;
  /** Who sits there now. */
  agent: Named | null;
}

export interface Softphone {
  url: string; uri: string; user: string; password: string; display_name: string; ice: RTCIceServer[];
}

export interface Company { id: number; name: string }

export interface ContactPoint {
  id: number;
  kind: "phone" | "email";
  label: string | null;
  raw: string;
  e164: string | null;
  extension: string | null;
  standing: Standing;
}

export interface Customer {
  id: number;
  kind: "person" | "company";
  name: string;
  tier: string | null;
  language: string | null;
  role_title: string | null;
  time_zone: string | null;
  company: Company | null;
  preferred_agent: { id: number; name: string } | null;
  remarks: string | null;
  contact_points: ContactPoint[];
  version: number;
}

export interface Reason { code: string; params: Params }

export interface Candidate {
  customer: { id: number; kind: "person" | "company"; name: string; tier: string | null; company: Company | null };
  standing: Standing;
  reason: Reason;
}

export interface Contract {
  id: number;
  number: string;
  service_level: {
    code: string; name_en: string; name_zh: string; response_minutes: number | null; queue_priority: number | null;
  } | null;
  starts_on: string;
  ends_on: string | null;
  minutes_total: number | null;
  minutes_used: number;
  status: string;
  status_reason: string | null;
}

export interface Verdict { code: VerdictCode; rule: Reason | null; contract: Contract | null }
export interface Product { id: number; name: string; serial: string | null; installed_on: string | null; contract: string | null }
export interface Case {
  id: number; number: string; subject: string; status: string; priority: number; opened_at: string; due_at: string | null;
}
export interface Note { id: number; at: string; agent: { id: number; name: string } | null; text: string; pinned: boolean }

export interface InteractionBrief {
  id: number;
  channel: string;
  direction: Direction;
  at: string;
  outcome: Outcome | null;
  queue: string | null;
  agent: string | null;
  talk_ms: number | null;
  subject: string | null;
  note: string | null;
}

export interface Segment {
  position: number;
  agent: { id: number; name: string } | null;
  queue: string | null;
  origin: string;
  offered_at: string | null;
  answered_at: string | null;
  ended_at: string | null;
  ring_ms: number | null;
  talk_ms: number | null;
  hold_ms: number | null;
  outcome: string | null;
  note?: string | null;
}

/** One interaction in full. `at` and `agent` are ours: when it started, and who spoke last (see api.ts). */
export interface Interaction extends InteractionBrief {
  customer?: { id: number; name: string; tier?: string | null } | null;
  ani?: string | null;
  ani_name?: string | null;
  dnis?: string | null;
  wait_ms?: number | null;
  ring_ms?: number | null;
  hold_ms?: number | null;
  ended_by?: string | null;
  complete?: boolean;
  segments?: Segment[];
}

export interface Why { code: string; params: Params; ref: string | null }

export interface Card {
  call: string;
  customer: Customer | null;
  number: {
    raw: string | null; e164: string | null; extension?: string | null; kind: "e164" | "extension" | "withheld" | "malformed";
    place: string | null; place_zh?: string | null;
  };
  match: { standing: Standing; reason: Reason | null; candidates: Candidate[] };
  verdict: Verdict;
  products: Product[];
  cases: Case[];
  notes: Note[];
  recent: InteractionBrief[];
  why: Why[];
  promises: PromiseView[];
}

export interface CustomerDetail extends Customer {
  verdict?: Verdict | null;
  people?: Candidate["customer"][];
  contracts: Contract[];
  products: Product[];
  cases: Case[];
  notes: Note[];
}

export interface CustomerHit {
  id: number;
  kind: "person" | "company";
  name: string;
  tier: string | null;
  company: Company | null;
  numbers: string[];
  contract: { number: string; verdict: VerdictCode } | null;
}

export interface Page<T> { items: T[]; next: string | null }

export interface QueueMember {
  agent: number | null;
  name: string | null;
  seat: string;
  status: "idle" | "ringing" | "in_use" | "on_hold" | "unavailable" | "busy" | "invalid" | "unknown";
  paused: boolean;
  reason: string | null;
}

export interface QueueView {
  queue: string;
  title_en: string | null;
  title_zh: string | null;
  waiting: number;
  longest_since: string | null;
  members: QueueMember[];
}

export interface LinkState { state: LinkStateName; since: string | null; detail: string | null }

export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string | null;
  code?: string;
  remedy?: string | null;
  errors?: { at: string; message: string }[];
  [extra: string]: unknown;
}

export type Positions = Record<string, number>;

export interface Snapshot {
  me: Me;
  links: Record<string, LinkState>;
  calls: CallView[];
  /** Null while the lookup is under way. */
  cards: Record<string, Card | null>;
  queues: QueueView[];
  team: TeamMember[];
}

export interface Welcome {
  type: "welcome";
  server_time: string;
  heartbeat_s: number;
  positions: Positions;
  resumed: boolean;
  snapshot: Snapshot | null;
}

export interface CallBody {
  call: CallView; agent: string | null; card?: Card | null; reason?: string | null; handover?: HandoverView | null;
}

export type CallVerb =
  | "answer" | "hangup" | "hold" | "retrieve" | "mute" | "unmute" | "dtmf" | "transfer" | "consult" | "alternate" | "complete"
  | "cancel" | "conference" | "drop" | "park" | "pick-up" | "recording/start" | "recording/pause" | "recording/resume"
  | "recording/stop" | "help" | "reconnect" | "wrap-up/request" | "wrap-up/extend";

/** The end of a command, failures too; `command` is the verb, or dial, state, shift. */
export interface CommandDone { request: string; command: string | null; call: string | null; ok: boolean; problem: Problem | null }

interface Enveloped<K extends string, B> { type: "event"; stream: string; seq: number; at: string; kind: K; body: B }

export const CALL_EVENTS = [
  "call.started", "call.queued", "call.offered", "call.answered", "call.offer_ended", "call.held", "call.retrieved",
  "call.transferred", "call.parked", "call.conferenced", "call.identified", "call.changed", "call.ended", "call.wrapped",
] as const;
export type CallEventKind = (typeof CALL_EVENTS)[number];

export type ServerEvent =
  | Enveloped<CallEventKind, CallBody>
  | Enveloped<"queue.changed", { queue: QueueView }>
  | Enveloped<"link.changed", { pbx: string } & LinkState>
  | Enveloped<"me.changed", { agent: number; state: AgentStateView; me?: Partial<Me> }>
  | Enveloped<"team.changed", { agents: TeamMember[] }>
  | Enveloped<"command.done", CommandDone>
  | Enveloped<"promise.changed", { promise: PromiseView }>
  | Enveloped<"promise.due", { promise: PromiseView }>
  | Enveloped<"draft.changed", { agent: number; draft: MyDraft }>
  | Enveloped<"message.sent", { message: Message }>
  | Enveloped<"message.read", { agent: number; read_to: number; unread: number }>
  | Enveloped<"settings.changed", { agent: number; language?: Language; auto_answer?: boolean }>
  | Enveloped<"reasons.changed", { reasons: ReasonCode[] }>
  | Enveloped<"codes.changed", object>
  | Enveloped<"help.changed", { help: HelpRequest }>
  | Enveloped<"phone.answer", { call: string; leg: string | null }>
  | Enveloped<"phone.claimed", { desktop: string }>
  | Enveloped<"customer.changed", { customer: number; version: number }>
  | Enveloped<"interaction.changed", { interaction: number; customer: number | null }>;

export type Frame =
  | Welcome
  | ServerEvent
  | { type: "heartbeat"; server_time: string; positions: Positions }
  | { type: "reset"; reason: string };
