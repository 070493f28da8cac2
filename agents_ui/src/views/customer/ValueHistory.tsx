// Who changed a customer's tier and preferred agent, when, from what to what, and why: the latest first.
import { useEffect, useState } from "react";
import { named, useT, type T } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { formatMoment } from "../../lib/format";
import { toast, useStore } from "../../store/desk/store";
import { api, ProblemError } from "../../wire/api";
import type { ValueChange } from "../../wire/types";

export function ValueHistory({ customer, version }: { customer: number; version: number }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const now = useMinute();
  const [changes, setChanges] = useState<ValueChange[]>([]);
  useEffect(() => {
    let shown = true;
    api.valueChanges(customer).then(
      (found) => { if (shown) setChanges(found); },
      (error: unknown) => { if (error instanceof ProblemError) toast({ tone: "bad", problem: error.problem }); },
    );
    return () => { shown = false; };
  }, [customer, version]);
  return (
    <section className="list" data-testid="value-history" aria-labelledby="values-heading">
      <h2 id="values-heading">{t("customer.values")} <span className="count num">{changes.length}</span></h2>
      {changes.length === 0 && <p className="quiet">{t("customer.values_none")}</p>}
      <ul>
        {changes.map((change) => (
          <li key={change.id} className="note">
            <span className="note-text">{t(`customer.${change.field}`)}: {shownAs(change, change.before, t)} → <strong>{shownAs(change, change.after, t)}</strong></span>
            {change.reason && <span className="note-text">{change.reason}</span>}
            <span className="item-sub num">{[t(`customer.by_${change.origin}`, { name: change.author }), formatMoment(change.at, language, now)].join(" · ")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const shownAs = (change: ValueChange, value: string | null, t: T) => (value === null ? t("customer.not_set") : change.field === "tier" ? named("tier", value) : value);
