// One call's voice: microphone in, the other side out, mute, a change of microphone in mid-call, and its measuring.
import type { Measured } from "./stats";
import type { Session } from "./sip";
import type { Sound } from "./sound";

export interface VoiceTools {
  microphone: (id: string) => Promise<MediaStream>;
  measure: (peer: RTCPeerConnection, muted: () => boolean, tell: (measured: Measured) => void) => () => void;
  sound: Sound;
}

export interface Voice {
  /** Rejects with MicrophoneError; the call goes on ringing then. `quietly`: not heard before the beep is over. */
  answer(mic: string, quietly: boolean): Promise<void>;
  answered(tell: (measured: Measured) => void): void;
  mute(on: boolean): void;
  /** Another microphone, from now on. */
  swap(mic: string): Promise<void>;
  close(): void;
}

/** `onUnplugged`: the microphone ended by itself. */
export function openVoice(session: Session, tools: VoiceTools, onUnplugged: () => void): Voice {
  let stream: MediaStream | null = null;
  let stopMeasuring: (() => void) | null = null;
  let muted = false;
  let beeping = false;
  let closed = false;

  function apply(): void {
    for (const track of stream?.getAudioTracks() ?? []) track.enabled = !muted && !beeping;
  }

  function take(fresh: MediaStream): void {
    stream = fresh;
    for (const track of fresh.getAudioTracks()) track.onended = () => { if (stream === fresh && !closed) onUnplugged(); };
    apply();
  }

  const stop = (old: MediaStream | null) => old?.getTracks().forEach((track) => track.stop());

  return {
    answer: async (mic, quietly) => {
      const fresh = await tools.microphone(mic);
      if (closed) return stop(fresh);
      beeping = quietly;
      take(fresh);
      try {
        session.answer(fresh);
      } catch (error) {
        stop(fresh);
        throw error;
      }
      if (!quietly) return;
      await tools.sound.beep();
      beeping = false;
      apply();
    },
    answered: (tell) => {
      const peer = session.peer();
      if (peer && !stopMeasuring) stopMeasuring = tools.measure(peer, () => muted || beeping, tell);
    },
    mute: (on) => {
      muted = on;
      apply();
    },
    swap: async (mic) => {
      const peer = session.peer();
      const old = stream;
      if (!peer || !old) return;
      const fresh = await tools.microphone(mic);
      if (closed) return stop(fresh);
      take(fresh);
      const [track] = fresh.getAudioTracks();
      const sender = peer.getSenders().find((one) => one.track?.kind === "audio") ?? peer.getSenders()[0];
      if (track) await sender?.replaceTrack(track);
      stop(old);
    },
    close: () => {
      closed = true;
      stopMeasuring?.();
      stop(stream);
      tools.sound.heard(null);
    },
  };
}
