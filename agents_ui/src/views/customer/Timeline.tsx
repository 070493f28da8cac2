// Every interaction with a customer, newest first, a page at a time, with the segments of those several agents handled.
import { useCallback, useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components";
import { named, useT } from "../../i18n";
import { formatDate, formatTime } from "../../lib/format";
import { useQueueTitle } from "../../lib/queue";
import { phoneOf } from "../../lib/who";
import { OutcomeText, ToldBy } from "../../parts/marks";
import { RangOthers, wasElsewhere } from "../../parts/RangOthers";
import { Span } from "../../parts/Timer";
import { choices, loadCodes, useLists } from "../../store/rooms/lists";
import { navigate } from "../../store/session/navigate";
import { toast, useStore } from "../../store/desk/store";
import { api, ProblemError } from "../../wire/api";
import type { FollowUp, Interaction, Segment } from "../../wire/types";
import { ChannelIcon } from "../card/CardLists";

export function Timeline({ id }: { id: number }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const [items, setItems] = useState<Interaction[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  /** How far the record was when the first page was read. */
  const read = useRef(0);

  const load = useCallback(async (cursor: string | null) => {
    setLoading(true);
    try {
      const { value: page, positions } = await api.timeline(id, cursor);
      if (!cursor) read.current = positions["desk"] ?? 0;
      setItems((before) => (cursor ? [...before, ...page.items] : page.items));
      setNext(page.next);
    } catch (error) {
      if (error instanceof ProblemError) toast({ tone: "bad", problem: error.problem });
    } finally {
      setLoading(false);
    }
  }, [id]);
  useEffect(() => void load(null), [load]);

  // What changed is on the first page or nowhere yet: it is laid over the pages that are open.
  const changed = useStore((store) => store.desk.histories[id]);
  useEffect(() => {
    if (changed === undefined || changed <= read.current) return;
    api.timeline(id, null).then(
      ({ value: page, positions }) => {
        if ((positions["desk"] ?? 0) < read.current) return;
        read.current = positions["desk"] ?? 0;
        setItems((before) => [...page.items, ...before.filter((old) => !page.items.some((fresh) => fresh.id === old.id))]);
      },
      () => null,
    );
  }, [id, changed]);

  const queueOf = useQueueTitle();
  let day = "";
  return (
    <section className="timeline" data-testid="timeline" aria-labelledby="timeline-heading" aria-busy={loading}>
      <h2 id="timeline-heading">{t("customer.timeline")}</h2>
      {!loading && items.length === 0 && <p className="quiet">{t("customer.timeline_none")}</p>}
      <ol>
        {items.map((entry) => {
          const date = formatDate(entry.at, language);
          const newDay = date !== day;
          day = date;
          return (
            <li key={entry.id} className="moment">
              {newDay && <h3 className="moment-day num">{date}</h3>}
              <div className="moment-row">
                <span className="num quiet">{formatTime(entry.at, language)}</span>
                <ChannelIcon entry={entry} />
                <div className="moment-main">
                  <a
                    href={`/interactions/${entry.id}`} className="item-title"
                    onClick={(event) => {
                      event.preventDefault();
                      navigate(`/interactions/${entry.id}`);
                    }}
                  >
                    {entry.subject || [named("channel", entry.channel), entry.queue && queueOf(entry.queue)].filter(Boolean).join(" · ")}
                  </a>
                  <ToldBy by={entry.told_by} />
                  {entry.note && <p className="moment-note">{entry.note}</p>}
                  <Segments segments={entry.segments ?? []} />
                </div>
                <span className="item-end">
                  <span>{entry.talk_ms ? <Span ms={entry.talk_ms} /> : null}</span>
                  {entry.channel === "voice" && <OutcomeText outcome={entry.outcome} />}
                  <span className="quiet">{entry.agent}</span>
                </span>
              </div>
            </li>
          );
        })}
      </ol>
      {loading && <p className="quiet" role="status">{t("common.loading")}</p>}
      {!loading && next && <Button className="button" onPress={() => void load(next)}>{t("common.more")}</Button>}
      {!loading && !next && items.length > 0 && <p className="quiet end">{t("customer.end")}</p>}
    </section>
  );
}

/** One answered segment is told by the row itself; more than one, or a ring nobody took, is listed. */
export function Segments({ segments, always = false }: { segments: Segment[]; always?: boolean }) {
  const t = useT();
  const queueOf = useQueueTitle();
  if (!always && segments.length < 2 && !segments.some((segment) => segment.code || segment.follow_up)) return null;
  return (
    <ul className="segments" aria-label={t("customer.segments")}>
      {segments.filter((segment) => !wasElsewhere(segment.outcome)).map((segment) => (
        <li key={segment.position}>
          <span>{segment.agent?.name ?? t("common.unknown")}</span>
          <span className="quiet">{[named("origin", segment.origin), segment.queue && queueOf(segment.queue)].filter(Boolean).join(" · ")}</span>
          <OutcomeText outcome={segment.outcome} />
          {segment.talk_ms ? <Span ms={segment.talk_ms} /> : <span className="quiet">{t("call.ring")} <Span ms={segment.ring_ms} /></span>}
          <CodeOf segment={segment} />
          {segment.follow_up && <span className="quiet">{t("wrapup.follow_up")}: {t(`wrapup.${segment.follow_up.kind}`)}{followUpSays(segment.follow_up)}</span>}
        </li>
      ))}
      <RangOthers names={segments.filter((segment) => wasElsewhere(segment.outcome)).map((segment) => segment.agent?.name ?? (segment.seat ? phoneOf(segment.seat) : t("common.unknown")))} />
    </ul>
  );
}

/** What became of it, in the words of the list that it was chosen from; a code that is in no list any more is shown as it is. */
function CodeOf({ segment }: { segment: Segment }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const { code, queue } = segment;
  const codes = useLists((lists) => lists.codes[queue ?? ""]);
  useEffect(() => void (code && loadCodes(queue)), [code, queue]);
  if (!code) return null;
  const chosen = choices(codes ?? [], language).find((choice) => choice.code === code);
  return <span data-testid="segment-code"><span className="quiet">{t("wrapup.code")}</span> {chosen ? [...chosen.path, chosen.title].join(" › ") : code}</span>;
}

function followUpSays(followUp: FollowUp): string {
  const says = followUp.kind === "case" ? followUp.subject : followUp.text;
  return says ? ` · ${says}` : "";
}
