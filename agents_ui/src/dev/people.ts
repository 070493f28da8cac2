// Customers, cards and calls for the story pages: invented people, real shapes.
import type {
  AgentStateView, CallAgent, CallView, Card, Customer, CustomerDetail, Interaction, InteractionView, Me, MemberView, PartView, PromiseView, QueueView,
  TeamMember,
} from "../wire/types";
import { canFrom, standingOf } from "./standing";

export const NOW = Date.parse("2026-11-22T05:12:40.000Z");
export const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
export const ahead = (seconds: number) => ago(-seconds);
const DAY = 86_400;

const eventIn: Partial<Record<AgentStateView["name"], string>> = { reserved: "call_offered", talking: "call_answered", hold: "hold", wrap_up: "call_ended" };
const because = (event: string, queue: string | null) => ({ event, call: null, queue, number: queue && "+8613800138000" });

export function stateOf(name: AgentStateView["name"], seconds: number, reason: string | null = null, part: Partial<AgentStateView> = {}): AgentStateView {
  return {
    name, reason, since: ago(seconds), ...(eventIn[name] ? { by: null, because: because(eventIn[name], "support") } : { by: { kind: "agent" as const, name: "Li Wei" }, because: because("chosen", null) }),
    pending: null, until: null, phone: { seat: "PJSIP/1001", reachable: true, since: ago(5400) }, on_shift: true, ...part,
  };
}

export const me: Me = {
  id: 3, login: "liwei", name: "Li Wei", role: "agent", language: "en", seat: "PJSIP/1001", extension: "1001", pbx: "demo", owed: 0,
  state: stateOf("ready", 134), queues: ["support", "sales", "vip"],
  shift: { seat: "PJSIP/1001", extension: "1001", kind: "desk", since: ago(5400), answers: true }, preferences: { auto_answer: false }, may_pick: true,
};

export function promiseOf(id: number, text: string, dueIn: number, part: Partial<PromiseView> = {}): PromiseView {
  return {
    id, customer: { id: 7, name: "王秀英" }, kind: "callback", text, number: "+8613800138000", from: null, due: ahead(dueIn), remind_ms: 900_000,
    state: "open", owner: { id: 3, name: "Li Wei" }, created_by: { id: 3, name: "Li Wei" }, created_at: ago(64_000), interaction: 498,
    raised_at: null, broken_at: null, settled_at: null, version: 1, ...part,
  };
}

export const promises: PromiseView[] = [
  promiseOf(71, "工程师上门检查主轴", -1500, { kind: "visit", number: null, raised_at: ago(2400), version: 3, broken_at: ago(1500) }),
  promiseOf(72, "回电说明备件到货时间", 720, { from: ago(2880), raised_at: ago(180), version: 2 }),
];

const company = { id: 40, name: "杭州远程精密机械有限公司" };

export const wang: Customer = {
  id: 7, kind: "person", salutation: null, name: "王秀英", external_ref: "K-20417", tier: "gold", language: "zh", role_title: "设备主管", time_zone: "Asia/Shanghai", company,
  preferred_agent: { id: 5, name: "Chen Jie" }, remarks: "请用普通话沟通，下午两点后较方便。",
  contact_points: [
    { id: 1, kind: "phone", label: "手机", raw: "138 0013 8000", e164: "+8613800138000", extension: null, standing: "verified" },
    { id: 2, kind: "phone", label: "总机", raw: "0571-88881234", e164: "+8657188881234", extension: "602", standing: "shared" },
    { id: 3, kind: "email", label: "", raw: "wang.xy@yuancheng.example", e164: null, extension: null, standing: "none" },
  ],
  version: 4,
};

export const emily: Customer = {
  id: 8, kind: "person", salutation: "Ms", name: "Emily Carter", external_ref: null, tier: "silver", language: "en", role_title: "Operations manager", time_zone: "Europe/London",
  company: { id: 41, name: "Northwind Logistics" }, preferred_agent: null, remarks: null,
  contact_points: [{ id: 5, kind: "phone", label: "Desk", raw: "+44 20 7946 0018", e164: "+442079460018", extension: null, standing: "shared" }],
  version: 2,
};

const gold = { code: "gold247", name_en: "Gold 24×7", name_zh: "金牌 7×24", response_minutes: 30, resolve_minutes: 480, queue_priority: 20 };
const silver = { code: "silver", name_en: "Silver business hours", name_zh: "银牌 工作日", response_minutes: 240, resolve_minutes: null, queue_priority: 10 };

