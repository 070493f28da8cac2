// What just went wrong or right, said once, dismissable; problems say what mends them.
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { problemText } from "../../lib/problem";
import { Icon } from "../../parts/Icon";
import { dismissToast, useStore } from "../../store/desk/store";

const icons = { bad: "warn", warn: "bell", info: "chat", ok: "check" } as const;

export function Toasts() {
  const t = useT();
  const toasts = useStore((store) => store.toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map((entry) => {
        const said = entry.problem ? problemText(entry.problem, t) : { title: entry.text ?? "", detail: entry.detail ?? "" };
        return (
          <div key={entry.id} className={`toast ${entry.tone}`}>
            <Icon name={icons[entry.tone]} />
            <div>
              <strong>{entry.about ? t("toast.about", { what: entry.about, said: said.title }) : said.title}</strong>
              {said.detail && <div className="toast-detail">{said.detail}</div>}
              {entry.action && (
                <Button
                  className="button small"
                  onPress={() => {
                    dismissToast(entry.id);
                    entry.action?.run();
                  }}
                >
                  {entry.action.text}
                </Button>
              )}
            </div>
            <Button className="button ghost square small" aria-label={t("common.dismiss")} onPress={() => dismissToast(entry.id)}><Icon name="close" size={14} /></Button>
          </div>
        );
      })}
    </div>
  );
}
