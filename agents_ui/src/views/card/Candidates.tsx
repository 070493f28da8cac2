// Several customers share the number: each with the reason for its place; the agent's choice is told and remembered.
import { useState } from "react";
import { Button } from "react-aria-components";
import { sentence, useT } from "../../i18n";
import { MatchMark, Tier } from "../../parts/marks";
import { attachCustomer } from "../../store/calls/attach";
import { useStore } from "../../store/desk/store";
import type { CallView, Card } from "../../wire/types";

export function Candidates({ call, card }: { call: CallView; card: Card }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const [asked, setAsked] = useState<number | null>(null);
  const { candidates } = card.match;
  const chosen = card.customer?.id ?? null;

  async function choose(customer: { id: number; name: string }) {
    setAsked(customer.id);
    await attachCustomer(call.call, customer);
    setAsked(null);
  }

  return (
    <section className="candidates" data-testid="candidates" aria-labelledby="candidates-heading">
      <h2 id="candidates-heading">
        {t("match.choose")} <span className="quiet">{t("match.candidates", { count: candidates.length })}</span>
      </h2>
      <ul>
        {candidates.map(({ customer, standing, reason }) => (
          <li key={customer.id}>
            <Button
              className="candidate" aria-pressed={customer.id === chosen} isDisabled={asked !== null}
              aria-label={`${t("match.pick", { name: customer.name })}. ${sentence("reason", reason, language)}`}
              onPress={() => void choose(customer)}
            >
              <span className="candidate-radio" aria-hidden="true" />
              <span className="candidate-who">
                <span className="candidate-name">{customer.name}</span><Tier tier={customer.tier} />
                {customer.company && <span className="row-sub">{customer.company.name}</span>}
              </span>
              <span className="candidate-why"><MatchMark standing={standing} /><span>{sentence("reason", reason, language)}</span></span>
            </Button>
          </li>
        ))}
      </ul>
      {call.ani && <p className="candidates-note quiet">{t("match.learnt")}</p>}
    </section>
  );
}
