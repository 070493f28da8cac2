// Why they may be calling: facts on record only, each naming itself and leading to where it stands.
import { Button } from "react-aria-components";
import { named, spoken, useT, type T } from "../../i18n";
import { formatAgo, formatMoment, formatRough } from "../../lib/format";
import { useQueueTitle } from "../../lib/queue";
import { Icon, type IconName } from "../../parts/Icon";
import type { Tone } from "../../parts/marks";
import { navigate } from "../../store/session/navigate";
import { useStore } from "../../store/desk/store";
import type { Language, Why } from "../../wire/types";

const looks: Record<string, [Tone, IconName]> = {
  open_case_overdue: ["bad", "ticket"], open_case: ["info", "ticket"], case_due: ["warn", "ticket"], recent_visit: ["info", "visit"], contract_expired: ["bad", "stop"],
  contract_ending: ["warn", "clock"], repeat_call: ["warn", "repeat"], abandoned_before: ["warn", "missed"], missed_callback: ["bad", "phone"], hours_low: ["warn", "clock"], recent_email: ["info", "mail"],
  recent_chat: ["info", "chat"], promise_broken: ["bad", "clock"], promise_due: ["warn", "clock"],
};

const silent: ReadonlySet<string> = new Set(["status", "priority", "outcome", "ends_on", "count", "id", "kind"]);

/** The facts of a reason in reading order, each in words; a fact this desktop does not know shows as it is. */
function factsOf(why: Why, t: T, language: Language, queueOf: (name: string) => string): string[] {
  const readable = spoken(why.params, language);
  const word = (name: string, value: string | number | boolean): string => {
    if (name === "late_ms") return t("fact.late", { time: formatRough(Number(value), language) });
    if (name === "ago_ms") return formatAgo(new Date(-Number(value)).toISOString(), language, 0);
    if (name === "queue") return queueOf(String(value));
    if (name === "due") return formatMoment(String(value), language);
    if (name === "days" && why.code === "contract_ending") return t("fact.days_left", { count: Number(value) });
    if (name === "days" && why.code === "contract_expired") return t("fact.days_ago", { count: Number(value) });
    if (name === "days" || name === "times" || name === "calls") return t(`fact.${name}`, { count: Number(value) });
    return String(readable[name] ?? value);
  };
  return Object.entries(why.params).flatMap(([name, value]) =>
    value === null || value === "" || silent.has(name) || name.endsWith("_id") || (name === "times" && value === 1) ? [] : [word(name, value)],
  );
}

function follow(ref: string): void {
  const element = document.getElementById(`ref-${ref.replace(":", "-")}`);
  if (element) {
    element.scrollIntoView({ block: "nearest" });
    element.focus({ preventScroll: true });
    return;
  }
  const [kind, id] = ref.split(":");
  if (kind === "interaction") navigate(`/interactions/${id}`);
}

export function WhyLine({ why }: { why: Why[] }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const queueOf = useQueueTitle();
  return (
    <section className="why" data-testid="card-why" aria-labelledby="why-heading">
      <h2 id="why-heading">{t("card.why")}</h2>
      {why.length === 0 && <span className="quiet">{t("card.why_none")}</span>}
      <ul>
        {why.map((entry, index) => {
          const [tone, icon] = looks[entry.code] ?? ["neutral", "question"];
          const inside = (
            <>
              <Icon name={icon} size={14} />
              <strong>{named("why", entry.code)}</strong>
              {factsOf(entry, t, language, queueOf).map((fact, at) => <span key={at}>{fact}</span>)}
            </>
          );
          return (
            <li key={`${entry.code}${entry.ref}${index}`}>
              {entry.ref ? <Button className={`chip ${tone}`} onPress={() => follow(entry.ref ?? "")}>{inside}</Button> : <span className={`chip ${tone}`}>{inside}</span>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
