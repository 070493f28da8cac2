// Why they may be calling: facts on record only, each naming itself and leading to where it stands.
import { Button } from "react-aria-components";
import { named, spoken, useT, type T } from "../i18n";
import { Icon, type IconName } from "../parts/Icon";
import type { Tone } from "../parts/marks";
import { navigate } from "../store/navigate";
import { useStore } from "../store/store";
import type { Language, Why } from "../wire/types";

const looks: Record<string, [Tone, IconName]> = {
  open_case_overdue: ["bad", "ticket"], open_case: ["info", "ticket"], case_due: ["warn", "ticket"], recent_visit: ["info", "visit"], contract_expired: ["bad", "stop"],
  contract_ending: ["warn", "clock"], repeat_call: ["warn", "repeat"], abandoned_before: ["warn", "missed"], missed_callback: ["bad", "phone"], hours_low: ["warn", "clock"], recent_email: ["info", "mail"],
};

const counted = new Set(["days", "calls", "times"]);
const silent = new Set(["id", "count"]);

/** The facts of a reason in reading order: names first, then numbers, as the language writes them. */
function factsOf(why: Why, t: T, language: Language): string[] {
  const readable = spoken(why.params, language);
  return Object.entries(why.params)
    .filter(([name, value]) => value !== null && value !== "" && !silent.has(name) && !/_id$/.test(name))
    .map(([name, value]) => (counted.has(name) && typeof value === "number" ? t(`fact.${name}`, { count: value }) : String(readable[name] ?? value)));
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
              {factsOf(entry, t, language).map((fact, at) => <span key={at}>{fact}</span>)}
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
