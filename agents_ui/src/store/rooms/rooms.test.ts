// The rooms beside the desk: what is near, what is unread, who can be reached, and times as people say them.
import { expect, test } from "vitest";
import { me, NOW, promiseOf, stateOf, team } from "../../dev/people";
import { messages } from "../../dev/shiftStories";
import { callbackSlots, momentOf, untilSlots, workday } from "../../lib/slots";
import type { Me, Message, WrapUpCode } from "../../wire/types";
import { sortTeam } from "../../views/team/TeamView";
import { emptyDesk } from "../desk/desk";
import { choices, matching } from "./lists";
import { recipient, threadOf, unreadOf } from "./messages";
import { myPromises, urgencyOf } from "./promises";
import { needsShift } from "../shift/shift";

test("a promise is late once its time is over, soon from its reminder or from the beginning of its window", () => {
  const urgencies = [promiseOf(1, "", -1), promiseOf(2, "", 899), promiseOf(3, "", 901), promiseOf(4, "", 7200, { from: new Date(NOW - 1000).toISOString() })];
  expect(urgencies.map((promise) => urgencyOf(promise, NOW))).toEqual(["late", "soon", "later", "soon"]);
});

test("my promises are the open ones that I own, the first due first", () => {
  const other = promiseOf(4, "", 10, { owner: { id: 4, name: "Wang Fang" } });
  const all = [promiseOf(1, "", 500), promiseOf(2, "", 100), promiseOf(3, "", 10, { state: "kept" }), other];
  const desk = { ...emptyDesk, me, promises: Object.fromEntries(all.map((promise) => [promise.id, promise])) };
  expect(myPromises(desk).map((promise) => promise.id)).toEqual([2, 1]);
});

test("for an agent the supervisors are one side; for a supervisor each agent is", () => {
  const supervisor: Me = { ...me, id: 2, role: "supervisor" };
  const isSupervisor = (agent: number) => agent === 2;
  expect(messages.map((message) => threadOf(message, me, isSupervisor))).toEqual(["team", "supervisors", "supervisors", "supervisors"]);
  expect(messages.map((message) => threadOf(message, supervisor, isSupervisor))).toEqual(["team", 3, 3, 3]);
  expect([recipient("team"), recipient("supervisors"), recipient(3)]).toEqual([{ team: true }, { role: "supervisors" }, { agent: 3 }]);
});

test("unread is what others wrote since I last read", () => {
  const desk = { ...emptyDesk, me, messages: Object.fromEntries(messages.map((message: Message) => [message.id, message])) };
  expect([unreadOf(desk, 0), unreadOf(desk, 3), unreadOf(desk, 4), unreadOf({ ...desk, me: null }, 0)]).toEqual([3, 1, 0, 0]);
});

test("colleagues who can be reached come first; words may be name, extension or queue", () => {
  expect(sortTeam(team, "").map((member) => member.state.name)).toEqual(["ready", "ready", "ready", "wrap_up", "talking", "not_ready", "not_ready", "signed_out"]);
  expect(sortTeam(team, "wang").map((member) => member.name)).toEqual(["Wang Fang"]);
  expect(sortTeam(team, "1003 sales").map((member) => member.name)).toEqual(["Chen Jie"]);
  expect(sortTeam(team, "1003 销售", (queue) => (queue === "sales" ? "销售" : queue)).map((member) => member.name)).toEqual(["Chen Jie"]);
});

test("a shift is begun by whoever takes calls and has none", () => {
  const out: Me = { ...me, shift: null, state: stateOf("signed_out", 0) };
  expect([needsShift(me), needsShift(out), needsShift({ ...out, role: "supervisor" }), needsShift({ ...out, role: "supervisor", seat: null })]).toEqual([false, true, true, false]);
});

test("codes are found by any part of their path; headings cannot be chosen, nor what is out of use", () => {
  const code = (path: string, leaf: boolean, active = true): WrapUpCode => ({ code: path, parent: path.includes("/") ? (path.split("/")[0] ?? null) : null, queue: null, title_en: path.split("/").at(-1) ?? "", title_zh: "", position: 0, active, leaf });
  const all = choices([code("billing", false), code("info", true), code("billing/refund", true), code("billing/old", true, false), code("billing/invoice", true)], "en");
  expect(all.map((choice) => [...choice.path, choice.title].join(" › "))).toEqual(["info", "billing › refund", "billing › invoice"]);
  expect([matching(all, "bil ref"), matching(all, "")].map((found) => found.map((choice) => choice.code))).toEqual([["billing/refund"], all.map((choice) => choice.code)]);
});

const said = (slots: ReturnType<typeof callbackSlots>) => slots.map(({ text, params, from, to }) => [text.slice(5), params["to"] ?? "", from?.getDate() ?? null, to.getDate(), to.getHours()]);

test("quick choices of a Wednesday morning", () => {
  const now = new Date(2026, 10, 18, 10, 12);
  expect(said(callbackSlots(now))).toEqual([["hour", "", null, 18, 11], ["today", "17:00", 18, 18, 17], ["tomorrow", "10:00", 19, 19, 10], ["tomorrow", "15:00", 19, 19, 15]]);
  expect(said(untilSlots(now)).map(([text, to]) => [text, to])).toEqual([["today_by", "12:00"], ["today_by", "17:00"], ["tomorrow_by", "12:00"], ["tomorrow_by", "17:00"]]);
});

test("late on a Friday the next day to call is Monday, and nothing is offered that is over", () => {
  const now = new Date(2026, 10, 20, 21, 30);
  expect(workday(now)).toBe(3);
  expect(said(callbackSlots(now)).map(([text, , , day]) => [text, day])).toEqual([["hour", 20], ["monday", 23], ["monday", 23]]);
  expect(said(untilSlots(now)).map(([text]) => text)).toEqual(["monday_by", "monday_by"]);
  for (const slot of [...callbackSlots(now), ...untilSlots(now)]) expect(slot.to.getTime()).toBeGreaterThan(now.getTime());
});

test("a day and a time that are not both there are no moment", () => {
  expect([momentOf("2026-11-20", ""), momentOf("", "10:00"), momentOf("2026-11-20", "10:00")?.getHours()]).toEqual([null, null, 10]);
});
