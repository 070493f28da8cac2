// Small marks used everywhere: tier, verdict, match, direction, outcome. Colour never speaks alone: icon or text goes with it.
import { named, useT } from "../i18n";
import { useStore } from "../store/desk/store";
import type { Direction, MatchStanding, Outcome, VerdictCode } from "../wire/types";
import { Icon, type IconName } from "./Icon";

export type Tone = "ok" | "warn" | "bad" | "info" | "neutral";

export const verdictTone: Record<VerdictCode, Tone> = {
  covered: "ok", hours_left: "ok", expired: "bad", suspended: "bad", cancelled: "bad", hours_spent: "warn", not_started: "warn", none: "neutral",
};
export const verdictIcon: Record<VerdictCode, IconName> = {
  covered: "shield", hours_left: "shield", expired: "stop", suspended: "stop", cancelled: "stop", hours_spent: "clock", not_started: "clock", none: "question",
};
const matchMark: Record<MatchStanding, [Tone, IconName]> = {
  verified: ["ok", "check"], shared: ["warn", "users"], guess: ["warn", "question"], none: ["neutral", "question"], pending: ["neutral", "clock"],
};
const missed: ReadonlySet<string> = new Set(["abandoned", "short_abandon", "no_agent", "no_answer", "caller_left", "rejected", "unavailable", "failed", "busy", "left_in_ivr", "transfer_failed"]);

export const isMissed = (outcome: string | null) => outcome !== null && missed.has(outcome);

/** Texts here come from codes, so a change of language must re-render. */
const useLanguage = () => useStore((store) => store.language);

export function Mark({ tone, icon, text }: { tone: Tone; icon?: IconName; text: string }) {
  return (
    <span className={`mark ${tone}`}>
      {icon && <Icon name={icon} size={13} />}
      {text}
    </span>
  );
}

export function Tier({ tier }: { tier: string | null }) {
  useLanguage();
  return tier ? <span className={`tier ${tier}`}>{named("tier", tier)}</span> : null;
}

export function VerdictMark({ code }: { code: VerdictCode | null }) {
  useLanguage();
  if (!code) return null;
  return <Mark tone={verdictTone[code] ?? "neutral"} icon={verdictIcon[code] ?? "question"} text={named("verdict", code)} />;
}

export function MatchMark({ standing }: { standing: MatchStanding }) {
  useLanguage();
  const [tone, icon] = matchMark[standing] ?? ["neutral", "question"];
  return <Mark tone={tone} icon={icon} text={named("match", standing)} />;
}

export function DirectionIcon({ direction, outcome }: { direction: Direction; outcome?: Outcome | null }) {
  useLanguage();
  const icon: IconName = direction === "outbound" ? "out" : direction === "internal" ? "internal" : "in";
  return (
    <span className={`direction ${isMissed(outcome ?? null) ? "missed" : ""}`} title={named("direction", direction)}>
      <Icon name={icon} size={14} />
      <span className="sr">{named("direction", direction)}</span>
    </span>
  );
}

/** Of a contact that the server did not see, or not its end: where it is from. `long` for its own page. */
export function ToldBy({ by, long = false }: { by: "cel" | "cel_end" | null; long?: boolean }) {
  const t = useT();
  if (by === null || (by === "cel_end" && !long)) return null;
  return <span data-testid="told-by"><Mark tone="warn" icon="warn" text={t(by === "cel" && long ? "interaction.cel_long" : `interaction.${by}`)} /></span>;
}

export function OutcomeText({ outcome }: { outcome: string | null }) {
  useLanguage();
  return <span className={isMissed(outcome) ? "outcome missed" : "outcome"}>{named("outcome", outcome ?? "open")}</span>;
}
