// Selectors that several views share.
import { useMemo, useSyncExternalStore } from "react";
import type { CallView, Card, PartView } from "../../wire/types";
import { noteDrafts } from "../drafts/noteDrafts";
import { currentCall, myCalls, myPart } from "./desk";
import { useStore } from "./store";

export function useMyCalls(): CallView[] {
  const calls = useStore((store) => store.desk.calls);
  const parts = useStore((store) => store.desk.parts);
  return useMemo(() => myCalls({ calls, parts }), [calls, parts]);
}

/** My part of a call, with where I stand in it and what I may do. */
export function useMyPart(call: string | null): PartView | null {
  return useStore((store) => (call === null ? null : myPart(store.desk, call)));
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
