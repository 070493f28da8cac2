"""Calls of this moment that asked who is calling and got no answer: the dialplan notes it as CTI_STATUS=down."""

from __future__ import annotations

from dataclasses import dataclass

from cti_server.asterisk.actions import Action
from cti_server.asterisk.session import ActionFailed, ListBroken, Session
from cti_server.doctor.dialplan.asked import our_address
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.actions import ANSWER_S
from cti_server.doctor.manager.reach import Patient
from cti_server.doctor.ports import way_in


@dataclass(frozen=True, slots=True)
class Statuses(Action):
    """All channels, each with CTI_STATUS."""

    name = "Status"
    is_list = True

    def headers(self) -> list[tuple[str, str]]:
        return [("Variables", "CTI_STATUS")]


async def examine(patient: Patient, session: Session) -> list[Finding]:
    try:
        rows = (await session.ask(Statuses(), ANSWER_S)).rows
    except (ActionFailed, ListBroken, TimeoutError):
        return []  # the checks of permissions have reported it
    pairs = [text.partition("=") for row in rows for text in row.all("Variable")]
    said = [status for name, _, status in pairs if name == "CTI_STATUS" and status]
    if not (down := said.count("down")):
        return []
    way = way_in(patient.peer, our_address(patient), patient.settings.fastagi_port or 4573)
    return [say(patient.check("FastAGI"), "fastagi.down", down=down, all=len(said), way=way)]
