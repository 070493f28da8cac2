// A problem in the words of the viewer: our text for its code, else the server's own, and what mends it.
import i18next from "i18next";
import type { T } from "../i18n";
import type { Problem } from "../wire/types";

/** What the server says to programs, "POST /api/session": nothing that a person at the desk can do. */
const toPrograms = (text: string | null | undefined) => /\b(GET|POST|PUT|PATCH|DELETE) \//.test(text ?? "");
const plain = (text: string | null | undefined) => (text ?? "").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

export function problemText(problem: Problem, t: T): { title: string; detail: string } {
  const key = `problem.${problem.code ?? ""}`;
  const byStatus: Record<number, string> = { 0: "unreachable", 401: "not_signed_in", 403: "forbidden", 404: "not_found", 409: "conflict", 422: "invalid", 429: "slow_down", 500: "internal", 503: "unavailable" };
  const fallback = byStatus[problem.status];
  const facts = { origin: globalThis.location?.origin, status: problem.answered, seconds: problem.wait };
  const title = problem.code && i18next.exists(key) ? t(key, facts) : fallback ? t(`problem.${fallback}`) : t("problem.failed", { status: problem.status });
  const fields = (problem.errors ?? []).map((entry) => `${entry.at.replace(/^body\./, "")}: ${entry.message}`);
  const remedy = `remedy.${problem.code ?? ""}`;
  const ours = problem.code && i18next.exists(remedy) ? t(remedy, facts) : null;
  const why = byRule(problem, t);
  if (why) return { title, detail: problem.reason?.code.endsWith("rule") && ours ? `${why} ${ours}` : why };
  // The server speaks English: where we have words of our own for cause and remedy, they are the viewer's.
  const repeated = (ours && i18next.language !== "en") || plain(problem.detail) === plain(title);
  const parts = [repeated ? null : problem.detail, ours ?? (toPrograms(problem.remedy) ? null : problem.remedy), ...fields].filter((part): part is string => Boolean(part));
  return { title, detail: parts.map(sentence).join(" ") };
}

/** What a rule of the dial policy decided, in the viewer's words; the limits name what helps themselves. */
function byRule(problem: Problem, t: T): string | null {
  const { code, params } = problem.reason ?? { code: "", params: {} as Record<string, string | number | boolean | null> };
  const key = `${problem.code ?? ""}.${code}`;
  if (!problem.reason || !i18next.exists(key)) return null;
  const country = typeof params.country === "string" && params.country !== "001" && params.kind !== "emergency" ? ` (${params.country})` : "";
  const kind = params.kind ? t(`dial_kind.${String(params.kind)}`) : "";
  return t(key, { ...params, kind, country });
}

/** The server's details are clauses: beside another one each is a sentence. */
function sentence(part: string, _index: number, all: string[]): string {
  return all.length < 2 || /[.!?。！？]$/.test(part) ? part : `${part[0]?.toUpperCase() ?? ""}${part.slice(1)}.`;
}
