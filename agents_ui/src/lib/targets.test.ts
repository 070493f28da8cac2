// The picker's rows: order, what typing finds, and that a typed number never turns into somebody else's.
import { expect, test } from "vitest";
import type { CallView, Card, Me, QueueView, Targets, TeamMember } from "../wire/types";
import { numberOf } from "./number";
import { rankTargets } from "./targets";

const member = (agent: number, name: string, state: string, reachable = true) =>
  ({ agent, name, extension: String(1000 + agent), role: "agent", state: { name: state, phone: { reachable } }, queues: [] }) as unknown as TeamMember;
const team = Object.fromEntries(
  [member(3, "Li Wei", "talking"), member(4, "Wang Fang", "talking"), member(5, "Chen Jie", "ready"), member(6, "Zhao Lei", "not_ready"), member(7, "刘洋", "signed_out"), member(8, "Sarah Jones", "ready", false)]
    .map((one) => [one.agent, one]),
);
const sales: QueueView = { pbx: "demo", queue: "sales", title_en: "Sales", title_zh: "销售", waiting: 0, longest_since: null, members: 3, ready: 1, busy: 1, paused: 1, off: 0 };
const queues = { "demo/sales": sales };
const card = { customer: { name: "王秀英", contact_points: [
  { kind: "phone", label: "手机", raw: "138 0013 8000", e164: "+8613800138000" }, { kind: "phone", label: "总机", raw: "0571", e164: "+8657188881234" }, { kind: "email", raw: "w@x.example" },
] } } as unknown as Card;
const call = { ani: "+8613800138000", people: [{ agent: 3 }, { agent: 4 }] } as unknown as CallView;
const contacts: Targets = { agents: [], queues: [], contacts: [{ customer: { id: 9, kind: "person", name: "Daniel Okafor", tier: null, company: null }, number: "+14155550123", label: "" }] };

const keys = (query: string, more: Partial<Parameters<typeof rankTargets>[0]> = {}) =>
  rankTargets({ query, mode: "consult", me: { id: 3 } as Me, team, queues, titleOf: (queue) => queue.title_en ?? "", call, card, found: null, ...more }).map((row) => row.key + (row.off ? `!${row.off}` : ""));

test("nothing typed: the free first, who cannot be reached last, then queues and the customer's other numbers", () => {
  expect(keys("")).toEqual(["agent-5", "agent-6", "agent-8!unreachable", "agent-4!on_call", "agent-7!signed_out", "queue-sales", "contact-+8657188881234"]);
});

test("names, extensions and titles in both languages", () => {
  expect(keys("chen")).toEqual(["agent-5"]);
  expect(keys("jie ch")).toEqual(["agent-5"]);
  expect(keys("１００５")).toEqual(["number-1005", "agent-5"]);
  expect(keys("1005")).toEqual(["agent-5"]);
  expect(keys("销售")).toEqual(["queue-sales"]);
});

test("a typed number is the first row, whatever else was found by a part of it", () => {
  const found = { q: "4155550", found: contacts };
  expect(keys("4155550", { found })).toEqual(["number-4155550", "contact-+14155550123"]);
});

test("an answer to other words than these is not shown", () => {
  expect(keys("dani", { found: { q: "", found: contacts } })).toEqual([]);
  expect(keys("dani", { found: { q: "dani", found: contacts } })).toEqual(["contact-+14155550123"]);
});

test("to dial or to add, there are no queues", () => {
  expect(keys("sales", { mode: "dial" })).toEqual([]);
  expect(keys("sales", { mode: "conference" })).toEqual([]);
});

test("numbers as links and people write them", () => {
  expect(["tel:+86-138-0013-8000", "tel:+8613800138000;ext=602", "web+tel:%2B4420 7946 0018", "(010) 8888 1234", "＋86 10", "1003", "*98#"].map(numberOf)).toEqual([
    "+8613800138000", "+8613800138000", "+442079460018", "01088881234", "+8610", "1003", "*98#",
  ]);
  expect(["", "7", "anna", "12ab", "javascript:alert(1)", "+", "1".repeat(33), "tel:%"].map(numberOf)).toEqual(Array(8).fill(null));
});

test("a queue that I do not serve is found by the server; of one that I serve the desk knows better", () => {
  const found = { ...contacts, contacts: [], queues: [{ ...sales, waiting: 7, ewt: null }, { ...sales, queue: "billing", title_en: "Billing", ewt: null }] };
  const rows = rankTargets({ query: "", mode: "transfer", me: { id: 3 } as Me, team: {}, queues, titleOf: (queue) => queue.title_en, call: null, card: null, found: { q: "", found } });
  expect(rows.map((row) => row.kind === "queue" && [row.queue.queue, row.queue.waiting])).toEqual([["billing", 0], ["sales", 0]]);
});