export const wangCard: Card = {
  call: "demo:1795323600:demo-1795323611.4",
  customer: wang,
  number: { raw: "013800138000", e164: "+8613800138000", extension: null, kind: "e164", reason: "", place: "Beijing", place_zh: "北京" },
  match: { standing: "verified", reason: { code: "verified_number", params: {} }, candidates: [] },
  verdict: {
    code: "hours_left",
    rule: { code: "contract.hours", params: { contract: "C-1001", ends_on: "2027-03-31", days: 129, minutes_left: 750 } },
    contract: {
      id: 11, number: "C-1001", customer_id: 40, service_level: gold, starts_on: "2026-04-01", ends_on: "2027-03-31", minutes_total: 2400, minutes_used: 1650,
      status: "active", status_reason: null,
    },
  },
  products: [
    { id: 21, name: "VMC-850 立式加工中心", serial: "VM850-23-0417", installed_on: "2023-06-12", contract: "C-1001" },
    { id: 22, name: "VMC-850 立式加工中心", serial: "VM850-24-0082", installed_on: "2024-02-27", contract: "C-1001" },
    { id: 23, name: "CT-20 冷却液循环系统", serial: "CT20-8831", installed_on: "2024-02-27", contract: null },
  ],
  cases: [
    { id: 12, number: "CS-2041", subject: "主轴温度报警 AL-417，停机", status: "open", priority: 1, opened_at: ago(3 * DAY), due_at: ago(2 * 3600), closed_at: null },
    { id: 13, number: "CS-2007", subject: "冷却液泵异响，等待备件", status: "waiting", priority: 3, opened_at: ago(9 * DAY), due_at: ahead(2 * DAY), closed_at: null },
  ],
  notes: [
    { id: 31, at: ago(40 * DAY), agent: { id: 5, name: "Chen Jie" }, text: "周五下午产线保养，请勿安排上门。", pinned: true },
    { id: 32, at: ago(3 * DAY), agent: { id: 3, name: "Li Wei" }, text: "已建议降低主轴转速至 6000 rpm，等待工程师确认。", pinned: false },
  ],
  recent: [
    { id: 501, channel: "voice", direction: "inbound", at: ago(5400), outcome: "abandoned", queue: "support", agent: null, talk_ms: null, subject: null, note: null },
    { id: 498, channel: "voice", direction: "inbound", at: ago(64_800), outcome: "answered", queue: "support", agent: "Li Wei", talk_ms: 431_000, subject: null, note: "主轴温度报警，已建工单 CS-2041，约定 24 小时内回复。" },
    { id: 480, channel: "visit", direction: "outbound", at: ago(12 * DAY), outcome: null, queue: null, agent: "Zhou Lei", talk_ms: null, subject: "上门：更换冷却液滤芯", note: null },
    { id: 466, channel: "email", direction: "inbound", at: ago(20 * DAY), outcome: null, queue: null, agent: "Chen Jie", talk_ms: null, subject: "询问备件价格", note: null },
  ],
  why: [
    { code: "open_case_overdue", params: { case: "CS-2041", subject: "主轴温度报警 AL-417，停机", status: "open", priority: 1, late_ms: 7_200_000 }, ref: "case:12" },
    { code: "abandoned_before", params: { ago_ms: 5_400_000, outcome: "abandoned", queue: "support" }, ref: "interaction:501" },
    { code: "repeat_call", params: { times: 2, ago_ms: 64_800_000, agent: "Li Wei", subject: null }, ref: "interaction:498" },
  ],
  promises,
};

