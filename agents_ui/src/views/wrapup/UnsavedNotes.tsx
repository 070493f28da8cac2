// Notes of calls that are over and that the server does not have: shown in full until saved or given up.
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { formatMoment } from "../../lib/format";
import { useDrafts, useMyCalls } from "../../store/desk/hooks";
import { noteDrafts } from "../../store/drafts/noteDrafts";
import { useStore } from "../../store/desk/store";

export function UnsavedNotes() {
  const t = useT();
  const language = useStore((store) => store.language);
  const mine = useMyCalls();
  const stuck = useDrafts((drafts) => drafts.stuck().join("\n"), "");
  const calls = stuck.split("\n").filter((id) => id && !mine.some((call) => call.call === id));
  if (calls.length === 0) return null;
  return (
    <section aria-labelledby="unsaved-heading">
      <h2 id="unsaved-heading">{t("idle.drafts_heading")}</h2>
      <ul className="unsaved">
        {calls.map((id) => {
          const draft = noteDrafts()?.get(id);
          if (!draft) return null;
          return (
            <li key={id} className="alert warn">
              <div>
                <p className="moment-note">{draft.text}</p>
                <p>{formatMoment(new Date(draft.at).toISOString(), language)} · {t(`draft.${noteDrafts()?.status(id) ?? "failed"}`)}</p>
              </div>
              <div className="actions">
                <Button className="button small" onPress={() => void noteDrafts()?.flush(id)}>{t("common.retry")}</Button>
                <Button className="button small" onPress={() => noteDrafts()?.discard(id)}>{t("common.discard")}</Button>
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
