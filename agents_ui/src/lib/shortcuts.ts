// The keyboard map, and how a key is shown. What the keys do is in `keys.ts`.

export type KeyGroup = "group_call" | "group_give" | "group_note" | "group_go" | "group_me";
/** `chord`: with Alt it does the same, in a field too. */
export interface KeyEntry { keys: string[]; chord?: string; text: string; group: KeyGroup }

/** What the overlay lists; `keys.ts` acts by them. Those that cannot be taken back ask for Shift or Alt. */
export const keyMap: KeyEntry[] = [
  { keys: ["a"], chord: "a", text: "keys.answer", group: "group_call" },
  { keys: ["Shift", "q"], chord: "q", text: "keys.hangup", group: "group_call" },
  { keys: ["h"], chord: "h", text: "keys.hold", group: "group_call" },
  { keys: ["m"], chord: "m", text: "keys.mute", group: "group_call" },
  { keys: ["k"], chord: "k", text: "keys.keypad", group: "group_call" },
  { keys: ["o"], chord: "o", text: "keys.record", group: "group_call" },
  { keys: ["Shift", "o"], text: "keys.record_stop", group: "group_call" },
  { keys: ["!"], chord: "l", text: "keys.help_me", group: "group_call" },
  { keys: ["1", "…", "9"], text: "keys.tab", group: "group_call" },
  { keys: ["x"], chord: "x", text: "keys.consult", group: "group_give" },
  { keys: ["y"], chord: "y", text: "keys.complete", group: "group_give" },
  { keys: ["s"], chord: "s", text: "keys.alternate", group: "group_give" },
  { keys: ["z"], chord: "z", text: "keys.cancel", group: "group_give" },
  { keys: ["j"], chord: "j", text: "keys.conference", group: "group_give" },
  { keys: ["Shift", "x"], chord: "t", text: "keys.transfer", group: "group_give" },
  { keys: ["Shift", "p"], chord: "p", text: "keys.park", group: "group_give" },
  { keys: ["u"], chord: "u", text: "keys.pick_up", group: "group_give" },
  { keys: ["p"], chord: "i", text: "keys.dial", group: "group_give" },
  { keys: ["n"], chord: "n", text: "keys.note", group: "group_note" },
  { keys: ["Shift", "n"], text: "keys.customer_note", group: "group_note" },
  { keys: ["c"], text: "keys.candidates", group: "group_note" },
  { keys: ["w"], chord: "w", text: "keys.finish", group: "group_note" },
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

export const byChord = new Map(keyMap.flatMap((entry) => (entry.chord ? [[entry.chord, entry.keys.join("+")] as const] : [])));
const chordOf = new Map([...byChord].map(([chord, keys]) => [keys, chord]));
const alt = /mac|iphone|ipad/i.test(globalThis.navigator?.platform ?? "") ? "⌥" : "Alt+";

/** As a button shows it: the chord where there is one, because that always works. */
export function shownKeys(keys: string): string {
  const chord = chordOf.get(keys);
  return chord ? alt + chord.toUpperCase() : keys.split("+").map((key) => (key === "Shift" ? "⇧" : key.length === 1 ? key.toUpperCase() : key)).join("");
}

/** As ARIA has it: all keys that do the same. */
export function ariaKeys(keys: string): string {
  const chord = chordOf.get(keys);
  return [keys.replace(/\b([a-z])$/, (key) => key.toUpperCase()), ...(chord ? [`Alt+${chord.toUpperCase()}`] : [])].join(" ");
}
