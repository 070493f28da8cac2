// Reads the browser's counters of a call once a second and says what they mean.
import { figuresOf, lasting, qualityOf, SILENCE, type Figures, type Quality, type Reading } from "./quality";

const EVERY_MS = 1000;
const WINDOW = 6; // readings: loss over the last five seconds
export const SILENT_MS = 5000;

export interface Measured { quality: Quality; figures: Figures; deaf: boolean; dumb: boolean }

/** `expectSound`, `muted`: on hold nobody is heard, muted nobody is missed. Returns what ends it. */
export function measure(
  peer: RTCPeerConnection,
  asked: { expectSound: () => boolean; muted: () => boolean },
  tell: (measured: Measured) => void,
): () => void {
  const readings: Reading[] = [];
  let [deaf, dumb]: (number | null)[] = [null, null];
  let ended = false;
  async function once(): Promise<void> {
    const now = await read(peer).catch(() => null);
    if (!now || ended) return;
    readings.push(now);
    if (readings.length > WINDOW) readings.shift();
    const [past, last] = [readings[0] ?? now, readings.at(-2) ?? now];
    if (last === now) return;
    const figures = figuresOf(past, last, now);
    const heard = lasting(deaf ?? null, asked.expectSound() && (figures.flow <= 0 || isSilent(figures.levelIn)), now.at, SILENT_MS);
    const spoken = lasting(dumb ?? null, !asked.muted() && isSilent(figures.levelOut), now.at, SILENT_MS);
    deaf = heard.since;
    dumb = spoken.since;
    tell({ quality: qualityOf(figures), figures, deaf: heard.told, dumb: spoken.told });
  }
  const timer = setInterval(() => void once(), EVERY_MS);
  void once();
  return () => {
    ended = true;
    clearInterval(timer);
  };
}

const isSilent = (level: number | null) => level !== null && level < SILENCE;

async function read(peer: RTCPeerConnection): Promise<Reading> {
  const reading: Reading = {
    at: Date.now(), packetsIn: 0, packetsOut: 0, lostIn: 0, lostOut: null, jitterMs: null, roundTripMs: null,
    energyIn: 0, heardS: 0, energyOut: 0, spokenS: 0,
  };
  const ms = (seconds: unknown) => (typeof seconds === "number" ? seconds * 1000 : null);
  // The types of the DOM library lag behind the standard; every field may be missing in some browser.
  (await peer.getStats()).forEach((one: Record<string, unknown>) => {
    const number = (name: string) => (typeof one[name] === "number" ? (one[name] as number) : 0);
    if (one["type"] === "inbound-rtp" && one["kind"] === "audio") {
      reading.packetsIn += number("packetsReceived");
      reading.lostIn += number("packetsLost");
      reading.jitterMs = ms(one["jitter"]);
      reading.energyIn += number("totalAudioEnergy");
      reading.heardS += number("totalSamplesDuration");
    } else if (one["type"] === "outbound-rtp" && one["kind"] === "audio") {
      reading.packetsOut += number("packetsSent");
    } else if (one["type"] === "remote-inbound-rtp" && one["kind"] === "audio") {
      reading.lostOut = number("packetsLost");
      reading.roundTripMs ??= ms(one["roundTripTime"]);
    } else if (one["type"] === "media-source" && one["kind"] === "audio") {
      reading.energyOut += number("totalAudioEnergy");
      reading.spokenS += number("totalSamplesDuration");
    } else if (one["type"] === "candidate-pair" && one["nominated"] === true && one["state"] === "succeeded") {
      // Asked by ICE every few seconds; newer than what RTCP tells.
      reading.roundTripMs = ms(one["currentRoundTripTime"]) ?? reading.roundTripMs;
    }
  });
  return reading;
}
