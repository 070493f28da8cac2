"""The conference rooms: app_confbridge, and the profiles of confbridge_cti.conf.

Asterisk lists profiles at its CLI only; of the manager's actions, ConfbridgeList lists rooms that are open. So
profiles are seen where func_config reads the file, else not.
"""

from __future__ import annotations

from collections.abc import Mapping

from cti_server.asterisk.session import ActionFailed, Session
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.actions import ANSWER_S, DENIED, Bare, setting, value
from cti_server.doctor.manager.reach import Patient

PROFILES: Mapping[str, str] = {"cti_room": "bridge", "cti_agent": "user", "cti_guest": "user"}


async def examine(patient: Patient, session: Session) -> list[Finding]:
    check = patient.check("rooms")
    if not await _has_module(session):
        return [say(check, "room.no_module")]
    types = {profile: await setting(session, "confbridge.conf", profile, ["type"]) for profile in PROFILES}
    if not any(types.values()) and not await setting(session, "manager.conf", "general", ["enabled"]):
        return [say(check, "room.unseen", profiles=", ".join(PROFILES))]
    if missing := [profile for profile, wanted in PROFILES.items() if types[profile].get("type") != wanted]:
        return [say(check, "room.no_profile", profiles=", ".join(missing))]
    return [say(check, "room.ok", profiles=", ".join(PROFILES))]


async def _has_module(session: Session) -> bool:
    if (loaded := await value(session, "IFMODULE(app_confbridge.so)")) in ("0", "1"):
        return loaded == "1"
    try:
        await session.ask(Bare("ConfbridgeKick"), ANSWER_S)
    except ActionFailed as answer:
        return DENIED in str(answer) or "unknown" not in str(answer)
    return True
