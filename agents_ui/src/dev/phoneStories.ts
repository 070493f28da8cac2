// Situations of the phone in the browser, for the story pages. The phone itself is not started there.
import { usePhoneStore } from "../phone/store";
import { silent, type PhoneState, type SipCall } from "../phone/state";
import type { Figures } from "../phone/quality";
import type { Story } from "./fixtures";
import { ago, stateOf, storyCall, wangCard } from "./people";

const seat = "PJSIP/1101";
const atBrowser = { seat, extension: "1101", shift: { seat, extension: "1101", kind: "browser" as const, since: ago(5400), answers: true } };
const ready = { name: "registered" as const, since: 0, fault: null, detail: null, attempt: 0 };
const sip = (state: SipCall["state"], part: Partial<SipCall> = {}): SipCall => ({ id: "a", state, number: "02162881234", name: "Shenjiang", since: Date.now() - 214_000, by: null, ...part });
const figures = (part: Partial<Figures> = {}): Figures => ({
  packetsIn: 10_700, packetsOut: 10_702, lossIn: 0.001, lossOut: 0, jitterMs: 4, roundTripMs: 23, levelIn: 0.08, levelOut: 0.05, flow: 50, ...part,
});
const talking = { me: { ...atBrowser, state: stateOf("talking", 214) }, cards: [wangCard], calls: [storyCall(wangCard, {}, [{ seat }])] };
const ringing = {
  me: { ...atBrowser, state: stateOf("reserved", 4) }, cards: [wangCard],
  calls: [storyCall(wangCard, { state: "ringing", answered_at: null, wait_ms: null }, [{ seat, state: "ringing", since: ago(4), answered_at: null }])],
};

const phones: Record<string, Partial<PhoneState>> = {
  "phone-ready": { registration: ready },
  "phone-ringing": { registration: ready, call: sip("ringing") },
  "phone-talking": { registration: ready, call: sip("talking"), quality: "good", figures: figures() },
  "phone-muted": { registration: ready, call: sip("talking"), muted: true, quality: "fair", figures: figures({ lossIn: 0.04, jitterMs: 38 }), missing: { mic: "Jabra Evolve2 40" } },
  "phone-lost": { registration: { name: "lost", since: Date.now() - 12_000, fault: "unreachable", detail: null, attempt: 3 }, call: sip("talking"), quality: "poor", figures: figures({ lossIn: 0.09 }), deafSince: 1 },
  "phone-alone": { registration: ready, call: sip("talking"), quality: "good", figures: figures() },
  "phone-elsewhere": { registration: { ...ready, name: "elsewhere" } },
  "phone-refused": { registration: ready, call: sip("ringing"), trouble: "mic_denied" },
  "phone-returning": { registration: ready, recovery: { call: "x", state: "coming", code: null, detail: null } },
  "phone-insecure": { registration: { ...ready, name: "off", fault: "insecure" } },
  "phone-devices": { registration: ready },
};

export const phoneStories: Record<string, Story> = {
  "phone-ready": { me: atBrowser },
  "phone-ringing": ringing,
  "phone-talking": talking,
  "phone-muted": talking,
  "phone-lost": talking,
  "phone-alone": { me: atBrowser, lost: true },
  "phone-elsewhere": { me: atBrowser },
  "phone-refused": ringing,
  "phone-returning": talking,
  "phone-insecure": { me: atBrowser },
  "phone-devices": { me: atBrowser },
};

export function showPhone(name: string): void {
  const state = phones[name];
  if (!state) return;
  usePhoneStore.setState({
    ...silent, ...state, permission: "granted",
    devices: { mics: [{ id: "a", label: "Built-in microphone" }], outputs: [{ id: "b", label: "Built-in speaker" }, { id: "c", label: "Jabra Evolve2 40" }] },
  });
}
