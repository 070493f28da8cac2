// Story pages: ?fixture=NAME shows one situation without a server. Only in `vite --mode fixtures` builds.
import i18next from "i18next";
import type { Content } from "../store/drafts/drafts";
import { emptyDesk, queueKey } from "../store/desk/desk";
import { loadReasons } from "../store/rooms/lists";
import { useMessages } from "../store/rooms/messages";
import { loadOwed } from "../store/drafts/owed";
import { openDrafts } from "../store/drafts/noteDrafts";
import { useSettings } from "../store/session/settings";
import { openSeats } from "../store/shift/shift";
import { usePanel } from "../store/calls/panel";
import { toast, useStore } from "../store/desk/store";
import { translate } from "../i18n";
import { useTransport } from "../wire/api";
import { syncClock } from "../wire/clock";
import type { Card, HandoverView, HelpRequest, LinkState, Me, Problem, PromiseView } from "../wire/types";
import { callStories, othersCalls, targets } from "./callStories";
import { phoneStories, showPhone } from "./phoneStories";
import { answerShift, messages, shiftStories } from "./shiftStories";
import {
  ago, emilyCard, me, membersOf, NOW, queues, stateOf, storyCall, team, timeline, today, unknownCard, wangCard, wangDetail, type StoryCall,
} from "./people";

export interface Story {
  handovers?: Record<string, HandoverView>; panel?: Parameters<ReturnType<typeof usePanel.getState>["set"]>[0]; toasts?: Parameters<typeof toast>[0][];
  seats?: Problem; settings?: boolean; mine?: PromiseView[]; messages?: boolean; help?: HelpRequest[]; draft?: Partial<Content>;
  me?: Partial<Me>; calls?: StoryCall[]; cards?: Card[]; link?: LinkState; path?: string; lost?: boolean; record?: { since: string; stale: string[] }; note?: string; overlay?: "keys";
}

const ringing = { state: "ringing" as const, answered_at: null, wait_ms: null };
const rings = { state: "ringing" as const, since: ago(4), answered_at: null };
const chen = { agent: 5, seat: "PJSIP/1003", name: "Chen Jie", leg: "demo-1795323648.2" };
const live: LinkState = { state: "live", since: ago(5400), detail: "Asterisk 22.5.2" };
const state = (...of: Parameters<typeof stateOf>) => ({ state: stateOf(...of) });

