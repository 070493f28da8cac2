"""Whether the queues fit the record: those that only one of them has, and members that name no phone."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from cti_server.asterisk.actions import QueueStatus
from cti_server.asterisk.session import ActionFailed, ListBroken, Session
from cti_server.doctor.dialplan.freepbx import is_freepbx
from cti_server.doctor.dialplan.plan import Dialplan, Place
from cti_server.doctor.findings import Finding, say, some
from cti_server.doctor.manager.actions import ANSWER_S, value
from cti_server.doctor.manager.reach import Patient
from cti_server.doctor.pbx.recorded import Recorded
from cti_server.wire.ami import Message

SHOWN = 10


async def listed(session: Session) -> list[Message] | None:
    """Queues, members and waiting callers; None where the PBX does not list them, which other checks report."""
    try:
        return (await session.ask(QueueStatus(), ANSWER_S)).rows
    except (ActionFailed, ListBroken, TimeoutError):
        return None


async def phones_of(session: Session, rows: list[Message]) -> dict[Message, str | None]:
    """The phone behind each member: its StateInterface, or the first phone that its hint names; None for a
    Local member without either."""
    members = [row for row in rows if row.event == "QueueMember"]
    return {row: await _phone(session, row) for row in members}


async def _phone(session: Session, row: Message) -> str | None:
    location = row.get("Location") or ""
    state = row.get("StateInterface") or location
    if state.startswith("hint:"):
        return (await value(session, f"HINT({state.removeprefix('hint:')})")).partition("&")[0] or None
    return None if state.startswith("Local/") else state


def examine(
    patient: Patient,
    recorded: Recorded,
    rows: list[Message],
    phones: Mapping[Message, str | None],
    plan: Dialplan | None,
) -> Iterator[Finding]:
    """`plan` None: the dialplan cannot be seen, so whether this is a FreePBX cannot either."""
    in_pbx = {row["Queue"] for row in rows if row.event == "QueueParams"}
    yield from _queues(patient, recorded, in_pbx, plan)
    if plan is not None:
        yield from some(_named(patient, in_pbx, plan), SHOWN)
    yield from _members(patient, phones)


def _queues(patient: Patient, recorded: Recorded, in_pbx: set[str], plan: Dialplan | None) -> Iterator[Finding]:
    check, pbx = patient.check("queues"), patient.pbx.name
    in_record = {queue.name for queue in recorded.queues if queue.pbx == pbx}
    freepbx = plan is not None and is_freepbx(plan)
    if not in_pbx:
        yield say(check, "queue.none_freepbx" if freepbx else "queue.none")
        return
    strange, gone = sorted(in_pbx - in_record), sorted(in_record - in_pbx)
    yield from some([say(check, "queue.unrecorded", queue=name, pbx=pbx) for name in strange], SHOWN)
    yield from some([_gone(check, pbx, name, strange, freepbx) for name in gone], SHOWN)
    if in_pbx == in_record:
        yield say(check, "queue.ok", count=len(in_pbx))


def _named(patient: Patient, in_pbx: set[str], plan: Dialplan) -> list[Finding]:
    """Queues that the dialplan names and the PBX does not have: their callers go on to the next step at once."""
    check = patient.check("queues")
    found: dict[str, Place] = {}
    known = {name.casefold() for name in in_pbx}  # Asterisk does not mind the case
    for place in plan.places():
        name = place.step.data.partition(",")[0].strip()
        if place.step.application == "Queue" and name and "$" not in name and name.casefold() not in known:
            found.setdefault(name, place)
    near = {name: difflib.get_close_matches(name, sorted(in_pbx), n=1, cutoff=0.75) for name in found}
    return [
        say(
            check,
            "queue.named_freepbx" if is_freepbx(plan) else "queue.named",
            queue=name,
            place=place,
            near=(near[name] or [name])[0],
        )
        for name, place in sorted(found.items())
    ]


def _gone(check: str, pbx: str, queue: str, strange: list[str], freepbx: bool) -> Finding:
    """A queue that only the record has. One of nearly the same name at the PBX is probably what was meant."""
    near = next((name for name in strange if name.lower() == queue.lower()), None)
    if near is None and (found := difflib.get_close_matches(queue, strange, n=1, cutoff=0.75)):
        near = found[0]
    if near is not None:
        return say(check, "queue.misnamed", queue=queue, pbx=pbx, near=near)
    if freepbx and not queue.isdecimal():
        number = strange[0] if strange else "600"
        return say(check, "queue.by_number", queue=queue, pbx=pbx, number=number)
    return say(check, "queue.gone_freepbx" if freepbx else "queue.gone", queue=queue, pbx=pbx)


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
    yield from some(odd, SHOWN)
