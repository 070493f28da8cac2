// The phone for the rest of the desktop. What it takes to be one (JsSIP, sound, WebRTC) is loaded only when my shift's
// phone is a browser: who has a phone on the desk pays nothing for it.
import { useStore } from "../store/desk/store";
import type { BrowserPhone } from "./browser";
import { browserSeat } from "./floor";
import { usePhoneStore } from "./store";
import type { PhoneState } from "./state";

let phone: BrowserPhone | null = null;
let at: string | null = null;
let resting = false;
let loading = 0;

/** The phone's state; `call` is null while no voice and no ringing is in this window. */
export function usePhone(): PhoneState {
  return usePhoneStore();
}

/** Whether my calls' voice is here: then mute is here too, and hanging up works without the server. */
export const useVoiceHere = (): boolean => usePhoneStore((state) => state.call?.state === "talking");

export const phoneState = (): PhoneState => usePhoneStore.getState();
export const answer = (): void => void phone?.answer("agent");
export const reject = (busy = false): void => phone?.reject(busy);
export const hangUp = (): void => phone?.hangUp();
export const setMuted = (on: boolean): void => phone?.setMuted(on);
export const browserPhone = (): BrowserPhone | null => phone;

/** Follows sign-in, seat and sign-out from now on. Returns what ends it. */
export function startPhone(): () => void {
  const stops = [useStore.subscribe(sync), usePhoneStore.subscribe(sync)];
  sync();
  return () => stops.forEach((stop) => stop());
}

/** Agent and seat: a change of either is another phone. */
function wanted(): string | null {
  const { phase, desk } = useStore.getState();
  const seat = browserSeat(desk);
  return phase === "signed_in" && desk.me && seat ? `${desk.me.id} ${seat}` : null;
}

function sync(): void {
  const want = wanted();
  if (want === at && !resting) return;
  // The session ran out, or the shift ended, in mid-call: the caller is not to pay for it.
  if (phone && want !== at && usePhoneStore.getState().call?.state === "talking") {
    if (!resting) {
      resting = true;
      phone.rest();
    }
    return;
  }
  if (phone && want === at) {
    resting = false;
    return phone.useHere();
  }
  resting = false;
  at = want;
  const turn = (loading += 1);
  const old = phone;
  phone = null;
  old?.close();
  if (want) void load(Number(want.split(" ")[0]), turn);
}

async function load(agent: number, turn: number): Promise<void> {
  try {
    const { openBrowserPhone } = await import("./browser");
    if (turn === loading) phone = openBrowserPhone(agent);
  } catch {
    // The chunk did not come: the server was restarted with a newer desktop, or the network is gone.
    if (turn !== loading) return;
    usePhoneStore.getState().tell({ type: "off", at: Date.now(), reason: "unsupported", detail: "load" });
    setTimeout(() => { if (turn === loading) void load(agent, turn); }, 10_000);
  }
}
