// What supervisors configured and the desk chooses from: reasons for not ready, and wrap-up codes by queue.
import { create } from "zustand";
import { api } from "../../wire/api";
import type { Language, ReasonCode, WrapUpCode } from "../../wire/types";

interface Lists { reasons: ReasonCode[]; codes: Record<string, WrapUpCode[]> }

export const useLists = create<Lists>(() => ({ reasons: [], codes: {} }));

const asked = new Set<string>();

export async function loadReasons(): Promise<void> {
  const reasons = await api.reasons().catch(() => null);
  if (reasons) useLists.setState({ reasons: [...reasons].filter((reason) => reason.active).sort((a, b) => a.position - b.position) });
}

/** Those of everywhere and those of the queue; "" where a call came by no queue. */
export async function loadCodes(queue: string | null): Promise<void> {
  const key = queue ?? "";
  if (asked.has(key)) return;
  asked.add(key);
  const codes = await api.wrapUpCodes(queue).catch(() => null);
  if (codes) useLists.setState({ codes: { ...useLists.getState().codes, [key]: codes } });
  else asked.delete(key);
}

/** Changed by a supervisor: those in use are read again. */
export function forgetCodes(): void {
  const before = [...asked];
  asked.clear();
  for (const key of before) void loadCodes(key || null);
}

export function forgetLists(): void {
  asked.clear();
  useLists.setState({ reasons: [], codes: {} });
}

export function titleOf(entry: { title_en: string; title_zh: string; code: string }, language: Language): string {
  return (language === "zh" ? entry.title_zh : entry.title_en) || entry.code;
}

/** One that can be chosen, with the headings above it. */
export interface CodeChoice { code: string; title: string; path: string[] }

export function choices(codes: WrapUpCode[], language: Language): CodeChoice[] {
  const known = new Map(codes.map((one) => [one.code, one]));
  const above = (one: WrapUpCode): string[] => {
    const parent = one.parent === null ? undefined : known.get(one.parent);
    return parent ? [...above(parent), titleOf(parent, language)] : [];
  };
  const sorted = [...codes].sort((a, b) => a.position - b.position);
  const leaves = sorted.filter((one) => one.leaf && one.active).map((one) => ({ code: one.code, title: titleOf(one, language), path: above(one) }));
  // Those under one heading stay together, in the order in which the headings first appear.
  const headings = [...new Set(leaves.map((one) => one.path.join("/")))];
  return headings.flatMap((heading) => leaves.filter((one) => one.path.join("/") === heading));
}

/** Every word typed must be somewhere in the title or the headings above it. */
export function matching(all: CodeChoice[], typed: string): CodeChoice[] {
  const words = typed.toLowerCase().split(/[\s›/]+/).filter(Boolean);
  return all.filter((choice) => {
    const text = [...choice.path, choice.title, choice.code].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
