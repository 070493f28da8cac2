// Help was asked for on this call: who has heard it, and a line to say what it is about.
import { useState, type FormEvent } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { Timer } from "../../parts/Timer";
import { askHelp } from "../../store/calls/commands";
import { helpOn } from "../../store/rooms/help";
import { useStore } from "../../store/desk/store";

export function HelpAsked({ call }: { call: string }) {
  const t = useT();
  const request = useStore((store) => helpOn(store.desk, call));
  const [text, setText] = useState("");
  if (!request) return null;
  const by = request.taken_by?.name ?? null;
  return (
    <section className={`help-asked ${by ? "taken" : ""}`} data-testid="help-asked" data-state={request.state} aria-label={t("verb.help")}>
      <p>
        <Icon name="hand" size={15} />
        <span>{by ? t("help_asked.taken", { name: by }) : t("help_asked.open")}</span>
        {!by && <span className="quiet"><Timer since={request.asked_at} /></span>}
      </p>
      {request.said && <p className="help-said">{request.said}</p>}
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          const said = text.trim();
          if (said) void askHelp(call, said).then((outcome) => outcome.ok && setText(""));
        }}
      >
        <input className="input" data-testid="help-said" maxLength={500} autoComplete="off" aria-label={t("help_asked.about")} placeholder={t("help_asked.about")} value={text} onChange={(event) => setText(event.target.value)} />
        <Button type="submit" className="button small" isDisabled={!text.trim()}>{t("help_asked.send")}</Button>
      </form>
    </section>
  );
}
