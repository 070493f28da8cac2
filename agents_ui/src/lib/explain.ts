// Explain my state: one sentence — why I am in it, by whom or what event, about which call. Times are the view's.
import i18next from "i18next";
import { named, type T } from "../i18n";
import { titleOf } from "../store/rooms/lists";
import type { AgentStateView, Because, Language, ReasonCode } from "../wire/types";
import { formatNumber } from "./format";
import { isWithheld } from "./number";

/** Who calls are with and what queues are called, where the desk knows it. */
export interface Names { t: T; language: Language; reasons: ReasonCode[]; queue: (name: string) => string; who: (call: string) => string | null }

/** A reason as the supervisor titled it, one of the system's, or the PBX's own text. */
export function reasonTitle(reason: string | null, reasons: ReasonCode[], language: Language): string {
  if (!reason) return "";
  const listed = reasons.find((entry) => entry.code === reason);
  return listed ? titleOf(listed, language) : i18next.exists(`not_ready.${reason}`) ? named("not_ready", reason) : reason;
}

/** Ready; Not ready: Lunch. */
export function stateTitle({ name, reason }: { name: string; reason: string | null }, names: Pick<Names, "t" | "reasons" | "language">): string {
  const state = names.t(`state.${name}`);
  return reason && name === "not_ready" ? reasonTitle(reason, names.reasons, names.language) : state;
}

// What the system's own reasons mean, for a state that tells no event.
const eventOf: Record<string, string> = {
  no_answer: "offer_unanswered", rejected: "offer_rejected", phone_unreachable: "phone_unreachable", connection_lost: "desktop_gone",
  wrap_up_expired: "wrap_up_expired", signed_in: "signed_in", signed_out: "signed_out", left_queues: "left_queues",
};
const eventIn: Record<string, string> = {
  reserved: "call_offered", talking: "call_answered", hold: "hold", wrap_up: "call_ended", signed_out: "signed_out",
};

export function explain(state: AgentStateView, names: Names): string {
  const event = state.because?.event ?? (state.reason && eventOf[state.reason]) ?? eventIn[state.name] ?? "chosen";
  const call = callPhrase(state.because, names);
  const label = stateTitle(state, names);
  if (event === "chosen") return chosen(state, label, names);
  const key = event === "call_ended" && state.name !== "wrap_up" ? "call_over" : event;
  // An event of a newer server: its name in words is better than nothing.
  if (!i18next.exists(`state_why.${key}`)) return `${label}: ${key.replace(/_/g, " ")}`;
  const text = names.t(`state_why.${key}`, { call, state: label });
  return state.by?.kind === "supervisor" && state.by.name ? names.t("state_why.with_name", { text, name: state.by.name }) : text;
}

function chosen(state: AgentStateView, label: string, { t }: Names): string {
  const { by } = state;
  if (by?.kind === "supervisor") return t(by.name ? "state_why.chosen_supervisor" : "state_why.chosen_supervisor_unnamed", { state: label, name: by.name });
  if (by?.kind === "pbx") return t("state_why.chosen_pbx", { state: label });
  if (by?.kind === "system") return t("state_why.chosen_system", { state: label });
  return t("state_why.chosen_agent", { state: label });
}

function callPhrase(because: Because | null, { t, queue, who }: Names): string {
  const name = (because?.call && who(because.call)) || (isWithheld(because?.number) ? "" : formatNumber(because?.number ?? null));
  if (name && because?.queue) return t("state_why.call_name_queue", { name, queue: queue(because.queue) });
  if (name) return t("state_why.call_name", { name });
  return because?.queue ? t("state_why.call_queue", { queue: queue(because.queue) }) : t("state_why.call");
}
