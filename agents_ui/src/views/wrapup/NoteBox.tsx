// The note of this call: every keystroke is kept, a pause saves it, and it says which of the two has happened.
import { useEffect } from "react";
import { useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { useDrafts } from "../../store/desk/hooks";
import { noteDrafts } from "../../store/drafts/noteDrafts";
import { api } from "../../wire/api";

interface NoteBoxProps { draft: string; interaction: number | null; onFinish: (() => void) | null }

/** `draft` is the key under which it is kept: the call's id while there is one. */
export function NoteBox({ draft: key, interaction, onFinish }: NoteBoxProps) {
  const t = useT();
  const text = useDrafts((drafts) => drafts.get(key)?.text ?? "", "");
  const status = useDrafts((drafts) => drafts.status(key), "empty" as const);
  const durable = useDrafts((drafts) => drafts.durable, true);

  // Another browser of mine may have written already. What is typed here and not saved is never overwritten.
  useEffect(() => {
    if (interaction === null) return;
    const read = () => void api.draft(interaction).then((draft) => !draft.finished_at && noteDrafts()?.seed(key, interaction, draft), () => null);
    read();
    const onReturn = () => document.hidden || read();
    document.addEventListener("visibilitychange", onReturn);
    return () => document.removeEventListener("visibilitychange", onReturn);
  }, [key, interaction]);

  return (
    <section className="note-box" data-testid="note-box" data-status={status}>
      <div className="note-head">
        <label htmlFor="call-note">{t("call.note")}</label>
        <span className={`draft ${status}`} role="status">
          {status === "saved" && <Icon name="check" size={13} />}
          {(status === "failed" || status === "waiting") && <Icon name="clock" size={13} />}
          {t(`draft.${durable || status === "saved" ? status : "not_durable"}`)}
        </span>
      </div>
      <textarea
        id="call-note" className="input" rows={5} value={text}
        onChange={(event) => noteDrafts()?.type(key, event.target.value, interaction)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && onFinish) onFinish();
        }}
      />
    </section>
  );
}
