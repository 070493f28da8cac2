// What the phone is doing, as one value: old state + what happened = new state. Pure: no SIP, sound or screen here.
// It does not know whose call it is or what was said: that is the floor's (see floor.ts).
import type { EndedBy, LineFault } from "./sip";
import type { Quality, Figures } from "./quality";

export type RegistrationName = "off" | "connecting" | "registered" | "lost" | "elsewhere";
/** Why there is no phone: a page that is not secure, a browser without WebRTC, no account for this seat. */
export type OffReason = "insecure" | "unsupported" | "no_account";

export interface Registration {
  name: RegistrationName;
  since: number;
  /** For `lost`: what happened, and how often it was tried. For `off`: why. */
  fault: LineFault | OffReason | null;
  detail: string | null;
  /** The server's, where it gives no account. */
  code?: string | null;
  attempt: number;
}

export type CallState = "ringing" | "answering" | "talking";
/** Who said that the call is to be answered. */
export type AnsweredBy = "agent" | "preference" | "server" | "return";

export interface SipCall {
  id: string;
  state: CallState;
  number: string | null;
  name: string | null;
  since: number;
  by: AnsweredBy | null;
}

export type AudioTrouble = "mic_denied" | "mic_missing" | "mic_busy" | "mic_failed" | "sound_blocked";
export type Device = "mic" | "speaker" | "ring";
/** A call that was here before the page was loaded again, or the network lost it. */
export interface Recovery { call: string; state: "asking" | "coming" | "failed"; code: string | null; detail: string | null }

export interface PhoneState {
  registration: Registration;
  call: SipCall | null;
  muted: boolean;
  trouble: AudioTrouble | null;
  /** A chosen device is not there: its name, and what is used instead is the system's own. */
  missing: Partial<Record<Device, string>>;
  quality: Quality;
  figures: Figures | null;
  /** Nothing is heard, nothing is said: since when, or null. */
  deafSince: number | null;
  dumbSince: number | null;
  recovery: Recovery | null;
  /** The last call ended without anybody hanging up. */
  dropped: { at: number } | null;
}

export type PhoneEvent =
  | { type: "opening"; at: number }
  | { type: "registered"; at: number }
  | { type: "lost"; at: number; fault: LineFault; detail: string }
  | { type: "elsewhere"; at: number }
  | { type: "off"; at: number; reason: OffReason | null; detail?: string | null; code?: string | null }
  | { type: "rang"; at: number; id: string; number: string | null; name: string | null }
  | { type: "answering"; id: string; by: AnsweredBy }
  | { type: "not_answered"; id: string; trouble: AudioTrouble }
  | { type: "answered"; at: number; id: string }
  | { type: "ended"; at: number; id: string; by: EndedBy }
  | { type: "muted"; on: boolean }
  | { type: "trouble"; code: AudioTrouble | null }
  | { type: "missing"; device: Device; label: string | null }
  | { type: "measured"; at: number; quality: Quality; figures: Figures; deaf: boolean; dumb: boolean }
  | { type: "recovery"; recovery: Recovery | null }
  | { type: "read" };

const registration = (name: RegistrationName, since: number): Registration => ({ name, since, fault: null, detail: null, attempt: 0 });

export const silent: PhoneState = {
  registration: registration("off", 0), call: null, muted: false, trouble: null, missing: {}, quality: "none", figures: null,
  deafSince: null, dumbSince: null, recovery: null, dropped: null,
};

const noSound = { quality: "none" as const, figures: null, deafSince: null, dumbSince: null };

/** From lost or elsewhere only what the line or the person says leads out; a repeat keeps its `since`. */
export function registered(now: Registration, event: PhoneEvent): Registration {
  switch (event.type) {
    case "opening":
      return now.name === "connecting" ? now : registration("connecting", event.at);
    case "registered":
      // Let go of meanwhile: a late answer does not bring the phone back.
      return now.name === "registered" || now.name === "elsewhere" || now.name === "off" ? now : registration("registered", event.at);
    case "lost":
      if (now.name === "elsewhere" || now.name === "off") return now;
      return {
        name: "lost", since: now.name === "lost" ? now.since : event.at, fault: event.fault, detail: event.detail || null, attempt: now.attempt + 1,
      };
    case "elsewhere":
      return now.name === "elsewhere" ? now : registration("elsewhere", event.at);
    case "off":
      return { ...registration("off", event.at), fault: event.reason, detail: event.detail ?? null, ...(event.code ? { code: event.code } : {}) };
    default:
      return now;
  }
}

function call(now: SipCall | null, event: PhoneEvent): SipCall | null {
  if (event.type === "rang") {
    return now ?? { id: event.id, state: "ringing", number: event.number, name: event.name, since: event.at, by: null };
  }
  // What is said of another call than the one at hand is late.
  if (!now || !("id" in event) || event.id !== now.id) return now;
  switch (event.type) {
    case "answering":
      return now.state === "ringing" ? { ...now, state: "answering", by: event.by } : now;
    case "not_answered":
      return now.state === "answering" ? { ...now, state: "ringing", by: null } : now;
    case "answered":
      return now.state === "talking" ? now : { ...now, state: "talking", since: event.at };
    case "ended":
      return null;
    default:
      return now;
  }
}

export function step(state: PhoneState, event: PhoneEvent): PhoneState {
  const next = { ...state, registration: registered(state.registration, event), call: call(state.call, event) };
  switch (event.type) {
    case "rang":
      return state.call ? next : { ...next, muted: false, dropped: null, ...noSound };
    case "not_answered":
      return { ...next, trouble: event.trouble };
    case "answered":
      // The call that was to be brought back is here.
      return next.call === state.call ? next : { ...next, trouble: state.trouble === "sound_blocked" ? state.trouble : null, recovery: null };
    case "ended":
      if (next.call === state.call) return next;
      return { ...next, muted: false, ...noSound, dropped: event.by === "network" && state.call?.state === "talking" ? { at: event.at } : null };
    case "muted":
      return state.call ? { ...next, muted: event.on, dumbSince: null } : next;
    case "trouble":
      return { ...next, trouble: event.code };
    case "missing": {
      const { [event.device]: _gone, ...rest } = state.missing;
      return { ...next, missing: event.label === null ? rest : { ...rest, [event.device]: event.label } };
    }
    case "measured":
      if (state.call?.state !== "talking") return next;
      return {
        ...next, quality: event.quality, figures: event.figures,
        deafSince: event.deaf ? (state.deafSince ?? event.at) : null,
        dumbSince: event.dumb ? (state.dumbSince ?? event.at) : null,
      };
    case "recovery":
      return { ...next, recovery: event.recovery };
    case "read":
      return { ...next, dropped: null, recovery: state.recovery?.state === "failed" ? null : state.recovery };
    default:
      return next;
  }
}
