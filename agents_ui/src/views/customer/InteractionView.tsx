// One interaction: what it was, its times and segments, and its note.
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { named, useT } from "../../i18n";
import { formatMoment, formatNumber } from "../../lib/format";
import { problemText } from "../../lib/problem";
import { useQueueTitle } from "../../lib/queue";
import { numberWith, whoWas } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import { OutcomeText, Tier, ToldBy } from "../../parts/marks";
import { TelLink } from "../../parts/TelLink";
import { Span } from "../../parts/Timer";
import { navigate } from "../../store/session/navigate";
import { useStore } from "../../store/desk/store";
import { api, ProblemError } from "../../wire/api";
import type { Interaction, Problem } from "../../wire/types";
import { ChannelIcon } from "../card/CardLists";
import { NotHere } from "../shell/NotHere";
import { Segments } from "./Timeline";

export function InteractionView({ id }: { id: number }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const queueOf = useQueueTitle();
  const [entry, setEntry] = useState<Interaction | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    api.interaction(id).then(setEntry, (error: unknown) => error instanceof ProblemError && setProblem(error.problem));
  }, [id]);
  if (problem?.status === 404) return <NotHere what="interaction" />;
  if (!entry) {
    return <div className="page"><p className="quiet" role="status">{problem ? problemText(problem, t).title : t("common.loading")}</p></div>;
  }
  const facts: [string, React.ReactNode][] = [
    [t("interaction.started"), formatMoment(entry.at, language)],
    [t("today.outcome"), <OutcomeText outcome={entry.outcome} />],
    [t("call.queue"), entry.queue ? queueOf(entry.queue) : t("call.direct")],
    [t("call.dnis"), formatNumber(entry.dnis) || "–"],
    [t("call.agent"), entry.agent ?? "–"],
    [t("call.wait"), <Span ms={entry.wait_ms} />],
    [t("call.talk"), <Span ms={entry.talk_ms} />],
    [t("call.hold"), <Span ms={entry.hold_ms} />],
  ];
  return (
    <article className="page">
      <header className="card-head">
        <div className="card-who">
          <Button className="button ghost square" aria-label={t("common.back")} onPress={() => history.back()}><Icon name="back" /></Button>
          <ChannelIcon entry={entry} />
          <h1>{whoWas(entry, t)}</h1>
          {entry.customer?.tier && <Tier tier={entry.customer.tier} />}
          <span className="card-space" />
          {entry.customer ? (
            <Button className="button small" onPress={() => navigate(`/customers/${entry.customer?.id}`)}><Icon name="clock" size={14} />{t("card.timeline")}</Button>
          ) : (
            entry.ani && <Button className="button small" onPress={() => navigate(`/customers/new?number=${encodeURIComponent(entry.ani ?? "")}`)}><Icon name="plus" size={14} />{t("unknown.create")}</Button>
          )}
        </div>
        <p className="card-facts">
          {numberWith(entry) && <span><Icon name="phone" size={14} /><TelLink number={numberWith(entry)} /></span>}
          <span>{named("direction", entry.direction)}</span>
          {entry.ended_by && <span>{t("call.ended_by", { who: named("ended_by", entry.ended_by) })}</span>}
          {entry.joined.map((other) => (
            <Button key={other.interaction} className="button ghost small" onPress={() => navigate(`/interactions/${other.interaction}`)}>
              <Icon name="link" size={14} />
              {t("interaction.joined", { who: (other.customer?.name ?? formatNumber(other.number)) || t("common.unknown_caller") })}
            </Button>
          ))}
          <ToldBy by={entry.told_by} long />
          {entry.complete === false && entry.told_by === null && <span className="mark warn"><Icon name="warn" size={13} />{t("interaction.incomplete")}</span>}
        </p>
      </header>
      <dl className="verdict-facts plain">{facts.map(([label, value]) => <div key={label}><dt>{label}</dt><dd className="num">{value}</dd></div>)}</dl>
      {(entry.note || entry.subject) && (
        <section className="list"><h2>{t("interaction.note")}</h2><p className="moment-note">{entry.note ?? entry.subject}</p></section>
      )}
      {(entry.segments?.length ?? 0) > 0 && (
        <section className="list"><h2>{t("customer.segments")}</h2><Segments segments={entry.segments ?? []} always /></section>
      )}
    </article>
  );
}
