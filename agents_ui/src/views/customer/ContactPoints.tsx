// The numbers and addresses of a customer: shown, added, removed, each at once and apart from the form above.
import { useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { formatNumber } from "../../lib/format";
import { Choice } from "../../parts/Choice";
import { Field } from "../../parts/Field";
import { Icon } from "../../parts/Icon";
import { MatchMark } from "../../parts/marks";
import { TelLink } from "../../parts/TelLink";
import { toast } from "../../store/desk/store";
import { api, ProblemError } from "../../wire/api";
import type { CustomerDetail } from "../../wire/types";

export function ContactPoints({ customer, onChanged }: { customer: CustomerDetail; onChanged: () => void }) {
  const t = useT();
  const [raw, setRaw] = useState("");
  const [label, setLabel] = useState("");
  const [kind, setKind] = useState<"phone" | "email">("phone");

  async function run(work: Promise<unknown>) {
    try {
      await work;
      setRaw("");
      setLabel("");
      onChanged();
    } catch (error) {
      if (error instanceof ProblemError) toast({ tone: "bad", problem: error.problem });
    }
  }

  return (
    <section className="list contact-points" aria-labelledby="contact-heading">
      <h2 id="contact-heading">{t("customer.contact")}</h2>
      <ul>
        {customer.contact_points.map((point) => {
          const shown = formatNumber(point.e164 ?? point.raw);
          return (
            <li key={point.id} className="item">
              <Icon name={point.kind === "email" ? "mail" : "phone"} size={14} />
              <span className="item-main"><span className="num">{point.kind === "phone" ? <TelLink number={point.e164 ?? point.raw} /> : shown}{point.extension ? ` #${point.extension}` : ""}</span><span className="item-sub">{point.label}</span></span>
              {point.kind === "phone" && <MatchMark standing={point.standing} />}
              <Button className="button ghost square small" aria-label={t("customer.remove_point", { what: shown })} onPress={() => void run(api.removeContactPoint(customer.id, point.id))}><Icon name="trash" size={14} /></Button>
            </li>
          );
        })}
      </ul>
      <form
        className="form inline" onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (raw.trim()) void run(api.addContactPoint(customer.id, { kind, raw: raw.trim(), label: label.trim() }));
        }}
      >
        <Choice label={t("customer.kind")} value={kind} options={[{ id: "phone", text: t("customer.kind_phone") }, { id: "email", text: t("customer.kind_email") }]} onChange={(next) => setKind(next as "phone" | "email")} />
        <Field label={t(kind === "email" ? "customer.kind_email" : "customer.number")} value={raw} onChange={setRaw} type={kind === "email" ? "email" : "tel"} />
        <Field label={t("customer.label")} value={label} onChange={setLabel} />
        <Button type="submit" className="button" isDisabled={!raw.trim()}><Icon name="plus" size={14} />{t("common.add")}</Button>
      </form>
    </section>
  );
}
