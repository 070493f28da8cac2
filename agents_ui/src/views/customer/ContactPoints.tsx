// The numbers and addresses of a customer: shown, added, removed, each at once and apart from the form above.
import { useState, type FormEvent } from "react";
import { Button, Dialog, DialogTrigger, Popover } from "react-aria-components";
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

type Point = CustomerDetail["contact_points"][number];

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

  /** Gone at once, and back with one click. */
  function remove(point: Point) {
    const { id, kind, raw, label } = point;
    void run(
      api.removeContactPoint(customer.id, id).then(() =>
        toast({
          tone: "ok", text: t("customer.point_removed", { what: formatNumber(point.e164 ?? raw) }),
          action: { text: t("common.undo"), run: () => void run(api.addContactPoint(customer.id, { kind, raw, label: label ?? "" })) },
        }),
      ),
    );
  }
  const numbers = customer.contact_points.filter((point) => point.kind === "phone").length;

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
              {point.kind === "phone" && numbers === 1 ? (
                <LastNumber what={shown} name={customer.name} onRemove={() => remove(point)} />
              ) : (
                <Button className="button ghost square small" aria-label={t("customer.remove_point", { what: shown })} onPress={() => remove(point)}><Icon name="trash" size={14} /></Button>
              )}
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

/** Without a number the customer is not known by one any more, so this one asks. */
function LastNumber({ what, name, onRemove }: { what: string; name: string; onRemove: () => void }) {
  const t = useT();
  return (
    <DialogTrigger>
      <Button className="button ghost square small" aria-label={t("customer.remove_point", { what })}><Icon name="trash" size={14} /></Button>
      <Popover className="popover padded" placement="bottom end">
        <Dialog role="alertdialog" aria-label={t("customer.last_number", { name })} data-testid="last-number">
          {({ close }) => (
            <>
              <p>{t("customer.last_number", { name })}</p>
              <div className="actions">
                <Button className="button small" autoFocus onPress={close}>{t("customer.keep_number")}</Button>
                <Button className="button small danger" onPress={() => { close(); onRemove(); }}>{t("common.remove")}</Button>
              </div>
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
