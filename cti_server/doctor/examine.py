"""The examination: every check in order, from the settings to the agents' phones."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from rich.console import Console

from cti_server import log
from cti_server.asterisk.session import ActionFailed, LinkLost, ListBroken
from cti_server.doctor import accounts, asterisk, calls, database, environment, people, ports
from cti_server.doctor.findings import Finding, Status, say
from cti_server.doctor.people import Recorded
from cti_server.doctor.reach import FILE, Unreachable, reach
from cti_server.doctor.render import render
from cti_server.settings import PbxSettings, Settings


async def examine(settings: Settings) -> list[Finding]:
    """All findings, in the order in which they should be fixed. Changes nothing."""
    findings = environment.examine(settings)
    of_database, of_ports = await asyncio.gather(database.examine(settings.database_url), ports.examine(settings))
    findings += of_database + of_ports
    recorded = None
    if all(finding.status is not Status.PROBLEM for finding in of_database):
        with suppress(Exception):  # a database that cannot be read is reported by its own check
            recorded = await people.read(settings.database_url)
    for of_pbx in await asyncio.gather(*(examine_pbx(settings, pbx, recorded) for pbx in settings.attached())):
        findings += of_pbx
    return [environment.in_its_file(settings, finding) for finding in findings]


async def examine_pbx(settings: Settings, pbx: PbxSettings, recorded: Recorded | None = None) -> list[Finding]:
    """The findings on one PBX. `recorded` None: the record cannot be read; checks that need it are left out."""
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
        findings += await calls.examine(patient, reader, recorded.lines if recorded is not None else None)
        if recorded is not None:
            findings += await people.examine(patient, reader, recorded)
    except (ActionFailed, ListBroken, LinkLost, TimeoutError, OSError) as lost:
        why = str(lost) or type(lost).__name__
        findings.append(say(patient.check("manager"), "ami.lost", host=pbx.host, port=pbx.port, why=why))
    finally:
        if reader is not None:
            reader.close()
    return findings


def main(settings: Settings) -> int:
    """Examine and print; returns the exit status, 1 if there is any problem."""
    log.configure("error", settings.log_json)  # the findings say what would be logged while the parts are tried
    console = Console()
    with console.status("examining"):
        findings = asyncio.run(examine(settings))
    render(findings, console)
    return int(any(finding.status is Status.PROBLEM for finding in findings))
