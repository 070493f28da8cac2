"""Whether agents can be rung: their phone is known to the PBX, in a queue, and on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cti_server.asterisk.session import Session
from cti_server.doctor.dialplan.freepbx import is_freepbx
from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.findings import Finding, say, some
from cti_server.doctor.manager.actions import value
from cti_server.doctor.manager.reach import Patient
from cti_server.doctor.pbx.recorded import Recorded
from cti_server.wire.ami import Message

SHOWN = 10


async def examine(
    patient: Patient,
    session: Session,
    recorded: Recorded,
    phones: Mapping[Message, str | None],
    plan: Dialplan | None = None,
) -> list[Finding]:
    """`phones`: the phone behind each member of a queue. `plan` None: the dialplan cannot be seen."""
    check, pbx = patient.check("agents"), patient.pbx.name
    findings = list(_misplaced(patient, recorded)) if patient.pbx == patient.settings.attached()[0] else []
    here = recorded.agents_at(pbx)
    if not here:
        return [*findings, say(check, "agent.none", pbx=pbx)]
    seats = set(phones.values())
    browsers = {phone.seat for phone in recorded.browsers_at(pbx)}  # off while nobody is signed in
    states = {agent.seat: await value(session, f"DEVICE_STATE({agent.seat})") for agent in here}
    wrong: list[Finding] = []
    off: list[Finding] = []
    for agent in here:
        facts = {"login": agent.login, "name": agent.name, "seat": agent.seat}
        facts["endpoint"] = (agent.seat or "").partition("/")[2]
        if states[agent.seat] == "INVALID":
            wrong.append(say(check, "agent.unknown_seat", **facts))
        elif agent.seat not in seats:
            freepbx = plan is not None and is_freepbx(plan)
            wrong.append(say(check, "agent.no_queue_freepbx" if freepbx else "agent.no_queue", **facts))
        if states[agent.seat] == "UNAVAILABLE" and agent.seat not in browsers:
            off.append(say(check, "agent.off", **facts))
    findings.extend(some(wrong, SHOWN))
    findings.extend(some(off, SHOWN))
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
