// Today's calls: when, which way, who, queue, outcome, talk time; filtered here without asking the server again.
import { useEffect, useMemo, useState } from "react";
import { Button, GridList, GridListItem, ToggleButton, ToggleButtonGroup } from "react-aria-components";
import { useT } from "../../i18n";
import { formatTime } from "../../lib/format";
import { useQueueTitle } from "../../lib/queue";
import { numberWith, whoWas } from "../../lib/who";
import { DirectionIcon, isMissed, OutcomeText, ToldBy } from "../../parts/marks";
import { CallBack } from "../../parts/TelLink";
import { Span } from "../../parts/Timer";
import { navigate } from "../../store/session/navigate";
import { useTopic } from "../../store/session/topics";
import { useStore } from "../../store/desk/store";
import { loadToday, useToday } from "../../store/rooms/today";
import type { Interaction } from "../../wire/types";

const filters = ["all", "inbound", "outbound", "missed"] as const;
type Filter = (typeof filters)[number];

function passes(entry: Interaction, filter: Filter): boolean {
  if (filter === "all") return true;
  if (filter === "missed") return isMissed(entry.outcome);
  return entry.direction === filter;
}

export function TodayList() {
  const t = useT();
  const language = useStore((store) => store.language);
  const supervises = useStore((store) => (store.desk.me?.role ?? "agent") !== "agent");
  const { items, loaded, failed, everyone } = useToday();
  const [filter, setFilter] = useState<Filter>("all");
  const [words, setWords] = useState("");
  const queueOf = useQueueTitle();
  useEffect(() => void loadToday(), []);
  // The day of everybody changes with each call of the floor that ends, not only with mine.
  useTopic(everyone ? "floor" : null);

  const shown = useMemo(() => {
    const wanted = words.trim().toLowerCase();
    return items.filter(
      (entry) =>
        passes(entry, filter) &&
        (!wanted || [whoWas(entry, t), entry.ani, entry.queue, entry.queue && queueOf(entry.queue), entry.agent].some((text) => text?.toLowerCase().includes(wanted))),
    );
  }, [items, filter, words, t, queueOf]);

  return (
    <section className="today" aria-labelledby="today-heading">
      <div className="today-head">
        <h2 id="today-heading">{t("today.heading")} <span className="count num">{items.length}</span></h2>
        {supervises && (
          <ToggleButton
            className="button small toggle" isSelected={everyone}
            onChange={(next) => {
              useToday.setState({ everyone: next });
              void loadToday();
            }}
          >
            {t("today.everyone")}
          </ToggleButton>
        )}
      </div>
      <div className="today-filter">
        <ToggleButtonGroup
          className="segmented" aria-label={t("today.filter")} selectedKeys={[filter]} disallowEmptySelection
          onSelectionChange={(keys) => setFilter([...keys][0] as Filter)}
        >
          {filters.map((id) => <ToggleButton key={id} id={id}>{t(`today.${id}`)}</ToggleButton>)}
        </ToggleButtonGroup>
        <input className="input small" aria-label={t("today.find")} placeholder={t("today.filter")} value={words} onChange={(event) => setWords(event.target.value)} />
      </div>
      <div data-testid="today-list" className="today-list">
        {failed && (
          <div className="pad" role="alert">
            <p className="quiet">{t("today.failed")}</p>
            <Button className="button small" onPress={() => void loadToday()}>{t("common.retry")}</Button>
          </div>
        )}
        {loaded && shown.length === 0 && <p className="quiet pad">{t(items.length ? "today.none_filter" : "today.none")}</p>}
        {shown.length > 0 && (
          <GridList aria-label={t("today.heading")} className="rows" items={shown} dependencies={[language, queueOf, everyone]} onAction={(key) => navigate(`/interactions/${key}`)}>
            {(entry) => (
              <GridListItem id={entry.id} textValue={whoWas(entry, t)} className="row">
                <span className="row-time num">{formatTime(entry.at, language)}</span>
                <span className="row-lines">
                  <span className="row-line">
                    <DirectionIcon direction={entry.direction} outcome={entry.outcome} />
                    <span className="row-who">{whoWas(entry, t)}</span>
                    {entry.talk_ms ? <Span ms={entry.talk_ms} /> : null}
                    <CallBack number={numberWith(entry)} who={whoWas(entry, t)} />
                  </span>
                  <span className="row-line small">
                    <span className="row-sub">{[entry.queue ? queueOf(entry.queue) : t("call.direct"), everyone ? entry.agent : null].filter(Boolean).join(" · ")}</span>
                    <ToldBy by={entry.told_by} />
                    <OutcomeText outcome={entry.outcome} />
                  </span>
                </span>
              </GridListItem>
            )}
          </GridList>
        )}
      </div>
    </section>
  );
}
