// A note is never lost: not to a crash, not to a server that is away, not to a call whose row is not there yet.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Drafts, type Kept } from "./drafts";
import { mergeTexts } from "./merge";

class Memory {
  readonly held = new Map<string, string>();
  full = false;
  get length() { return this.held.size; }
  key(index: number) { return [...this.held.keys()][index] ?? null; }
  getItem(key: string) { return this.held.get(key) ?? null; }
  removeItem(key: string) { this.held.delete(key); }
  setItem(key: string, value: string) {
    if (this.full) throw new Error("quota");
    this.held.set(key, value);
  }
}

let storage: Memory;
let saved: [number, string][];
let down: boolean;
const save = async (interaction: number, { note }: Kept) => {
  if (down) throw new Error("down");
  saved.push([interaction, note ?? ""]);
};
const told = (note: string) => ({ note, code: null, follow_up: null });
const open = (agent = 3) => new Drafts({ agent, storage, save });

beforeEach(() => {
  vi.useFakeTimers();
  [storage, saved, down] = [new Memory(), [], false];
});
afterEach(() => vi.useRealTimers());

test("keystrokes are kept at once and saved together after a pause", async () => {
  const drafts = open();
  drafts.type("c1", "a", 12);
  drafts.type("c1", "ab", 12);
  expect([open().get("c1")?.text, drafts.status("c1")]).toEqual(["ab", "unsaved"]);
  await vi.advanceTimersByTimeAsync(1000);
  expect([saved.at(-1), drafts.status("c1")]).toEqual([[12, "ab"], "saved"]);
});

test("after a sign-out the browser keeps only what the server does not have", async () => {
  const drafts = open();
  drafts.type("c1", "for the next person to read", 12);
  await vi.advanceTimersByTimeAsync(1000);
  down = true;
  drafts.type("c2", "not there yet", 13);
  await vi.advanceTimersByTimeAsync(1000);
  drafts.forgetSaved();
  expect([...storage.held.keys()]).toEqual(["cti.draft.3.c2"]);
  expect(drafts.get("c1")?.text).toBe("for the next person to read");
});

test("a browser that crashed before the save saves on its return", async () => {
  const drafts = open();
  down = true;
  drafts.type("c1", "重要", 12);
  await vi.advanceTimersByTimeAsync(1000);
  expect([drafts.status("c1"), drafts.stuck()]).toEqual(["failed", ["c1"]]);
  down = false;
  const again = open();
  await vi.advanceTimersByTimeAsync(0);
  expect([saved, again.status("c1")]).toEqual([[[12, "重要"]], "saved"]);
});

test("a server that is away is tried again by itself", async () => {
  const drafts = open();
  down = true;
  drafts.type("c1", "x", 12);
  await vi.advanceTimersByTimeAsync(5000);
  down = false;
  await vi.advanceTimersByTimeAsync(30_000);
  expect([saved, drafts.unsaved()]).toEqual([[[12, "x"]], []]);
});

test("a refusal is kept and shown, not repeated; typing on tries again; discarding ends it", async () => {
  let tries = 0;
  const drafts = new Drafts({ agent: 3, storage, save: async () => { tries += 1; throw { status: 403 }; } });
  drafts.type("c1", "x", 12);
  await vi.advanceTimersByTimeAsync(120_000);
  expect([tries, drafts.status("c1"), drafts.stuck()]).toEqual([1, "refused", ["c1"]]);
  drafts.type("c1", "xy", 12);
  await vi.advanceTimersByTimeAsync(1000);
  expect(tries).toBe(2);
  drafts.discard("c1");
  expect([drafts.unsaved(), open().get("c1")]).toEqual([[], null]);
});

test("what is typed before the interaction exists waits for it", async () => {
  const drafts = open();
  drafts.type("c1", "early", null);
  await vi.advanceTimersByTimeAsync(2000);
  expect([saved, drafts.status("c1")]).toEqual([[], "waiting"]);
  drafts.bind("c1", 44);
  await vi.advanceTimersByTimeAsync(10);
  expect(saved).toEqual([[44, "early"]]);
});

test("what is typed during a save is saved after it", async () => {
  let release: () => void = () => undefined;
  const slow = new Drafts({ agent: 3, storage, save: (id, { note }) => new Promise((resolve) => { saved.push([id, note ?? ""]); release = () => resolve(null); }) });
  slow.type("c1", "one", 12);
  await vi.advanceTimersByTimeAsync(800);
  slow.type("c1", "one two", 12);
  await vi.advanceTimersByTimeAsync(10);
  release();
  await vi.advanceTimersByTimeAsync(2000);
  release();
  await vi.advanceTimersByTimeAsync(10);
  expect([saved, slow.status("c1")]).toEqual([[[12, "one"], [12, "one two"]], "saved"]);
});

