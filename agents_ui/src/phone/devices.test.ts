// Which device is used when a chosen one is not there, and what a refusal means.
import { expect, test } from "vitest";
import { plain, settled, troubleOf, type Choices } from "./devices";

const chosen: Choices = { ...plain, mic: "m2", speaker: "s1", ring: "s2", labels: { mic: "Headset", ring: "Desk speaker" } };
const found = { mics: [{ id: "m1", label: "Built-in" }], outputs: [{ id: "s1", label: "Headset" }] };

test("what is not there is replaced by the system's own and named", () => {
  const { use, missing } = settled(chosen, found);
  expect([use.mic, use.speaker, use.ring]).toEqual(["", "s1", ""]);
  expect(missing).toEqual({ mic: "Headset", ring: "Desk speaker" });
});

test("before the permission no list is known, and nothing is missing", () => {
  expect(settled(chosen, { mics: [], outputs: [] })).toEqual({ use: chosen, missing: {} });
});

test("plugged in again it is used again", () => {
  const back = { mics: [...found.mics, { id: "m2", label: "Headset" }], outputs: [...found.outputs, { id: "s2", label: "Desk speaker" }] };
  expect(settled(chosen, back).use.mic).toBe("m2");
});

test.each([
  ["NotAllowedError", "mic_denied"], ["NotFoundError", "mic_missing"], ["NotReadableError", "mic_busy"], ["TypeError", "mic_failed"],
])("%s", (name, trouble) => expect(troubleOf({ name })).toBe(trouble));
