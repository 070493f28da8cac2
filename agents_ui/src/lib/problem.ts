// A problem in the words of the viewer: our text for its code, else the server's own, and what mends it.
import i18next from "i18next";
import type { T } from "../i18n";
import type { Problem } from "../wire/types";

export function problemText(problem: Problem, t: T): { title: string; detail: string } {
  const key = `problem.${problem.code ?? ""}`;
  const byStatus: Record<number, string> = { 0: "unreachable", 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict", 422: "invalid", 429: "too_many" };
  const fallback = byStatus[problem.status];
  const title = problem.code && i18next.exists(key) ? t(key) : fallback ? t(`problem.${fallback}`) : t("problem.failed", { status: problem.status });
  const parts = [problem.detail, problem.remedy].filter((part): part is string => Boolean(part));
  return { title, detail: parts.join(" ") };
}
