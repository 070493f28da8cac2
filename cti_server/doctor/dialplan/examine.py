"""The dialplan, all of it: read once, then looked at part by part."""

from __future__ import annotations

from collections.abc import Sequence

from cti_server.asterisk.session import ActionFailed, ListBroken, Session
from cti_server.doctor.dialplan import asked, called, lines, site
from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.dialplan.steps import IDENTIFY
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.actions import ShowDialPlan, setting, value
from cti_server.doctor.manager.reach import Patient
from cti_server.record.center.agents import Agent
from cti_server.rules.facts import Line

DIALPLAN_S = 30.0
TRIED = 5  # contexts of extensions.conf: the first section of one name may hold no exten
#: contexts that calls enter without anything in the dialplan or in an endpoint that says so
ALWAYS = {
    "default",
    "public",
    "from-trunk",
    "from-pstn",
    "from-internal",
    "from-sip-external",
    "from-digital",
    "from-analog",
}


async def read(patient: Patient, session: Session) -> Dialplan | Finding:
    """The dialplan, or why it cannot be seen."""
    try:
        listing = await session.ask(ShowDialPlan(), DIALPLAN_S)
    except (ActionFailed, ListBroken, TimeoutError) as why:
        return say(patient.check("dialplan"), "dialplan.unseen", why=why)
    return Dialplan(listing.rows)


async def examine(
    patient: Patient,
    session: Session,
    plan: Dialplan,
    known_lines: Sequence[Line] | None,
    agents: Sequence[Agent],
) -> list[Finding]:
    """Findings on the dialplan. `known_lines` is None when the record could not be read."""
    trunks = await contexts_of(session, [plan.assigned(site.CONTEXT, "CTI_TRUNK") or ""])
    phones = await contexts_of(session, [(agent.seat or "").partition("/")[2] for agent in agents])
    begun = {context for line in known_lines or () for context, _ in lines.starts(plan, line)}
    roots = ALWAYS | set(trunks) | set(phones) | begun
    findings = await _unreadable(patient, session, plan)
    findings += called.examine(patient.check("dialplan"), plan, roots)
    if IDENTIFY in plan.contexts:
        findings.extend(asked.examine(patient, plan))
    if known_lines is not None:
        findings.extend(lines.examine(patient, plan, known_lines, trunks))
    return [*findings, *await site.examine(patient, session, plan, agents, known_lines or ())]


async def _unreadable(patient: Patient, session: Session, plan: Dialplan) -> list[Finding]:
    """Whether extensions.conf could be read again now. A missing #include spoils all of it: a reload leaves
    the dialplan as it is, and a restart loads none (measured on Asterisk 22)."""
    if not await setting(session, "manager.conf", "general", ["enabled"]):
        return []  # files cannot be seen from here
    own = [name for name, context in plan.contexts.items() if context.extensions and context.of_file]
    for context in own[:TRIED]:
        if await setting(session, "extensions.conf", context, ["exten"]):
            return []
    if not own:
        return []
    files = {called.SITE: "cti-site", called.CALLS: IDENTIFY, called.DESK: "cti-hold"}
    missing = [file for file, context in files.items() if not await setting(session, file, context, ["exten"])]
    wrong = f"Copy dialplans/{missing[0]} to /etc/asterisk" if missing else "Add the file"
    remedy = f"{wrong}, or remove the #include of it"
    return [say(patient.check("dialplan"), "dialplan.unreadable", remedy=remedy)]


async def contexts_of(session: Session, endpoints: Sequence[str]) -> list[str]:
    """The contexts that these PJSIP endpoints enter; less where func_pjsip_endpoint is not loaded."""
    named = dict.fromkeys(name for name in endpoints if name)
    found = [await value(session, f"PJSIP_ENDPOINT({name},context)") for name in named]
    return list(dict.fromkeys(context for context in found if context))
