// Stories of a shift: state and why, seats, wrap-up and what is owed, promises, team, messages, help, the day.
import type { Message, MyDraft, Owed, PartView, Phone, ReasonCode, StateSpan, WrapUpCode } from "../wire/types";
import type { Story } from "./fixtures";
import { ago, ahead, emilyCard, NOW, promiseOf, promises, stateOf, storyCall, today, wangCard } from "./people";

const who = { number: "+8613800138000", call: wangCard.call, queue: "support" };
const wrapping = (part: Partial<PartView> = {}) =>
  [storyCall(wangCard, { state: "ended", ended_at: ago(38), outcome: "answered", ended_by: "caller", recording: "off" }, [{ state: "wrap_up", since: ago(38), talk_ms: 176_000, ...part }])];
const wrapState = (part: Parameters<typeof stateOf>[3] = {}) => ({ state: stateOf("wrap_up", 38, null, { because: { event: "call_ended", ...who }, by: { kind: "system", name: null }, ...part }) });
const because = (event: string) => ({ event, ...who });
const system = { kind: "system" as const, name: null };
const taken = { seat: null, shift: null };

export const shiftStories: Record<string, Story> = {
  rona: { me: { state: stateOf("not_ready", 95, "no_answer", { because: because("offer_unanswered"), by: system }) } },
  offshift: { me: { ...taken, state: stateOf("signed_out", 300, null, { on_shift: false, by: null, because: null }) } },
  pending: { me: { state: stateOf("talking", 214, null, { because: because("call_answered"), by: system, pending: { name: "not_ready", reason: "lunch", by: { kind: "agent", name: "Li Wei" } } }) }, calls: [storyCall(wangCard)], cards: [wangCard] },
  phonelost: { me: { state: stateOf("talking", 214, null, { because: because("call_answered"), by: system, phone: { seat: "PJSIP/1001", reachable: false, since: ago(8) } }) }, calls: [storyCall(wangCard)], cards: [wangCard] },
  seats: { seats: { title: "", status: 409, code: "seat_taken", detail: "Wang Fang sits at 1002." } },
  settings: { settings: true },
  wrapcode: {
    me: wrapState({ until: ahead(22) }), cards: [wangCard], note: "主轴温度 86℃ 仍报警，已停机。约定今天 16:00 前工程师回电。",
    calls: wrapping({ wrap_up: { mode: "forced", ends_at: ahead(22), extensions_left: 1, code: "fault/spindle", code_required: true, wanted: false } }),
    draft: { code: "fault/spindle", followUp: { kind: "callback", from: null, to: null, number: "+8613800138000", text: "" } },
  },
  wrapover: {
    me: wrapState({ until: ago(41) }), cards: [wangCard], note: "客户要求今天内上门。",
    calls: wrapping({ since: ago(131), wrap_up: { mode: "mandatory", ends_at: ago(41), extensions_left: 0, code: null, code_required: true, wanted: false } }),
  },
  owed: { path: "/owed" },
  promises: { path: "/promises", mine: [...promises, promiseOf(73, "发送两台 Sortline 40 的报价", 5 * 3600, { kind: "other", number: null, customer: { id: 61, name: "王府井设备租赁" } }), promiseOf(74, "Call back about the renewal", 20 * 3600, { from: ahead(19 * 3600), customer: { id: 8, name: "Emily Carter" }, number: "+442079460018" })] },
  team: { path: "/team", messages: true },
  teamcall: { me: { state: stateOf("talking", 214) }, path: "/team", messages: true, calls: [storyCall(wangCard)], cards: [wangCard] },
  help: {
    me: { role: "supervisor", name: "Zhang Min", id: 2, seat: null, extension: null, shift: null, state: stateOf("signed_out", 400, null, { on_shift: false }) }, path: "/team", messages: true,
    calls: [storyCall(emilyCard, { call: "a" }, [{ agent: 4, seat: "PJSIP/1002", name: "Wang Fang" }])],
    help: [{ id: 9, call: "a", interaction: 612, agent: { id: 4, name: "Wang Fang" }, said: "Customer insists on a refund although the contract has ended.", state: "open", asked_at: ago(48), taken_by: null, taken_at: null, done_at: null }],
  },
  day: { path: "/day" },
  toasts: {
    toasts: [
      { tone: "info", text: "Message from Zhang Min", detail: "Please take the support queue after lunch.", action: { text: "Open", run: () => undefined }, stays: true },
      { tone: "warn", text: "Promise to 王秀英 is due soon", detail: "回电说明备件到货时间", action: { text: "Show customer", run: () => undefined }, stays: true },
      { tone: "bad", about: "139 0013 9000", text: "not_reached.no_trunk", stays: true },
    ],
  },
};

const reason = (code: string, title_en: string, title_zh: string, position: number): ReasonCode => ({ code, title_en, title_zh, position, active: true });
const reasons = [reason("break", "Break", "小休", 1), reason("lunch", "Lunch", "午餐", 2), reason("meeting", "Meeting", "会议", 3), reason("training", "Training", "培训", 4), reason("admin", "Paperwork", "文案工作", 5), reason("restroom", "Restroom", "洗手间", 6)];

const code = (path: string, title_en: string, title_zh: string, leaf = true, queue: string | null = null): WrapUpCode =>
  ({ code: path, parent: path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : null, queue, title_en, title_zh, position: 0, active: true, leaf });
