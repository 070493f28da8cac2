// Counters in, a word out.
import { expect, test } from "vitest";
import { figuresOf, lasting, qualityOf, type Figures, type Reading } from "./quality";

const reading = (at: number, part: Partial<Reading> = {}): Reading => ({
  at, packetsIn: at * 50, packetsOut: at * 50, lostIn: 0, lostOut: 0, jitterMs: 3, roundTripMs: 20, energyIn: 0, heardS: at, energyOut: 0, spokenS: at, ...part,
});

test("loss is a share of the last seconds, not of the whole call", () => {
  const long = { lostIn: 400 };
  const figures = figuresOf(reading(100, long), reading(104, long), reading(105, { lostIn: 412, packetsIn: 5238 }));
  expect(figures.lossIn).toBeCloseTo(12 / 250, 5);
  expect(figures.flow).toBe(38);
});

test("what the PBX misses of us counts too; before its first report nothing is known to be lost", () => {
  expect(figuresOf(reading(1), reading(1), reading(2, { lostOut: 5 })).lossOut).toBeCloseTo(0.1);
  expect(figuresOf(reading(1, { lostOut: null }), reading(1), reading(2, { lostOut: null })).lossOut).toBe(0);
});

test("a level is the root of the mean energy of the last second", () => {
  const figures = figuresOf(reading(1), reading(1, { energyIn: 5 }), reading(2, { energyIn: 5.04 }));
  expect(figures.levelIn).toBeCloseTo(0.2);
  expect(figures.levelOut).toBe(0);
});

test("a browser that does not say is not silent", () => {
  expect(figuresOf(reading(1, { spokenS: 0 }), reading(1, { spokenS: 0 }), reading(2, { spokenS: 0 })).levelOut).toBeNull();
});

const good: Figures = { packetsIn: 1, packetsOut: 1, lossIn: 0, lossOut: 0, jitterMs: 5, roundTripMs: 40, levelIn: 0.1, levelOut: 0.1, flow: 50 };
test.each([
  ["good", {}],
  ["good", { lossIn: 0.02, jitterMs: 30, roundTripMs: 300 }],
  ["good", { jitterMs: null, roundTripMs: null }],
  ["fair", { lossIn: 0.03 }],
  ["fair", { lossOut: 0.05 }],
  ["fair", { jitterMs: 45 }],
  ["fair", { roundTripMs: 500 }],
  ["poor", { lossIn: 0.06 }],
  ["poor", { jitterMs: 80 }],
  ["poor", { roundTripMs: 900 }],
  ["none", { flow: 0 }],
] as const)("%s: %o", (quality, part) => expect(qualityOf({ ...good, ...part })).toBe(quality));

test("silence is told when it lasts", () => {
  let since: number | null = null;
  const told = [true, true, true, false, true].map((so, n) => {
    const now = lasting(since, so, n * 1000, 2000);
    since = now.since;
    return now.told;
  });
  expect(told).toEqual([false, false, true, false, false]);
});
