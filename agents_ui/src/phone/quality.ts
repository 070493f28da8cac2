// What the network does to the voice: two readings of the browser's counters, a second apart, become one figure.
// Pure; `stats.ts` reads the counters.

export type Quality = "good" | "fair" | "poor" | "none";

/** Counters of one call since its start, as RTCPeerConnection.getStats tells them. Energy and time are WebRTC's. */
export interface Reading {
  at: number;
  packetsIn: number;
  packetsOut: number;
  lostIn: number;
  /** Of what we sent, as the PBX tells it. */
  lostOut: number | null;
  jitterMs: number | null;
  roundTripMs: number | null;
  energyIn: number;
  heardS: number;
  energyOut: number;
  spokenS: number;
}

export interface Figures {
  packetsIn: number;
  packetsOut: number;
  /** Shares, 0..1, of the last seconds. */
  lossIn: number;
  lossOut: number;
  jitterMs: number | null;
  roundTripMs: number | null;
  /** RMS of what is heard and of what the microphone gives, 0..1, over the last second; null: this browser does not say. */
  levelIn: number | null;
  levelOut: number | null;
  /** Packets that came in the last second. */
  flow: number;
}

/** RMS over a stretch: WebRTC sums level² · seconds (webrtc-stats, totalAudioEnergy). */
const rms = (energy: number, seconds: number) => (seconds > 0 ? Math.sqrt(Math.max(0, energy) / seconds) : null);
const share = (lost: number, came: number) => (lost + came > 0 ? Math.max(0, lost) / (Math.max(0, lost) + came) : 0);

/** `past` is some seconds old (for loss, which comes in bursts), `last` one second. */
export function figuresOf(past: Reading, last: Reading, now: Reading): Figures {
  const came = Math.max(0, now.packetsIn - past.packetsIn);
  const went = Math.max(0, now.packetsOut - past.packetsOut);
  return {
    packetsIn: now.packetsIn,
    packetsOut: now.packetsOut,
    lossIn: share(now.lostIn - past.lostIn, came),
    lossOut: went > 0 ? Math.min(1, Math.max(0, (now.lostOut ?? 0) - (past.lostOut ?? 0)) / went) : 0,
    jitterMs: now.jitterMs,
    roundTripMs: now.roundTripMs,
    levelIn: rms(now.energyIn - last.energyIn, now.heardS - last.heardS),
    levelOut: rms(now.energyOut - last.energyOut, now.spokenS - last.spokenS),
    flow: now.packetsIn - last.packetsIn,
  };
}

// ITU-T G.114: up to 150 ms one way (300 ms there and back) hardly anybody notices, from 400 ms on people interrupt
// each other. G.711 and Opus conceal about 2 % of loss unheard, and are hard to follow above 5 %.
const limits = [
  { quality: "good", loss: 0.02, jitter: 30, roundTrip: 300 },
  { quality: "fair", loss: 0.05, jitter: 60, roundTrip: 600 },
] as const;

export function qualityOf(figures: Figures): Quality {
  if (figures.flow <= 0) return "none";
  const loss = Math.max(figures.lossIn, figures.lossOut);
  const fits = limits.find(
    (limit) => loss <= limit.loss && (figures.jitterMs ?? 0) <= limit.jitter && (figures.roundTripMs ?? 0) <= limit.roundTrip,
  );
  return fits?.quality ?? "poor";
}

/** Below one step of 16 bit audio: digital silence, no voice and no room. A muted headset gives exactly that. */
export const SILENCE = 2e-5;

/** Since when something has been so, and whether that is long enough to say it. */
export function lasting(since: number | null, so: boolean, at: number, limitMs: number): { since: number | null; told: boolean } {
  const start = so ? (since ?? at) : null;
  return { since: start, told: start !== null && at - start >= limitMs };
}