const codes = [
  code("fault", "Fault", "故障", false), code("fault/spindle", "Spindle", "主轴", true, "support"), code("fault/cooling", "Cooling", "冷却"), code("fault/control", "Control", "控制系统"),
  code("billing", "Billing", "账单", false), code("billing/invoice", "Invoice question", "发票问题"), code("billing/refund", "Refund", "退款"), code("info", "Information given", "已答复"), code("wrong", "Wrong number", "打错电话"),
];

const phone = (extension: string, kind: Phone["kind"], part: Partial<Phone> = {}): Phone =>
  ({ id: Number(extension), pbx: "demo", seat: `PJSIP/${extension}`, extension, label_en: kind === "desk" ? `Desk ${extension.slice(-1)}` : null, label_zh: kind === "desk" ? `${extension.slice(-1)} 号话机` : null, kind, personal: false, reachable: true, agent: null, ...part });
const phones = [
  phone("1101", "browser", { personal: true, reachable: false }), phone("1001", "desk", { agent: { id: 3, name: "Li Wei" } }), phone("1002", "desk", { agent: { id: 4, name: "Wang Fang" } }),
  phone("1003", "desk"), phone("1004", "desk", { reachable: false }), phone("1005", "desk", { reachable: null }),
];

const zhang = { id: 2, name: "Zhang Min" };
const li = { id: 3, name: "Li Wei" };
const said = (id: number, seconds: number, from: Message["from"], to: Partial<Message["to"]>, text: string): Message =>
  ({ id, at: ago(seconds), from, to: { agent: null, role: null, team: false, ...to }, text, call: null });
export const messages: Message[] = [
  said(1, 5200, zhang, { team: true }, "Good morning. The VMC-850 recall letter went out yesterday; expect questions."),
  said(2, 1900, li, { role: "supervisors" }, "Three callers about the recall already. Is there a date for the spare part?"),
  said(3, 1700, zhang, { agent: li }, "周三到货。可以答应周四之后上门。"),
  said(4, 95, zhang, { agent: li }, "Please take the support queue after lunch."),
];

const draft = (interaction: number, part: Partial<MyDraft>): MyDraft => ({ interaction, segment: 1, note: null, code: null, code_required: true, follow_up: null, finished_at: null, ...part });
const owed: Owed[] = [
  { interaction: today[0] as Owed["interaction"], draft: draft(600, { note: today[0]?.note ?? null }), because: "code" },
  { interaction: today[5] as Owed["interaction"], draft: draft(595, { note: "Firmware 2.4.1 installed together.", code: "fault/control", follow_up: { kind: "case", subject: "Firmware 2.4.1", text: "" } }), because: "follow_up" },
];

const log: [name: StateSpan["name"], reason: string | null, minutes: number][] = [
  ["not_ready", "signed_in", 4], ["ready", null, 21], ["talking", null, 8], ["wrap_up", null, 2], ["ready", null, 12], ["talking", null, 5], ["hold", null, 3], ["talking", null, 6],
  ["wrap_up", null, 3], ["not_ready", "break", 15], ["ready", null, 18], ["talking", null, 11], ["wrap_up", null, 2], ["ready", null, 9], ["not_ready", "no_answer", 2], ["ready", null, 14],
];
function day() {
  let at = NOW - log.reduce((sum, [, , minutes]) => sum + minutes, 0) * 60_000;
  const spans = log.map(([name, why, minutes], index) => {
    const since = new Date(at).toISOString();
    at += minutes * 60_000;
    return { name, reason: why, since, until: index === log.length - 1 ? null : new Date(at).toISOString() };
  });
  const states = new Map<string, { name: StateSpan["name"]; reason: string | null; ms: number }>();
  for (const [name, why, minutes] of log) {
    const sum = states.get(`${name} ${why}`) ?? { name, reason: why, ms: 0 };
    states.set(`${name} ${why}`, { ...sum, ms: sum.ms + minutes * 60_000 });
  }
  return {
    date: "2026-11-22", zone: "Asia/Shanghai", from: "2026-11-21T16:00:00Z", to: "2026-11-22T16:00:00Z", log: spans, states: [...states.values()],
    numbers: { offered: 8, handled: 7, no_answer: 1, rejected: 0, outbound: 1, ring_ms: 51_000, talk_ms: 1_800_000, hold_ms: 180_000, wrap_ms: 420_000, aht_ms: 342_857, on_contact_ms: 2_400_000, ready_ms: 4_440_000, occupancy: 0.351 },
    formulas: { aht: "(talk + hold + wrap-up) / handled" },
  };
}

/** What the server would answer, for what belongs to a shift. */
export function answerShift(where: string, method: string): unknown {
  if (where === "/reasons") return reasons;
  if (where === "/wrap-up-codes") return codes;
  if (where === "/phones") return phones;
  if (where === "/me/sessions") return { items: [true, false].map((current) => ({ since: ago(3600), address: "192.0.2.7", browser: null, current })) };
  if (where === "/me/owed") return { count: owed.length, items: owed };
  if (where === "/me/day") return day();
  if (where === "/messages" && method === "GET") return { items: messages, read_to: 3, unread: 1 };
  if (where === "/promises" && method === "GET") return { items: promises, next: null };
  if (where === "/help") return [];
  if (where === "/calls/a/card") return { ...emilyCard, call: "a" };
  if (/^\/interactions\/\d+\/draft$/.test(where) && method === "GET") throw { status: 404, title: "Not found" };
  if (where === "/me/shift") return { request: "r2" };
  return undefined;
}
