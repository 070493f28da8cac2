// Story pages: ?fixture=NAME shows one situation without a server. Only in `vite --mode fixtures` builds.
import type { Content } from "../store/drafts/drafts";
import { emptyDesk } from "../store/desk/fold";
import { loadReasons } from "../store/rooms/lists";
import { useMessages } from "../store/rooms/messages";
import { loadOwed } from "../store/drafts/owed";
import { keepDrafts } from "../store/session/session";
import { useSettings } from "../store/session/settings";
import { openSeats } from "../store/shift/shift";
import { usePanel } from "../store/calls/panel";
import { toast, useStore } from "../store/desk/store";
import { translate } from "../i18n";
import { useTransport } from "../wire/api";
import { syncClock } from "../wire/clock";
import type { CallParty, CallView, Card, HandoverView, HelpRequest, LinkState, Me, Problem, PromiseView } from "../wire/types";
import { callStories, othersCalls, targets } from "./callStories";
import { phoneStories, showPhone } from "./phoneStories";
import { answerShift, messages, shiftStories } from "./shiftStories";
import {
  ago, callOf, emilyCard, me, NOW, partyOf, queues, stateOf, team, timeline, today, unknownCard, wangCard, wangDetail,
} from "./people";

export interface Story {
  handovers?: Record<string, HandoverView>; panel?: Parameters<ReturnType<typeof usePanel.getState>["set"]>[0]; toasts?: Parameters<typeof toast>[0][];
  seats?: Problem; settings?: boolean; mine?: PromiseView[]; messages?: boolean; help?: HelpRequest[]; draft?: Partial<Content>;
  me?: Partial<Me>; calls?: CallView[]; cards?: Card[]; link?: LinkState; path?: string; lost?: boolean; note?: string; overlay?: "keys";
}

const mine = (part: Partial<CallParty>): Record<string, CallParty> => ({ "3": partyOf(part) });
const ringing = { state: "ringing" as const, answered_at: null, wait_ms: null };
const ringingParty = mine({ state: "ringing", since: ago(4), answered_at: null });
const live: LinkState = { state: "live", since: ago(5400), detail: "Asterisk 22.5.2" };
const state = (...of: Parameters<typeof stateOf>) => ({ state: stateOf(...of) });

const stories: Record<string, Story> = {
  signin: {},
  idle: {},
  busy: { me: state("not_ready", 612, "lunch") },
  ringing: { me: state("reserved", 4), calls: [callOf(wangCard, { ...ringing, agents: { ...ringingParty, "5": partyOf({ agent: 5, seat: "PJSIP/1003", name: "Chen Jie", state: "left", since: ago(6), reason: "no_answer", answered_at: null, wrap_up: null }) } })], cards: [wangCard] },
  talking: { me: state("talking", 214), calls: [callOf(wangCard)], cards: [wangCard], note: "主轴温度 86℃ 仍报警，已停机。客户要求今天内上门。" },
  hold: { me: state("hold", 21), calls: [callOf(wangCard, { state: "held", held_since: ago(21), agents: mine({ state: "hold", since: ago(21), talk_ms: 193_000, hold_ms: 14_000 }), others: [{ number: "+8613700001111", name: "Zhou Lei", state: "ringing" }] })], cards: [wangCard] },
  wrapup: {
    me: state("wrap_up", 38), cards: [wangCard], note: "主轴温度 86℃ 仍报警，已停机。约定今天 16:00 前工程师回电。",
    calls: [callOf(wangCard, { state: "ended", ended_at: ago(38), outcome: "answered", ended_by: "caller", agents: mine({ state: "wrap_up", since: ago(38), talk_ms: 176_000 }) })],
  },
  candidates: { me: state("reserved", 4), calls: [callOf(emilyCard, { ...ringing, agents: ringingParty })], cards: [emilyCard] },
  unknown: { me: state("talking", 52), calls: [callOf(unknownCard, { agents: mine({ since: ago(52), answered_at: ago(52) }) })], cards: [unknownCard] },
  several: {
    me: state("talking", 214), cards: [wangCard, emilyCard], note: "主轴温度 86℃ 仍报警。",
    calls: [callOf(wangCard), callOf(emilyCard, { ...ringing, interaction: 613, started_at: ago(20), queued_at: ago(12), queue: "vip", agents: ringingParty })],
  },
  stale: { me: state("talking", 214), calls: [callOf(wangCard)], cards: [wangCard], link: { state: "stale", since: ago(12), detail: "connection reset by peer" } },
  refused: { link: { state: "refused", since: ago(95), detail: "Authentication failed for cti-events" } },
  lost: { me: state("talking", 214), calls: [callOf(wangCard)], cards: [wangCard], lost: true },
  floor: {
    me: { role: "supervisor", name: "Zhang Min", id: 2, seat: null }, path: "/floor", cards: [],
    calls: [
      callOf(wangCard, { call: "a", agents: { "4": partyOf({ agent: 4, seat: "PJSIP/1002", name: "Wang Fang", state: "talking", since: ago(214), reason: null, answered_at: ago(214), wrap_up: null }) } }),
      callOf(emilyCard, { call: "b", ...ringing, started_at: ago(60), queued_at: ago(48), agents: { "5": partyOf({ agent: 5, seat: "PJSIP/1003", name: "Chen Jie", state: "ringing", since: ago(4), reason: null, answered_at: null, wrap_up: null }) } }),
      callOf(unknownCard, { call: "c", state: "queued", answered_at: null, wait_ms: null, started_at: ago(90), queued_at: ago(74), position: 1, agents: {} }),
      callOf(unknownCard, { call: "d", state: "ivr", answered_at: null, queued_at: null, wait_ms: null, queue: null, started_at: ago(9), ani: "+8613511112222", match: "pending", verdict: null, agents: {} }),
    ],
  },
  customer: { path: "/customers/7" },
  edit: { path: "/customers/7/edit" },
  create: { path: "/customers/new" },
  interaction: { path: "/interactions/600" },
  search: { me: state("talking", 52), calls: [callOf(unknownCard, { agents: mine({ since: ago(52), answered_at: ago(52) }) })], cards: [unknownCard] },
  keys: { overlay: "keys" },
  ...callStories,
  ...shiftStories,
  ...phoneStories,
};

