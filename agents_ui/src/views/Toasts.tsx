// What just went wrong or right, said once, dismissable; problems say what mends them.
import { Button } from "react-aria-components";
import { useT } from "../i18n";
import { problemText } from "../lib/problem";
import { Icon } from "../parts/Icon";
import { dismissToast, useStore } from "../store/store";

export function Toasts() {
  const t = useT();
  const toasts = useStore((store) => store.toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map((entry) => {
        const said = entry.problem ? problemText(entry.problem, t) : { title: entry.text ?? "", detail: "" };
        return (
          <div key={entry.id} className={`toast ${entry.tone}`}>
            <Icon name={entry.tone === "bad" ? "warn" : "check"} />
            <div>
              <strong>{entry.about ? t("toast.about", { what: entry.about, said: said.title }) : said.title}</strong>
              {said.detail && <div>{said.detail}</div>}
            </div>
            <Button className="button ghost square small" aria-label={t("common.dismiss")} onPress={() => dismissToast(entry.id)}><Icon name="close" size={14} /></Button>
          </div>
        );
      })}
    </div>
  );
}