const stories: Record<string, Story> = {
  signin: {},
  idle: {},
  busy: { me: state("not_ready", 612, "lunch") },
  ringing: { me: state("reserved", 4), calls: [storyCall(wangCard, ringing, [{ ...chen, state: "left", since: ago(6), reason: "no_answer", answered_at: null, wrap_up: null }, rings])], cards: [wangCard] },
  talking: { me: state("talking", 214), calls: [storyCall(wangCard)], cards: [wangCard], note: "主轴温度 86℃ 仍报警，已停机。客户要求今天内上门。" },
  hold: { me: state("hold", 21), calls: [storyCall(wangCard, { state: "held", held_since: ago(21) }, [{ state: "hold", since: ago(21), talk_ms: 193_000, hold_ms: 14_000 }])], cards: [wangCard] },
  wrapup: {
    me: state("wrap_up", 38), cards: [wangCard], note: "主轴温度 86℃ 仍报警，已停机。约定今天 16:00 前工程师回电。",
    calls: [storyCall(wangCard, { state: "ended", ended_at: ago(38), outcome: "answered", ended_by: "caller" }, [{ state: "wrap_up", since: ago(38), talk_ms: 176_000 }])],
  },
  candidates: { me: state("reserved", 4), calls: [storyCall(emilyCard, ringing, [rings])], cards: [emilyCard] },
  unknown: { me: state("talking", 52), calls: [storyCall(unknownCard, {}, [{ since: ago(52), answered_at: ago(52) }])], cards: [unknownCard] },
  several: {
    me: state("talking", 214), cards: [wangCard, emilyCard], note: "主轴温度 86℃ 仍报警。",
    calls: [storyCall(wangCard), storyCall(emilyCard, { ...ringing, interaction: 613, started_at: ago(20), queued_at: ago(12), waiting_since: ago(12), queue: "vip" }, [rings])],
  },
  stale: { me: state("talking", 214), calls: [storyCall(wangCard)], cards: [wangCard], link: { state: "stale", since: ago(12), detail: "connection reset by peer" } },
  recordaway: { me: state("talking", 214), calls: [storyCall(wangCard)], cards: [wangCard], record: { since: ago(42), stale: [] } },
  recordstale: { me: state("talking", 214), calls: [storyCall(wangCard)], cards: [wangCard], record: { since: ago(42), stale: ["pbx:demo"] } },
  refused: { link: { state: "refused", since: ago(95), detail: "Authentication failed for cti-events" } },
  lost: { me: state("talking", 214), calls: [storyCall(wangCard)], cards: [wangCard], lost: true },
  floor: {
    me: { role: "supervisor", name: "Zhang Min", id: 2, seat: null }, path: "/floor", cards: [],
    calls: [
      storyCall(wangCard, { call: "a" }, [{ ...chen, state: "left", since: ago(229), reason: "no_answer", answered_at: null }, { agent: 4, seat: "PJSIP/1002", name: "Wang Fang" }]),
      storyCall(emilyCard, { call: "b", ...ringing, started_at: ago(60), queued_at: ago(48) }, [{ ...chen, ...rings }]),
      storyCall(unknownCard, { call: "c", state: "queued", answered_at: null, wait_ms: null, started_at: ago(90), queued_at: ago(74), waiting_since: ago(74), position: 1 }, []),
      storyCall(unknownCard, { call: "d", state: "ivr", answered_at: null, queued_at: null, waiting_since: null, wait_ms: null, queue: null, started_at: ago(9), ani: "+8613511112222", match: "pending", verdict: null }, []),
    ],
  },
  customer: { path: "/customers/7" },
  edit: { path: "/customers/7/edit" },
  create: { path: "/customers/new" },
  interaction: { path: "/interactions/600" },
  search: { me: state("talking", 52), calls: [storyCall(unknownCard, {}, [{ since: ago(52), answered_at: ago(52) }])], cards: [unknownCard] },
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
  if (where === "/queues") return queues;
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
  const drafts = openDrafts(person.id);
  const [first] = story.calls ?? [];
  if (first && story.note) drafts.type(first.view.call, story.note, first.view.interaction);
  if (first && story.draft) drafts.change(first.view.call, story.draft, first.view.interaction);
  set({
    phase: "signed_in", path: story.path ?? "/", overlay: story.overlay ?? null,
    socket: story.lost ? { name: "lost", since: Date.now() - 23_000, attempt: 4 } : { name: "open", since: Date.now(), attempt: 0 },
    selected: first?.view.call ?? null,
    desk: {
      ...emptyDesk, me: person, links: { demo: story.link ?? live }, record: story.record ?? null,
      calls: Object.fromEntries((story.calls ?? []).map(({ view }) => [view.call, view])),
      parts: Object.fromEntries((story.calls ?? []).flatMap(({ view, parts }) => {
        const mine = parts.filter((part) => part.agent === person.id && part.state !== "left");
        return mine.length ? [[view.call, mine]] : [];
      })),
      opened: Object.fromEntries((story.calls ?? []).map(({ view, parts }) => [view.call, Object.fromEntries(parts.map((part) => [part.position, part]))])),
      topics: Object.fromEntries(topicsOf(story).map((topic) => [topic, { streams: ["pbx:demo"], refused: null }])),
      cards: Object.fromEntries((story.cards ?? []).map((card) => [card.call, card])),
      queues: Object.fromEntries(queues.map((queue) => [queueKey(queue.pbx, queue.queue), queue])),
      serving: queues.map((queue) => queueKey(queue.pbx, queue.queue)),
      members: Object.fromEntries(Object.entries(membersOf).map(([name, all]) => [queueKey("demo", name), Object.fromEntries(all.map((member) => [member.interface, member]))])),
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
  for (const entry of story.toasts ?? []) toast({ ...entry, ...(entry.about ? { about: worded(entry.about) } : {}), ...(entry.text ? { text: worded(entry.text) } : {}) });
}

/** A key in the words of the language; anything else as it is. */
const worded = (text: string) => (i18next.exists(text) ? translate(text) : text);

/** Nothing is asked of a server: what the views open is there. */
function topicsOf(story: Story): string[] {
  return ["floor", "team", ...queues.map((queue) => `queue:${queueKey(queue.pbx, queue.queue)}`), ...(story.calls ?? []).map(({ view }) => `call:${view.call}`)];
}

function byId<V extends { id: number }>(all: V[]): Record<number, V> {
  return Object.fromEntries(all.map((view) => [view.id, view]));
}
