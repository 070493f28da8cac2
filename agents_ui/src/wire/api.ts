// The REST calls, one function each; every failure is a ProblemError.
import { foreignAnswer, noAnswer, whyNoSocket } from "./foreign";
import type {
  Answer, CallVerb, Card, CallView, CustomerDetail, CustomerHit, Day, DraftView, Finished, HandoverView, HelpRequest, Interaction, InteractionView,
  Language, Me, Message, Messages, MessageTo, MyDraft, Note, Owed, Page, Phone, Positions, Problem, PromiseKind, PromiseState, PromiseView, QueueView,
  ReasonCode, SecondFactor, SecondFactorSecret, SignedIn, Softphone, Targets, ValueChange, Ways, WrapUpCode,
} from "./types";

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }

  get status(): number {
    return this.problem.status;
  }

  get code(): string {
    return this.problem.code ?? "";
  }
}

export const problemOf = (error: unknown): Problem => (error instanceof ProblemError ? error.problem : noAnswer());

export type Transport = (path: string, init: RequestInit) => Promise<Response>;
let transport: Transport = (path, init) => fetch(path, init);

/** Fixtures and tests put their own here. */
export function useTransport(replacement: Transport): void {
  transport = replacement;
}

type Query = Record<string, string | number | null | undefined>;

async function send<T>(method: string, path: string, body?: unknown, signal?: AbortSignal, extra: Record<string, string> = {}): Promise<T> {
  return (await answer<T>(method, path, body, signal, extra)).value;
}

/** For what goes into the desk: the answer with the positions at which the server read it. */
const read = <T>(path: string): Promise<Answer<T>> => answer<T>("GET", path);

/** Without the header nothing is known of an answer's age: it counts as older than any event. */
function positionsOf(response: Response): Positions {
  try {
    return JSON.parse(response.headers.get("cti-positions") ?? "{}") as Positions;
  } catch {
    return {};
  }
}

async function answer<T>(method: string, path: string, body?: unknown, signal?: AbortSignal, extra: Record<string, string> = {}): Promise<Answer<T>> {
  return ask<T>(`/api${path}`, {
    method,
    credentials: "same-origin",
    redirect: "manual",
    ...(signal ? { signal } : {}),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json", ...extra } }),
  });
}

async function ask<T>(path: string, init: RequestInit): Promise<Answer<T>> {
  let response: Response;
  let text: string;
  try {
    response = await transport(path, init);
    text = await response.text();
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ProblemError(noAnswer());
  }
  const read = parsed(text);
  if (response.ok && read !== undefined) return { value: read as T, positions: positionsOf(response) };
  throw new ProblemError(isProblem(read) && !response.ok ? { ...read, ...waitOf(response) } : foreignAnswer(response));
}

/** Undefined for what is no JSON; null for nothing. */
function parsed(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return undefined;
  }
}

/** Each problem of the server has a code: a proxy's JSON has none. */
const isProblem = (read: unknown): read is Problem => typeof (read as Problem | null | undefined)?.code === "string";

function waitOf(response: Response): { wait?: number } {
  const seconds = Number(response.headers.get("retry-after") ?? "");
  return seconds > 0 ? { wait: seconds } : {};
}

function query(values: Query): string {
  const pairs = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return pairs.length ? `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}` : "";
}

/** The server names an interaction's start and its segments; the desktop wants one moment and one agent. */
function asInteraction(view: InteractionView): Interaction {
  // Whoever took it, also while they still talk; else whoever was rung last. Of many who were rung at once nobody counts.
  const took = view.segments.filter((segment) => segment.answered_at !== null);
  const last = (took.length ? took : view.segments.filter((segment) => segment.outcome !== "answered_elsewhere")).at(-1);
  return { ...view, at: view.started_at, agent: last?.agent?.name ?? null };
}

const asPage = ({ items, next }: Page<InteractionView>): Page<Interaction> => ({ items: items.map(asInteraction), next });

/** Short lists come whole: as an array, or as a page without a next. */
async function readList<T>(path: string): Promise<Answer<T[]>> {
  const { value, positions } = await read<T[] | { items: T[] }>(path);
  return { value: Array.isArray(value) ? value : value.items, positions };
}

const listed = async <T>(path: string): Promise<T[]> => (await readList<T>(path)).value;

const call = (id: string) => `/calls/${encodeURIComponent(id)}`;

