// Topics: counted by view, asked for once and together, closed a moment late, and told anew after a loss.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Watch } from "../../wire/types";
import { BATCH, LINGER_MS, openTopics, type Topics } from "./topics";

let said: Watch[];
let connected: boolean;
let screen: Set<string>;
let topics: Topics;

beforeEach(() => {
  vi.useFakeTimers();
  [said, connected, screen] = [[], true, new Set()];
  topics = openTopics(
    (watch) => {
      if (connected) said.push(watch);
      return connected;
    },
    (opened, closed) => {
      for (const topic of opened) screen.add(topic);
      for (const topic of closed) screen.delete(topic);
    },
  );
});
afterEach(() => vi.useRealTimers());
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

test("what opens at one moment goes in one message; two views of a topic are one", async () => {
  topics.open("floor");
  topics.open("team");
  topics.open("floor");
  await settle();
  expect([said, [...screen]]).toEqual([[{ type: "watch", open: ["floor", "team"] }], ["floor", "team"]]);
});

test("it closes a moment after the last view is gone, once", async () => {
  const closes = [topics.open("team"), topics.open("team")];
  await settle();
  closes[0]?.();
  closes[0]?.();
  await settle(LINGER_MS + 1);
  expect(said).toHaveLength(1);
  closes[1]?.();
  await settle(LINGER_MS - 1);
  expect([said.length, topics.names()]).toEqual([1, ["team"]]);
  await settle(2);
  expect([said.at(-1), topics.names(), [...screen]]).toEqual([{ type: "watch", close: ["team"] }, [], []]);
});

test("from one page to another that shows the same, nothing is said", async () => {
  const close = topics.open("team");
  await settle();
  close();
  topics.open("team");
  await settle(LINGER_MS * 2);
  expect([said.length, [...screen]]).toEqual([1, ["team"]]);
});

test("more than a message may name goes in several", async () => {
  for (let number = 0; number < BATCH + 2; number += 1) topics.open(`queue:demo/${number}`);
  await settle();
  expect(said.map((watch) => watch.open?.length)).toEqual([BATCH, 2]);
});

test("after a hello everything open is asked for; after a resume only what it did not name", async () => {
  topics.open("floor");
  await settle();
  connected = false;
  topics.open("team");
  await settle();
  connected = true;
  topics.welcomed([]);
  expect(said.at(-1)).toEqual({ type: "watch", open: ["floor", "team"] });
  topics.welcomed(["floor", "team"]);
  expect(said).toHaveLength(2);
  topics.welcomed(["floor"]);
  expect(said.at(-1)).toEqual({ type: "watch", open: ["team"] });
});

test("closed while the connection was lost: gone from the screen at once, and closed where a resume had named it", async () => {
  const close = topics.open("floor");
  await settle();
  connected = false;
  close();
  await settle(LINGER_MS + 1);
  expect([...screen]).toEqual([]);
  connected = true;
  topics.welcomed(["floor"]);
  expect(said.at(-1)).toEqual({ type: "watch", close: ["floor"] });
});
