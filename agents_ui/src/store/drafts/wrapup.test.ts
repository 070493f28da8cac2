// Ending wrap-up: what is sent, and that it is never less than what the server already holds.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useTransport } from "../../wire/api";
import { emptyDesk } from "../desk/desk";
import { useStore } from "../desk/store";
import { storyCall, unknownCard } from "../../dev/people";
import { noteDrafts, openDrafts } from "./noteDrafts";
import { finishWrapUp } from "./wrapup";

const held = { note: "Axis Z loses its reference", code: "followup/case", follow_up: null };
let asked: string[];
let sent: unknown[];
let failing: boolean;

function answer(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    get length() { return kept.size; },
    key: (index: number) => [...kept.keys()][index] ?? null,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  vi.stubGlobal("addEventListener", () => undefined);
  [asked, sent, failing] = [[], [], false];
  useTransport(async (input, init) => {
    const [method, path] = [init?.method ?? "GET", String(input)];
    asked.push(`${method} ${path}`);
    if (path.endsWith("/draft") && method === "GET") {
      return failing ? answer(503, { code: "database_away", title: "", status: 503 }) : answer(200, { ...held, finished_at: null, interaction: 612 });
    }
    if (path.endsWith("/wrap-up")) sent.push(JSON.parse(String(init?.body)));
    return answer(200, { ...held, promise: null, case: null, items: [] });
  });
  const { view, parts } = storyCall(unknownCard, { call: "c", state: "ended", interaction: 612 }, [{ state: "wrap_up" }]);
  useStore.setState({ phase: "signed_in", toasts: [], desk: { ...emptyDesk, calls: { c: view }, parts: { c: parts } } });
  openDrafts(3);
});
afterEach(() => {
  vi.unstubAllGlobals();
  useTransport((input, init) => fetch(input, init));
});

test("a page that has not read its draft yet reads it before it finishes, and empties nothing", async () => {
  expect(await finishWrapUp("c")).toBe(true);
  expect(sent).toEqual([held]);
});

test("while it cannot be read, wrap-up does not end", async () => {
  failing = true;
  expect(await finishWrapUp("c")).toBe(false);
  expect([sent, useStore.getState().toasts.length]).toEqual([[], 1]);
});

test("what was typed here is sent without asking first", async () => {
  noteDrafts()?.type("c", "typed here", 612);
  expect(await finishWrapUp("c")).toBe(true);
  expect(asked.filter((line) => line.startsWith("GET") && line.endsWith("/draft"))).toEqual([]);
  expect(sent).toEqual([{ note: "typed here", code: null, follow_up: null }]);
});
