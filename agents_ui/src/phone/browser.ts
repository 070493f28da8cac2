// The phone in a real browser: builds the world that phone.ts works in, and passes on what happens around it: the desk,
// events of the server, devices plugged in and out, the network, the first click.
import { onEvent } from "../store/desk/events";
import { useStore } from "../store/desk/store";
import { api, ProblemError } from "../wire/api";
import { serverNow } from "../wire/clock";
import { backoff } from "../wire/socket";
import { findDevices, keepChoices, microphonePermission, openMicrophone, settled, storedChoices, type Choices } from "./devices";
import { floorCall } from "./floor";
import { openLine } from "./line";
import { openPhone } from "./phone";
import { openSound } from "./sound";
import { measure } from "./stats";
import { usePhoneStore } from "./store";
import type { Device } from "./state";
import { holdPhone } from "./windows";
import type { Phone, World } from "./world";

const FIRST_SNAPSHOT_MS = 3000;
const MARK = "cti.phone.speaking";

export interface BrowserPhone extends Phone {
  choose(changes: Partial<Choices>): void;
  /** Asks for the microphone, so that no call has to wait for the question. */
  allowMicrophone(): Promise<void>;
  refreshDevices(): Promise<void>;
  tryRing(): void;
}

/** A page of http: has no microphone; what the browser lacks is said before a call comes. */
function cannot(): "insecure" | "unsupported" | null {
  if (!window.isSecureContext) return "insecure";
  return "RTCPeerConnection" in window && "mediaDevices" in navigator && "locks" in navigator ? null : "unsupported";
}

export function openBrowserPhone(agent: number): BrowserPhone | null {
  const { tell } = usePhoneStore.getState();
  const reason = cannot();
  if (reason) {
    tell({ type: "off", at: Date.now(), reason });
    return null;
  }
  const desktop = crypto.randomUUID();
  const sound = openSound((blocked) => {
    const { trouble } = usePhoneStore.getState();
    if (blocked) tell({ type: "trouble", code: "sound_blocked" });
    else if (trouble === "sound_blocked") tell({ type: "trouble", code: null });
  });
  let choices = storedChoices();
  let used = settled(choices, usePhoneStore.getState().devices).use;

  const warn = (event: BeforeUnloadEvent) => event.preventDefault();
  const world: World = {
    desk: () => useStore.getState().desk,
    isCurrent,
    arrived,
    state: () => usePhoneStore.getState(),
    tell,
    account: () => api.softphone(),
    claim: () => api.claimPhone(desktop),
    reconnect: async (call) => (await api.command(call, "reconnect")).request,
    problemOf: (error) => (error instanceof ProblemError ? error.problem : null),
    openLine,
    sound,
    hold: (on) => holdPhone(`cti.phone.${agent}`, on),
    mark: { set: (call) => keep(`${MARK}.${agent}`, call), get: () => kept(`${MARK}.${agent}`) },
    warnOnLeave: (on) => (on ? addEventListener("beforeunload", warn) : removeEventListener("beforeunload", warn)),
    mic: () => used.mic,
    microphone: async (id) => {
      const stream = await openMicrophone(id);
      // Only now are names and ids of devices told.
      if (usePhoneStore.getState().permission !== "granted") void refreshDevices();
      return stream;
    },
    measure: (peer, muted, heard) => measure(peer, { muted, expectSound }, heard),
    now: () => Date.now(),
    pause: (attempt) => backoff(attempt, Math.random),
  };
  const phone = openPhone(world);

  async function use(next: Choices): Promise<void> {
    choices = next;
    const before = used.mic;
    const { use: wishes, missing } = settled(choices, usePhoneStore.getState().devices);
    used = wishes;
    const failed = await sound.use(used);
    for (const device of ["mic", "speaker", "ring"] satisfies Device[]) {
      const label = failed.includes(device) ? (choices.labels[device] ?? "") : missing[device];
      const known = usePhoneStore.getState().missing[device];
      if (label !== known) tell({ type: "missing", device, label: label ?? null });
    }
    if (used.mic !== before) await phone.swapMicrophone();
  }

  async function refreshDevices(): Promise<void> {
    const [devices, permission] = await Promise.all([findDevices(), microphonePermission()]);
    usePhoneStore.setState({ devices, permission });
    if (permission === "granted" && usePhoneStore.getState().trouble === "mic_denied") tell({ type: "trouble", code: null });
    await use(choices);
  }

  const wake = () => sound.wake();
  const look = () => phone.look();
  const changed = () => void refreshDevices();
  navigator.mediaDevices.addEventListener("devicechange", changed);
  addEventListener("online", look);
  const visible = () => { if (!document.hidden) phone.look(); };
  document.addEventListener("visibilitychange", visible);
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, wake, { capture: true });
  const undo = [
    useStore.subscribe(() => phone.follow()),
    // The server's clock is the event's, not ours.
    onEvent("phone.answer", (event) => phone.toAnswer({ ...event, at: new Date(Date.parse(event.at) + Date.now() - serverNow()).toISOString() })),
    onEvent("phone.claimed", ({ body }) => phone.claimed(body.desktop === desktop ? "mine" : "other")),
  ];
  void refreshDevices();
  void followPermission(changed).then((end) => undo.push(end));

  return {
    ...phone,
    choose: (changes) => {
      const next = { ...choices, ...changes, labels: { ...choices.labels, ...changes.labels } };
      keepChoices(next);
      void use(next);
    },
    allowMicrophone: async () => {
      try {
        for (const track of (await openMicrophone(used.mic)).getTracks()) track.stop();
        if (usePhoneStore.getState().trouble?.startsWith("mic_")) tell({ type: "trouble", code: null });
      } catch (error) {
        tell({ type: "trouble", code: (error as { trouble?: "mic_denied" }).trouble ?? "mic_failed" });
      }
      await refreshDevices();
    },
    refreshDevices,
    tryRing: () => {
      sound.ring(true);
      setTimeout(() => sound.ring(usePhoneStore.getState().call?.state === "ringing"), 1800);
    },
    close: () => {
      navigator.mediaDevices.removeEventListener("devicechange", changed);
      removeEventListener("online", look);
      document.removeEventListener("visibilitychange", visible);
      for (const kind of ["pointerdown", "keydown"]) removeEventListener(kind, wake, { capture: true });
      for (const end of undo) end();
      phone.close();
    },
  };
}

function isCurrent(): boolean {
  const { socket, desk } = useStore.getState();
  return socket.name === "open" && Object.values(desk.links).every((link) => link.state === "live");
}

/** On hold the other side hears music and we hear nothing. */
function expectSound(): boolean {
  const { desk } = useStore.getState();
  const here = floorCall(desk, usePhoneStore.getState().call);
  return here === null || (here.part.state !== "hold" && here.call.state !== "parked");
}

function arrived(): Promise<void> {
  const there = () => useStore.getState().socket.name === "open";
  if (there()) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(end, FIRST_SNAPSHOT_MS);
    const stop = useStore.subscribe(() => { if (there()) end(); });
  });
}

async function followPermission(changed: () => void): Promise<() => void> {
  try {
    const status = await navigator.permissions.query({ name: "microphone" as PermissionName });
    status.addEventListener("change", changed);
    return () => status.removeEventListener("change", changed);
  } catch {
    return () => undefined;
  }
}

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Forbidden storage: a reload cannot bring the call back by itself, the button can.
  }
}
