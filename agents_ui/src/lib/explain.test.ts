// Every state can be explained, in both languages, whatever the server says of it; and the usual ones read as people speak.
import i18next from "i18next";
import { beforeAll, describe, expect, test } from "vitest";
import "../i18n";
import { stateOf } from "../dev/people";
import type { AgentStateName, AgentStateView, Because, Language } from "../wire/types";
import { explain, reasonTitle, type Names } from "./explain";

const names: AgentStateName[] = ["signed_out", "ready", "not_ready", "reserved", "talking", "hold", "wrap_up"];
const events = [
  "chosen", "offer_unanswered", "offer_rejected", "phone_unreachable", "desktop_gone", "wrap_up_expired", "signed_in", "paused_in_pbx",
  "unpaused_in_pbx", "call_offered", "call_dialled", "call_answered", "call_ended", "hold", "retrieved", null,
];
const reasons = [
  "signed_in", "no_answer", "rejected", "phone_unreachable", "connection_lost", "wrap_up_expired", "signed_out", "on_call", "left_queues",
  "lunch", "Pause from *45", null,
];
const people: AgentStateView["by"][] = [
  { kind: "agent", name: "Li Wei" }, { kind: "supervisor", name: "Zhang Min" }, { kind: "supervisor", name: null }, { kind: "system", name: null },
  { kind: "pbx", name: null }, null,
];
const abouts: Omit<Because, "event">[] = [
  { call: "c1", queue: "support", number: "+8613800138000" }, { call: null, queue: "support", number: null },
  { call: null, queue: null, number: "+8613800138000" }, { call: null, queue: null, number: null },
];
const lunch = { code: "lunch", title_en: "Lunch", title_zh: "午餐", position: 1, active: true };
const inWords = (language: Language, who: Names["who"] = () => null): Names => ({
  t: (key, params) => i18next.t(key, { lng: language, ...params }), language, reasons: [lunch],
  queue: () => (language === "zh" ? "技术支持" : "Technical support"), who,
});

describe.each(["en", "zh"] as const)("in %s", (language) => {
  beforeAll(() => i18next.changeLanguage(language));

  test.each(names)("%s: every reason, person, event and call", (name) => {
    for (const event of events) for (const reason of reasons) for (const by of people) for (const about of abouts) {
      const text = explain(stateOf(name, 60, reason, { by, because: event === null ? null : { event, ...about } }), inWords(language));
      const told = [name, event, reason, by?.kind, text];
      expect(told.concat(String(text.length > 3))).toEqual(told.concat("true"));
      // No code, no hole and no key of a text may reach the screen.
      expect([told, /_|\{\{|undefined|null|–|state_why/.exec(text.replace("Pause from *45", ""))]).toEqual([told, null]);
      if (language === "zh") expect([told, /[一-鿿]/.test(text)]).toEqual([told, true]);
    }
  });
});

const said = (language: Language, state: AgentStateView, who?: Names["who"]) => i18next.changeLanguage(language).then(() => explain(state, inWords(language, who)));
const system = { kind: "system" as const, name: null };
const because = (event: string, part: Partial<Because> = {}): Because => ({ event, call: "c1", queue: "support", number: "+8613800138000", ...part });

test.each([
  [stateOf("ready", 1), "you chose Ready", "您选择了“空闲”"],
  [stateOf("not_ready", 1, "lunch"), "you chose Lunch", "您选择了“午餐”"],
  [stateOf("not_ready", 1, "lunch", { by: { kind: "supervisor", name: "Zhang Min" } }), "Zhang Min set you to Lunch", "Zhang Min 把您设为“午餐”"],
  [
    stateOf("not_ready", 1, "no_answer", { by: system, because: because("offer_unanswered") }),
    "the call with +86 138 0013 8000 (Technical support) was not answered; no more calls until you go ready",
    "与 +86 138 0013 8000 的通话（技术支持）无人接听，示闲前不再派来电",
  ],
  [stateOf("not_ready", 1, "connection_lost", { by: system, because: null }), "the desk was closed or lost its connection", "工作台被关闭或连接中断"],
  [stateOf("not_ready", 1, "Pause from *45", { by: { kind: "pbx", name: null }, because: because("paused_in_pbx", { call: null, queue: null, number: null }) }), "your phone was set to not ready in the phone system (Pause from *45)", "您的话机在电话系统中被设为示忙（Pause from *45）"],
  [stateOf("wrap_up", 1, null, { by: system, because: because("call_ended", { number: null }) }), "you are wrapping up a call of Technical support", "您正在对技术支持的一个来电做话后处理"],
  [stateOf("ready", 1, null, { by: system, because: because("call_ended", { queue: null, number: null }) }), "a call is over", "一个来电已结束"],
  [stateOf("signed_out", 1, null, { by: null, because: null }), "you are signed out; no calls are offered", "您已签出，不会派来电"],
])("as people say it: %#", async (state, english, chinese) => {
  expect([await said("en", state), await said("zh", state)]).toEqual([english, chinese]);
});

test("a call is named by the customer where the desk knows them", async () => {
  const state = stateOf("talking", 1, null, { by: system, because: because("call_answered", { queue: null }) });
  expect(await said("en", state, (call) => (call === "c1" ? "王秀英" : null))).toBe("you are on the call with 王秀英");
});

test("an event of a newer server says its name in words", async () => {
  expect(await said("en", stateOf("not_ready", 1, "lunch", { because: because("moved_by_robot") }))).toBe("Lunch: moved by robot");
});

test("a reason is the supervisor's title, ours, or the PBX's own text", () => {
  expect([reasonTitle("lunch", [lunch], "zh"), reasonTitle("no_answer", [], "en"), reasonTitle("Pause from *45", [], "en"), reasonTitle(null, [], "en")]).toEqual(["午餐", i18next.t("not_ready.no_answer"), "Pause from *45", ""]);
});
