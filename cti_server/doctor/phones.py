"""The SIP passwords of browser phones: whether they are encrypted and can be decrypted, and who has them."""

from __future__ import annotations

from collections.abc import Iterator

from cti_server.doctor.findings import Finding, say, some
from cti_server.doctor.pbx.recorded import Recorded
from cti_server.record.center import phone_secrets
from cti_server.record.center.phones import Phone
from cti_server.record.sealing import Sealer, SealingError

CHECK = "SIP passwords"
SHOWN = 5


def examine(sealer: Sealer, record: Recorded) -> list[Finding]:
    """Nothing where the record has no password."""
    kept = [phone for phone in record.phones if phone.sip_password is not None]
    if not kept:
        return []
    findings = list(_sealing(sealer, kept))
    findings += some(list(_lost(sealer, kept)), SHOWN)
    findings += some(list(_of_nobody(record)), SHOWN)
    findings += some(list(_known_to_others(record)), SHOWN)
    return findings or [say(CHECK, "sip.ok", count=len(kept))]


def _sealing(sealer: Sealer, kept: list[Phone]) -> Iterator[Finding]:
    states = [phone_secrets.state_of(phone, sealer) for phone in kept]
    if clear := states.count("clear"):
        yield say(CHECK, "sip.in_clear" if sealer.ready else "sip.no_key", count=clear)
    if old := states.count("old_key"):
        yield say(CHECK, "sip.old_key", count=old)


def _lost(sealer: Sealer, kept: list[Phone]) -> Iterator[Finding]:
    for phone in kept:
        try:
            phone_secrets.password_of(phone, sealer)
        except SealingError as lost:
            yield say(CHECK, "sip.lost", seat=phone.seat, why=lost, remedy=lost.remedy)


def _of_nobody(record: Recorded) -> Iterator[Finding]:
    """Those that were added before an owner, or --shared, had to be named."""
    for phone in record.phones:
        if phone.kind == "browser" and phone.agent_id is None and not phone.shared:
            yield say(CHECK, "sip.of_nobody", seat=phone.seat)


def _known_to_others(record: Recorded) -> Iterator[Finding]:
    """Whoever was given a password can register with it until the PBX has another: the owner before this one, and
    whoever left."""
    for phone in record.phones:
        logins = [
            one.login
            for one in record.holders
            if (one.pbx, one.seat) == (phone.pbx, phone.seat)
            and (not one.active or phone.agent_id not in (None, one.agent_id))
        ]
        if logins:
            yield say(CHECK, "sip.known", seat=phone.seat, logins=", ".join(logins))
