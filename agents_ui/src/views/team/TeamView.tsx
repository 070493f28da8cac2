// The team: who is there and what they do now, messages with the supervisor, and — for a supervisor — who asks for help.
import { useEffect, useMemo, useState } from "react";
import { Button } from "react-aria-components";
import { useT } from "../../i18n";
import { useQueueTitle } from "../../lib/queue";
import { Icon } from "../../parts/Icon";
import { StateMark } from "../../parts/StateMark";
import { CallBack } from "../../parts/TelLink";
import { isUnread, threadOf, useMessages, type Thread } from "../../store/rooms/messages";
import { useStore } from "../../store/desk/store";
import { useShown, useTopic } from "../../store/session/topics";
import type { AgentStateName, Me, TeamMember } from "../../wire/types";
import { HelpList } from "./HelpList";
import { Messages } from "./Messages";
import { initials } from "../shell/TopBar";

/** Who can be reached first: free, then on a call, then away; those without a desktop last. */
const rank: Record<AgentStateName, number> = { ready: 0, wrap_up: 1, reserved: 2, talking: 3, hold: 3, not_ready: 4, signed_out: 5 };

export function sortTeam(team: TeamMember[], typed: string, titled: (queue: string) => string = (queue) => queue): TeamMember[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return team
    .filter((member) => words.every((word) => [member.name, member.extension, ...member.queues, ...member.queues.map(titled)].some((text) => text?.toLowerCase().includes(word))))
    .sort((a, b) => Number(b.state.on_shift) - Number(a.state.on_shift) || rank[a.state.name] - rank[b.state.name] || a.name.localeCompare(b.name));
}

export function TeamView() {
  const t = useT();
  const team = useStore((store) => store.desk.team);
  const me = useStore((store) => store.desk.me);
  useTopic("team");
  const titled = useQueueTitle();
  const here = useShown("team");
  const [typed, setTyped] = useState("");
  const supervises = me !== null && me.role !== "agent";
  const [thread, setThread] = useState<Thread>(supervises ? "team" : "supervisors");
  const shown = useMemo(() => sortTeam(Object.values(team).filter((member) => member.agent !== me?.id), typed, titled), [team, typed, me?.id, titled]);
  const unread = useUnreadThreads(me);
  // Coming here because of a message opens what is unread.
  useEffect(() => {
    const [first] = unread;
    if (first !== undefined && !unread.has(thread)) setThread(first);
    // Only on arrival: a message that comes later must not swap the thread under somebody who types.
    // eslint-disable-next-line
  }, []);

  return (
    <div className="page team" data-testid="team">
      <header className="page-head"><h1>{t("team.heading")}</h1></header>
      {supervises && <HelpList />}
      <div className="team-columns">
        <section className="list team-list" aria-labelledby="team-people">
          <div className="list-head">
            <h2 id="team-people">{t("team.people")} <span className="count num">{shown.length}</span></h2>
            <input className="input small" aria-label={t("team.find")} placeholder={t("team.find")} value={typed} onChange={(event) => setTyped(event.target.value)} />
          </div>
          {shown.length === 0 && <p className="quiet" role="status">{t(here ? "team.none" : "common.loading")}</p>}
          <ul>
            {shown.map((member) => (
              <li key={member.agent} className="mate" data-testid={`mate-${member.agent}`} data-state={member.state.name}>
                <span className="avatar" aria-hidden="true">{initials(member.name)}</span>
                <span className="mate-main">
                  <span className="mate-name">{member.name}{member.role !== "agent" && <span className="quiet"> · {t(`team.role_${member.role}`)}</span>}</span>
                  <span className="mate-state">
                    <StateMark state={member.state} />
                    {!member.state.on_shift && member.state.name !== "signed_out" && <span className="quiet">{t("team.no_desktop")}</span>}
                  </span>
                </span>
                {unread.has(member.agent) && <span className="badge num">{t("team.unread")}</span>}
                {member.state.on_shift && <CallBack number={member.extension} who={member.name} />}
                {(supervises || member.role !== "agent") && (
                  <Button className="button ghost square small" aria-label={t("team.write", { name: member.name })} onPress={() => setThread(supervises ? member.agent : "supervisors")}><Icon name="chat" size={14} /></Button>
                )}
              </li>
            ))}
          </ul>
        </section>
        <Messages thread={thread} onThread={setThread} unread={unread} />
      </div>
    </div>
  );
}

function useUnreadThreads(me: Me | null): Set<Thread> {
  const messages = useStore((store) => store.desk.messages);
  const team = useStore((store) => store.desk.team);
  const readTo = useMessages((state) => state.readTo);
  return useMemo(() => {
    const supervisor = (agent: number) => (team[agent]?.role ?? "agent") !== "agent";
    const unread = me ? Object.values(messages).filter((message) => isUnread(message, me, readTo)) : [];
    return new Set(me ? unread.map((message) => threadOf(message, me, supervisor)) : []);
  }, [messages, team, readTo, me]);
}
