// Notes as they are typed: kept in localStorage at every keystroke, saved to the interaction after a pause,
// retried until the server has them. A draft belongs to one agent and one call.

export interface Draft {
  text: string;
  /** What the server is known to hold; null when it was never heard from. */
  saved: string | null;
  interaction: number | null;
  at: number;
}

export type DraftStatus = "empty" | "saved" | "saving" | "unsaved" | "waiting" | "failed" | "refused";

export interface DraftOptions {
  agent: number;
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;
  save: (interaction: number, text: string) => Promise<unknown>;
  now?: () => number;
}

/** An answer that will be the same next time (not mine, gone, too long); anything else is tried again. */
function isRefusal(error: unknown): boolean {
  return [403, 404, 413, 422].includes((error as { status?: number }).status ?? 0);
}

const PAUSE_MS = 700;
const RETRY_MS = [2000, 5000, 15_000, 30_000];
const KEEP_MS = 14 * 86_400_000;

export class Drafts {
  private readonly prefix: string;
  private readonly held = new Map<string, Draft>();
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>();
  private readonly failures = new Map<string, number>();
  private readonly refusals = new Set<string>();
  private readonly inFlight = new Map<string, Promise<void>>();
  private readonly listeners = new Set<() => void>();
  private storageFailed = false;

  constructor(private readonly options: DraftOptions) {
    this.prefix = `cti.draft.${options.agent}.`;
    this.restore();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get(call: string): Draft | null {
    return this.held.get(call) ?? null;
  }

  status(call: string): DraftStatus {
    const draft = this.held.get(call);
    if (!draft || (draft.text === "" && !draft.saved)) return "empty";
    if (draft.text === draft.saved) return "saved";
    if (this.inFlight.has(call)) return "saving";
    if (this.refusals.has(call)) return "refused";
    if (this.failures.has(call)) return "failed";
    return draft.interaction === null ? "waiting" : "unsaved";
  }

  /** Drafts whose text the server does not have yet. */
  unsaved(): string[] {
    return [...this.held].filter(([, draft]) => draft.text !== (draft.saved ?? "")).map(([call]) => call);
  }

  /** Drafts that the server refused or could not be given for a while: worth a word outside the note box. */
  stuck(): string[] {
    return this.unsaved().filter((call) => this.failures.has(call) || this.refusals.has(call));
  }

  type(call: string, text: string, interaction: number | null): void {
    const before = this.held.get(call);
    this.put(call, {
      text, saved: before?.saved ?? null, interaction: interaction ?? before?.interaction ?? null, at: this.now(),
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

  /** The server's text, which never overwrites what was typed here. */
  seed(call: string, interaction: number, text: string): void {
    const draft = this.held.get(call);
    if (!draft) this.put(call, { text, saved: text, interaction, at: this.now() });
    else if (draft.text === "" && draft.saved === null) this.put(call, { ...draft, text, saved: text, interaction });
  }

  /** Saves what is pending of a call now; resolves when it is there or has failed. */
  async flush(call: string): Promise<void> {
    await this.inFlight.get(call);
    const draft = this.held.get(call);
    if (!draft || draft.interaction === null || draft.text === (draft.saved ?? "")) return;
    clearTimeout(this.timers.get(call));
    const { text, interaction } = draft;
    const sending = this.options
      .save(interaction, text)
      .then(() => {
        this.failures.delete(call);
        const latest = this.held.get(call);
        if (latest) this.put(call, { ...latest, saved: text });
      })
      .catch((error: unknown) => {
        if (isRefusal(error)) {
          this.refusals.add(call);
          return;
        }
        const failures = (this.failures.get(call) ?? 0) + 1;
        this.failures.set(call, failures);
        this.schedule(call, RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? 30_000);
      })
      .finally(() => {
        this.inFlight.delete(call);
        const latest = this.held.get(call);
        if (latest && latest.text !== text) this.schedule(call, PAUSE_MS);
        this.tell();
      });
    this.inFlight.set(call, sending);
    this.tell();
    await sending;
  }

  /** The person gives a note up, after having seen it. */
  discard(call: string): void {
    clearTimeout(this.timers.get(call));
    this.held.delete(call);
    this.failures.delete(call);
    this.refusals.delete(call);
    this.options.storage.removeItem(this.prefix + call);
    this.tell();
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
    this.held.set(call, draft);
    try {
      this.options.storage.setItem(this.prefix + call, JSON.stringify(draft));
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
    const keys: string[] = [];
    for (let index = 0; index < storage.length; index += 1) {
      const key = storage.key(index);
      if (key?.startsWith(this.prefix)) keys.push(key);
    }
    for (const key of keys) {
      let draft: Draft;
      try {
        draft = JSON.parse(storage.getItem(key) ?? "") as Draft;
      } catch {
        storage.removeItem(key);
        continue;
      }
      // Saved and old: the server has it, and the key would only fill the storage. Unsaved is never dropped.
      if (draft.text === (draft.saved ?? "") && this.now() - draft.at > KEEP_MS) storage.removeItem(key);
      else this.held.set(key.slice(this.prefix.length), draft);
    }
    this.flushAll();
  }
}
