// Tier and preferred agent in the customer's form: supervisors choose them and may say why, agents read them.
import { useT, named } from "../../i18n";
import { Choice } from "../../parts/Choice";
import { Field } from "../../parts/Field";
import { useStore } from "../../store/desk/store";
import { useTopic } from "../../store/session/topics";
import type { Named } from "../../wire/types";

export interface Worth { tier: string; preferred: Named | null }
interface ValueFieldsProps { value: Worth; base: Worth; reason: string; isNew: boolean; onChange: (value: Partial<Worth> & { reason?: string }) => void }

const tiers = ["", "platinum", "gold", "silver", "bronze", "standard", "vip"];
const NONE = "none";

/** Whether this viewer may change what a customer is worth; the server asks the same. */
export const useMayValue = (): boolean => useStore((store) => (store.desk.me?.role ?? "agent") !== "agent");

export const sameWorth = (one: Worth, other: Worth): boolean => one.tier === other.tier && one.preferred?.id === other.preferred?.id;

export function ValueFields(props: ValueFieldsProps) {
  const mayValue = useMayValue();
  if (mayValue) return <Chosen {...props} />;
  return props.isNew ? null : <Shown value={props.base} />;
}

function Chosen({ value, base, reason, isNew, onChange }: ValueFieldsProps) {
  const t = useT();
  useTopic("team");
  const team = useStore((store) => store.desk.team);
  const agents = Object.values(team).map(({ agent, name }) => ({ id: agent, name })).sort((a, b) => a.name.localeCompare(b.name));
  const people = value.preferred && !agents.some(({ id }) => id === value.preferred?.id) ? [value.preferred, ...agents] : agents;
  const known = tiers.includes(value.tier) ? tiers : [...tiers, value.tier];
  return (
    <>
      <Choice
        label={t("customer.tier")} value={value.tier || NONE} options={known.map((tier) => ({ id: tier || NONE, text: tier ? named("tier", tier) : t("customer.not_set") }))}
        onChange={(tier) => onChange({ tier: tier === NONE ? "" : tier })}
      />
      <Choice
        label={t("customer.preferred_agent")} value={value.preferred ? String(value.preferred.id) : NONE}
        options={[{ id: NONE, text: t("customer.not_set") }, ...people.map(({ id, name }) => ({ id: String(id), text: name }))]}
        onChange={(chosen) => onChange({ preferred: people.find(({ id }) => String(id) === chosen) ?? null })}
      />
      {!isNew && !sameWorth(value, base) && <Field label={t("customer.value_reason")} value={reason} maxLength={200} onChange={(text) => onChange({ reason: text })} />}
    </>
  );
}

function Shown({ value }: { value: Worth }) {
  const t = useT();
  const help = <span className="quiet">{t("customer.value_of_supervisors")}</span>;
  return (
    <>
      <Field label={t("customer.tier")} value={value.tier ? named("tier", value.tier) : t("customer.not_set")} isReadOnly hint={help} />
      <Field label={t("customer.preferred_agent")} value={value.preferred?.name ?? t("customer.not_set")} isReadOnly hint={help} />
    </>
  );
}
