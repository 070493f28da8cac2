// Notes about the customer, pinned first, and a field for one more, which survives a reload until it is added.
import { useState } from "react";
import { Button, ToggleButton } from "react-aria-components";
import { useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { formatMoment } from "../../lib/format";
import { useKept } from "../../lib/kept";
import { Icon } from "../../parts/Icon";
import { toast, useStore } from "../../store/desk/store";
import { api, ProblemError } from "../../wire/api";
import type { Note } from "../../wire/types";

export function Notes({ customer, notes, onAdded }: { customer: number; notes: Note[]; onAdded: () => void }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const now = useMinute();
  const [text, setText] = useKept(`customer-note.${customer}`, "");
  const [pinned, setPinned] = useState(false);
  const [busy, setBusy] = useState(false);
  const sorted = [...notes].sort((a, b) => Number(b.pinned) - Number(a.pinned) || b.at.localeCompare(a.at));

  async function add() {
    if (!text.trim() || busy) return;
    setBusy(true);
    try {
      await api.addNote(customer, text.trim(), pinned);
      setText("");
      setPinned(false);
      onAdded();
    } catch (error) {
      if (error instanceof ProblemError) toast({ tone: "bad", problem: error.problem });
    } finally {
      setBusy(false);
    }
  }

  return (
    <section className="list" aria-labelledby="notes-heading">
      <h2 id="notes-heading">{t("card.notes")} <span className="count num">{notes.length}</span></h2>
      {notes.length === 0 && <p className="quiet">{t("card.notes_none")}</p>}
      <ul>
        {sorted.map((note) => (
          <li key={note.id} id={`ref-note-${note.id}`} tabIndex={-1} className={note.pinned ? "note pinned" : "note"}>
            {note.pinned && <span className="note-pin" title={t("card.pinned")}><Icon name="pin" size={13} /><span className="sr">{t("card.pinned")}</span></span>}
            <span className="note-text">{note.text}</span>
            <span className="item-sub num">{[note.agent?.name, formatMoment(note.at, language, now)].filter(Boolean).join(" · ")}</span>
          </li>
        ))}
      </ul>
      <div className="note-add">
        <textarea
          id="customer-note" className="input" rows={text ? 3 : 1} aria-label={t("card.add_note")} placeholder={t("card.add_note")} value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void add();
          }}
        />
        {text && (
          <div className="actions">
            <ToggleButton className="button small toggle" isSelected={pinned} onChange={setPinned}><Icon name="pin" size={14} />{t("card.pin")}</ToggleButton>
            <Button className="button small primary" isDisabled={busy} onPress={() => void add()}>{t("card.note_add")}</Button>
          </div>
        )}
      </div>
    </section>
  );
}
