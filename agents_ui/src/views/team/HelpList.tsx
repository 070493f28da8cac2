// Who asks for help now, with the call it is about: taken by one supervisor, done when it is.
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import { named, useT } from "../../i18n";
import { useQueueTitle } from "../../lib/queue";
import { whoIs } from "../../lib/who";
import { Icon } from "../../parts/Icon";
import { MatchMark, Mark, Tier, VerdictMark } from "../../parts/marks";
import { Timer } from "../../parts/Timer";
import { answerHelp, openHelp } from "../../store/rooms/help";
import { navigate } from "../../store/session/navigate";
import { useStore } from "../../store/desk/store";
import { useTopic } from "../../store/session/topics";
import { api } from "../../wire/api";
import type { Card, HelpRequest } from "../../wire/types";

export function HelpList() {
  const t = useT();
  const desk = useStore((store) => store.desk);
  const asking = openHelp(desk);
  if (asking.length === 0) return null;
  return (
    <section className="help-list" aria-labelledby="help-heading">
      <h2 id="help-heading">{t("help.heading")} <span className="count num">{asking.length}</span></h2>
      <ul>{asking.map((request) => <li key={request.id}><HelpRow request={request} /></li>)}</ul>
    </section>
  );
}

function HelpRow({ request }: { request: HelpRequest }) {
  const t = useT();
  const queue = useQueueTitle();
  const me = useStore((store) => store.desk.me?.id);
  useTopic(`call:${request.call}`);
  const call = useStore((store) => store.desk.calls[request.call]);
  const [card, setCard] = useState<Card | null>(null);
  const customer = call?.customer?.id;
  useEffect(() => {
    api.card(request.call).then(({ value }) => setCard(value), () => setCard(null));
  }, [request.call, customer]);
  const agent = call?.agents.find((entry) => entry.agent === request.agent.id);
  const who = card?.customer ?? call?.customer ?? null;
  return (
    <div className={`help ${request.state}`} data-testid={`help-${request.id}`} data-state={request.state}>
      <div className="help-main">
        <div className="promise-line">
          <Icon name="bell" size={14} />
          <strong>{request.agent.name}</strong>
          <span className="quiet num"><Timer since={request.asked_at} /></span>
          {request.taken_by && <Mark tone="info" icon="user" text={t("help.with", { name: request.taken_by.id === me ? t("common.you") : request.taken_by.name })} />}
        </div>
        {request.said && <p className="help-said">{request.said}</p>}
        {call && (
          <div className="promise-line small">
            <span>{whoIs(call, t)}</span>
            {who && <Tier tier={who.tier} />}
            {call.match && <MatchMark standing={call.match} />}
            <VerdictMark code={call.verdict} />
            <span className="quiet">{[call.queue ? queue(call.queue) : t("call.direct"), agent ? named("party_state", agent.state) : ""].filter(Boolean).join(" · ")}</span>
          </div>
        )}
        {card && card.why.length > 0 && <p className="help-why quiet">{t("help.why", { count: card.why.length, cases: card.cases.length })}</p>}
      </div>
      <div className="actions">
        {who && <Button className="button small" onPress={() => navigate(`/customers/${who.id}`)}>{t("promise.show_customer")}</Button>}
        {request.state === "open" && <Button className="button small primary" onPress={() => void answerHelp(request, "take")}>{t("help.take")}</Button>}
        {request.state === "taken" && request.taken_by?.id === me && <Button className="button small primary" onPress={() => void answerHelp(request, "done")}>{t("help.done")}</Button>}
      </div>
    </div>
  );
}
