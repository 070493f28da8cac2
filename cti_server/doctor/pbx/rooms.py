"""The conference rooms into which an agent turns a call: their module, and a dialplan that needs nothing else."""

from __future__ import annotations

from cti_server.asterisk.session import ActionFailed, Session
from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.actions import ANSWER_S, DENIED, Bare, value
from cti_server.doctor.manager.reach import Patient

ROOM = "cti-room"


async def examine(patient: Patient, session: Session, plan: Dialplan) -> list[Finding]:
    check = patient.check("rooms")
    if not await _has_module(session):
        return [say(check, "room.no_module")]
    steps = plan.contexts[ROOM].extensions.values() if ROOM in plan.contexts else ()
    if any(step.application == "ConfBridge" and "," in step.data for some in steps for step in some):
        return [say(check, "room.by_profile")]
    return [say(check, "room.ok")]


async def _has_module(session: Session) -> bool:
    if (loaded := await value(session, "IFMODULE(app_confbridge.so)")) in ("0", "1"):
        return loaded == "1"
    try:
        await session.ask(Bare("ConfbridgeKick"), ANSWER_S)
    except ActionFailed as answer:
        return DENIED in str(answer) or "unknown" not in str(answer)
    return True
