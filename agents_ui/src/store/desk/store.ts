// The zustand stores: the desk (folded from the wire) and what belongs to this screen only.
import { create } from "zustand";
import type { SocketState } from "../../wire/socket";
import type { CallView, Frame, Language, Problem } from "../../wire/types";
import { emptyDesk, fold, isMine, myParty, type Desk } from "./fold";

export type Phase = "starting" | "signed_out" | "signed_in";
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
  set: (part: Partial<Omit<Store, "receive" | "set">>) => void;
}

export const useStore = create<Store>((set) => ({
  phase: "starting",
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
  set: (part) => set(part),
}));

/** My calls, oldest first, so that a tab keeps its place. */
export function myCalls(desk: Desk): CallView[] {
  return Object.values(desk.calls)
    .filter((call) => isMine(call, desk.me))
    .sort((a, b) => a.started_at.localeCompare(b.started_at) || a.call.localeCompare(b.call));
}

/** The call on the screen: the chosen tab while it lives, else the one being spoken on, else the oldest. */
export function currentCall(desk: Desk, selected: string | null): CallView | null {
  const calls = myCalls(desk);
  return (
    calls.find((call) => call.call === selected) ??
    calls.find((call) => myParty(call, desk.me)?.state !== "ringing") ??
    calls[0] ??
    null
  );
}

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
