// The lists of the card: open cases, products, last interactions. Each row can be pointed at by a reason.
import { named, useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { formatAgo, formatDate, formatMoment } from "../../lib/format";
import { useQueueTitle } from "../../lib/queue";
import { Icon, type IconName } from "../../parts/Icon";
import { DirectionIcon, OutcomeText } from "../../parts/marks";
import { Span } from "../../parts/Timer";
import { navigate } from "../../store/session/navigate";
import { useStore } from "../../store/desk/store";
import type { Case, InteractionBrief, Product } from "../../wire/types";

const channelIcons: Record<string, IconName> = { email: "mail", chat: "chat", visit: "visit", sms: "chat" };

export function ChannelIcon({ entry }: { entry: InteractionBrief }) {
  const icon = channelIcons[entry.channel];
  if (!icon) return <DirectionIcon direction={entry.direction} outcome={entry.outcome} />;
  return <span className="direction"><Icon name={icon} size={14} /><span className="sr">{named("channel", entry.channel)}</span></span>;
}

export function Cases({ cases }: { cases: Case[] }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const now = useMinute();
  return (
    <section className="list" aria-labelledby="cases-heading">
      <h2 id="cases-heading">{t("card.cases")} <span className="count num">{cases.length}</span></h2>
      {cases.length === 0 && <p className="quiet">{t("card.cases_none")}</p>}
      <ul>
        {cases.map((entry) => {
          const overdue = entry.due_at !== null && Date.parse(entry.due_at) < now;
          return (
            <li key={entry.id} id={`ref-case-${entry.id}`} tabIndex={-1} className="item">
              <span className="item-main">
                <span className="item-title">{entry.subject}</span>
                <span className="item-sub num">{entry.number} · {named("case_status", entry.status)}</span>
              </span>
              <span className="item-end">
                <span className={`priority p${entry.priority}`}>{t("card.priority", { n: entry.priority })}</span>
                {entry.due_at && (
                  <span className={overdue ? "overdue" : "quiet"} title={formatMoment(entry.due_at, language, now)}>
                    {t(overdue ? "card.overdue" : "card.due", { when: formatAgo(entry.due_at, language, now) })}
                  </span>
                )}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export function Products({ products }: { products: Product[] }) {
  const t = useT();
  const language = useStore((store) => store.language);
  return (
    <section className="list" aria-labelledby="products-heading">
      <h2 id="products-heading">{t("card.products")} <span className="count num">{products.length}</span></h2>
      {products.length === 0 && <p className="quiet">{t("card.products_none")}</p>}
      <ul>
        {products.map((entry) => (
          <li key={entry.id} id={`ref-product-${entry.id}`} tabIndex={-1} className="item">
            <span className="item-main">
              <span className="item-title">{entry.name}</span>
              <span className="item-sub num">{entry.serial}</span>
            </span>
            <span className="item-end quiet">
              <span className="num">{entry.contract ?? ""}</span>
              {entry.installed_on && <span className="num">{formatDate(entry.installed_on, language)}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Recent({ recent, customer }: { recent: InteractionBrief[]; customer: number }) {
  const t = useT();
  const language = useStore((store) => store.language);
  const now = useMinute();
  const queueOf = useQueueTitle();
  const link = (to: string) => ({
    href: to,
    onClick: (event: React.MouseEvent) => {
      event.preventDefault();
      navigate(to);
    },
  });
  return (
    <section className="list" aria-labelledby="recent-heading">
      <h2 id="recent-heading">
        {t("card.recent")}
        <a className="more" {...link(`/customers/${customer}`)}>{t("card.timeline")}</a>
      </h2>
      {recent.length === 0 && <p className="quiet">{t("card.recent_none")}</p>}
      <ul>
        {recent.map((entry) => (
          <li key={entry.id} id={`ref-interaction-${entry.id}`} tabIndex={-1} className="item">
            <ChannelIcon entry={entry} />
            <span className="item-main">
              <span className="item-title"><a {...link(`/interactions/${entry.id}`)}>{entry.note || entry.subject || named("channel", entry.channel)}</a></span>
              <span className="item-sub">{[entry.agent, entry.queue && queueOf(entry.queue)].filter(Boolean).join(" · ")}</span>
            </span>
            <span className="item-end">
              <span className="quiet num" title={formatMoment(entry.at, language, now)}>{formatAgo(entry.at, language, now)}</span>
              <span>{entry.talk_ms ? <Span ms={entry.talk_ms} /> : entry.channel === "voice" ? <OutcomeText outcome={entry.outcome} /> : null}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
