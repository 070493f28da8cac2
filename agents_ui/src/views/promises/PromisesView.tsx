// All my open promises, the first due first, in the order in which they need me: late, soon, later.
import { useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { Icon } from "../../parts/Icon";
import { myPromises, urgencyOf, type Urgency } from "../../store/rooms/promises";
import { useStore } from "../../store/desk/store";
import { PromiseRow } from "./PromiseLedger";

const order: Urgency[] = ["late", "soon", "later"];

export function PromisesView() {
  const t = useT();
  const now = useMinute();
  const desk = useStore((store) => store.desk);
  const mine = myPromises(desk);
  return (
    <div className="page" data-testid="promise-ledger">
      <header className="page-head"><h1>{t("promise.mine")}</h1><p className="quiet">{t("promise.mine_help")}</p></header>
      {mine.length === 0 && <p className="nothing"><Icon name="check" size={18} />{t("promise.none")}</p>}
      {order.map((urgency) => {
        const group = mine.filter((promise) => urgencyOf(promise, now) === urgency);
        if (group.length === 0) return null;
        return (
          <section key={urgency} className="list promises" aria-labelledby={`promises-${urgency}`}>
            <h2 id={`promises-${urgency}`}>{t(`promise.group_${urgency}`)} <span className="count num">{group.length}</span></h2>
            <ul>{group.map((promise) => <li key={promise.id}><PromiseRow promise={promise} naming /></li>)}</ul>
          </section>
        );
      })}
    </div>
  );
}
