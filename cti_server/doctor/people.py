"""Whether the record fits the PBX: queues that only one of them has, agents whose phone does not exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cti_server.asterisk.actions import QueueStatus
from cti_server.asterisk.session import ActionFailed, ListBroken, Session
from cti_server.doctor.actions import ANSWER_S, value
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.reach import Patient
from cti_server.record.center import agents, lines, queues
from cti_server.record.center.agents import Agent
from cti_server.record.center.queues import Queue
from cti_server.record.database import Database
from cti_server.rules.facts import Line
from cti_server.wire.ami import Message

SHOWN = 10  # findings of one kind: a hundred queues missing from the record are one fact, not a hundred


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the record knows about the PBXs."""

    agents: Sequence[Agent]
    queues: Sequence[Queue]
    lines: Sequence[Line]


async def read(url: str) -> Recorded:
    async with Database(url, pool_size=1) as database, database.read() as conn:
        return Recorded(await agents.all_active(conn), await queues.all_queues(conn), await lines.all_lines(conn))


async def examine(patient: Patient, session: Session, recorded: Recorded) -> list[Finding]:
    try:
        rows = (await session.ask(QueueStatus(), ANSWER_S)).rows
    except (ActionFailed, ListBroken, TimeoutError):
        return []  # the checks of permissions and modules have reported it
    in_pbx = {row["Queue"] for row in rows if row.event == "QueueParams"}
    members = [row for row in rows if row.event == "QueueMember"]
    findings = list(_queues(patient, recorded, in_pbx))
    phones = {row: await _phone(session, row) for row in members}
    findings.extend(_members(patient, phones))
    findings.extend(await _agents(patient, session, recorded, phones))
    return findings


def _queues(patient: Patient, recorded: Recorded, in_pbx: set[str]) -> Iterator[Finding]:
    check, pbx = patient.check("queues"), patient.pbx.name
    in_record = {queue.name for queue in recorded.queues if queue.pbx == pbx}
    if not in_pbx:
        yield say(check, "queue.none")
        return
    yield from _some(say(check, "queue.unrecorded", queue=name, pbx=pbx) for name in sorted(in_pbx - in_record))
    yield from _some(say(check, "queue.gone", queue=name) for name in sorted(in_record - in_pbx))
    if in_pbx == in_record:
        yield say(check, "queue.ok", count=len(in_pbx))


async def _phone(session: Session, member: Message) -> str | None:
    """The phone behind a member: its StateInterface, or the first phone that its hint names. None for a Local
    member without either."""
    location = member.get("Location") or ""
    state = member.get("StateInterface") or location
    if state.startswith("hint:"):
        return (await value(session, f"HINT({state.removeprefix('hint:')})")).partition("&")[0] or None
    return None if state.startswith("Local/") else state


def _members(patient: Patient, phones: Mapping[Message, str | None]) -> Iterator[Finding]:
    """Members whose phone is unknown: a Local member leads to a phone, but only StateInterface says to which."""
    check = patient.check("queues")
    odd: list[Finding] = []
    for row, phone in phones.items():
        location, state = row.get("Location") or "", row.get("StateInterface") or ""
        extension = location.partition("/")[2].partition("@")[0]
        facts = {"member": location, "queue": row["Queue"], "name": row.get("Name") or extension}
        if state.startswith("hint:") and phone is None:
            odd.append(say(check, "queue.hint", hint=state, extension=extension, **facts))
        elif phone is None:
            odd.append(say(check, "queue.local", extension=extension, **facts))
    yield from _some(odd)


async def _agents(
    patient: Patient, session: Session, recorded: Recorded, phones: Mapping[Message, str | None]
) -> list[Finding]:
    check, pbx = patient.check("agents"), patient.pbx.name
    findings = list(_misplaced(patient, recorded)) if patient.pbx == patient.settings.attached()[0] else []
    here = [agent for agent in recorded.agents if agent.seat is not None and agent.pbx == pbx]
    if not here:
        return [*findings, say(check, "agent.none", pbx=pbx)]
    seats = set(phones.values())
    states = {agent.seat: await value(session, f"DEVICE_STATE({agent.seat})") for agent in here if agent.seat}
    wrong: list[Finding] = []
    for agent in here:
        facts = {"login": agent.login, "name": agent.name, "seat": agent.seat}
        if states[agent.seat or ""] == "INVALID":
            wrong.append(say(check, "agent.unknown_seat", **facts))
        elif agent.seat not in seats:
            wrong.append(say(check, "agent.no_queue", **facts))
    findings.extend(_some(wrong))
    if not any(states.values()):
        findings.append(say(check, "agent.unseen"))
    if not wrong:
        findings.append(say(check, "agent.ok", count=len(here)))
    return findings


def _misplaced(patient: Patient, recorded: Recorded) -> Iterator[Finding]:
    """Agents who sit nowhere, or at a PBX that is not attached. Reported once, with the first PBX."""
    check = patient.check("agents")
    attached = {pbx.name for pbx in patient.settings.attached()}
    for agent in recorded.agents:
        facts = {"login": agent.login, "name": agent.name, "seat": agent.seat, "pbx": agent.pbx}
        if agent.seat is None:
            if agent.role == "agent":
                yield say(check, "agent.no_seat", **facts)
        elif agent.pbx not in attached:
            yield say(check, "agent.other_pbx", right=patient.pbx.name, **facts)


def _some(findings: Iterator[Finding] | Sequence[Finding]) -> Iterator[Finding]:
    """The first SHOWN findings, and one that says how many more there are."""
    every = list(findings)
    yield from every[:SHOWN]
    if len(every) > SHOWN:
        yield say(every[0].check, "queue.more", count=len(every) - SHOWN)
