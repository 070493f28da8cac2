// The keyboard map: what the overlay shows is what works, no key twice, and Caps Lock changes nothing.
import { expect, test } from "vitest";
import { actions, keyMap, keyName } from "./keys";

const named = keyMap.filter((entry) => !entry.keys.includes("…")).map((entry) => entry.keys.join("+"));

test("each key stands once", () => {
  expect(named.filter((key, index) => named.indexOf(key) !== index)).toEqual([]);
});

test("every key of the map acts, and every key that acts is in the map", () => {
  const elsewhere = ["Ctrl+Enter", "Esc"];
  expect(named.filter((key) => !(key in actions) && !elsewhere.includes(key))).toEqual([]);
  expect(Object.keys(actions).filter((key) => !named.includes(key))).toEqual([]);
});

test("Caps Lock is not Shift: h holds, only Shift+Q hangs up", () => {
  expect(keyName({ key: "H", shiftKey: false })).toBe("h");
  expect(keyName({ key: "Q", shiftKey: false })).toBe("q");
  expect(keyName({ key: "q", shiftKey: true })).toBe("Shift+q");
  expect([keyName({ key: "!", shiftKey: true }), keyName({ key: "?", shiftKey: true }), keyName({ key: "Enter", shiftKey: false })]).toEqual(["!", "?", "Enter"]);
});
