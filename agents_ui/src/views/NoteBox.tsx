// The note of this call: every keystroke is kept, a pause saves it, and it says which of the two has happened.
import { useEffect } from "react";
import { useT } from "../i18n";
import { Icon } from "../parts/Icon";
import { useDrafts } from "../store/hooks";
import { noteDrafts } from "../store/session";
import { api } from "../wire/api";
import type { CallView } from "../wire/types";

export function NoteBox({ call, onFinish }: { call: CallView; onFinish: (() => void) | null }) {
  const t = useT();
  const text = useDrafts((drafts) => drafts.get(call.call)?.text ?? "", "");
  const status = useDrafts((drafts) => drafts.status(call.call), "empty" as const);
  const durable = useDrafts((drafts) => drafts.durable, true);
  const { interaction } = call;

  // Another browser, or the agent who transferred the call, may have written already.
  useEffect(() => {
    if (interaction === null || noteDrafts()?.get(call.call)) return;
    api.interaction(interaction).then(
      (known) => known.note && noteDrafts()?.seed(call.call, interaction, known.note),
      () => null,
    );
  }, [call.call, interaction]);

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
        onChange={(event) => noteDrafts()?.type(call.call, event.target.value, interaction)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && onFinish) onFinish();
        }}
      />
    </section>
  );
}
