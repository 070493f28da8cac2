// The keyboard map: single keys while nobody types, and the chords that work in a field too.
import { useEffect } from "react";
import { actByKey } from "./store/calls/act";
import { currentCall, myCalls, myPart } from "./store/desk/desk";
import { navigate } from "./store/session/navigate";
import { isTyping } from "./lib/typing";
import { changeState } from "./store/shift/state";
import { useSettings } from "./store/session/settings";
import { useStore } from "./store/desk/store";
import { finishWrapUp } from "./store/drafts/wrapup";

export type KeyGroup = "group_call" | "group_give" | "group_note" | "group_go" | "group_me";
export interface KeyEntry { keys: string[]; text: string; group: KeyGroup }

/** What the overlay lists; the actions below obey the same keys. Those that cannot be taken back ask for Shift. */
export const keyMap: KeyEntry[] = [
  { keys: ["a"], text: "keys.answer", group: "group_call" },
  { keys: ["Shift", "q"], text: "keys.hangup", group: "group_call" },
  { keys: ["h"], text: "keys.hold", group: "group_call" },
  { keys: ["m"], text: "keys.mute", group: "group_call" },
  { keys: ["k"], text: "keys.keypad", group: "group_call" },
  { keys: ["o"], text: "keys.record", group: "group_call" },
  { keys: ["Shift", "o"], text: "keys.record_stop", group: "group_call" },
  { keys: ["!"], text: "keys.help_me", group: "group_call" },
  { keys: ["1", "…", "9"], text: "keys.tab", group: "group_call" },
  { keys: ["x"], text: "keys.consult", group: "group_give" },
  { keys: ["y"], text: "keys.complete", group: "group_give" },
  { keys: ["s"], text: "keys.alternate", group: "group_give" },
  { keys: ["z"], text: "keys.cancel", group: "group_give" },
  { keys: ["j"], text: "keys.conference", group: "group_give" },
  { keys: ["Shift", "x"], text: "keys.transfer", group: "group_give" },
  { keys: ["Shift", "p"], text: "keys.park", group: "group_give" },
  { keys: ["u"], text: "keys.pick_up", group: "group_give" },
  { keys: ["p"], text: "keys.dial", group: "group_give" },
  { keys: ["n"], text: "keys.note", group: "group_note" },
  { keys: ["Shift", "n"], text: "keys.customer_note", group: "group_note" },
  { keys: ["c"], text: "keys.candidates", group: "group_note" },
  { keys: ["w"], text: "keys.finish", group: "group_note" },
  { keys: ["Ctrl", "Enter"], text: "keys.finish_typing", group: "group_note" },
  { keys: ["/"], text: "keys.search", group: "group_go" },
  { keys: ["d"], text: "keys.desk", group: "group_go" },
  { keys: ["i"], text: "keys.owed", group: "group_go" },
  { keys: ["v"], text: "keys.promises", group: "group_go" },
  { keys: ["g"], text: "keys.team", group: "group_go" },
  { keys: ["q"], text: "keys.day", group: "group_go" },
  { keys: ["f"], text: "keys.floor", group: "group_go" },
  { keys: ["l"], text: "keys.today", group: "group_go" },
  { keys: ["t"], text: "keys.timeline", group: "group_go" },
  { keys: ["e"], text: "keys.edit", group: "group_go" },
  { keys: ["+"], text: "keys.new", group: "group_go" },
  { keys: ["r"], text: "keys.ready", group: "group_me" },
  { keys: ["b"], text: "keys.not_ready", group: "group_me" },
  { keys: [","], text: "keys.settings", group: "group_me" },
  { keys: ["?"], text: "keys.keys", group: "group_me" },
  { keys: ["Esc"], text: "keys.escape", group: "group_me" },
];

const STORED = "cti.keys";

export function singleKeysOn(): boolean {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

/** WCAG 2.1.4: speech and switch users must be able to turn single keys off. */
export function setSingleKeys(on: boolean): void {
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // Nothing to keep it in: it stays on.
  }
}

function focusOn(selector: string): void {
  const element = document.querySelector<HTMLElement>(selector);
  element?.scrollIntoView({ block: "nearest" });
  element?.focus();
}

