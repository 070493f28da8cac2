"""The keys that the server presses, as Asterisk has them: FEATURE() says what it uses, from whatever file.

The keys of [applicationmap] no function tells. AST_CONFIG reads a file, of two sections of one name only the
first: where it finds no key, that is no proof, unless Asterisk does not use the rest of features_cti.conf
either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cti_server.asterisk import moves
from cti_server.asterisk.session import Session
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.actions import setting, value
from cti_server.doctor.manager.reach import Patient

GENERAL: Mapping[str, str] = {
    "atxfercomplete": moves.COMPLETE_KEYS,
    "atxferthreeway": moves.THREE_WAY_KEYS,
    "atxferswap": moves.SWAP_KEYS,
}
MAP: Mapping[str, str] = {"cti-hold": moves.HOLD_KEY, "cti-record": moves.RECORD_KEY}
#: files that bring keys of [applicationmap] to where Asterisk uses the rest of features_cti.conf
INCLUDED = ("features_applicationmap_custom.conf", "features_cti.conf")


async def examine(patient: Patient, session: Session) -> list[Finding]:
    check = patient.check("desk")
    used = {name: await value(session, f"FEATURE({name})") for name in GENERAL}
    findings = [
        _wrong(check, "general", name, key, used[name]) for name, key in GENERAL.items() if used[name] != key
    ]
    files = ("features.conf",) if findings else ("features.conf", *INCLUDED)
    written = await _written(session, files)
    for name, key in MAP.items():
        if name in written and written[name] != key:
            findings.append(_wrong(check, "applicationmap", name, key, written[name]))
    if unseen := [name for name in MAP if name not in written]:
        if findings and await setting(session, "manager.conf", "general", ["enabled"]):
            findings += [_wrong(check, "applicationmap", name, MAP[name], "") for name in unseen]
        else:
            findings.append(say(check, "desk.keys_unseen", names=", ".join(unseen)))
    return findings


async def _written(session: Session, files: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in files:
        for name, line in (await setting(session, file, "applicationmap", list(MAP))).items():
            found.setdefault(name, line.partition(",")[0].strip())
    return found


def _wrong(check: str, section: str, name: str, key: str, now: str) -> Finding:
    return say(check, "desk.key", name=name, key=key, section=section, now=now or "not set")