export const emilyCard: Card = {
  call: "demo:1795323600:demo-1795323640.9",
  customer: emily,
  number: { raw: "+442079460018", e164: "+442079460018", extension: null, kind: "e164", reason: "", place: "London", place_zh: null },
  match: {
    standing: "shared", reason: { code: "chosen_before", params: { times: 3 } },
    candidates: [
      { customer: { id: 8, kind: "person", name: "Emily Carter", tier: "silver", company: emily.company }, standing: "shared", reason: { code: "chosen_before", params: { times: 3 } } },
      { customer: { id: 9, kind: "person", name: "Oliver Bennett", tier: null, company: emily.company }, standing: "shared", reason: { code: "shared_number", params: { customers: 3 } } },
      { customer: { id: 41, kind: "company", name: "Northwind Logistics", tier: "silver", company: null }, standing: "guess", reason: { code: "company_number", params: {} } },
    ],
  },
  verdict: {
    code: "expired",
    rule: { code: "contract.past_end", params: { contract: "C-0877", ends_on: "2026-11-10", days: 12 } },
    contract: { id: 12, number: "C-0877", customer_id: 41, service_level: silver, starts_on: "2024-11-11", ends_on: "2026-11-10", minutes_total: null, minutes_used: 0, status: "active", status_reason: null },
  },
  products: [{ id: 24, name: "Sortline 40 conveyor", serial: "SL40-1187", installed_on: "2024-11-11", contract: "C-0877" }],
  cases: [],
  notes: [{ id: 33, at: ago(60 * DAY), agent: { id: 5, name: "Chen Jie" }, text: "Renewal offer sent to accounts@northwind.example.", pinned: false }],
  recent: [
    { id: 470, channel: "email", direction: "outbound", at: ago(18 * DAY), outcome: null, queue: null, agent: "Chen Jie", talk_ms: null, subject: "Renewal offer C-0877", note: null },
    { id: 402, channel: "voice", direction: "inbound", at: ago(70 * DAY), outcome: "transferred", queue: "support", agent: "Li Wei", talk_ms: 212_000, subject: null, note: "Conveyor stops after start; passed to second line." },
  ],
  why: [{ code: "contract_expired", params: { contract: "C-0877", days: 12 }, ref: "contract:12" }],
  promises: [],
};

export const unknownCard: Card = {
  call: "demo:1795323600:demo-1795323650.2",
  customer: null,
  number: { raw: "02166668888", e164: "+862166668888", extension: null, kind: "e164", reason: "", place: "Shanghai", place_zh: "上海" },
  match: { standing: "none", reason: { code: "unknown_number", params: {} }, candidates: [] },
  verdict: { code: "none", rule: { code: "contract.absent", params: {} }, contract: null },
  products: [], cases: [], notes: [], recent: [], why: [], promises: [],
};

/** One agent's part of a call: mine, talking, unless told otherwise. What they may do follows from where they stand. */
export function partOf(more: Partial<PartView> = {}, recording: CallView["recording"] = "on"): PartView {
  const standing = more.standing ?? standingOf[more.state ?? "talking"];
  return {
    call: wangCard.call, position: 1, agent: 3, seat: "PJSIP/1001", name: "Li Wei", state: "talking", since: ago(214), reason: null, outcome: null, origin: "offer", queue: "support",
    offered_at: ago(220), answered_at: ago(214), talk_ms: 0, hold_ms: 0, leg: "demo-1795323651.5", muted: false, from: null,
    why: { kind: "queue", queue: "support", from: null, penalty: 2, waited_ms: 37_000 },
    wrap_up: { mode: "mandatory", ends_at: null, extensions_left: 2, code: null, code_required: true, wanted: false },
    standing, can: canFrom(standing, more.muted, recording), consultation: null, ...more,
  };
}

export function callOf(card: Card, more: Partial<CallView> = {}): CallView {
  const customer = card.customer;
  return {
    call: card.call, interaction: 612, pbx: "demo", direction: "inbound", state: "talking", ani: card.number.e164, ani_name: null, dnis: "4008001234",
    queue: "support", position: null,
    path: [
      { step: "language", choice: customer?.language === "en" ? "2" : "1", at: ago(268) },
      { step: "main-menu", choice: "1", at: ago(259) },
    ],
    started_at: ago(275), queued_at: ago(251), waiting_since: ago(251), answered_at: ago(214), ended_at: null, wait_ms: 37_000, held_since: null,
    customer: customer ? { id: customer.id, name: customer.name, tier: customer.tier } : null,
    verdict: card.verdict.code, match: card.match.standing,
    agents: [], more_ringing: false, outcome: null, ended_by: null, complete: true, merged_into: null, recording: "on", park_space: null, people: [], ...more,
  };
}

/** A call on the floor with all parts that agents have in it. */
export interface StoryCall { view: CallView; parts: PartView[] }

