"""What the desk needs from a PBX: contexts that calls are sent to, keys that are pressed, legs that hear them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cti_server.asterisk import moves
from cti_server.asterisk.session import Session
from cti_server.doctor.actions import setting
from cti_server.doctor.dialplan import Dialplan
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.reach import Patient

#: context of extensions_cti.conf or extensions_cti_desk.conf → what does not work without it
CONTEXTS: Mapping[str, str] = {
    "cti-leg": "hold and recordings",
    "cti-hold": "hold",
    "cti-record": "recordings",
    "cti-transfer": "blind transfer",
    "cti-transfer-queue": "blind transfer to a queue",
    "cti-consult": "consultation",
    "cti-consult-queue": "consultation of a queue",
    "cti-park": "parking",
    "cti-pick-up": "fetching parked and ringing calls",
    "cti-pick": "picking a waiting caller",
    "cti-return": "bringing a call back to a phone that lost it",
    "cti-dial": "dialling from the screen",
    "cti-room": "conferences",
    "cti-invite": "inviting into a conference",
}
LEG = "cti-leg"
#: section of features.conf → the settings that the server's moves rely on
KEYS: Mapping[str, Mapping[str, str]] = {
    "applicationmap": {"cti-hold": moves.HOLD_KEY, "cti-record": moves.RECORD_KEY},
    "general": {
        "atxfercomplete": moves.COMPLETE_KEYS,
        "atxferthreeway": moves.THREE_WAY_KEYS,
        "atxferswap": moves.SWAP_KEYS,
    },
}


async def examine(patient: Patient, session: Session, dialplan: Dialplan) -> list[Finding]:
    check = patient.check("desk")
    if missing := [context for context in CONTEXTS if context not in dialplan.contexts]:
        losses = ", ".join(CONTEXTS[context] for context in missing)
        return [say(check, "desk.contexts", contexts=", ".join(missing), losses=losses)]
    return [*_legs(check, dialplan), *await _keys(check, session)] or [say(check, "desk.ok")]


def _legs(check: str, dialplan: Dialplan) -> Iterator[Finding]:
    """Each Queue() that does not prepare its members' legs: those legs do not hear the server's keys."""
    for context, extension, step in dialplan.steps():
        if step.application == "Queue" and LEG not in step.data:
            yield say(check, "desk.leg", context=context, extension=extension)


async def _keys(check: str, session: Session) -> list[Finding]:
    """The keys in features.conf. Only func_config can read them; Asterisk has no other way."""
    if not await setting(session, "manager.conf", "general", ["enabled"]):
        return [say(check, "desk.keys_unseen")]
    findings = []
    for section, keys in KEYS.items():
        found = await setting(session, "features.conf", section, list(keys))
        for name, key in keys.items():
            now = found.get(name, "").partition(",")[0].strip()
            if now != key:
                findings.append(say(check, "desk.key", name=name, key=key, section=section, now=now or "not set"))
    return findings