function press(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.click();
}

function customerHere(): number | null {
  const { desk, selected, path } = useStore.getState();
  const shown = /^\/customers\/(\d+)/.exec(path);
  if (shown) return Number(shown[1]);
  const call = currentCall(desk, selected);
  return call ? (desk.cards[call.call]?.customer?.id ?? call.customer?.id ?? null) : null;
}

/** By key as pressed; letters small, with "Shift+" where Shift was held, so that Caps Lock changes nothing. */
export const actions: Record<string, () => void> = {
  a: () => actByKey(["answer"]),
  "Shift+q": () => actByKey(["hangup"]),
  h: () => actByKey(["hold", "retrieve"]),
  m: () => actByKey(["mute", "unmute"]),
  k: () => actByKey(["dtmf"]),
  o: () => actByKey(["record-start", "record-pause", "record-resume"]),
  "Shift+o": () => actByKey(["record-stop"]),
  "!": () => actByKey(["help"]),
  x: () => actByKey(["consult"]),
  "Shift+x": () => actByKey(["transfer"]),
  y: () => actByKey(["complete"]),
  s: () => actByKey(["alternate"]),
  z: () => actByKey(["cancel"]),
  j: () => actByKey(["conference"]),
  "Shift+p": () => actByKey(["park"]),
  u: () => press("[data-testid=open-pick-ups]"),
  p: () => press("[data-testid=cmd-dial]"),
  n: () => focusOn("[data-testid=note-box] textarea"),
  w: () => {
    const { desk, selected } = useStore.getState();
    const call = currentCall(desk, selected);
    if (call && myPart(desk, call.call)?.state === "wrap_up") void finishWrapUp(call.call);
  },
  c: () => focusOn("[data-testid=candidates] input, [data-testid=candidates] button"),
  "Shift+n": () => focusOn("#customer-note"),
  "/": () => focusOn("[data-testid=search-box] input"),
  d: () => navigate("/"),
  i: () => navigate("/owed"),
  v: () => navigate("/promises"),
  g: () => navigate("/team"),
  q: () => navigate("/day"),
  f: () => {
    if ((useStore.getState().desk.me?.role ?? "agent") !== "agent") navigate("/floor");
  },
  l: () => focusOn("[data-testid=today-list] [role=row], [data-testid=today-list] a, [data-testid=today-list] button"),
  t: () => {
    const customer = customerHere();
    if (customer !== null) navigate(`/customers/${customer}`);
  },
  e: () => {
    const customer = customerHere();
    if (customer !== null) navigate(`/customers/${customer}/edit`);
  },
  "+": () => navigate("/customers/new"),
  r: () => void changeState("ready", null),
  b: () => press("[data-testid=my-state] button"),
  ",": () => useSettings.setState({ open: true }),
  "?": () => useStore.getState().set({ overlay: "keys" }),
};

export function keyName(event: Pick<KeyboardEvent, "key" | "shiftKey">): string {
  if (!/^[a-z]$/i.test(event.key)) return event.key;
  return (event.shiftKey ? "Shift+" : "") + event.key.toLowerCase();
}

function onKey(event: KeyboardEvent): void {
  const { phase, overlay, desk, set } = useStore.getState();
  if (phase !== "signed_in" || event.defaultPrevented || event.isComposing || event.repeat) return;
  if (event.key === "Escape" && isTyping()) {
    (document.activeElement as HTMLElement).blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping() || overlay) return;
  // An open menu or dialog owns the keyboard.
  if (document.querySelector("[role=menu], [role=listbox][data-open], [role=dialog], [role=alertdialog]")) return;
  if (!singleKeysOn() && event.key !== "?") return;
  if (/^[1-9]$/.test(event.key)) {
    const call = myCalls(desk)[Number(event.key) - 1];
    if (!call) return;
    event.preventDefault();
    set({ selected: call.call });
    navigate("/");
    return;
  }
  const action = actions[keyName(event)];
  if (!action) return;
  event.preventDefault();
  action();
}

export function useKeys(): void {
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}
