// The rows of the target picker from what is known, best first. Pure. What cannot take the call is listed last and says why.
import { numberOf, readable } from "./number";
import { queueKey } from "../store/desk/desk";
import type { PickFor } from "../store/calls/panel";
import type { CallView, Card, Me, QueueView, Target, Targets, TeamMember } from "../wire/types";

export type TargetRow = { key: string; target: Target; off: string | null } & (
  | { kind: "agent"; agent: TeamMember }
  | { kind: "queue"; queue: QueueView }
  | { kind: "contact"; name: string; number: string; label: string | null }
  | { kind: "number"; number: string }
);

interface Sources {
  query: string;
  mode: PickFor;
  me: Me | null;
  team: Record<string, TeamMember>;
  queues: Record<string, QueueView>;
  titleOf: (queue: QueueView) => string;
  call: CallView | null;
  card: Card | null;
  /** What the server found, and for which words. */
  found: { q: string; found: Targets } | null;
}

const order: Record<string, number> = { ready: 0, wrap_up: 1, reserved: 2, talking: 2, hold: 2, not_ready: 3, signed_out: 4 };
const plain = (text: string) => text.normalize("NFKC").toLocaleLowerCase();
const digits = (text: string) => readable(text).replace(/\D/g, "");

function matches(query: string, ...fields: (string | null | undefined)[]): boolean {
  const text = plain(fields.filter(Boolean).join(" "));
  return plain(query).split(/\s+/).every((word) => text.includes(word));
}

export function rankTargets(sources: Sources): TargetRow[] {
  const agents = agentRows(sources);
  const contacts = contactRows(sources);
  const exact = agents.filter((row) => row.kind === "agent" && row.agent.extension === sources.query);
  // Enter takes the first: what was typed in full must never become somebody who was found by a part of it.
  return [
    ...(exact.length ? [] : typed(sources.query)),
    ...exact,
    ...agents.filter((row) => !exact.includes(row)),
    ...(sources.mode === "consult" || sources.mode === "transfer" ? queueRows(sources) : []),
    ...contacts,
  ];
}

function agentRows({ query, me, team, call, found }: Sources): TargetRow[] {
  const all = new Map(Object.values(team).map((member) => [member.agent, member]));
  // The server may match what a name does not show (initials of a Chinese name); its state is the team's where that is known.
  const matched = found?.q === query ? found.found.agents : [];
  for (const member of matched) if (!all.has(member.agent)) all.set(member.agent, member);
  const named = new Set(matched.map((member) => member.agent));
  const on = new Set(call?.people.filter((person) => person.agent !== null).map((person) => person.agent));
  const offOf = (member: TeamMember) =>
    on.has(member.agent) ? "on_call" : member.state.name === "signed_out" || !member.extension ? "signed_out" : member.state.phone.reachable === false ? "unreachable" : null;
  return [...all.values()]
    .filter((member) => member.agent !== me?.id)
    .filter((member) => !query || matches(query, member.name, member.extension) || (named.has(member.agent) && !numberOf(query)))
    .map((member): TargetRow => ({ key: `agent-${member.agent}`, kind: "agent", agent: member, target: { kind: "agent", id: member.agent }, off: offOf(member) }))
    .sort((a, b) => (a.kind === "agent" && b.kind === "agent" ? rank(a) - rank(b) || a.agent.name.localeCompare(b.agent.name) : 0));
}

const rank = (row: Extract<TargetRow, { kind: "agent" }>) => (row.off ? 9 : (order[row.agent.state.name] ?? 3));

/** The desk knows the queues that I serve, as they are this second; the server finds the others. */
function queueRows({ query, queues, titleOf, found }: Sources): TargetRow[] {
  const all = new Map<string, QueueView>((found?.q === query ? found.found.queues : []).map((queue) => [queueKey(queue.pbx, queue.queue), queue]));
  for (const [key, queue] of Object.entries(queues)) all.set(key, queue);
  return [...all.values()]
    .filter((queue) => !query || matches(query, queue.queue, queue.title_en, queue.title_zh))
    .sort((a, b) => titleOf(a).localeCompare(titleOf(b)))
    .map((queue) => ({
      key: `queue-${queue.queue}`, kind: "queue", queue, target: { kind: "queue", name: queue.queue }, off: null,
    }));
}

/** This customer's other numbers, then whom the search found; each number once, never the one that is on the line. */
function contactRows({ query, card, call, mode, found }: Sources): TargetRow[] {
  const own = (card?.customer?.contact_points ?? [])
    .filter((point) => point.kind === "phone")
    .map((point) => ({ name: card?.customer?.name ?? "", number: point.e164 ?? point.raw, label: point.label }));
  // An answer to other words than these is none.
  const others = (found?.q === query ? found.found.contacts : []).map((contact) => ({ name: contact.customer.name, number: contact.number, label: contact.label ?? null }));
  const listed = new Set(mode === "dial" || !call?.ani ? [] : [digits(call.ani)]);
  const rows: TargetRow[] = [];
  for (const contact of [...own, ...others]) {
    const number = numberOf(contact.number);
    if (!number || listed.has(digits(number))) continue;
    const asDigits = digits(query);
    if (query && !matches(query, contact.name) && !(asDigits.length >= 2 && digits(number).includes(asDigits)) && own.includes(contact)) continue;
    listed.add(digits(number));
    rows.push({ key: `contact-${number}`, kind: "contact", ...contact, number, target: { kind: "number", number }, off: null });
  }
  return rows.slice(0, 12);
}

function typed(query: string): TargetRow[] {
  const number = numberOf(query);
  return number ? [{ key: `number-${number}`, kind: "number", number, target: { kind: "number", number }, off: null }] : [];
}
