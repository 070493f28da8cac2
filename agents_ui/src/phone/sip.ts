// The seam to the SIP library: what the phone needs of a line and of a call on it. `line.ts` fills it with JsSIP,
// the tests with an actor.
import type { Softphone } from "../wire/types";

/** Who ended a session: me, the other side, or nobody (the network or the browser failed). */
export type EndedBy = "me" | "them" | "network";

export interface SessionEvents {
  answered: () => void;
  heard: (stream: MediaStream) => void;
  ended: (by: EndedBy, cause: string) => void;
}

/** One call as SIP knows it; it rings when it is handed over. */
export interface Session {
  readonly id: string;
  readonly number: string | null;
  readonly name: string | null;
  listen(events: SessionEvents): void;
  /** Throws when the call is over already. */
  answer(microphone: MediaStream): void;
  /** Before the answer: rejects, 480 (not now) or 486 (busy). After it: hangs up. */
  end(status?: 480 | 486): void;
  /** Keys as RFC 4733 events, for a call that the server does not know. */
  press(digits: string): void;
  /** There from the answer on. */
  peer(): RTCPeerConnection | null;
}

/** What went wrong with the line. `refused`: the PBX does not accept the account. */
export type LineFault = "unreachable" | "insecure" | "closed" | "silent" | "refused" | "timeout";

export interface LineEvents {
  registered: () => void;
  /** Not reachable by calls; the line goes on trying by itself. */
  lost: (fault: LineFault, detail: string) => void;
  /** A call rings here. */
  rang: (session: Session) => void;
}

export interface Line {
  /** The network or the person is back: look at once whether the line still lives, and reconnect if not. */
  look(): void;
  /** Takes no more calls; sessions stay up. */
  letGo(): void;
  /** Ends everything. */
  close(): void;
}

export type OpenLine = (account: Softphone, events: LineEvents) => Line;
