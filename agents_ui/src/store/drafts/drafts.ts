// What is typed about a call — note, wrap-up code, follow-up: in localStorage at every keystroke, at the server after a
// pause, retried until it is there. A draft belongs to one agent and one call. Two windows never lose each other's text:
// windows of one browser follow each other through the storage, others through what the server holds (`base`).
import type { DraftView, FollowUp } from "../../wire/types";
import { mergeTexts } from "./merge";

export interface Content { text: string; code: string | null; followUp: FollowUp | null }

export interface Draft extends Content {
  /** What the server is known to hold; null when it was never heard from. */
  saved: Content | null;
  interaction: number | null;
  at: number;
  /** Which window wrote this, and the writing of another that it had seen. */
  stamp?: string;
  heard?: string | null;
}

export type DraftStatus = "empty" | "saved" | "saving" | "unsaved" | "waiting" | "failed" | "refused";
export type Kept = DraftView & { base?: string | null };

export interface DraftOptions {
  agent: number;
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;
  save: (interaction: number, draft: Kept) => Promise<unknown>;
  now?: () => number;
  window?: string;
}

interface Refused { status?: number; code?: string; problem?: { draft?: DraftView } }

/** An answer that will be the same next time (not mine, gone, too long, finished); anything else is tried again. */
function isRefusal(error: unknown): boolean {
  return [403, 404, 409, 413, 422].includes((error as Refused).status ?? 0);
}

/** The draft that the server holds instead, when it does. */
function heldInstead(error: unknown): DraftView | null {
  const { code, problem } = error as Refused;
  return code === "draft_conflict" ? (problem?.draft ?? null) : null;
}

const PAUSE_MS = 700;
const RETRY_MS = [2000, 5000, 15_000, 30_000];
const KEEP_MS = 14 * 86_400_000;
const blank: Content = { text: "", code: null, followUp: null };

const contentOf = ({ text, code, followUp }: Content): Content => ({ text, code, followUp });
const same = (a: Content, b: Content) =>
  a.text === b.text && a.code === b.code && JSON.stringify(a.followUp) === JSON.stringify(b.followUp);
const isBlank = (content: Content) => same(content, blank);
const asContent = ({ note, code, follow_up }: DraftView): Content => ({ text: note ?? "", code, followUp: follow_up });

export class Drafts {
  private readonly prefix: string;
  private readonly window: string;
  private readonly held = new Map<string, Draft>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly failures = new Map<string, number>();
  private readonly refusals = new Set<string>();
  private readonly inFlight = new Map<string, Promise<void>>();
  private readonly listeners = new Set<() => void>();
  private storageFailed = false;
  private writes = 0;

