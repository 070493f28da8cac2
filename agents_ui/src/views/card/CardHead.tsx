// The head of the card: the name, what the person is, the number and how sure the match is.
import { Button } from "react-aria-components";
import { named, sentence, useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { formatNumber, timeThere } from "../../lib/format";
import { isWithheld } from "../../lib/number";
import { fullName, whoIs } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import { MatchMark, Tier } from "../../parts/marks";
import { TelLink } from "../../parts/TelLink";
import { navigate } from "../../store/session/navigate";
import { useStore } from "../../store/desk/store";
import type { CallView, Card, Customer } from "../../wire/types";

export function CardHead({ call, card }: { call: CallView; card: Card }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const { customer, match, number } = card;
  const place = (language === "zh" && number.place_zh) || number.place;
  const shown = number.kind === "withheld" ? t("common.withheld") : formatNumber(number.e164 ?? number.raw);
  // A caller may send any name: it is never shown as if we knew it.
  const title = customer ? fullName(customer) : number.kind === "withheld" ? t("common.unknown_caller") : shown || whoIs(call, t);
  return (
    <header className="card-head" data-testid="card-customer">
      <div className="card-who">
        <h1>{title}</h1>
        {customer && <Tier tier={customer.tier} />}
        <span className="card-space" />
        {customer && (
          <>
            <Button className="button ghost small" onPress={() => navigate(`/customers/${customer.id}`)}><Icon name="clock" size={14} />{t("card.timeline")}<kbd>T</kbd></Button>
            <Button className="button ghost small" onPress={() => navigate(`/customers/${customer.id}/edit`)}><Icon name="edit" size={14} />{t("card.edit")}<kbd>E</kbd></Button>
          </>
        )}
      </div>
      {customer && <CustomerFacts customer={customer} />}
      <p className="match-line">
        <MatchMark standing={match.standing} />
        {shown !== title && (number.kind === "withheld" || number.kind === "malformed" ? <span className="num strong">{shown}</span> : <span className="strong"><TelLink number={number.e164 ?? number.raw} /></span>)}
        {place && <span>{place}</span>}
        <span className="quiet">{sentence("reason", match.reason, language)}</span>
        {!customer && !isWithheld(call.ani_name) && <span className="quiet">{t("card.network_name", { name: call.ani_name })}</span>}
      </p>
      {customer?.remarks && <p className="remarks"><Icon name="note" size={14} /><span>{customer.remarks}</span></p>}
    </header>
  );
}

/** Role and company, language, time there, usual agent: only what is known. */
export function CustomerFacts({ customer }: { customer: Customer }) {
  const t = useT();
  const now = useMinute();
  const language = useStore((store) => store.language);
  const there = timeThere(customer.time_zone, language, now);
  const company = customer.company;
  return (
    <p className="card-facts">
      {customer.kind === "company" && <span><Icon name="building" size={14} />{t("kind.company")}</span>}
      {customer.role_title && <span>{customer.role_title}</span>}
      {company && (
        <span>
          <Icon name="building" size={14} />
          <a href={`/customers/${company.id}`} onClick={(event) => { event.preventDefault(); navigate(`/customers/${company.id}`); }}>{company.name}</a>
        </span>
      )}
      {customer.language && <span><Icon name="language" size={14} />{named("spoken", customer.language)}</span>}
      {there && <span className="num"><Icon name="clock" size={14} />{t("card.there", { time: there })}</span>}
      {customer.preferred_agent && <span><Icon name="user" size={14} />{t("card.preferred", { name: customer.preferred_agent.name })}</span>}
    </p>
  );
}