export interface CustomerDraft {
  kind: "person" | "company";
  salutation?: string | null;
  name: string;
  company_id?: number | null;
  role_title?: string | null;
  tier?: string | null;
  preferred_agent_id?: number | null;
  /** Why tier or preferred agent change; kept with the change. */
  reason?: string | null;
  language?: string | null;
  time_zone?: string | null;
  remarks?: string | null;
}
export interface NewPromise {
  customer_id: number; kind: PromiseKind; text: string; number: string | null; from: string | null; due: string;
  interaction_id: number | null;
}
export interface PromiseChanges { state?: PromiseState; from?: string | null; due?: string; text?: string; owner_id?: number }
export interface NewContactPoint { kind: "phone" | "email"; label: string; raw: string; extension?: string | null }
export interface InteractionFilter {
  from?: string; to?: string; agent?: "me" | number; queue?: string; outcome?: string; direction?: string;
  customer?: number; q?: string; cursor?: string | null; limit?: number;
}

/** Where I am signed in; `current` is here. */
export interface MySession { since: string; address: string | null; browser: string | null; current: boolean }

/** What every command answers: its result comes as command.done with this id. */
export interface Accepted { request: string }

/** crypto.randomUUID exists only over https; a desktop on the office LAN may have none. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const api = {
  signIn: (login: string, password: string, code: string | null = null) =>
    send<SignedIn>("POST", "/session", { login, password, ...(code === null ? {} : { code }) }),
  /** Through the provider: the address where its session ends, too. */
  signOut: () => send<{ url: string } | null>("DELETE", "/session"),
  ways: () => send<Ways>("GET", "/session/ways"),
  goToProvider: (language: Language) => send<{ url: string }>("POST", "/oidc/sign-in", { language }),
  comeFromProvider: (answer: { state: string; code?: string; iss?: string; error?: string; error_description?: string }) =>
    send<SignedIn>("POST", "/oidc/session", answer),
  ticket: () => send<{ ticket: string; expires_in: number }>("POST", "/session/ticket"),
  /** Why websockets end before they open. A browser tells a page no reason, but a plain request to the same address gets one. */
  whyNoSocket: async (): Promise<Problem> => {
    try {
      await ask("/ws", { redirect: "manual" });
    } catch (error) {
      if (error instanceof ProblemError) return whyNoSocket(error.problem);
    }
    return noAnswer();
  },
  changePassword: (current: string, fresh: string) => send<null>("PUT", "/me/password", { current, new: fresh }),
  secondFactor: () => send<SecondFactor>("GET", "/me/second-factor"),
  /** Begins it: what the authenticator app needs. */
  beginSecondFactor: (password: string) => send<SecondFactorSecret>("POST", "/me/second-factor", { password }),
  confirmSecondFactor: (code: string) => send<{ codes: string[] }>("PUT", "/me/second-factor", { code }),
  endSecondFactor: (password: string, code: string) => send<null>("POST", "/me/second-factor/off", { password, code }),
  renewRecoveryCodes: (password: string, code: string) => send<{ codes: string[] }>("POST", "/me/second-factor/recovery-codes", { password, code }),
  mySessions: async () => (await send<{ items: MySession[] }>("GET", "/me/sessions")).items,
  endMyOtherSessions: () => send<null>("DELETE", "/me/sessions"),
  me: () => read<Me>("/me"),
  setLanguage: (language: Language) => send<Me>("PATCH", "/me", { language }),
  setPreferences: (changes: { auto_answer: boolean }) => send<Me>("PATCH", "/me", changes),
  setState: (state: "ready" | "not_ready", reason: string | null) => send<Accepted>("POST", "/me/state", { state, reason }),
  /** Null is the phone last used, else the home seat. */
  beginShift: (phone: string | null) => send<Accepted>("POST", "/me/shift", { phone }),
  endShift: () => send<Accepted>("DELETE", "/me/shift"),
  phones: () => listed<Phone>("/phones"),
  softphone: () => send<Softphone>("GET", "/me/softphone"),
  claimPhone: (desktop: string) => send<null>("POST", "/me/softphone/claim", { desktop }),
  owed: async () => {
    const { items } = await send<{ items: (Omit<Owed, "interaction"> & { interaction: InteractionView })[] }>("GET", "/me/owed");
    return items.map((item): Owed => ({ ...item, interaction: asInteraction(item.interaction) }));
  },
  /** A day from midnight to midnight where the viewer is. */
  day: (date: string | null) =>
    send<Day>("GET", `/me/day${query({ date, zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}`),
  reasons: () => listed<ReasonCode>("/reasons"),
  wrapUpCodes: (queue: string | null) => listed<WrapUpCode>(`/wrap-up-codes${query({ queue })}`),
  targets: (q: string, signal?: AbortSignal) => send<Targets>("GET", `/targets${query({ q })}`, undefined, signal),
  searchCustomers: (q: string, cursor: string | null, signal?: AbortSignal) =>
    send<Page<CustomerHit>>("GET", `/customers${query({ q, limit: 20, cursor })}`, undefined, signal),
  customer: (id: number) => read<CustomerDetail>(`/customers/${id}`),
  createCustomer: (draft: CustomerDraft & { contact_points?: NewContactPoint[] }) =>
    send<CustomerDetail>("POST", "/customers", draft),
  changeCustomer: (id: number, version: number, changes: Partial<CustomerDraft>) =>
    send<CustomerDetail>("PATCH", `/customers/${id}`, { ...changes, version }),
  valueChanges: (id: number) => listed<ValueChange>(`/customers/${id}/values`),
  addContactPoint: (id: number, point: NewContactPoint) => send<unknown>("POST", `/customers/${id}/contact-points`, point),
  removeContactPoint: (id: number, point: number) => send<null>("DELETE", `/customers/${id}/contact-points/${point}`),
  addNote: (id: number, text: string, pinned: boolean) => send<Note>("POST", `/customers/${id}/notes`, { text, pinned }),
  timeline: async (id: number, cursor: string | null): Promise<Answer<Page<Interaction>>> => {
    const { value, positions } = await read<Page<InteractionView>>(`/customers/${id}/timeline${query({ cursor, limit: 20 })}`);
    return { value: asPage(value), positions };
  },
  interactions: async (filter: InteractionFilter) => asPage(await send<Page<InteractionView>>("GET", `/interactions${query({ ...filter })}`)),
  interaction: async (id: number) => asInteraction(await send<InteractionView>("GET", `/interactions/${id}`)),
  saveNote: (interaction: number, text: string) => send<unknown>("PUT", `/interactions/${interaction}/note`, { text }),
  /** As typed. `base` is the note this one was typed over: when the server holds another, it answers 409 draft_conflict with it. */
  saveDraft: (interaction: number, draft: DraftView & { base?: string | null }) =>
    send<unknown>("PUT", `/interactions/${interaction}/draft`, draft),
  draft: (interaction: number) => send<MyDraft>("GET", `/interactions/${interaction}/draft`),
  finishWrapUp: (interaction: number, draft: DraftView) => send<Finished>("POST", `/interactions/${interaction}/wrap-up`, draft),
  promises: (filter: { customer?: number; owner?: "me"; state?: PromiseState }) => readList<PromiseView>(`/promises${query({ ...filter })}`),
  promise: (made: NewPromise) => send<PromiseView>("POST", "/promises", made),
  changePromise: (id: number, version: number, changes: PromiseChanges) =>
    send<PromiseView>("PATCH", `/promises/${id}`, { ...changes, version }),
  messages: (since: number | null) => send<Messages>("GET", `/messages${query({ since })}`),
  sendMessage: (to: MessageTo, text: string, about: string | null) => send<Message>("POST", "/messages", { to, text, call: about }),
  /** Everything up to this message is read. */
  readMessages: (upTo: number) => send<null>("POST", "/messages/read", { up_to: upTo }),
  helpRequests: () => readList<HelpRequest>("/help"),
  takeHelp: (id: number) => send<HelpRequest>("POST", `/help/${id}/take`, {}),
  endHelp: (id: number) => send<HelpRequest>("POST", `/help/${id}/done`, {}),
  dial: (to: string, fromPage: string | null, key: string = newKey()) =>
    send<Accepted>("POST", "/calls", { to, from_page: fromPage }, undefined, { "idempotency-key": key }),
  /** One verb of call control; the same `key` twice does it once. */
  command: (id: string, verb: CallVerb, body: object = {}, key: string = newKey()) =>
    send<Accepted>("POST", `${call(id)}/${verb}`, body, undefined, { "idempotency-key": key }),
  handover: (id: string) => read<HandoverView>(`${call(id)}/handover`),
  calls: () => readList<CallView>("/calls"),
  card: (id: string) => read<Card>(`${call(id)}/card`),
  chooseCustomer: (id: string, customer: number) => send<unknown>("PUT", `${call(id)}/customer`, { customer_id: customer }),
  /** A null note leaves the one that is there. */
  wrapUp: (id: string, note: string | null) => send<unknown>("POST", `${call(id)}/wrap-up`, { note }),
  queues: () => listed<QueueView>("/queues"),
};