  constructor(private readonly options: DraftOptions) {
    this.prefix = `cti.draft.${options.agent}.`;
    this.window = options.window ?? Math.random().toString(36).slice(2);
    this.restore();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get(call: string): Draft | null {
    return this.held.get(call) ?? null;
  }

  /** The call under which the draft of an interaction is held. */
  callOf(interaction: number): string | null {
    for (const [call, draft] of this.held) if (draft.interaction === interaction) return call;
    return null;
  }

  status(call: string): DraftStatus {
    const draft = this.held.get(call);
    if (!draft || (isBlank(draft) && (!draft.saved || isBlank(draft.saved)))) return "empty";
    if (draft.saved && same(draft, draft.saved)) return "saved";
    if (this.inFlight.has(call)) return "saving";
    if (this.refusals.has(call)) return "refused";
    if (this.failures.has(call)) return "failed";
    return draft.interaction === null ? "waiting" : "unsaved";
  }

  /** Drafts whose content the server does not have yet. */
  unsaved(): string[] {
    return [...this.held].filter(([, draft]) => !same(draft, draft.saved ?? blank)).map(([call]) => call);
  }

  /** Drafts that the server refused or could not be given for a while: worth a word outside the note box. */
  stuck(): string[] {
    return this.unsaved().filter((call) => this.failures.has(call) || this.refusals.has(call));
  }

  type(call: string, text: string, interaction: number | null): void {
    this.change(call, { text }, interaction);
  }

  change(call: string, part: Partial<Content>, interaction: number | null): void {
    const before = this.held.get(call);
    this.put(call, {
      ...blank, ...before, ...part, saved: before?.saved ?? null, interaction: interaction ?? before?.interaction ?? null, at: this.now(),
    });
    this.failures.delete(call);
    this.refusals.delete(call);
    this.schedule(call, PAUSE_MS);
  }

  /** The interaction row of a call became known: what was typed before can be saved now. */
  bind(call: string, interaction: number): void {
    const draft = this.held.get(call);
    if (!draft || draft.interaction === interaction) return;
    this.put(call, { ...draft, interaction });
    this.schedule(call, 0);
  }

  /** What the server holds; it never overwrites what was typed here and not saved. */
  seed(call: string, interaction: number, view: DraftView): void {
    const draft = this.held.get(call);
    const theirs = asContent(view);
    if (draft && !isBlank(draft) && !(draft.saved && same(draft, draft.saved))) return;
    if (draft?.saved && same(draft.saved, theirs)) return;
    if (!draft && isBlank(theirs)) return;
    this.put(call, { ...theirs, saved: theirs, interaction, at: this.now() });
  }

  /** Saves what is pending of a call now; resolves when it is there or has failed. */
  async flush(call: string): Promise<void> {
    await this.inFlight.get(call);
    const draft = this.held.get(call);
    if (!draft || draft.interaction === null || same(draft, draft.saved ?? blank)) return;
    clearTimeout(this.timers.get(call));
    const sent = contentOf(draft);
    const base = draft.saved ? draft.saved.text || null : undefined;
    const body: Kept = { note: sent.text, code: sent.code, follow_up: sent.followUp, ...(base === undefined ? {} : { base }) };
    const sending = this.options
      .save(draft.interaction, body)
      .then(() => {
        this.failures.delete(call);
        const latest = this.held.get(call);
        if (latest) this.put(call, { ...latest, saved: sent });
      })
      .catch((error: unknown) => this.failed(call, error))
      .finally(() => {
        this.inFlight.delete(call);
        const latest = this.held.get(call);
        if (latest && !same(latest, sent) && !this.refusals.has(call)) this.schedule(call, PAUSE_MS);
        this.tell();
      });
    this.inFlight.set(call, sending);
    this.tell();
    await sending;
  }

  private failed(call: string, error: unknown): void {
    const draft = this.held.get(call);
    const held = heldInstead(error);
    if (draft && held) {
      const theirs = asContent(held);
      const text = mergeTexts(draft.saved?.text ?? "", draft.text, theirs.text);
      this.put(call, { ...draft, text, code: draft.code ?? theirs.code, followUp: draft.followUp ?? theirs.followUp, saved: theirs });
      this.schedule(call, 0);
    } else if (isRefusal(error)) {
      this.refusals.add(call);
    } else {
      const failures = (this.failures.get(call) ?? 0) + 1;
      this.failures.set(call, failures);
      this.schedule(call, RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? 30_000);
    }
  }

  /** Another window of this browser wrote: followed when it had seen ours, else both texts are kept. */
  follow(key: string | null, value: string | null): void {
    if (!key?.startsWith(this.prefix)) return;
    const call = key.slice(this.prefix.length);
    const theirs = read(value);
    const mine = this.held.get(call);
    if (!theirs) {
      if (value === null && mine && mine.saved && same(mine, mine.saved)) this.held.delete(call);
    } else if (!mine || !mine.stamp?.startsWith(this.window) || theirs.heard === mine.stamp || same(mine, theirs)) {
      this.held.set(call, theirs);
    } else {
      const text = mergeTexts(mine.saved?.text ?? "", mine.text, theirs.text);
      if (text === theirs.text) this.held.set(call, theirs);
      else this.put(call, { ...mine, text, saved: theirs.saved ?? mine.saved, heard: theirs.stamp ?? null });
      this.schedule(call, PAUSE_MS);
    }
    this.tell();
  }

  /** The person gives a draft up, after having seen it; or it is finished. */
  discard(call: string): void {
    clearTimeout(this.timers.get(call));
    this.held.delete(call);
    this.failures.delete(call);
    this.refusals.delete(call);
    this.options.storage.removeItem(this.prefix + call);
    this.tell();
  }

  /** Signed out: what the server has needs no place in this browser, where the next person sits. */
  forgetSaved(): void {
    for (const [call, draft] of this.held) if (draft.saved && same(draft, draft.saved)) this.options.storage.removeItem(this.prefix + call);
  }

  /** The connection is back: everything unsaved is tried now. */
  flushAll(): void {
    for (const call of this.unsaved()) void this.flush(call);
  }

  /** False when the browser refuses storage: then only the server holds the note. */
  get durable(): boolean {
    return !this.storageFailed;
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }

  private schedule(call: string, delay: number): void {
    clearTimeout(this.timers.get(call));
    this.timers.set(call, setTimeout(() => void this.flush(call), delay));
  }

  private put(call: string, draft: Draft): void {
    const before = this.held.get(call);
    const heard = before?.stamp && !before.stamp.startsWith(this.window) ? before.stamp : (draft.heard ?? null);
    const stamped: Draft = { ...draft, stamp: `${this.window}:${(this.writes += 1)}`, heard };
    this.held.set(call, stamped);
    try {
      this.options.storage.setItem(this.prefix + call, JSON.stringify(stamped));
      this.storageFailed = false;
    } catch {
      this.storageFailed = true;
    }
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private restore(): void {
    const { storage } = this.options;
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
    for (const key of keys.filter((name) => name.startsWith(this.prefix))) {
      const draft = read(storage.getItem(key));
      // Saved and old: the server has it, and the key would only fill the storage. Unsaved is never dropped.
      const spent = draft && same(draft, draft.saved ?? blank) && this.now() - draft.at > KEEP_MS;
      if (!draft || spent) storage.removeItem(key);
      else this.held.set(key.slice(this.prefix.length), draft);
    }
    this.flushAll();
  }
}

/** One from the storage; those of before wrap-up codes held only texts. */
function read(value: string | null): Draft | null {
  try {
    const draft = JSON.parse(value ?? "null") as (Omit<Draft, "saved"> & { saved: Content | string | null }) | null;
    if (draft === null) return null;
    const saved = typeof draft.saved === "string" ? { ...blank, text: draft.saved } : draft.saved;
    return { ...blank, ...draft, saved };
  } catch {
    return null;
  }
}