test("emptying a saved note is a change too", async () => {
  const drafts = open();
  drafts.seed("c1", 12, told("old"));
  drafts.type("c1", "", 12);
  await vi.advanceTimersByTimeAsync(1000);
  expect(saved).toEqual([[12, ""]]);
});

test("the server's text never overwrites what was typed here", () => {
  const drafts = open();
  drafts.type("c1", "mine", 12);
  drafts.seed("c1", 12, told("theirs"));
  expect(drafts.get("c1")?.text).toBe("mine");
});

test("one agent does not see the other's drafts on a shared computer", () => {
  open(3).type("c1", "private", 12);
  expect(open(4).get("c1")).toBeNull();
});

test("a browser without storage still saves, and says that it keeps nothing", async () => {
  storage.full = true;
  const drafts = open();
  drafts.type("c1", "x", 12);
  expect(drafts.durable).toBe(false);
  await vi.advanceTimersByTimeAsync(1000);
  expect(saved).toEqual([[12, "x"]]);
});

test("code and follow-up are kept and saved as the note is", async () => {
  const bodies: Kept[] = [];
  const drafts = new Drafts({ agent: 3, storage, save: async (_, body) => { bodies.push(body); } });
  const followUp = { kind: "case", subject: "Spare part", text: "" } as const;
  drafts.type("c1", "x", 12);
  drafts.change("c1", { code: "billing/refund", followUp }, 12);
  expect(open().get("c1")).toMatchObject({ text: "x", code: "billing/refund", followUp });
  await vi.advanceTimersByTimeAsync(1000);
  expect(bodies).toEqual([{ note: "x", code: "billing/refund", follow_up: followUp }]);
});

test("a draft of before there were codes is read", () => {
  storage.setItem("cti.draft.3.c1", JSON.stringify({ text: "old", saved: "old", interaction: 12, at: Date.now() }));
  expect([open().status("c1"), open().get("c1")?.code]).toEqual(["saved", null]);
});

/** Two windows on one storage: what one writes the other hears of, when it is told to. */
function windows() {
  const made = { a: new Drafts({ agent: 3, storage, save, window: "a" }), b: new Drafts({ agent: 3, storage, save, window: "b" }) };
  const hear = (who: "a" | "b", value = storage.getItem("cti.draft.3.c1")) => made[who].follow("cti.draft.3.c1", value);
  return { ...made, hear };
}

test("a second window shows what the first types, deletions too, and goes on from there", () => {
  const { a, b, hear } = windows();
  a.type("c1", "spindle hot", 12);
  hear("b");
  a.type("c1", "spindle", 12);
  hear("b");
  expect(b.get("c1")?.text).toBe("spindle");
  b.type("c1", "spindle ok", 12);
  hear("a");
  expect([a.get("c1")?.text, b.get("c1")?.text]).toEqual(["spindle ok", "spindle ok"]);
});

test("typed in both windows at once, both texts stay", () => {
  const { a, b, hear } = windows();
  a.type("c1", "from a", 12);
  const written = storage.getItem("cti.draft.3.c1");
  b.type("c1", "from b", 12);
  hear("b", written);
  hear("a");
  expect([a.get("c1")?.text, b.get("c1")?.text]).toEqual(["from a\nfrom b", "from a\nfrom b"]);
});

test("another browser saved something else meanwhile: both texts are saved together", async () => {
  let server = "start";
  const drafts = new Drafts({
    agent: 3, storage, save: async (_, { note, base }) => {
      if (base !== undefined && base !== server && note !== server) throw { status: 409, code: "draft_conflict", problem: { draft: told(server) } };
      server = note ?? "";
    },
  });
  drafts.seed("c1", 12, told("start"));
  drafts.type("c1", "start mine", 12);
  server = "start theirs";
  await vi.advanceTimersByTimeAsync(5000);
  expect([server, drafts.get("c1")?.text, drafts.status("c1")]).toEqual(["start theirs\nmine", "start theirs\nmine", "saved"]);
});

test("a merge keeps what either side wrote", () => {
  expect([mergeTexts("a", "a", "ab"), mergeTexts("a", "ab", "a"), mergeTexts("", "x", "x y"), mergeTexts("", "mine", "theirs")]).toEqual(["ab", "ab", "x y", "theirs\nmine"]);
});
