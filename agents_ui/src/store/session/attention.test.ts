// A notification is for who looks elsewhere, wants it, and was asked: never else.
import { afterEach, beforeEach, expect, test, vi } from "vitest";

class Shown {
  static permission: NotificationPermission = "granted";
  static asked = 0;
  static all: Shown[] = [];
  static async requestPermission() { Shown.asked += 1; return Shown.permission; }
  onclick: (() => void) | null = null;
  closed = false;
  constructor(readonly title: string, readonly options: { body: string; tag: string }) { Shown.all.push(this); }
  close() { this.closed = true; }
}
const page = { hidden: true };
const kept = new Map<string, string>();
const what = { title: "Incoming: Wang", body: "Support", tag: "call-1", open: vi.fn() };

beforeEach(() => {
  vi.resetModules();
  [Shown.permission, Shown.asked, Shown.all, page.hidden] = ["granted", 0, [], true];
  kept.clear();
  vi.stubGlobal("Notification", Shown);
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", { focus: vi.fn() });
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) });
});
afterEach(() => vi.unstubAllGlobals());

const load = async () => ({ ...(await import("./attention")), ...(await import("./settings")) });

test("nothing is asked and nothing shown at load", async () => {
  const { attract } = await load();
  attract(what)();
  expect([Shown.asked, Shown.all]).toEqual([0, []]);
});

test("wanted and hidden: shown, replaced by its tag, and a click leads there", async () => {
  const { attract, setNotify } = await load();
  await setNotify(true);
  attract(what);
  const [shown] = Shown.all;
  expect([Shown.asked, shown?.title, shown?.options]).toEqual([1, "Incoming: Wang", { body: "Support", tag: "call-1", icon: "/icon.svg" }]);
  shown?.onclick?.();
  expect([what.open.mock.calls.length, shown?.closed]).toEqual([1, true]);
});

test("over before it was seen: taken back", async () => {
  const { attract, setNotify } = await load();
  await setNotify(true);
  attract(what)();
  expect(Shown.all.map((shown) => shown.closed)).toEqual([true]);
});

test("not while the tab is looked at, not after a no, not when the browser forbids it", async () => {
  const { attract, setNotify, useSettings } = await load();
  await setNotify(true);
  page.hidden = false;
  attract(what);
  page.hidden = true;
  await setNotify(false);
  attract(what);
  Shown.permission = "denied";
  await setNotify(true);
  attract(what);
  expect([Shown.all, useSettings.getState().notify, useSettings.getState().denied]).toEqual([[], "off", true]);
});

test("the choice is kept for this browser", async () => {
  await (await load()).setNotify(true);
  vi.resetModules();
  expect((await load()).useSettings.getState().notify).toBe("on");
});

test("a browser on plain http has none", async () => {
  vi.stubGlobal("isSecureContext", false);
  const { attract, canNotify, setNotify } = await load();
  await setNotify(true);
  attract(what);
  expect([canNotify(), Shown.asked, Shown.all]).toEqual([false, 0, []]);
});