const hits = [
  { id: 7, kind: "person", name: "王秀英", tier: "gold", company: { id: 40, name: "杭州远程精密机械有限公司" }, numbers: ["+8613800138000"], contract: { number: "C-1001", verdict: "hours_left" } },
  { id: 60, kind: "person", name: "王建军", tier: null, company: null, numbers: ["+8613600001234"], contract: null },
  { id: 61, kind: "company", name: "王府井设备租赁", tier: "silver", company: null, numbers: ["+861065251234"], contract: { number: "C-0901", verdict: "expired" } },
];

function answer(path: string, init: RequestInit): unknown {
  const [where, query = ""] = path.replace("/api", "").split("?");
  if (init.method === "POST" && where === "/session") throw { status: 401, title: "Unauthorized" };
  if (init.method === "POST" && where === "/me/state") return { request: "r1" };
  const shift = answerShift(where ?? "", init.method ?? "GET");
  if (shift !== undefined) return shift;
  if (where === "/targets") return targets;
  if (where === "/calls" && init.method === "GET") return { items: othersCalls };
  if (where === "/customers" && init.method === "GET") return { items: new URLSearchParams(query).get("q") === "zzz" ? [] : hits, next: null };
  if (/^\/customers\/\d+\/timeline/.test(where ?? "")) return { items: timeline, next: "more" };
  if (/^\/customers\/\d+$/.test(where ?? "")) {
    if (init.method === "PATCH") throw { status: 409, title: "Conflict", code: "stale" };
    return { ...wangDetail, tier: "platinum", version: 5 };
  }
  if (/^\/interactions\/61\d$/.test(where ?? "")) return { ...today[0], note: null };
  if (/^\/interactions\/\d+$/.test(where ?? "")) return today[0];
  if (where === "/interactions") return { items: today, next: null };
  return {};
}

export async function play(name: string): Promise<void> {
  const story = stories[name] ?? {};
  syncClock(new Date(NOW).toISOString());
  useTransport(async (path, init) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    try {
      return new Response(JSON.stringify(answer(path, init)), { status: 200 });
    } catch (problem) {
      return new Response(JSON.stringify(problem), { status: (problem as { status: number }).status });
    }
  });
  const { set } = useStore.getState();
  if (name === "signin") return set({ phase: "signed_out" });
  const person = { ...me, ...story.me };
  const drafts = keepDrafts(person.id);
  const [first] = story.calls ?? [];
  if (first && story.note) drafts.type(first.call, story.note, first.interaction);
  if (first && story.draft) drafts.change(first.call, story.draft, first.interaction);
  set({
    phase: "signed_in", path: story.path ?? "/", overlay: story.overlay ?? null,
    socket: story.lost ? { name: "lost", since: Date.now() - 23_000, attempt: 4 } : { name: "open", since: Date.now(), attempt: 0 },
    selected: first?.call ?? null,
    desk: {
      ...emptyDesk, me: person, links: { demo: story.link ?? live },
      calls: Object.fromEntries((story.calls ?? []).map((call) => [call.call, call])),
      cards: Object.fromEntries((story.cards ?? []).map((card) => [card.call, card])),
      queues: Object.fromEntries(queues.map((queue) => [queue.queue, queue])),
      team: Object.fromEntries(team.map((member) => [member.agent, member])),
      handovers: story.handovers ?? {}, resting: { name: "ready", reason: null },
      promises: byId(story.mine ?? []), messages: byId(story.messages ? messages : []), help: byId(story.help ?? []),
    },
  });
  useMessages.setState({ readTo: 3, loaded: true });
  if (story.settings) useSettings.setState({ open: true });
  if (story.seats) void openSeats(story.seats);
  void loadReasons();
  void loadOwed();
  usePanel.getState().set(story.panel ?? {});
  showPhone(name);
  for (const entry of story.toasts ?? []) toast({ ...entry, ...(entry.about ? { about: translate(entry.about) } : {}) });
}

function byId<V extends { id: number }>(all: V[]): Record<number, V> {
  return Object.fromEntries(all.map((one) => [one.id, one]));
}
