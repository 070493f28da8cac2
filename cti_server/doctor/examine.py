"""The examination: every check in order, from the settings to the agents' phones."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console

from cti_server import log
from cti_server.asterisk.session import ActionFailed, LinkLost, ListBroken, Session
from cti_server.doctor import cel, database, environment, phones, ports, provider
from cti_server.doctor.dialplan import examine as dialplan
from cti_server.doctor.dialplan import lines as dialplan_lines
from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.dialplan.steps import IDENTIFY
from cti_server.doctor.findings import Finding, Status, say
from cti_server.doctor.manager import accounts
from cti_server.doctor.manager.reach import FILE, Patient, Unreachable, reach
from cti_server.doctor.pbx import (
    agents,
    asterisk,
    browsers,
    desk,
    elsewhere,
    fence,
    keys,
    queues,
    reads,
    recorded,
    rooms,
    unanswered,
)
from cti_server.doctor.pbx.recorded import Recorded
from cti_server.doctor.render import render
from cti_server.settings import PbxSettings, Settings


async def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which they should be fixed. Changes nothing."""
    findings = environment.examine(settings)
    of_database, of_ports = await asyncio.gather(database.examine(settings.database_url), ports.examine(settings))
    findings += of_database + of_ports
    findings += await provider.examine(settings)
    record = None
    if all(finding.status is not Status.PROBLEM for finding in of_database):
        with suppress(Exception):  # a database that cannot be read is reported by its own check
            findings += await provider.examine_emergency(settings)
            record = await recorded.read(settings.database_url)
            findings += phones.examine(settings.sealer(), record)
    for of_pbx in await asyncio.gather(*(examine_pbx(settings, pbx, record) for pbx in settings.attached())):
        findings += of_pbx
    for pbx in settings.attached():
        findings += await cel.examine(pbx, settings.database_url if record is not None else None)
    return [environment.in_its_file(settings, finding) for finding in findings]


async def examine_pbx(settings: Settings, pbx: PbxSettings, record: Recorded | None = None) -> list[Finding]:
    """The findings on one PBX. `record` None: the record cannot be read; checks that need it are left out."""
    try:
        patient = await reach(settings, pbx)
    except Unreachable as no:
        return [no.finding]
    findings: list[Finding] = []
    reader = None
    try:
        of_accounts, reader = await accounts.examine(patient)
        findings += of_accounts
        findings += ports.examine_allowed(settings, patient.check("FastAGI"), patient.peer, patient.local)
        if reader is None:
            return findings
        if any(f.code == "account.missing" and f.what.startswith(pbx.events.user) for f in of_accounts):
            findings.append(say(patient.check("Asterisk"), "pbx.unseen", user=pbx.events.user, file=FILE))
            return findings
        findings += await asterisk.examine(patient, reader)
        findings += await _examine_what_it_has(patient, reader, record)
    except (ActionFailed, ListBroken, LinkLost, TimeoutError, OSError) as lost:
        why = str(lost) or type(lost).__name__
        findings.append(say(patient.check("manager"), "ami.lost", host=pbx.host, port=pbx.port, why=why))
    finally:
        if reader is not None:
            reader.close()
    return findings


async def numbers_to_queues(
    settings: Settings, pbx: PbxSettings, endpoints: Sequence[str]
) -> dict[str, list[str]]:
    """The numbers for which these endpoints, trunks, bring calls, and the queues to which each may lead. Empty
    where the PBX cannot be asked: `examine_pbx` says why."""
    try:
        patient = await reach(settings, pbx)
        _, reader = await accounts.examine(patient)
    except Unreachable:
        return {}
    if reader is None:
        return {}
    try:
        plan = await dialplan.read(patient, reader)
        if not isinstance(plan, Dialplan):
            return {}
        return dialplan_lines.numbers(plan, await dialplan.contexts_of(reader, endpoints))
    except (ActionFailed, ListBroken, LinkLost, TimeoutError, OSError):
        return {}
    finally:
        reader.close()


async def _examine_what_it_has(patient: Patient, reader: Session, record: Recorded | None) -> list[Finding]:
    """Dialplan, desk, queues and phones."""
    pbx = patient.pbx.name
    here = record.agents_at(pbx) if record is not None else []
    read = await dialplan.read(patient, reader)
    plan = read if isinstance(read, Dialplan) else None
    findings: list[Finding] = await reads.examine(patient, reader, plan)
    if not isinstance(read, Dialplan):
        findings.append(read)
    if plan is not None:
        lines = record.lines if record is not None else None
        findings += await dialplan.examine(patient, reader, plan, lines, here)
        if IDENTIFY in plan.contexts:
            findings += await unanswered.examine(patient, reader)
        of_desk = desk.examine(patient, plan)
        if desk.HOLD in plan.contexts:  # without the desk's part of the dialplan no key is pressed
            of_desk += await keys.examine(patient, reader)
        findings += of_desk or [say(patient.check("desk"), "desk.ok")]
        findings += await rooms.examine(patient, reader, plan)
        if record is not None and desk.HOLD in plan.contexts:  # nothing of ours dials without the desk's part
            findings += fence.examine(patient, record, plan)
    if record is None or (rows := await queues.listed(reader)) is None:
        return findings
    members = await queues.phones_of(reader, rows)
    findings += queues.examine(patient, record, rows, members, plan)
    findings += elsewhere.examine(patient, record, members)
    findings += await agents.examine(patient, reader, record, members, plan)
    return findings + await browsers.examine(patient, reader, record.browsers_at(pbx))


def main(settings: Settings) -> int:
    """Examine and print; returns the exit status, 1 if there is any problem."""
    log.configure("error", settings.log_json)  # the findings say what would be logged while the parts are tried
    console = Console()
    with console.status("examining"):
        findings = asyncio.run(examine(settings))
    render(findings, console)
    return int(any(finding.status is Status.PROBLEM for finding in findings))
