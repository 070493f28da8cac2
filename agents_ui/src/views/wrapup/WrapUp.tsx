// What remains to be said of a call, from its answer on: note, code, follow-up; in wrap-up the time for it, and its end.
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { useNow } from "../../lib/clock";
import { stateTitle } from "../../lib/explain";
import { shownKeys } from "../../lib/shortcuts";
import { formatSpan } from "../../lib/format";
import { giveFocus, mayMove } from "../../lib/typing";
import { Icon } from "../../parts/Icon";
import { useDrafts } from "../../store/desk/hooks";
import { useLists } from "../../store/rooms/lists";
import { noteDrafts } from "../../store/drafts/noteDrafts";
import { useStore } from "../../store/desk/store";
import { askTime, finishWrapUp } from "../../store/drafts/wrapup";
import type { CallView, FollowUp, PartView, WrapUpView } from "../../wire/types";
import { CodePicker } from "./CodePicker";
import { FollowUpFields } from "./FollowUp";
import { NoteBox } from "./NoteBox";

/** Note, code and follow-up of one contact, on the desk or from the owed tray. */
export interface WrapFormProps {
  draft: string;
  interaction: number | null;
  queue: string | null;
  number: string | null;
  codeRequired: boolean;
  /** Codes and follow-ups are there from the answer on. */
  answered: boolean;
  onFinish: (() => void) | null;
}

export function WrapForm({ draft: key, interaction, queue, number, codeRequired, answered, onFinish }: WrapFormProps) {
  const code = useDrafts((drafts) => drafts.get(key)?.code ?? null, null);
  const followUp = useDrafts((drafts) => JSON.stringify(drafts.get(key)?.followUp ?? null), "null");
  const change = (part: Parameters<NonNullable<ReturnType<typeof noteDrafts>>["change"]>[1]) => noteDrafts()?.change(key, part, interaction);
  return (
    <div
      className="wrap-form"
      onKeyDown={(event) => {
        const inNote = (event.target as HTMLElement).tagName === "TEXTAREA";
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !inNote) onFinish?.();
      }}
    >
      <NoteBox draft={key} interaction={interaction} onFinish={onFinish} />
      {answered && (
        <div className="wrap-fields">
          <CodePicker queue={queue} value={code} required={codeRequired} onChange={(chosen) => change({ code: chosen })} />
          <FollowUpFields value={JSON.parse(followUp) as FollowUp | null} number={number} onChange={(next) => change({ followUp: next })} />
        </div>
      )}
    </div>
  );
}

export function WrapUp({ call, part }: { call: CallView; part: PartView | null }) {
  const t = useT();
  const [busy, setBusy] = useState(false);
  const wrapping = part?.state === "wrap_up";
  const other = call.direction === "outbound" ? call.dnis : call.ani;
  useNoteInHand(call.call, part?.state ?? null);

  async function finish() {
    if (busy) return;
    setBusy(true);
    await finishWrapUp(call.call);
    setBusy(false);
  }

  return (
    <section className={wrapping ? "wrapup now" : "wrapup"} data-testid="wrapup-panel" data-state={part?.state ?? ""} aria-label={t("wrapup.heading")}>
      <WrapForm
        key={call.call} draft={call.call} interaction={call.interaction} queue={part?.why?.queue ?? call.queue} number={other}
        codeRequired={part?.wrap_up?.code_required ?? false} answered={part?.answered_at != null} onFinish={wrapping ? () => void finish() : null}
      />
      {part?.wrap_up?.mode === "optional" && !wrapping && part.answered_at !== null && (
        <div className="wrap-ask"><Button className="button small" onPress={() => void askTime(call.call, "wrap-up/request")}><Icon name="clock" size={14} />{t("wrapup.want_time")}</Button></div>
      )}
      {wrapping && (
        <div className="finish">
          {part.wrap_up && <WrapTimer call={call.call} wrapUp={part.wrap_up} />}
          <Button className="button primary wide" data-testid="wrapup-finish" isDisabled={busy} onPress={() => void finish()}>
            <Icon name="check" />{t(busy ? "call.finishing" : "call.finish")}<kbd aria-hidden="true">{shownKeys("w")}</kbd>
          </Button>
          <Next />
        </div>
      )}
    </section>
  );
}

/** From the answer on, and again when the call is over, what is typed goes into the note; nobody's typing is disturbed. */
function useNoteInHand(call: string, state: PartView["state"] | null): void {
  const began = state === "talking" ? "answer" : state === "wrap_up" ? "wrap_up" : null;
  useEffect(() => {
    if (began === null || !mayMove() || !matchMedia("(pointer: fine)").matches || document.querySelector("[role=dialog], [role=alertdialog], [role=menu]")) return;
    const note = document.getElementById("call-note");
    if (note) giveFocus(note);
  }, [call, began]);
}

/** What I am after this wrap-up: what was asked for, else what I was before. */
function Next() {
  const t = useT();
  const language = useStore((store) => store.language);
  const reasons = useLists((lists) => lists.reasons);
  const next = useStore((store) => store.desk.me?.state.pending ?? store.desk.resting);
  return <p className="wrap-next quiet" data-testid="wrapup-next">{next ? t("wrapup.then", { state: stateTitle(next, { t, reasons, language }) }) : t("wrapup.then_before")}</p>;
}

function WrapTimer({ call, wrapUp }: { call: string; wrapUp: WrapUpView }) {
  const t = useT();
  const now = useNow();
  if (wrapUp.ends_at === null) return null;
  const left = Date.parse(wrapUp.ends_at) - now;
  const over = left <= 0;
  const tone = over ? "bad" : left < 15_000 ? "warn" : "calm";
  const text = over ? "wrapup.over" : wrapUp.mode === "forced" ? "wrapup.ends_in" : "wrapup.left";
  return (
    <div className={`wrap-timer ${tone}`} data-testid="wrapup-timer" data-mode={wrapUp.mode} data-tone={tone}>
      <span role="timer"><Icon name={over ? "warn" : "clock"} size={14} />{t(text, { time: formatSpan(over ? -left : left + 999) })}</span>
      {wrapUp.extensions_left > 0 && (
        <Button className="button small" data-testid="wrapup-extend" onPress={() => void askTime(call, "wrap-up/extend")}>
          {t("wrapup.extend")} <span className="quiet">{t("wrapup.extend_left", { count: wrapUp.extensions_left })}</span>
        </Button>
      )}
    </div>
  );
}
