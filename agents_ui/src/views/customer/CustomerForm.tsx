// Create or change a customer. What is typed survives a reload; when somebody saved in between, both versions are shown.
import { useEffect, useMemo, useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { named, useT } from "../../i18n";
import { formatNumber } from "../../lib/format";
import { useKept } from "../../lib/kept";
import { isMasked } from "../../lib/number";
import { problemText } from "../../lib/problem";
import { Choice } from "../../parts/Choice";
import { Field } from "../../parts/Field";
import { Icon } from "../../parts/Icon";
import { attachCustomer } from "../../store/calls/attach";
import { useCurrentCall } from "../../store/desk/hooks";
import { navigate } from "../../store/session/navigate";
import { toast, useStore } from "../../store/desk/store";
import { api, ProblemError, type CustomerDraft } from "../../wire/api";
import type { CustomerDetail, Named, Problem } from "../../wire/types";
import { CompanyField } from "./CompanyField";
import { ContactPoints } from "./ContactPoints";
import { sameWorth, useMayValue, ValueFields, type Worth } from "./ValueFields";

type Values = Record<FieldName, string> & Worth & { company: Named | null; reason: string };
const fieldNames = ["salutation", "name", "kind", "role_title", "language", "time_zone", "remarks"] as const;
type FieldName = (typeof fieldNames)[number];

const blank: Values = {
  salutation: "", name: "", kind: "person", role_title: "", tier: "", preferred: null, reason: "", language: "", time_zone: "", remarks: "", company: null,
};

function valuesOf(customer: CustomerDetail): Values {
  const text = Object.fromEntries(fieldNames.map((name) => [name, String(customer[name] ?? "")])) as Record<FieldName, string>;
  return { ...text, company: customer.company, tier: customer.tier ?? "", preferred: customer.preferred_agent, reason: "" };
}

/** Only what differs travels: a field nobody touched here cannot undo somebody else's change. What a customer is worth
 *  goes with those who may change it, as their form has no other fields for it. */
function changesOf(values: Values, base: Values, mayValue: boolean): Partial<CustomerDraft> {
  const changes: Record<string, unknown> = {};
  for (const name of fieldNames) {
    if (values[name] !== base[name]) changes[name] = name === "name" || name === "kind" ? values[name].trim() : values[name].trim() || null;
  }
  if (values.company?.id !== base.company?.id) changes["company_id"] = values.company?.id ?? null;
  if (!mayValue || sameWorth(values, base)) return changes;
  if (values.tier !== base.tier) changes["tier"] = values.tier || null;
  if (values.preferred?.id !== base.preferred?.id) changes["preferred_agent_id"] = values.preferred?.id ?? null;
  if (values.reason.trim()) changes["reason"] = values.reason.trim();
  return changes;
}

export function CustomerForm({ id }: { id: number | null }) {
  const t = useT();
  const { call, card } = useCurrentCall();
  const number = useMemo(() => new URLSearchParams(location.search).get("number") ?? "", []);
  const callNumber = id === null && call && !card?.customer ? (card?.number.e164 ?? card?.number.raw ?? "") : "";
  const [base, setBase] = useState<CustomerDetail | null>(null);
  const baseValues = useMemo(() => (base ? valuesOf(base) : blank), [base]);
  const [kept, keep, restored] = useKept<{ values: Values; version: number | null; number: string } | null>(`customer.${id ?? "new"}`, null);
  const [theirs, setTheirs] = useState<CustomerDetail | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const mayValue = useMayValue();
  // What was kept before these fields were there lacks them.
  const values = kept ? { ...baseValues, ...kept.values } : baseValues;
  const phone = kept?.number ?? (number || callNumber);

  useEffect(() => {
    if (id !== null) api.customer(id).then(({ value }) => setBase(value), (error: unknown) => error instanceof ProblemError && setProblem(error.problem));
  }, [id]);

  const change = (part: Partial<Values>) => keep({ values: { ...values, ...part }, version: kept?.version ?? base?.version ?? null, number: phone });
  const leave = (to: string) => {
    keep(null);
    navigate(to);
  };

  async function save(version: number | null) {
    if (!values.name.trim()) return;
    setBusy(true);
    setProblem(null);
    try {
      if (id === null) {
        const { reason: _, ...given } = changesOf(values, blank, mayValue);
        const draft = { ...given, kind: values.kind as "person" | "company", name: values.name.trim() };
        const made = await api.createCustomer({ ...draft, ...(phone.trim() ? { contact_points: [{ kind: "phone", label: "", raw: phone.trim() }] } : {}) });
        keep(null);
        toast({ tone: "ok", text: t("customer.created") });
        if (call && !card?.customer && phone === (number || callNumber)) await attachCustomer(call.call, made);
        else navigate(`/customers/${made.id}`);
      } else if (base) {
        await api.changeCustomer(id, version ?? base.version, changesOf(values, theirs ? valuesOf(theirs) : baseValues, mayValue));
        toast({ tone: "ok", text: t("customer.saved") });
        leave(`/customers/${id}`);
      }
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      if (error.status === 409 && id !== null) setTheirs(await api.customer(id).then(({ value }) => value, () => null));
      else setProblem(error.problem);
    } finally {
      setBusy(false);
    }
  }

  if (id !== null && !base) return <div className="page"><p className="quiet" role="status">{problem ? problemText(problem, t).title : t("common.loading")}</p></div>;
  const choices = (ids: string[], group: string) => ids.map((key) => ({ id: key || "none", text: key ? named(group, key) : t("customer.not_set") }));
  const pick = (name: FieldName) => (value: string) => change({ [name]: value === "none" ? "" : value });
  return (
    <div className="page form-page">
      <header className="card-head">
        <div className="card-who">
          <Button className="button ghost square" aria-label={t("common.back")} onPress={() => history.back()}><Icon name="back" /></Button>
          <h1>{id === null ? t("customer.new") : `${t("customer.edit")}: ${base?.name ?? ""}`}</h1>
        </div>
        {restored && kept && <p className="mark info">{t("customer.draft_restored")}</p>}
      </header>
      {theirs && <Conflict mine={values} theirs={theirs} onMine={() => void save(theirs.version)} onTheirs={() => { setBase(theirs); setTheirs(null); keep(null); }} />}
      {problem && <div className="alert bad" role="alert"><Icon name="warn" /><div><strong>{problemText(problem, t).title}</strong><div>{problemText(problem, t).detail}</div></div></div>}
      <form
        className="form" onSubmit={(event: FormEvent) => {
          event.preventDefault();
          void save(kept?.version ?? null);
        }}
      >
        {values.kind === "person" && <Field label={t("customer.salutation")} value={values.salutation} maxLength={40} onChange={(salutation) => change({ salutation })} />}
        <Field label={t("customer.name")} value={values.name} onChange={(name) => change({ name })} isRequired autoFocus={id === null} />
        {id === null && <Choice label={t("customer.kind")} value={values.kind} options={choices(["person", "company"], "kind")} onChange={(kind) => change({ kind })} />}
        {values.kind === "person" && <CompanyField value={values.company} onChange={(company) => change({ company })} />}
        {values.kind === "person" && <Field label={t("customer.role_title")} value={values.role_title} onChange={(role_title) => change({ role_title })} />}
        {id === null && <Field label={t("customer.number")} value={isMasked(phone) ? formatNumber(phone) : phone} isReadOnly={isMasked(phone)} onChange={(next) => keep({ values, version: null, number: next })} type="tel" />}
        <ValueFields value={values} base={baseValues} reason={values.reason} onChange={change} isNew={id === null} />
        <Choice label={t("customer.language")} value={values.language || "none"} options={choices(["", "en", "zh"], "spoken")} onChange={pick("language")} />
        <Field label={t("customer.time_zone")} value={values.time_zone} onChange={(time_zone) => change({ time_zone })} placeholder="Asia/Shanghai" />
        <div className="form-wide"><Field label={t("customer.remarks")} value={values.remarks} onChange={(remarks) => change({ remarks })} rows={3} /></div>
        <div className="actions form-wide">
          <Button type="submit" className="button primary" isDisabled={busy || !values.name.trim()}>{t("common.save")}</Button>
          <Button className="button" onPress={() => leave(id === null ? "/" : `/customers/${id}`)}>{t(kept ? "common.discard" : "common.cancel")}</Button>
        </div>
      </form>
      {base && <ContactPoints customer={base} onChanged={() => void api.customer(base.id).then(({ value }) => setBase(value))} />}
    </div>
  );
}

function Conflict({ mine, theirs, onMine, onTheirs }: { mine: Values; theirs: CustomerDetail; onMine: () => void; onTheirs: () => void }) {
  const t = useT();
  const saved = valuesOf(theirs);
  const mayValue = useMayValue();
  const show = (name: FieldName, value: string) => (name === "kind" ? named(name, value) : name === "language" ? named("spoken", value) : value) || "–";
  const language = useStore((store) => store.language);
  const differing = fieldNames.filter((name) => mine[name] !== saved[name]);
  return (
    <section className="alert warn conflict" role="alert" lang={language === "zh" ? "zh-CN" : "en"}>
      <Icon name="warn" />
      <div>
        <strong>{t("customer.conflict")}</strong>
        <div>{t("customer.conflict_help")}</div>
        <table className="table">
          <thead><tr><th /><th>{t("customer.theirs")}</th><th>{t("customer.mine")}</th></tr></thead>
          <tbody>
            {differing.map((name) => <tr key={name}><th scope="row">{t(`customer.${name}`)}</th><td>{show(name, saved[name])}</td><td>{show(name, mine[name])}</td></tr>)}
            {mayValue && mine.tier !== saved.tier && <tr><th scope="row">{t("customer.tier")}</th><td>{saved.tier ? named("tier", saved.tier) : "–"}</td><td>{mine.tier ? named("tier", mine.tier) : "–"}</td></tr>}
            {mayValue && mine.preferred?.id !== saved.preferred?.id && <tr><th scope="row">{t("customer.preferred_agent")}</th><td>{saved.preferred?.name ?? "–"}</td><td>{mine.preferred?.name ?? "–"}</td></tr>}
            {mine.company?.id !== saved.company?.id && <tr><th scope="row">{t("customer.company")}</th><td>{saved.company?.name ?? "–"}</td><td>{mine.company?.name ?? "–"}</td></tr>}
          </tbody>
        </table>
        <div className="actions">
          <Button className="button" onPress={onMine}>{t("customer.keep_mine")}</Button>
          <Button className="button" onPress={onTheirs}>{t("customer.take_theirs")}</Button>
        </div>
      </div>
    </section>
  );
}
