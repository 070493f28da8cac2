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

export interface AgentState { name: AgentStateName; reason: string | null; since: string | null }

export interface Me {
  id: number;
  login: string;
  name: string;
  role: Role;
  language: Language;
  seat: string | null;
  extension: string | null;
  state: AgentState;
  queues: string[];
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
}

export interface Welcome {
  type: "welcome";
  server_time: string;
  heartbeat_s: number;
  positions: Positions;
  resumed: boolean;
  snapshot: Snapshot | null;
}

export interface CallBody { call: CallView; agent: string | null; card?: Card | null; reason?: string | null }

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
  | Enveloped<"me.changed", { agent: number; state: AgentState }>
  | Enveloped<"command.done", { request: string; ok: boolean; problem: Problem | null }>
  | Enveloped<"customer.changed", { customer: number; version: number }>
  | Enveloped<"interaction.changed", { interaction: number; customer: number | null }>;

export type Frame =
  | Welcome
  | ServerEvent
  | { type: "heartbeat"; server_time: string; positions: Positions }
  | { type: "reset"; reason: string };
