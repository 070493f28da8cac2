// Both languages say the same things, every code of the contract has a text, and the code uses no text that is missing.
import { expect, test } from "vitest";
import { keyMap } from "../lib/shortcuts";
import { formatAgo, formatDate, formatMinutes, formatNumber, formatRough, formatSpan } from "../lib/format";
import en from "./en.json";
import { sentence } from ".";
import zh from "./zh.json";

type Tree = { [key: string]: string | Tree };
const flat = (tree: Tree, path = ""): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) => (typeof value === "string" ? [[path + key, value] as [string, string]] : flat(value, `${path}${key}.`)));
const english = new Map(flat(en));
const chinese = new Map(flat(zh));
const plain = (key: string) => key.replace(/_(one|other)$/, "");
const has = (key: string) => ["", "_other"].some((end) => english.has(key + end));

test("the same keys in both; Chinese has one plural form", () => {
  expect(new Set([...chinese.keys()].map(plain))).toEqual(new Set([...english.keys()].map(plain)));
  expect([...chinese.keys()].filter((key) => key.endsWith("_one"))).toEqual([]);
});

test("the same facts in both", () => {
  const facts = (text: string) => [...text.matchAll(/{{(\w+)}}/g)].map((match) => match[1]).sort();
  for (const [key, text] of chinese) expect([key, facts(text)]).toEqual([key, facts(english.get(key) ?? "")]);
});

// The contract's codes, by the group of texts that names them.
const codes: Record<string, string> = {
  verdict: "covered expired suspended hours_left hours_spent not_started cancelled none",
  rule: "contract.within_dates contract.past_end contract.suspended contract.hours contract.hours_spent contract.before_start contract.cancelled contract.absent contract.of_company",
  match: "verified shared guess none pending",
  reason: "chosen_before verified_number only_customer company_number shared_number guess_number switchboard withheld malformed unknown_number",
  why: "open_case_overdue open_case recent_visit recent_email recent_chat contract_expired contract_ending repeat_call abandoned_before",
  dial_refused: "rule no_rule off_shift a_minute at_once",
  dial_kind: "internal own emergency premium shared_cost satellite toll_free national international special unknown",
  state: "ready not_ready signed_out reserved talking hold wrap_up",
  call_state: "ivr queued ringing talking held parked conference ended",
  party_state: "ringing talking hold consulting wrap_up left",
  standing: "none ringing calling talking hold phone_hold reaching consulting alternated consulted conference alone waiting wrap_up",
  party_reason: "answered_elsewhere no_answer caller_left rejected transferred hung_up unavailable forwarded",
  outcome: "answered abandoned short_abandon no_agent left_in_ivr busy failed transferred transfer_failed outbound internal unseen no_answer answered_elsewhere rejected forwarded caller_left unavailable",
  ended_by: "caller agent system other unknown",
  origin: "offer transfer consult pickup outbound internal conference",
  channel: "voice email chat visit sms",
  direction: "inbound outbound internal",
  link: "live connecting stale refused",
  member: "idle ringing in_use on_hold unavailable busy invalid unknown",
  case_status: "open waiting closed",
  contract_status: "active suspended cancelled",
  kind: "person company",
  spoken: "en zh",
  verb: "answer reject hangup hangup_consulting leave hold retrieve mute unmute dtmf transfer consult alternate complete cancel conference drop park pick-up record-start record-pause record-resume record-stop help dial",
  tile: "hold retrieve mute unmute dtmf help consult transfer conference park",
  recording: "on off paused",
  cannot: "no_pbx calling on_hold phone_holds consulting not_answered consulted in_conference moving over no_phone busy not_allowed",
  consult: "complete alternate conference cancel",
  person_state: "ringing talking hold parked queued waiting",
  came: "queue preferred transfer transfer_unknown consult consult_unknown pickup pickup_from picked picked_queue returned dialled direct conference conference_unknown",
  handover: "transfer consult",
  picker: "consult transfer conference dial agent queue contact number do_consult do_transfer do_conference do_dial",
  target_off: "on_call signed_out unreachable",
};
test.each(Object.entries(codes))("every code of %s has a text", (group, list) => {
  expect(list.split(" ").filter((code) => !has(`${group}.${code}`))).toEqual([]);
});

test("every text the code asks for exists", () => {
  const sources = import.meta.glob<string>("../**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });
  const asked = new Set(keyMap.flatMap((entry) => [entry.text, `keys.${entry.group}`]));
  for (const [file, source] of Object.entries(sources)) {
    if (file.includes(".test.")) continue;
    for (const match of source.matchAll(/\bt(?:ranslate)?\(\s*"([a-z_.]+)"/g)) asked.add(match[1] ?? "");
  }
  expect([...asked].filter((key) => !has(key))).toEqual([]);
  expect(asked.size).toBeGreaterThan(100);
});

test("sentences are built from code and facts; an unknown code still says what it knows", async () => {
  const rule = { code: "contract.past_end", params: { contract: "C-0877", ends_on: "2026-11-10", days: 12 } };
  expect(sentence("rule", rule, "en")).toBe("Contract C-0877 ended on 10 Nov 2026");
  expect(sentence("reason", { code: "seen_before", params: { times: 2 } }, "en")).toBe("seen before · times 2");
  expect(sentence("reason", { code: "switchboard", params: {} }, "en")).toContain("–");
});

test("numbers and times as people read them", () => {
  expect([0, 7000, 271_900, 3_765_000, -5].map(formatSpan)).toEqual(["0:00", "0:07", "4:31", "1:02:45", "0:00"]);
  expect([formatMinutes(45, "en"), formatMinutes(750, "en"), formatMinutes(750, "zh"), formatMinutes(0, "en")]).toEqual(["45 min", "12 h 30 min", "12 小时 30 分", "0 min"]);
  expect(formatDate("2027-03-31", "en")).toBe("31 Mar 2027");
  expect(formatAgo("2026-11-17T05:00:00Z", "en", Date.parse("2026-11-22T05:00:00Z"))).toBe("5 days ago");
  expect([formatRough(7_200_000, "en"), formatRough(3 * 86_400_000, "en")]).toEqual(["2 hrs", "3 days"]);
  expect(["+8613800138000", "+861088881234", "+8657188881234", "+14155550123", "+442079460018", "1004", null].map(formatNumber)).toEqual([
    "+86 138 0013 8000", "+86 10 8888 1234", "+86 571 8888 1234", "+1 415 555 0123", "+44 20 7946 0018", "1004", "",
  ]);
});