export function storyCall(card: Card, more: Partial<CallView> = {}, parts: Partial<PartView>[] = [{}]): StoryCall {
  const call = more.call ?? card.call;
  const all = parts.map((part, index) => partOf({ call, position: index + 1, ...part }, more.recording));
  const mine = all.find((part) => part.agent === 3 && part.state !== "left");
  const rings = mine?.state === "ringing";
  const people: CallView["people"] = more.state === "ended" || !mine ? [] : [
    { leg: "demo-1795323611.4", role: "customer", agent: null, seat: null, number: card.number.e164, name: card.customer?.name ?? null, state: rings ? "queued" : "talking" },
    { leg: "demo-1795323651.5", role: "agent", agent: 3, seat: "PJSIP/1001", number: "1001", name: "Li Wei", state: rings ? "ringing" : "talking" },
  ];
  return { view: callOf(card, { people, agents: agentsOf(all), ...more }), parts: all };
}

/** Who is on it: those connected; while nobody is, at most three whose phone rings. */
export function agentsOf(parts: PartView[]): CallAgent[] {
  const connected = parts.filter((part) => ["talking", "hold", "consulting"].includes(part.state));
  const shown = connected.length ? connected : parts.filter((part) => part.state === "ringing").slice(0, 3);
  return shown.map(({ agent, seat, name, state, since }) => ({ agent, seat, name, state, since }));
}

const member = (id: number, name: string, status: MemberView["status"], paused = false, reason: string | null = null): MemberView =>
  ({ interface: `PJSIP/${998 + id}`, agent: id, name, seat: `PJSIP/${998 + id}`, status, paused, reason, penalty: 0 });
export const members: MemberView[] = [
  member(3, "Li Wei", "idle"), member(4, "Wang Fang", "in_use"), member(5, "Chen Jie", "ringing"), member(6, "Zhao Lei", "idle", true, "lunch"), member(7, "Sarah Jones", "unavailable"),
];
export const membersOf: Record<string, MemberView[]> = { support: members, sales: members.slice(0, 3), vip: members.slice(0, 2) };
const queueOf = (queue: string, title_en: string, title_zh: string, waiting: number, longest_since: string | null, counts: [all: number, ready: number, busy: number, paused: number, off: number]): QueueView => {
  const [all, ready, busy, paused, off] = counts;
  return { pbx: "demo", queue, title_en, title_zh, waiting, longest_since, members: all, ready, busy, paused, off };
};
export const queues: QueueView[] = [
  queueOf("support", "Technical support", "技术支持", 3, ago(74), [5, 1, 2, 1, 1]),
  queueOf("sales", "Sales", "销售", 0, null, [3, 1, 2, 0, 0]),
  queueOf("vip", "Platinum line", "铂金专线", 1, ago(12), [2, 1, 1, 0, 0]),
];

const colleague = (agent: number, name: string, state: AgentStateView, role: TeamMember["role"] = "agent"): TeamMember =>
  ({ agent, name, extension: String(998 + agent), role, state: { ...state, by: { kind: "agent", name } }, queues: ["support", "sales"] });
export const team: TeamMember[] = [
  colleague(3, "Li Wei", me.state),
  colleague(4, "Wang Fang", stateOf("talking", 318)),
  colleague(5, "Chen Jie", stateOf("ready", 41)),
  colleague(6, "Zhao Lei", stateOf("not_ready", 1260, "lunch")),
  colleague(7, "Sarah Jones", stateOf("not_ready", 35, "phone_unreachable", { phone: { seat: "PJSIP/1005", reachable: false, since: ago(35) } })),
  colleague(8, "Hassan Demir", stateOf("wrap_up", 52)),
  colleague(9, "刘洋", stateOf("signed_out", 40_000, null, { on_shift: false })),
  colleague(2, "Zhang Min", stateOf("ready", 5200), "supervisor"),
];

const LI = { id: 3, name: "Li Wei" };
const rows: [minutes: number, direction: Interaction["direction"], who: string | null, ani: string, tier: string | null, queue: string | null, outcome: Interaction["outcome"], talk: number | null, note: string | null][] = [
  [9, "inbound", "刘建国", "+8613912345678", "silver", "support", "answered", 262_000, "伺服驱动器报 E-12，指导重启后恢复；明日回访确认。"],
  [24, "inbound", null, "+862166668888", null, "sales", "answered", 148_000, "Asks for a quote for two Sortline 40, no account yet."],
  [31, "inbound", "Hannah Schmidt", "+493055501234", "gold", "support", "abandoned", null, null],
  [47, "outbound", "陈美玲", "+8613688886666", "platinum", null, "answered", 95_000, "回访：备件已收到，无其他问题。"],
  [62, "inbound", "上海宏达物流有限公司", "+862150001234", "gold", "support", "transferred", 311_000, "Invoice question, passed to accounts (Chen Jie)."],
  [88, "inbound", "Daniel Okafor", "+14155550123", null, "support", "answered", 433_000, "Firmware 2.4.1 installed together; watch the spindle log until Monday."],
  [113, "internal", null, "1004", null, null, "internal", 41_000, null],
  [131, "inbound", "张伟", "+8613501112222", "bronze", "support", "short_abandon", null, null],
  [150, "inbound", "Grace Lin", "+8613911110000", "gold", "vip", "answered", 516_000, "Contract renewal agreed; send C-1190 for signature."],
];

