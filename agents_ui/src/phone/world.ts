// What the phone needs of the world, and what it offers: the two sides of phone.ts.
import type { Desk } from "../store/desk/desk";
import type { Problem, Softphone } from "../wire/types";
import type { ToAnswer } from "./floor";
import type { OpenLine } from "./sip";
import type { Sound } from "./sound";
import type { AnsweredBy, PhoneEvent, PhoneState } from "./state";
import type { VoiceTools } from "./voice";
import type { Hold } from "./windows";

export interface World extends Omit<VoiceTools, "sound"> {
  desk: () => Desk;
  /** The server is there and what the desk says is of now. */
  isCurrent: () => boolean;
  /** Resolves when the first snapshot is there, or is too long in coming. */
  arrived: () => Promise<void>;
  state: () => PhoneState;
  tell: (event: PhoneEvent) => void;
  account: () => Promise<Softphone>;
  claim: () => Promise<unknown>;
  /** Resolves with the request's id. */
  reconnect: (call: string) => Promise<string>;
  problemOf: (error: unknown) => Problem | null;
  openLine: OpenLine;
  sound: Sound;
  hold: (on: { taken: () => void; elsewhere: () => void }) => Hold;
  /** Which call this browser speaks on, kept over a reload and a crash. */
  mark: { set: (call: string | null) => void; get: () => string | null };
  warnOnLeave: (on: boolean) => void;
  mic: () => string;
  now: () => number;
  pause: (attempt: number) => number;
}

export interface Phone {
  answer(by?: AnsweredBy): Promise<void>;
  /** `busy`: 486, the caller is told so; else 480, a queue tries the next. */
  reject(busy?: boolean): void;
  hangUp(): void;
  setMuted(on: boolean): void;
  press(digits: string): void;
  /** This window is to have the phone. */
  useHere(): void;
  bringBack(): void;
  look(): void;
  swapMicrophone(): Promise<void>;
  /** The desk changed. */
  follow(): void;
  /** Takes no more calls; the one that is on goes on. `useHere` wakes it. */
  rest(): void;
  claimed(desktop: "mine" | "other"): void;
  toAnswer(event: ToAnswer): void;
  close(): void;
}
