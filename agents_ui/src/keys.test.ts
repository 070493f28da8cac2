// The keyboard map: what the overlay shows is what works, no key twice, and Caps Lock changes nothing.
import { expect, test } from "vitest";
import { actions, keyName } from "./keys";
import { ariaKeys, byChord, keyMap, shownKeys } from "./lib/shortcuts";

const named = keyMap.filter((entry) => !entry.keys.includes("…")).map((entry) => entry.keys.join("+"));

test("each key stands once", () => {
  expect(named.filter((key, index) => named.indexOf(key) !== index)).toEqual([]);
});

test("every key of the map acts, and every key that acts is in the map", () => {
  const elsewhere = ["Ctrl+Enter", "Esc"];
  expect(named.filter((key) => !(key in actions) && !elsewhere.includes(key))).toEqual([]);
  expect(Object.keys(actions).filter((key) => !named.includes(key))).toEqual([]);
});

test("each chord stands once, does what its key does, and is what a button shows", () => {
  const chords = keyMap.flatMap((entry) => entry.chord ?? []);
  expect(chords.filter((key, index) => chords.indexOf(key) !== index)).toEqual([]);
  expect([...byChord.values()].filter((keys) => !(keys in actions))).toEqual([]);
  expect([shownKeys("h"), shownKeys("Shift+q"), shownKeys("Shift+n"), shownKeys("r")]).toEqual(["Alt+H", "Alt+Q", "⇧N", "R"]);
  expect([ariaKeys("Shift+x"), ariaKeys("m")]).toEqual(["Shift+X Alt+T", "M Alt+M"]);
});

test("every verb of a call has a chord: a field may have the focus", () => {
  expect(keyMap.filter((entry) => (entry.group === "group_call" || entry.group === "group_give") && !entry.chord).map((entry) => entry.text)).toEqual(["keys.record_stop", "keys.tab"]);
});

test("Caps Lock is not Shift: h holds, only Shift+Q hangs up", () => {
  expect(keyName({ key: "H", shiftKey: false })).toBe("h");
  expect(keyName({ key: "Q", shiftKey: false })).toBe("q");
  expect(keyName({ key: "q", shiftKey: true })).toBe("Shift+q");
  expect([keyName({ key: "!", shiftKey: true }), keyName({ key: "?", shiftKey: true }), keyName({ key: "Enter", shiftKey: false })]).toEqual(["!", "?", "Enter"]);
});
