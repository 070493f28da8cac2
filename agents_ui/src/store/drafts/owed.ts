// Wrap-ups that I left unfinished: fetched at sign-in and whenever a call of mine may have become or ceased to be one.
import { create } from "zustand";
import { api } from "../../wire/api";
import type { Owed } from "../../wire/types";
import { noteDrafts } from "./noteDrafts";
import { useStore } from "../desk/store";

interface State { items: Owed[]; loaded: boolean; failed: boolean }

export const useOwed = create<State>(() => ({ items: [], loaded: false, failed: false }));

let timer: ReturnType<typeof setTimeout> | undefined;
let running = 0;

export async function loadOwed(): Promise<void> {
  const run = (running += 1);
  try {
    const items = await api.owed();
    if (run !== running) return;
    for (const { interaction, draft } of items) noteDrafts()?.seed(draftKey(interaction.id), interaction.id, draft);
    useOwed.setState({ items, loaded: true, failed: false });
  } catch {
    if (run === running) useOwed.setState({ failed: true });
  }
}

/** Several events end one call; the tray is asked for once, after the last of them. */
export function refreshOwed(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void loadOwed(), 500);
}

export function forgetOwed(): void {
  clearTimeout(timer);
  running += 1;
  useOwed.setState({ items: [], loaded: false, failed: false });
}

/** Drafts are kept by call while it is on the desk; one that is found later, only by its interaction. */
export function draftKey(interaction: number): string {
  const call = Object.values(useStore.getState().desk.calls).find((entry) => entry.interaction === interaction);
  return call?.call ?? noteDrafts()?.callOf(interaction) ?? `interaction:${interaction}`;
}
