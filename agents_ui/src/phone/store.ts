// What the phone shows, as a store: the state of state.ts, and the devices that are there.
import { create } from "zustand";
import type { Devices } from "./devices";
import { silent, step, type PhoneEvent, type PhoneState } from "./state";

interface PhoneStore extends PhoneState {
  devices: Devices;
  permission: PermissionState | "unknown";
  tell: (event: PhoneEvent) => void;
}

export const usePhoneStore = create<PhoneStore>((set) => ({
  ...silent,
  devices: { mics: [], outputs: [] },
  permission: "unknown",
  tell: (event) => set((state) => step(state, event)),
}));
