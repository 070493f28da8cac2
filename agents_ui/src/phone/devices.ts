// Microphones and loudspeakers: what is there, which are wished for, and what is used when a wished one is not there.
import type { AudioTrouble, Device } from "./state";
import type { Wishes } from "./sound";

const STORED = "cti.phone.devices";
export const plain: Wishes = { mic: "", speaker: "", ring: "", volume: 1, ringVolume: 0.7 };

/** What was chosen, with the names: an unplugged device has none any more, and is to be named. */
export interface Choices extends Wishes { labels: Partial<Record<Device, string>> }

const level = (value: unknown, otherwise: number) => (typeof value === "number" && value >= 0 && value <= 1 ? value : otherwise);
const text = (value: unknown) => (typeof value === "string" ? value : "");

export function storedChoices(): Choices {
  try {
    const held = JSON.parse(localStorage.getItem(STORED) ?? "{}") as Partial<Choices>;
    return {
      mic: text(held.mic), speaker: text(held.speaker), ring: text(held.ring),
      volume: level(held.volume, plain.volume), ringVolume: level(held.ringVolume, plain.ringVolume), labels: held.labels ?? {},
    };
  } catch {
    return { ...plain, labels: {} };
  }
}

export function keepChoices(choices: Choices): void {
  try {
    localStorage.setItem(STORED, JSON.stringify(choices));
  } catch {
    // No storage: chosen for this page.
  }
}

export interface Found { id: string; label: string }
export interface Devices { mics: Found[]; outputs: Found[] }

/** Without permission a browser tells no names and no ids: the lists are empty then. */
export async function findDevices(): Promise<Devices> {
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const of = (kind: MediaDeviceKind) =>
    all.filter((one) => one.kind === kind && one.deviceId && one.deviceId !== "default" && one.deviceId !== "communications")
      .map((one) => ({ id: one.deviceId, label: one.label }));
  return { mics: of("audioinput"), outputs: of("audiooutput") };
}

const kinds: [Device, keyof Devices][] = [["mic", "mics"], ["speaker", "outputs"], ["ring", "outputs"]];

/** What is used: the chosen ones that are there, the system's own ("") for the rest, which are named. */
export function settled(choices: Choices, found: Devices): { use: Wishes; missing: Partial<Record<Device, string>> } {
  const use: Wishes = { ...choices };
  const missing: Partial<Record<Device, string>> = {};
  for (const [device, list] of kinds) {
    const wished = choices[device];
    // An empty list says nothing about what is plugged in.
    if (!wished || found[list].length === 0 || found[list].some((one) => one.id === wished)) continue;
    use[device] = "";
    missing[device] = choices.labels[device] ?? "";
  }
  return { use, missing };
}

/** Rejects with {trouble}. A chosen microphone that is gone is replaced by the system's own. */
export async function openMicrophone(id: string): Promise<MediaStream> {
  const asked = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: id ? { ...asked, deviceId: { exact: id } } : asked });
  } catch (error) {
    if (id && error instanceof DOMException && ["OverconstrainedError", "NotFoundError"].includes(error.name)) return openMicrophone("");
    throw new MicrophoneError(troubleOf(error));
  }
}

export class MicrophoneError extends Error {
  constructor(readonly trouble: AudioTrouble) {
    super(trouble);
  }
}

const named: Record<string, AudioTrouble> = {
  NotAllowedError: "mic_denied", SecurityError: "mic_denied", NotFoundError: "mic_missing", OverconstrainedError: "mic_missing",
  NotReadableError: "mic_busy", AbortError: "mic_busy",
};
export const troubleOf = (error: unknown): AudioTrouble => named[(error as { name?: string } | null)?.name ?? ""] ?? "mic_failed";

/** Whether the browser has been asked: "prompt" is worth a button before the first call, not during it. */
export async function microphonePermission(): Promise<PermissionState | "unknown"> {
  try {
    return (await navigator.permissions.query({ name: "microphone" as PermissionName })).state;
  } catch {
    return "unknown"; // Safari before 16
  }
}
