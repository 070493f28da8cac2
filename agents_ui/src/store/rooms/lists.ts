// What supervisors configured and the desk chooses from: reasons for not ready, and wrap-up codes by queue.
import { create } from "zustand";
import { api } from "../../wire/api";
import type { Language, QueueView, ReasonCode, WrapUpCode } from "../../wire/types";

/** `titles`: those of queues by name. */
interface Lists { reasons: ReasonCode[]; codes: Record<string, WrapUpCode[]>; titles: Record<string, Pick<QueueView, "queue" | "title_en" | "title_zh">> }

export const useLists = create<Lists>(() => ({ reasons: [], codes: {}, titles: {} }));

const asked = new Set<string>();

export async function loadReasons(): Promise<void> {
  const reasons = await api.reasons().catch(() => null);
  if (reasons) useLists.setState({ reasons: [...reasons].filter((reason) => reason.active).sort((a, b) => a.position - b.position) });
}

export async function loadQueueTitles(): Promise<void> {
  const queues = await api.queues().catch(() => null);
  if (queues) useLists.setState({ titles: Object.fromEntries(queues.map((queue) => [queue.queue, queue])) });
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
  useLists.setState({ reasons: [], codes: {}, titles: {} });
}

export function titleOf(entry: { title_en: string; title_zh: string; code: string }, language: Language): string {
  return (language === "zh" ? entry.title_zh : entry.title_en) || entry.code;
}

/** One that can be chosen, with the headings above it. */
export interface CodeChoice { code: string; title: string; path: string[] }

export function choices(codes: WrapUpCode[], language: Language): CodeChoice[] {
  const byCode = new Map(codes.map((entry) => [entry.code, entry]));
  const above = (entry: WrapUpCode): string[] => {
    const parent = entry.parent === null ? undefined : byCode.get(entry.parent);
    return parent ? [...above(parent), titleOf(parent, language)] : [];
  };
  const sorted = [...codes].sort((a, b) => a.position - b.position);
  const leaves = sorted.filter((entry) => entry.leaf && entry.active).map((entry) => ({ code: entry.code, title: titleOf(entry, language), path: above(entry) }));
  // Those under one heading stay together, in the order in which the headings first appear.
  const headings = [...new Set(leaves.map((leaf) => leaf.path.join("/")))];
  return headings.flatMap((heading) => leaves.filter((leaf) => leaf.path.join("/") === heading));
}

/** Every word typed must be somewhere in the title or the headings above it. */
export function matching(all: CodeChoice[], typed: string): CodeChoice[] {
  const words = typed.toLowerCase().split(/[\s›/]+/).filter(Boolean);
  return all.filter((choice) => {
    const text = [...choice.path, choice.title, choice.code].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
