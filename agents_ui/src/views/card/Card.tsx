// The card: who calls, what they are entitled to, why they may call, and what is on record.
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { customerTopics, useTopics } from "../../store/session/topics";
import { navigate } from "../../store/session/navigate";
import { refreshCard } from "../../store/calls/cards";
import type { CallView, Card } from "../../wire/types";
import { Candidates } from "./Candidates";
import { CardHead } from "./CardHead";
import { Cases, Products, Recent } from "./CardLists";
import { Handover } from "../call/Handover";
import { Notes } from "../customer/Notes";
import { PromiseLedger } from "../promises/PromiseLedger";
import { VerdictPanel } from "./VerdictPanel";
import { WhyLine } from "./WhyLine";

export function CardView({ call, card }: { call: CallView; card: Card | null }) {
  const t = useT();
  const [asked, setAsked] = useState(0);
  const missing = card === null;
  useTopics(customerTopics(card?.customer ?? null));
  // An offer brings its card. Where none came, ask: soon, then ever more rarely while the call is here.
  useEffect(() => {
    if (!missing) return;
    const timer = setTimeout(() => void refreshCard(call.call).then((found) => !found && setAsked((times) => times + 1)), asked === 0 ? 400 : Math.min(60_000, 1500 * 2 ** asked));
    return () => clearTimeout(timer);
  }, [missing, asked, call.call]);
  if (!card) {
    return (
      <article className="card" data-testid="card" data-call={call.call} aria-label={t("card.heading")}>
        <Handover call={call} />
        <p className="quiet pad" role="status">{t(call.match === "pending" ? "call.identifying" : "call.no_card")}</p>
      </article>
    );
  }
  const customer = card.customer;
  return (
    <article className="card" data-testid="card" data-call={call.call} aria-label={t("card.heading")}>
      <Handover call={call} />
      <CardHead call={call} card={card} />
      {card.match.candidates.length > 1 && <Candidates call={call} card={card} />}
      {customer ? (
        <>
          <VerdictPanel verdict={card.verdict} />
          <WhyLine why={card.why} />
          <PromiseLedger promises={card.promises} customer={customer.id} interaction={call.interaction} number={card.number.e164} />
          <div className="card-grid">
            <div>
              <Cases cases={card.cases} />
              <Recent recent={card.recent} customer={customer.id} />
            </div>
            <div>
              <Products products={card.products} />
              <Notes customer={customer.id} notes={card.notes} onAdded={() => void refreshCard(call.call)} />
            </div>
          </div>
        </>
      ) : (
        card.match.candidates.length > 1 ? <p className="quiet">{t("match.undecided")}</p> : <UnknownCaller card={card} />
      )}
    </article>
  );
}

function UnknownCaller({ card }: { card: Card }) {
  const t = useT();
  const { kind, raw, e164 } = card.number;
  const usable = kind === "e164";
  const number = encodeURIComponent(e164 ?? raw ?? "");
  const only = card.match.candidates.length === 1;
  return (
    <section className="unknown">
      {!only && <h2>{t(kind === "withheld" || kind === "malformed" ? `unknown.${kind}` : "unknown.heading")}</h2>}
      <p>{t(usable ? "unknown.help" : "unknown.help_withheld")}</p>
      <div className="actions">
        <Button className="button primary" onPress={() => document.querySelector<HTMLElement>("[data-testid=search-box] input")?.focus()}>
          <Icon name="search" />{t("unknown.search")}<kbd>/</kbd>
        </Button>
        <Button className="button" onPress={() => navigate(usable ? `/customers/new?number=${number}` : "/customers/new")}>
          <Icon name="plus" />{t(usable ? "unknown.create" : "unknown.create_plain")}
        </Button>
      </div>
    </section>
  );
}
