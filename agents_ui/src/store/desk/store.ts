// The zustand stores: the desk (folded from the wire) and what belongs to this screen only.
import { create } from "zustand";
import type { SocketState } from "../../wire/socket";
import type { Frame, Language, Problem } from "../../wire/types";
import { emptyDesk, type Desk } from "./desk";
import { fold } from "./fold";

/** `must_set_up`: signed in, and nothing is open before two-step sign-in is on. */
export type Phase = "starting" | "signed_out" | "must_set_up" | "signed_in";
export type Theme = "system" | "light" | "dark";

/** `about` is what was tried, before what became of it. */
export interface Toast {
  id: number;
  tone: "bad" | "ok" | "info" | "warn";
  problem?: Problem;
  text?: string;
  about?: string;
  detail?: string;
  action?: { text: string; run: () => void };
  /** Until it is dismissed. */
  stays?: boolean;
  /** The page that says more: once it is open the toast has done its work. */
  path?: string;
}

interface Store {
  phase: Phase;
  /** Why a sign-in through the identity provider came to nothing. */
  refused: Problem | null;
  desk: Desk;
  socket: SocketState;
  language: Language;
  theme: Theme;
  path: string;
  /** The call whose tab is open; null lets the newest of mine show. */
  selected: string | null;
  overlay: "keys" | null;
  toasts: Toast[];
  /** A state change that was asked for and not yet confirmed. */
  pendingState: { request: string; name: "ready" | "not_ready"; reason: string | null } | null;
  receive: (frame: Frame) => void;
  /** Lays into the desk what did not come as a frame. */
  change: (step: (desk: Desk) => Desk) => void;
  set: (part: Partial<Omit<Store, "receive" | "change" | "set">>) => void;
}

export const useStore = create<Store>((set) => ({
  phase: "starting",
  refused: null,
  desk: emptyDesk,
  socket: { name: "connecting", since: Date.now(), attempt: 0 },
  language: "en",
  theme: "system",
  path: "/",
  selected: null,
  overlay: null,
  toasts: [],
  pendingState: null,
  receive: (frame) => set((state) => ({ desk: fold(state.desk, frame) })),
  change: (step) => set((state) => ({ desk: step(state.desk) })),
  set: (part) => set(part),
}));

let toastId = 0;
/** Returns what takes it away. */
export function toast(entry: Omit<Toast, "id">): () => void {
  const id = (toastId += 1);
  useStore.getState().set({ toasts: [...useStore.getState().toasts.slice(-3), { ...entry, id }] });
  if (!entry.stays) setTimeout(() => dismissToast(id), entry.tone === "bad" || entry.action ? 12_000 : 4000);
  return () => dismissToast(id);
}

export function dismissToast(id: number): void {
  useStore.getState().set({ toasts: useStore.getState().toasts.filter((entry) => entry.id !== id) });
}
