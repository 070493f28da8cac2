// Who is on the call, as each is there now; whoever can be put out of a conference has the button for it.
import { named, useT } from "../../i18n";
import { controls } from "../../lib/controls";
import { formatNumber } from "../../lib/format";
import { phoneOf, whoIs } from "../../lib/who";
import { Command } from "../../parts/Command";
import { Icon, type IconName } from "../../parts/Icon";
import { RangOthers, wasElsewhere } from "../../parts/RangOthers";
import { drop } from "../../store/calls/commands";
import { useMyPart } from "../../store/desk/hooks";
import { useConnected } from "../../store/session/reach";
import { useTopic } from "../../store/session/topics";
import { useStore } from "../../store/desk/store";
import type { CallView, Person } from "../../wire/types";

const icons: Record<Person["role"], IconName> = { customer: "phone", agent: "user", other: "users" };
const stateIcons: Record<string, IconName> = { ringing: "bell", hold: "pause", parked: "parking", queued: "clock", waiting: "clock" };

/** The server names at most this many phones that ring. */
const MANY = 3;

export function People({ call }: { call: CallView }) {
  const t = useT();
  const me = useStore((store) => store.desk.me);
  const connected = useConnected(call.pbx);
  const part = useMyPart(call.call);
  const conference = part?.standing === "conference";
  const { drop: cannotDrop = connected ? null : "no_pbx" } = controls(part, connected);
  // Who was asked before me, and how that ended. While a queue rings many phones at once nobody needs all of their parts.
  const rung = call.agents.filter((agent) => agent.state === "ringing").length;
  useTopic(part?.state === "ringing" && rung >= MANY ? null : `call:${call.call}`);
  const parts = useStore((store) => store.desk.opened[call.call]);
  const gone = Object.values(parts ?? {}).filter((other) => other.state === "left" && !call.people.some((person) => person.leg === other.leg));
  if (call.people.length === 0 && gone.length === 0) return null;

  const nameOf = (person: Person) => {
    if (person.role === "customer" && call.direction === "inbound") return whoIs(call, t);
    return person.name ?? (formatNumber(person.number) || (person.seat ? phoneOf(person.seat) : t("common.unknown")));
  };
  return (
    <section className={call.people.length > 2 ? "parties many" : "parties"} data-testid="people" aria-labelledby="parties-heading">
      <h2 id="parties-heading">{t("call.parties")}</h2>
      <ul>
        {call.people.map((person) => {
          const self = person.leg === part?.leg || (person.agent !== null && person.agent === me?.id);
          const name = nameOf(person);
          return (
            <li key={person.leg} data-leg={person.leg} data-role={person.role} data-state={person.state}>
              <Icon name={icons[person.role]} size={14} />
              <span className="party-name">
                {name}{self ? ` (${t("common.you")})` : ""}
                {person.role !== "customer" && !self && person.name && person.number && <span className="num quiet"> {formatNumber(person.number)}</span>}
              </span>
              {self && part?.muted && <span className="mark warn"><Icon name="mic_off" size={13} />{t("people.muted")}</span>}
              <span className={`party-state ${person.state}`}>
                {stateIcons[person.state] && <Icon name={stateIcons[person.state] as IconName} size={13} />}
                {named("person_state", person.state)}
              </span>
              {conference && !self && (
                <Command
                  verb="drop" call={call.call} part={person.leg} cannot={cannotDrop} look="bare" icon="close" label="" name={t("people.drop", { name })}
                  onPress={() => void drop(call.call, person.leg)}
                />
              )}
            </li>
          );
        })}
        {gone.filter((other) => !wasElsewhere(other.reason)).map((other) => (
          <li key={other.position} className="gone">
            <Icon name="user" size={14} />
            <span className="party-name">{other.name ?? phoneOf(other.seat)}</span>
            <span className="quiet">{other.reason ? named("party_reason", other.reason) : named("party_state", "left")}</span>
          </li>
        ))}
        <RangOthers names={gone.filter((other) => wasElsewhere(other.reason)).map((other) => other.name ?? phoneOf(other.seat))} />
      </ul>
    </section>
  );
}
