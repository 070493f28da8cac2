// When it is said that my phone is lost, and when no longer.
import { beforeEach, expect, test, vi } from "vitest";
import { LOST_FOR_MS, watchReach } from "./phoneReach";

let said: string[];
const watch = () => watchReach({ lost: () => { said.push("lost"); return () => said.push("taken back"); }, found: () => said.push("found") });

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
});

function play(steps: (boolean | null | number)[]): string[] {
  const { heard } = watch();
  for (const step of steps) {
    if (typeof step === "number") vi.advanceTimersByTime(step);
    else heard(step);
  }
  return said;
}

test.each([
  ["a move from one window to another says nothing", [true, false, 300, true, 10_000], []],
  ["lost is said after a moment, once", [true, false, LOST_FOR_MS - 1, false, 1, false, 10_000], ["lost"]],
  ["and taken back when it is found", [true, false, LOST_FOR_MS, true], ["lost", "taken back", "found"]],
  ["a shift that ends takes it back and finds nothing", [true, false, LOST_FOR_MS, null], ["lost", "taken back"]],
  ["who begins without a phone hears nothing of a loss", [null, false, 10_000], []],
  ["lost twice is said twice", [true, false, LOST_FOR_MS, true, false, LOST_FOR_MS], ["lost", "taken back", "found", "lost"]],
] as const)("%s", (_name, steps, expected) => {
  expect(play([...steps])).toEqual(expected);
});

test("signed out meanwhile, nothing is said any more", () => {
  const { heard, end } = watch();
  heard(true);
  heard(false);
  end();
  vi.advanceTimersByTime(10_000);
  expect(said).toEqual([]);
});
