// The keyboard map: single keys while nobody types, Alt and a letter that works in a field too. What is typed beside the
// note while a call is on goes into the note: nobody means "hold" by the h of "hello".
import { useEffect } from "react";
import { actByKey } from "./store/calls/act";
import { currentCall, myCalls, myPart } from "./store/desk/desk";
import { navigate } from "./store/session/navigate";
import { byChord } from "./lib/shortcuts";
import { isTyping } from "./lib/typing";
import { changeState } from "./store/shift/state";
import { useSettings } from "./store/session/settings";
import { useStore } from "./store/desk/store";
import { finishWrapUp } from "./store/drafts/wrapup";

const NOTE = "[data-testid=note-box] textarea";

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
  n: () => focusOn(NOTE),
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

export const BURST_MS = 250;
/** A key that waits whether another follows: then somebody types, and looks elsewhere. */
let waiting: { text: string; act: () => void; timer: ReturnType<typeof setTimeout> } | null = null;

function forget(): void {
  clearTimeout(waiting?.timer);
  waiting = null;
}

function later(text: string, act: () => void): void {
  forget();
  const timer = setTimeout(() => {
    waiting = null;
    act();
  }, BURST_MS);
  waiting = { text, act, timer };
}

/** What was typed beside the note goes into it; what follows comes by itself. */
function intoNote(note: HTMLTextAreaElement, text: string): void {
  forget();
  note.focus();
  note.setSelectionRange(note.value.length, note.value.length);
  document.execCommand("insertText", false, text);
}

/** A menu or dialog that is open owns the keyboard. */
const isOwned = () => document.querySelector("[role=menu], [role=listbox][data-open], [role=dialog], [role=alertdialog]") !== null;

function onChord(event: KeyboardEvent): void {
  // By its place: on a Mac Option and a letter make another character.
  const action = actions[byChord.get(/^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase() ?? "") ?? ""];
  if (!action || event.shiftKey || isOwned()) return;
  event.preventDefault();
  forget();
  action();
}

function onKey(event: KeyboardEvent): void {
  const { phase, overlay } = useStore.getState();
  if (phase !== "signed_in" || event.defaultPrevented || event.isComposing || event.repeat) return;
  if (event.key === "Escape" && isTyping()) {
    (document.activeElement as HTMLElement).blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || overlay) return;
  if (event.altKey) return onChord(event);
  if (isTyping() || isOwned()) return;
  if (!singleKeysOn() && event.key !== "?") return;
  const action = actionOf(event);
  const note = document.querySelector<HTMLTextAreaElement>(NOTE);
  if (note && event.key.length === 1) {
    if (waiting) {
      event.preventDefault();
      return intoNote(note, waiting.text + event.key);
    }
    // Space and the arrows belong to what has the focus.
    if (event.key === " ") return;
    event.preventDefault();
    return later(event.key, action ?? (() => undefined));
  }
  if (!action) return;
  event.preventDefault();
  action();
}

function actionOf(event: KeyboardEvent): (() => void) | undefined {
  if (!/^[1-9]$/.test(event.key)) return actions[keyName(event)];
  const { desk, set } = useStore.getState();
  const call = myCalls(desk)[Number(event.key) - 1];
  if (!call) return undefined;
  return () => {
    set({ selected: call.call });
    navigate("/");
  };
}

export function useKeys(): void {
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("keydown", onKey);
      forget();
    };
  }, []);
}
