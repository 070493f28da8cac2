// What the dial policy refuses, in both languages: rule and kind of number, and never the number.
import i18next from "i18next";
import { afterEach, expect, test } from "vitest";
import "../i18n";
import type { T } from "../i18n";
import type { Problem } from "../wire/types";
import { problemText } from "./problem";

const t = ((key: string, facts?: Record<string, unknown>) => i18next.t(key, facts ?? {})) as T;
const refusal = (code: string, params: NonNullable<Problem["reason"]>["params"]): Problem => ({
  title: "Forbidden", status: 403, code: "dial_refused", detail: "the dial policy's rule …", remedy: "An administrator sees the rule with …", reason: { code, params },
});

afterEach(() => i18next.changeLanguage("en"));

test.each([
  ["en", refusal("rule", { rule: "abroad", kind: "international", country: "GB", role: "agent" }), "The rule “abroad” does not let you dial numbers of other countries (GB)."],
  ["zh", refusal("rule", { rule: "abroad", kind: "international", country: "GB", role: "agent" }), "规则“abroad”不允许您拨打其他国家和地区的号码 (GB)。"],
  ["en", refusal("rule", { rule: "costly", kind: "satellite", country: "001" }), "The rule “costly” does not let you dial satellite numbers."],
  ["zh", refusal("off_shift", { rule: "off_shift", kind: "national", country: "CN" }), "只有当班人员可以拨打外线，请先开始上班。"],
  ["en", refusal("a_minute", { rule: "a_minute", kind: "national", country: "CN", limit: 20 }), "You have begun 20 calls within a minute. Wait a moment."],
])("%s %o", async (language, problem, says) => {
  await i18next.changeLanguage(language);
  const said = problemText(problem, t);
  expect(said.title).toBe(i18next.t("problem.dial_refused"));
  expect(said.detail).toContain(says);
  expect(said.detail).not.toContain("the dial policy's rule");
});

test("what the server says to programs is not for the desk", () => {
  const problem: Problem = { title: "Conflict", status: 409, code: "newer_than_this_desk", detail: "there is no draft", remedy: "Read it with GET /api/me/drafts." };
  expect(problemText(problem, t).detail).toBe("there is no draft");
});

test("a reason without a text of ours is said in the server's words", () => {
  expect(problemText(refusal("something_new", {}), t).detail).toContain("The dial policy's rule");
});
