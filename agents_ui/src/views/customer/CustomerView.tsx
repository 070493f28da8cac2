// One customer: profile, contracts, cases, products, notes, and the timeline of every interaction.
import { useCallback, useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { named, useT } from "../../i18n";
import { problemText } from "../../lib/problem";
import { Icon } from "../../parts/Icon";
import { MatchMark, Tier } from "../../parts/marks";
import { TelLink } from "../../parts/TelLink";
import { attachCustomer } from "../../store/calls/attach";
import { useCurrentCall } from "../../store/desk/hooks";
import { navigate } from "../../store/session/navigate";
import { loadCustomerPromises } from "../../store/rooms/promises";
import { customerTopics, useTopics } from "../../store/session/topics";
import { fullName } from "../../lib/who";
import { useStore } from "../../store/desk/store";
import { api, ProblemError } from "../../wire/api";
import type { CustomerDetail, Problem, PromiseView } from "../../wire/types";
import { CustomerFacts } from "../card/CardHead";
import { Cases, Products } from "../card/CardLists";
import { NotHere } from "../shell/NotHere";
import { Notes } from "./Notes";
import { PromiseLedger } from "../promises/PromiseLedger";
import { Timeline } from "./Timeline";
import { ValueHistory } from "./ValueHistory";
import { ContractFacts, VerdictPanel } from "../card/VerdictPanel";

export function CustomerView({ id }: { id: number }) {
  const t = useT();
  const { call } = useCurrentCall();
  const version = useStore((store) => store.desk.versions[id]);
  const [customer, setCustomer] = useState<CustomerDetail | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  const load = useCallback(() => {
    api.customer(id).then(
      ({ value }) => {
        setCustomer((before) => (before && before.version > value.version ? before : value));
        setProblem(null);
      },
      (error: unknown) => error instanceof ProblemError && setProblem(error.problem),
    );
  }, [id]);
  useEffect(load, [load, version]);
  const promises = useCustomerPromises(id);
  useTopics(customerTopics({ id, company: customer?.company ?? null }));

  if (problem?.status === 404) return <NotHere what="customer" />;
  if (!customer) {
    return (
      <div className="page">
        {problem ? (
          <div className="alert bad" role="alert">
            <Icon name="warn" />
            <div><strong>{problemText(problem, t).title}</strong><div><Button className="button small" onPress={load}>{t("common.retry")}</Button></div></div>
          </div>
        ) : (
          <p className="quiet" role="status">{t("common.loading")}</p>
        )}
      </div>
    );
  }
  const phone = customer.contact_points.find((point) => point.kind === "phone" && point.e164)?.e164 ?? null;
  const attachable = call !== null && call.customer?.id !== customer.id;
  return (
    <article className="page customer">
      <header className="card-head">
        <div className="card-who">
          <Button className="button ghost square" aria-label={t("common.back")} onPress={() => history.back()}><Icon name="back" /></Button>
          <h1>{fullName(customer)}</h1>
          <Tier tier={customer.tier} />
          <span className="card-space" />
          {attachable && <Button className="button primary small" onPress={() => void attachCustomer(call.call, customer)}><Icon name="link" size={14} />{t("card.attach_here")}</Button>}
          <Button className="button small" onPress={() => navigate(`/customers/${id}/edit`)}><Icon name="edit" size={14} />{t("card.edit")}<kbd>E</kbd></Button>
        </div>
        <CustomerFacts customer={customer} />
        {customer.remarks && <p className="remarks"><Icon name="note" size={14} /><span>{customer.remarks}</span></p>}
        <ul className="numbers" aria-label={t("card.numbers")}>
          {customer.contact_points.map((point) => (
            <li key={point.id}>
              <Icon name={point.kind === "email" ? "mail" : "phone"} size={14} />
              <span className="num">{point.kind === "phone" ? <TelLink number={point.e164 ?? point.raw} /> : point.raw}{point.extension ? ` #${point.extension}` : ""}</span>
              {point.label && <span className="quiet">{point.label}</span>}
              {point.kind === "phone" && <MatchMark standing={point.standing} />}
            </li>
          ))}
        </ul>
      </header>
      <div className="customer-columns">
        <Timeline id={id} />
        <div className="customer-side">
          <PromiseLedger promises={promises} customer={id} interaction={null} number={phone} />
          {customer.verdict && <VerdictPanel verdict={customer.verdict} brief />}
          <section className="list" aria-labelledby="contracts-heading">
            <h2 id="contracts-heading">{t("customer.contracts")} <span className="count num">{customer.contracts.length}</span></h2>
            {customer.contracts.length === 0 && <p className="quiet">{t("customer.contracts_none")}</p>}
            {customer.contracts.map((contract) => (
              <div key={contract.id} className="contract">
                <span className="quiet">{named("contract_status", contract.status)}</span>
                <ContractFacts contract={contract} />
              </div>
            ))}
          </section>
          {(customer.people?.length ?? 0) > 0 && (
            <section className="list" aria-labelledby="people-heading">
              <h2 id="people-heading">{t("customer.people")} <span className="count num">{customer.people?.length}</span></h2>
              <ul>
                {customer.people?.map((person) => (
                  <li key={person.id} className="item">
                    <span className="item-main"><a href={`/customers/${person.id}`} className="item-title" onClick={(event) => { event.preventDefault(); navigate(`/customers/${person.id}`); }}>{person.name}</a></span>
                    <Tier tier={person.tier} />
                  </li>
                ))}
              </ul>
            </section>
          )}
          <Cases cases={customer.cases} />
          <Products products={customer.products} />
          <Notes customer={id} notes={customer.notes} onAdded={load} />
          <ValueHistory customer={id} version={customer.version} />
        </div>
      </div>
    </article>
  );
}

/** Those to the customer and to their company; changes come as events. */
function useCustomerPromises(id: number): PromiseView[] {
  const ledger = useStore((store) => store.desk.promises);
  const [theirs, setTheirs] = useState<number[]>([]);
  useEffect(() => void loadCustomerPromises(id).then(setTheirs), [id]);
  return Object.values(ledger)
    .filter((promise) => promise.state === "open" && (promise.customer.id === id || theirs.includes(promise.id)))
    .sort((a, b) => a.due.localeCompare(b.due));
}