const spoken = (entry: { at: string; talk_ms: number | null }): Pick<InteractionView, "started_at" | "call" | "match" | "ani_raw" | "path" | "language" | "verdict" | "queued_at" | "answered_at" | "ended_at" | "visits" | "joined"> => ({
  started_at: entry.at, call: null, visits: [], joined: [], match: "verified", ani_raw: null, path: [], language: null, verdict: null, queued_at: null, answered_at: entry.talk_ms ? entry.at : null, ended_at: null,
});
const segment = (part: Partial<InteractionView["segments"][number]>): InteractionView["segments"][number] => ({
  position: 1, agent: LI, seat: "PJSIP/1001", queue: "support", origin: "offer", offered_at: null, answered_at: null, ended_at: null, ring_ms: null, talk_ms: null, hold_ms: null,
  outcome: null, wrapped_at: null, note: null, code: null, follow_up: null, finished_at: null, owed: false, ...part,
});

export const today: Interaction[] = rows.map(([minutes, direction, who, ani, tier, queue, outcome, talk, note], index) => ({
  id: 600 - index, channel: "voice", direction, at: ago(minutes * 60), outcome, queue, agent: "Li Wei", talk_ms: talk, subject: null, note,
  customer: who ? { id: 100 + index, name: who, tier } : null, ani, ani_name: null, dnis: "4008001234", wait_ms: 21_000, ring_ms: 6000, hold_ms: 0, ended_by: "caller", complete: true, told_by: null,
  segments: [segment({ queue, offered_at: ago(minutes * 60), answered_at: talk ? ago(minutes * 60 - 6) : null, ring_ms: 6000, talk_ms: talk, hold_ms: 0, outcome: talk ? "answered" : "caller_left" })],
  ...spoken({ at: ago(minutes * 60), talk_ms: talk }),
}));

export const wangDetail: CustomerDetail = {
  ...wang, verdict: wangCard.verdict, contracts: wangCard.verdict.contract ? [wangCard.verdict.contract] : [], products: wangCard.products, cases: wangCard.cases, notes: wangCard.notes, people: [],
};

type Brief = Pick<Interaction, "id" | "channel" | "direction" | "at" | "outcome" | "queue" | "agent" | "talk_ms" | "subject" | "note">;
const entry = (brief: Brief, segments: Interaction["segments"] = []): Interaction => ({
  ...brief, customer: { id: 7, name: "王秀英" }, ani: "+8613800138000", ani_name: null, dnis: "4008001234", wait_ms: null, ring_ms: null, hold_ms: null, ended_by: null, complete: true, told_by: null,
  segments: segments.length || !brief.agent ? segments : [segment({ agent: { id: 0, name: brief.agent }, queue: brief.queue, talk_ms: brief.talk_ms })], ...spoken(brief),
});
export const timeline: Interaction[] = [
  ...wangCard.recent.map((brief) => entry(brief, brief.id === 498
    ? [
        segment({ agent: { id: 6, name: "Zhao Lei" }, offered_at: brief.at, ended_at: brief.at, ring_ms: 15_000, outcome: "no_answer" }),
        segment({ position: 2, offered_at: brief.at, answered_at: brief.at, ended_at: brief.at, ring_ms: 4000, talk_ms: 431_000, hold_ms: 22_000, outcome: "answered" }),
      ]
    : [])),
  entry({ id: 440, channel: "voice", direction: "outbound", at: ago(33 * DAY), outcome: "answered", queue: null, agent: "Chen Jie", talk_ms: 188_000, subject: null, note: "合同年度回访，客户满意，希望增加备件折扣。" }),
  entry({ id: 431, channel: "chat", direction: "inbound", at: ago(41 * DAY), outcome: null, queue: null, agent: "Sarah Jones", talk_ms: null, subject: "询问保养周期", note: "已发送保养手册 PDF。" }),
];
