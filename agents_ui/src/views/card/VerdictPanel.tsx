// What the contract says about this call, and the rule that decided: seen in colour, icon and words at once.
import { sentence, spoken, useT, type T } from "../../i18n";
import { formatDate, formatMinutes } from "../../lib/format";
import { Icon } from "../../parts/Icon";
import { verdictIcon, verdictTone } from "../../parts/marks";
import { useStore } from "../../store/desk/store";
import type { Contract, Language, Verdict } from "../../wire/types";

function headline(verdict: Verdict, t: T, language: Language): string {
  const { code, contract, rule } = verdict;
  const params = rule?.params ?? {};
  const facts = spoken(params, language);
  const days = params["days"];
  const left = params["minutes_left"] ?? (contract?.minutes_total != null ? contract.minutes_total - contract.minutes_used : null);
  if (code === "covered" && contract?.ends_on) return t("verdict.covered_until", { date: formatDate(contract.ends_on, language) });
  if (code === "expired" && typeof days === "number") return t("verdict.expired_for", { count: Math.abs(days) });
  if (code === "hours_left" && typeof left === "number") {
    const until = contract?.ends_on ? t("verdict.covered_until", { date: formatDate(contract.ends_on, language) }) : t("verdict.covered");
    return `${until} · ${t("verdict.hours_left_of", { left: formatMinutes(left, language) })}`;
  }
  if (code === "not_started" && contract) return t("verdict.not_started_until", { date: formatDate(contract.starts_on, language) });
  return t(`verdict.${code}`, facts);
}

export function VerdictPanel({ verdict, brief = false }: { verdict: Verdict; brief?: boolean }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const tone = verdictTone[verdict.code] ?? "neutral";
  const contracts = verdict.rule?.params["of"];
  const of = typeof contracts === "number" && contracts > 1 ? t("verdict.best_of", { count: contracts }) : "";
  return (
    <section className={`verdict ${tone}`} data-testid="card-verdict" data-verdict={verdict.code} aria-labelledby="verdict-heading" id={verdict.contract ? `ref-contract-${verdict.contract.id}` : undefined} tabIndex={-1}>
      <span className="verdict-icon"><Icon name={verdictIcon[verdict.code] ?? "question"} size={22} /></span>
      <div className="verdict-said">
        <h2 id="verdict-heading"><span className="sr">{t("verdict.heading")}: </span>{headline(verdict, t, language)}</h2>
        <p>{sentence("rule", verdict.rule, language)}{of && <span className="quiet"> · {of}</span>}</p>
      </div>
      {verdict.contract && !brief && <ContractFacts contract={verdict.contract} />}
    </section>
  );
}

export function ContractFacts({ contract }: { contract: Contract }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const level = contract.service_level;
  const { minutes_total: total, minutes_used: used } = contract;
  return (
    <dl className="verdict-facts">
      <div><dt>{t("verdict.contract")}</dt><dd className="num">{contract.number}</dd></div>
      {level && <div><dt>{t("verdict.service_level")}</dt><dd>{language === "zh" ? level.name_zh : level.name_en}</dd></div>}
      {level?.response_minutes != null && <div><dt>{t("verdict.response")}</dt><dd className="num">{t("verdict.within", { time: formatMinutes(level.response_minutes, language) })}</dd></div>}
      {total !== null && (
        <div>
          <dt>{t("verdict.hours")}</dt>
          <dd className="num">
            {t("verdict.of", { used: formatMinutes(used, language), total: formatMinutes(total, language) })}
            <span className="meter" aria-hidden="true"><span style={{ inlineSize: `${Math.min(100, (used / Math.max(1, total)) * 100)}%` }} /></span>
          </dd>
        </div>
      )}
      <div><dt>{t("verdict.term")}</dt><dd className="num">{formatDate(contract.starts_on, language)} – {contract.ends_on ? formatDate(contract.ends_on, language) : t("verdict.open_end")}</dd></div>
      {contract.status_reason && <div><dt>{t("verdict.reason")}</dt><dd>{contract.status_reason}</dd></div>}
    </dl>
  );
}
