// What a person set for this browser: desktop notifications. Single keys stand in keys.ts, auto-answer in the profile.
import { create } from "zustand";

export type Wanted = "unasked" | "on" | "off";
const STORED = "cti.notify";

function stored(): Wanted {
  try {
    const value = localStorage.getItem(STORED);
    return value === "on" || value === "off" ? value : "unasked";
  } catch {
    return "unasked";
  }
}

/** Browsers notify only over https or on localhost. */
export const canNotify = (): boolean => "Notification" in globalThis && globalThis.isSecureContext;

/** `pinned`: the dialog shows what is shown once, and closes by its own buttons only. */
export const useSettings = create<{ open: boolean; pinned: boolean; notify: Wanted; denied: boolean }>(() => ({
  open: false, pinned: false, notify: stored(), denied: canNotify() && Notification.permission === "denied",
}));

/** Asked for by a person who pressed a button, never at load. */
export async function setNotify(on: boolean): Promise<void> {
  const allowed = on && canNotify() ? await Notification.requestPermission() : "default";
  const notify: Wanted = on && allowed === "granted" ? "on" : "off";
  useSettings.setState({ notify, denied: allowed === "denied" });
  try {
    localStorage.setItem(STORED, notify);
  } catch {
    // Storage may be forbidden; the choice then lasts for the page.
  }
}
