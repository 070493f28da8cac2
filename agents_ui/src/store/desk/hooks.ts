// Selectors that several views share.
import { useMemo, useSyncExternalStore } from "react";
import type { CallView, Card } from "../../wire/types";
import { noteDrafts } from "../session/session";
import { currentCall, myCalls, useStore } from "./store";

export function useMyCalls(): CallView[] {
  const desk = useStore((store) => store.desk);
  return useMemo(() => myCalls(desk), [desk]);
}

export function useCurrentCall(): { call: CallView | null; card: Card | null } {
  const desk = useStore((store) => store.desk);
  const selected = useStore((store) => store.selected);
  return useMemo(() => {
    const call = currentCall(desk, selected);
    return { call, card: call ? (desk.cards[call.call] ?? null) : null };
  }, [desk, selected]);
}

const nothing = () => () => undefined;

/** Re-renders on any change of a note draft; returns what `read` takes from them. */
export function useDrafts<T extends string | number | boolean | null>(read: (drafts: NonNullable<ReturnType<typeof noteDrafts>>) => T, otherwise: T): T {
  const drafts = noteDrafts();
  return useSyncExternalStore(drafts?.subscribe ?? nothing, () => {
    const held = noteDrafts();
    return held ? read(held) : otherwise;
  });
}
