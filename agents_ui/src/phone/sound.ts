// What the agent hears: the other side, the ring, the beep before an answer. Each goes to a device of its own, by
// setSinkId where the browser has it (Chromium, Edge, Firefox 116; Safari plays all to the system's).
import type { Device } from "./state";

export interface Wishes { mic: string; speaker: string; ring: string; volume: number; ringVolume: number }

const RING_ON_MS = 1000;
const RING_EVERY_MS = 3000;

export interface Sound {
  heard(stream: MediaStream | null): void;
  ring(on: boolean): void;
  /** Resolves when it is over. */
  beep(): Promise<void>;
  /** What may be refused is told; the others go on. */
  use(wishes: Wishes): Promise<Device[]>;
  /** After a click or a key: browsers keep a page silent until then. */
  wake(): void;
  blocked(): boolean;
  close(): void;
}

export function openSound(onBlocked: (blocked: boolean) => void): Sound {
  const voice = new Audio();
  voice.autoplay = true;
  const ringer = new Audio();
  const context = new AudioContext();
  const toRinger = context.createMediaStreamDestination();
  const toVoice = context.createMediaStreamDestination();
  const ringGain = context.createGain();
  ringGain.connect(toRinger);
  ringer.srcObject = toRinger.stream;
  const beeper = new Audio();
  beeper.srcObject = toVoice.stream;
  let ringing: ReturnType<typeof setInterval> | undefined;
  let refused = false;

  function tell(now: boolean): void {
    if (now === refused) return;
    refused = now;
    onBlocked(now);
  }

  async function play(element: HTMLAudioElement): Promise<void> {
    try {
      await element.play();
      tell(false);
    } catch (error) {
      // A newer play or pause overtook this one: nothing was refused.
      if (error instanceof DOMException && error.name === "NotAllowedError") tell(true);
    }
  }

  function tone(frequencies: number[], forMs: number, loud: number, into: AudioNode): void {
    const start = context.currentTime;
    const end = start + forMs / 1000;
    const envelope = context.createGain();
    envelope.gain.setValueAtTime(0, start);
    envelope.gain.linearRampToValueAtTime(loud, start + 0.02);
    envelope.gain.setValueAtTime(loud, Math.max(start + 0.02, end - 0.03));
    envelope.gain.linearRampToValueAtTime(0, end);
    envelope.connect(into);
    for (const frequency of frequencies) {
      const oscillator = context.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(envelope);
      oscillator.start(start);
      oscillator.stop(end);
      oscillator.onended = () => oscillator.disconnect();
    }
    setTimeout(() => envelope.disconnect(), forMs + 200);
  }

  // Two soft thirds, as a desk phone; not the 440/480 of a ringback, which says that one is calling.
  function ringOnce(): void {
    tone([659, 831], RING_ON_MS / 2, 0.25, ringGain);
    setTimeout(() => { if (ringing) tone([554, 698], RING_ON_MS / 2, 0.25, ringGain); }, RING_ON_MS / 2);
  }

  return {
    heard: (stream) => {
      voice.srcObject = stream;
      if (stream) void play(voice);
      else voice.pause();
    },
    ring: (on) => {
      clearInterval(ringing);
      ringing = undefined;
      if (!on) return ringer.pause();
      if (context.state !== "running") {
        tell(true);
        void context.resume().then(() => tell(false));
      }
      void play(ringer);
      ringing = setInterval(ringOnce, RING_EVERY_MS);
      ringOnce();
    },
    beep: async () => {
      await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 200))]);
      void play(beeper);
      tone([988], 150, 0.3, toVoice);
      await new Promise((resolve) => setTimeout(resolve, 250));
      beeper.pause();
    },
    use: async (wishes) => {
      voice.volume = wishes.volume;
      beeper.volume = wishes.volume;
      ringGain.gain.value = wishes.ringVolume;
      const failed: Device[] = [];
      const sink = async (device: Device, element: HTMLAudioElement, id: string) => {
        if (!("setSinkId" in element) || element.sinkId === id) return;
        await element.setSinkId(id).catch(async () => {
          failed.push(device);
          await element.setSinkId("").catch(() => undefined);
        });
      };
      await sink("speaker", voice, wishes.speaker);
      await sink("speaker", beeper, wishes.speaker);
      await sink("ring", ringer, wishes.ring);
      return [...new Set(failed)];
    },
    wake: () => {
      void context.resume();
      if (voice.srcObject && voice.paused) void play(voice);
      if (ringing) void play(ringer);
      tell(false);
    },
    blocked: () => refused,
    close: () => {
      clearInterval(ringing);
      for (const element of [voice, ringer, beeper]) {
        element.pause();
        element.srcObject = null;
      }
      void context.close();
    },
  };
}

export const canChooseOutput = (): boolean => "setSinkId" in HTMLMediaElement.prototype;
