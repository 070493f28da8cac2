// What of the call controls is open on this screen: the target picker, the keypad, the pick-up list, a question before dialling.
import { create } from "zustand";

export type PickFor = "consult" | "transfer" | "conference" | "dial";

/** A number that waits for a yes: it came from outside the page, or a call is going on. */
export interface Asked { number: string; why: "outside" | "busy" }

interface Panel {
  picker: { mode: PickFor; call: string | null; search: string } | null;
  /** The call whose keypad is open. */
  keypad: string | null;
  pickUp: boolean;
  asked: Asked | null;
  set: (part: Partial<Omit<Panel, "set">>) => void;
}

export const usePanel = create<Panel>((set) => ({ picker: null, keypad: null, pickUp: false, asked: null, set: (part) => set(part) }));

export function openPicker(mode: PickFor, call: string | null, search = ""): void {
  usePanel.getState().set({ picker: { mode, call, search } });
}
