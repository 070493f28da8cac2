// A microphone's level while somebody looks at it, about fifteen times a second.
import { openMicrophone } from "./devices";

const EVERY_MS = 66;

/** Returns what ends it and lets go of the microphone. */
export function listen(id: string, tell: (level: number) => void, failed: () => void): () => void {
  let end = () => undefined as void;
  let ended = false;
  openMicrophone(id).then((stream) => {
    const stop = () => stream.getTracks().forEach((track) => track.stop());
    if (ended) return stop();
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(stream).connect(analyser);
    const wave = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(wave);
      tell(Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length));
    }, EVERY_MS);
    end = () => {
      clearInterval(timer);
      stop();
      void context.close();
    };
  }, () => { if (!ended) failed(); });
  return () => {
    ended = true;
    end();
  };
}
