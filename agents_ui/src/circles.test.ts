// No file of the desktop imports itself by way of others.
import { expect, test } from "vitest";
import { circles, importsOf } from "./dev/circles";

const sources = Object.fromEntries(
  Object.entries(import.meta.glob<string>(["./**/*.ts", "./**/*.tsx"], { query: "?raw", import: "default", eager: true })).map(([path, text]) => [path.slice(2), text]),
);

test("there is no circle of imports", () => {
  expect(Object.keys(sources).length).toBeGreaterThan(150);
  expect(circles(sources).map((way) => way.join(" → "))).toEqual([]);
});

test("a circle is found, by static import, re-export and import() alike", () => {
  const ring = { "a.ts": 'import { b } from "./sub/b";', "sub/b.ts": 'export * from "./c";', "sub/c.tsx": 'const a = await import("../a");' };
  expect(circles(ring)).toEqual([["a.ts", "sub/b.ts", "sub/c.tsx", "a.ts"]]);
});

test("what only types need is no tie; what runs is", () => {
  const text = 'import type { A } from "./a"; import { type B } from "./b"; import { type C, d } from "./cd"; import "./effect"; import x from "outside"; export type { E } from "./e";';
  expect(importsOf("x.ts", text)).toEqual(["./cd", "./effect"]);
  expect(circles({ "a.ts": 'import type { B } from "./b";', "b.ts": 'import { a } from "./a";' })).toEqual([]);
});
