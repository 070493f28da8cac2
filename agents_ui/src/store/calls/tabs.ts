// Which of my calls is on the screen when one comes, is answered or goes.
import { mayMove } from "../../lib/typing";
import type { PartState } from "../../wire/types";
import { isBusy, myCalls, myPart } from "../desk/desk";
import { useStore } from "../desk/store";

/** My calls with the state of my part in each. */
export function myStates(): Map<string, PartState> {
  const { desk } = useStore.getState();
  return new Map(myCalls(desk).flatMap(({ call }) => {
    const part = myPart(desk, call);
    return part ? [[call, part.state]] : [];
  }));
}

/** A new call opens its tab only when nobody is being spoken with; while somebody types, no tab is swapped away. */
export function chooseTab(before: Map<string, PartState>, selected: string | null): void {
  const { desk, set, path } = useStore.getState();
  const mine = myCalls(desk);
  const [first] = mine.filter((call) => !before.has(call.call));
  if (selected && !mine.some((call) => call.call === selected)) set({ selected: null });
  const answered = mine.find((call) => before.get(call.call) === "ringing" && myPart(desk, call.call)?.state === "talking");
  if (answered && mayMove()) return set({ selected: answered.call });
  if (!first) return;
  const others = mine.filter((call) => call.call !== first.call);
  if (others.length > 0 && (isBusy(desk, first.call) || !mayMove())) {
    // Pin what is on the screen, whatever the order of calls becomes.
    if (!useStore.getState().selected) set({ selected: others.find((call) => before.has(call.call))?.call ?? null });
    return;
  }
  if (!mayMove()) return;
  if (path !== "/") {
    history.pushState(null, "", "/");
    set({ path: "/" });
  }
  set({ selected: first.call });
}
