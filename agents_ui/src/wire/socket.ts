// The websocket of one desktop: ticket, hello or resume, heartbeat watch, reconnect with jitter. It knows no views.
import type { Frame, Positions, Problem, Watch } from "./types";

export type SocketState =
  | { name: "connecting"; since: number; attempt: number }
  | { name: "open"; since: number; attempt: 0 }
  /** `problem`: what is known of the cause, beside that nothing comes. */
  | { name: "lost"; since: number; attempt: number; problem?: Problem | null }
  | { name: "signed_out"; since: number; attempt: 0 };

/** The part of WebSocket that is used, so that a test can stand in for it. */
export interface Wire {
  send(text: string): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((message: { data: string }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

export interface SocketOptions {
  open: () => Wire;
  /** A one-time ticket; rejecting with {status: 401} means the session is over, and {problem} says why there is none. */
  ticket: () => Promise<string>;
  /** Asked when tickets come and sockets end before they open, twice in a row: a restart of the server is one time. */
  whyNoSocket?: () => Promise<Problem>;
  /** Where we stand; null asks for a snapshot. */
  positions: () => Positions | null;
  /** The topics that a resume names: they stay open, and what was missed of them comes too. */
  topics: () => string[];
  /** After a welcome's frame, with the topics that the greeting named: none where it was a hello. */
  onWelcome: (named: string[]) => void;
  onFrame: (frame: Frame) => void;
  onState: (state: SocketState) => void;
  now?: () => number;
  random?: () => number;
}

const SIGNED_OUT = 4409;
const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 10_000;
const WELCOME_WITHIN_MS = 10_000;

/** Attempt 1 waits up to 0.4 s, doubling to 10 s; half of it is random so that a floor does not return as one. */
export function backoff(attempt: number, random: () => number): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  return ceiling / 2 + (ceiling / 2) * random();
}

export interface Socket {
  close: () => void;
  /** The browser came online, the tab woke. */
  retryNow: () => void;
  /** False, and nothing is sent, before the welcome and while the connection is lost. */
  say: (watch: Watch) => boolean;
}

/** Starts at once. */
export function connect(options: SocketOptions): Socket {
  const now = options.now ?? Date.now;
  const random = options.random ?? Math.random;
  let wire: Wire | null = null;
  let attempt = 0;
  let lostAt: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let watch: ReturnType<typeof setInterval> | undefined;
  let ended = false;
  let welcomed = false;
  let unopened = 0; // sockets in a row that ended before they opened
  let problem: Problem | null = null;

  function detach(): void {
    clearTimeout(timer);
    clearInterval(watch);
    if (wire) wire.onopen = wire.onmessage = wire.onclose = null;
    wire?.close(1000);
    wire = null;
    welcomed = false;
  }

  function signedOut(): void {
    detach();
    ended = true;
    options.onState({ name: "signed_out", since: now(), attempt: 0 });
  }

  /** A session of mine has ended somewhere. Whether it is this one is told by the next ticket. */
  function stillSignedIn(): void {
    detach();
    if (!ended) void start();
  }

  function again(): void {
    detach();
    if (ended) return;
    attempt += 1;
    lostAt ??= now();
    options.onState({ name: "lost", since: lostAt, attempt, problem });
    timer = setTimeout(() => void start(), backoff(attempt, random));
  }

  async function start(): Promise<void> {
    options.onState(lostAt === null ? { name: "connecting", since: now(), attempt } : { name: "lost", since: lostAt, attempt, problem });
    let ticket: string;
    try {
      ticket = await options.ticket();
    } catch (error) {
      if (ended) return;
      const refused = error as { status?: number; problem?: Problem };
      if (refused.status === 401) return signedOut();
      problem = refused.problem ?? null;
      return again();
    }
    if (ended || wire) return;
    listen(options.open(), ticket);
  }

  /** A socket that is refused tells no reason: it looks like a network that is gone. */
  async function unopenedAgain(): Promise<void> {
    unopened += 1;
    again();
    if (unopened < 2 || !options.whyNoSocket) return;
    const found = await options.whyNoSocket().catch(() => null);
    if (ended || welcomed || unopened === 0 || lostAt === null) return;
    problem = found;
    options.onState({ name: "lost", since: lostAt, attempt, problem });
  }

  function listen(fresh: Wire, ticket: string): void {
    wire = fresh;
    let heardAt = now();
    let silenceMs = WELCOME_WITHIN_MS;
    let named: string[] = [];
    let opened = false;
    fresh.onopen = () => {
      opened = true;
      unopened = 0;
      const positions = options.positions();
      named = positions ? options.topics() : [];
      fresh.send(JSON.stringify(positions ? { type: "resume", ticket, positions, topics: named } : { type: "hello", ticket }));
    };
    fresh.onmessage = ({ data }) => {
      heardAt = now();
      const frame = JSON.parse(data) as Frame;
      if (frame.type === "welcome") {
        silenceMs = frame.heartbeat_s * 2500; // two heartbeats missed and half a one of grace
        attempt = 0;
        lostAt = null;
        welcomed = true;
        problem = null;
      }
      options.onFrame(frame);
      if (frame.type !== "welcome") return;
      options.onWelcome(named);
      options.onState({ name: "open", since: now(), attempt: 0 });
    };
    fresh.onclose = ({ code }) => (code === SIGNED_OUT ? stillSignedIn() : opened ? again() : void unopenedAgain());
    // Browsers slow timers in hidden tabs but not messages, so a late check still compares with what was heard.
    watch = setInterval(() => {
      if (now() - heardAt > silenceMs) again();
    }, 1000);
  }

  void start();
  return {
    close: () => {
      ended = true;
      detach();
    },
    retryNow: () => {
      if (ended || wire) return;
      clearTimeout(timer);
      void start();
    },
    say: (watch) => {
      if (!wire || !welcomed) return false;
      wire.send(JSON.stringify(watch));
      return true;
    },
  };
}
