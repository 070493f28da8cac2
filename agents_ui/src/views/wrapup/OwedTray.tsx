// The owed tray: contacts whose wrap-up was left unfinished, with what was typed of them; each is finished from here.
import { useState } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { formatAgo, formatMoment } from "../../lib/format";
import { useQueueTitle } from "../../lib/queue";
import { whoWas } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import { DirectionIcon } from "../../parts/marks";
import { Span } from "../../parts/Timer";
import { navigate } from "../../store/session/navigate";
import { draftKey, loadOwed, useOwed } from "../../store/drafts/owed";
import { useStore } from "../../store/desk/store";
import { finishWrapUp } from "../../store/drafts/wrapup";
import type { Owed } from "../../wire/types";
import { useDrafts } from "../../store/desk/hooks";
import { WrapForm } from "./WrapUp";

export function OwedTray() {
  const t = useT();
  const { items, loaded, failed } = useOwed();
  const [chosen, setChosen] = useState<number | null>(null);
  const open = items.find((item) => item.interaction.id === chosen) ?? items[0];
  return (
    <div className="page owed" data-testid="owed-tray">
      <header className="page-head"><h1>{t("owed.heading")}</h1><p className="quiet">{t("owed.help")}</p></header>
      {failed && <div className="alert bad" role="alert"><Icon name="warn" /><div>{t("owed.failed")} <Button className="button small" onPress={() => void loadOwed()}>{t("common.retry")}</Button></div></div>}
      {loaded && items.length === 0 && <p className="nothing"><Icon name="check" size={18} />{t("owed.none")}</p>}
      {open && (
        <div className="owed-columns">
          <ul className="owed-list" aria-label={t("owed.heading")}>
            {items.map((item) => (
              <li key={item.interaction.id}><OwedRow item={item} here={item === open} onOpen={() => setChosen(item.interaction.id)} /></li>
            ))}
          </ul>
          <OwedForm key={open.interaction.id} item={open} />
        </div>
      )}
    </div>
  );
}

function OwedRow({ item, here, onOpen }: { item: Owed; here: boolean; onOpen: () => void }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const queue = useQueueTitle();
  const now = useMinute();
  const { interaction } = item;
  const note = useDrafts((drafts) => drafts.get(draftKey(interaction.id))?.text ?? "", item.draft.note ?? "");
  return (
    <Button className="owed-row" aria-current={here ? "true" : undefined} onPress={onOpen}>
      <span className="row-line">
        <DirectionIcon direction={interaction.direction} />
        <span className="row-who">{whoWas(interaction, t)}</span>
        <span className="num quiet">{formatAgo(interaction.at, language, now)}</span>
      </span>
      <span className="row-sub">{[interaction.queue ? queue(interaction.queue) : t("call.direct"), t(`owed.because_${item.because}`)].join(" · ")}</span>
      {note && <span className="row-sub">{note}</span>}
    </Button>
  );
}

function OwedForm({ item }: { item: Owed }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const [busy, setBusy] = useState(false);
  const { interaction, draft } = item;
  const key = draftKey(interaction.id);

  async function finish() {
    if (busy) return;
    setBusy(true);
    await finishWrapUp(key);
    setBusy(false);
  }

  return (
    <section className="owed-form" aria-label={whoWas(interaction, t)}>
      <header className="owed-head">
        <h2>{whoWas(interaction, t)}</h2>
        <span className="quiet num">{formatMoment(interaction.at, language)} · <Span ms={interaction.talk_ms} /></span>
        <Button className="button small" onPress={() => navigate(interaction.customer ? `/customers/${interaction.customer.id}` : `/interactions/${interaction.id}`)}>{t("owed.show")}</Button>
      </header>
      <WrapForm draft={key} interaction={interaction.id} queue={interaction.queue} number={interaction.ani ?? null} codeRequired={draft.code_required} answered onFinish={() => void finish()} />
      <div className="finish">
        <Button className="button primary wide" data-testid="wrapup-finish" isDisabled={busy} onPress={() => void finish()}>
          <Icon name="check" />{t(busy ? "call.finishing" : "owed.finish")}
        </Button>
      </div>
    </section>
  );
}
