"""The SIP passwords of phones, as commands take and keep them: whose they are, sealed, and who still has one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cti_server.cli.common import fail
from cti_server.cli.given import changes

if TYPE_CHECKING:
    from cti_server.record.center.phones import Phone
    from cti_server.record.sealing import Sealer


def given(option: str | None) -> str | None:
    """The password that was given, '' for none; None where the option was not given."""
    if option is None:
        return None
    return changes(may_be_empty=("sip_password",), sip_password=option)["sip_password"] or ""


def check_whose(kind: str, owner: object, shared: bool) -> None:
    """Whoever sits at a shared browser phone is given its password, so that must be said."""
    if owner and shared:
        fail("a phone is somebody's own or shared, not both", "--owner LOGIN, or --shared")
    if shared and kind != "browser":
        fail("only browser phones are shared by name; anybody sits at other phones", "leave --shared out")
    if kind == "browser" and not owner and not shared:
        fail(
            "whoever sits at a browser phone without an owner is given its SIP password",
            "--owner LOGIN makes it that person's own; --shared says that everybody may have it",
        )


def check_key(sealer: Sealer) -> None:
    """Fail before a password is asked for that could not be kept."""
    if not sealer.ready:
        fail(
            "there is no key to encrypt SIP passwords with",
            "CTI_SECRET_KEY=…   in the settings file, as  cti-server key  prints it. Keep a copy of it.",
        )


def sealed(phone: Phone, password: str | None, sealer: Sealer) -> Phone:
    from cti_server.record.center import phone_secrets

    return phone_secrets.with_password(phone, password, sealer) if password else replace(phone, sip_password=None)


def opened(phone: Phone, sealer: Sealer) -> str | None:
    """The password; None where it cannot be decrypted."""
    from cti_server.record.center import phone_secrets
    from cti_server.record.sealing import SealingError

    try:
        return phone_secrets.password_of(phone, sealer)
    except SealingError:
        return None


async def knowing(conn: Any, phone: Phone) -> list[str]:
    """Who still has this phone's password and is not to use it any more, with what helps. It cannot be taken back:
    a browser that has it can register until the PBX has another."""
    from cti_server.record.center import phone_passwords

    if phone.shared:
        return []
    known = [
        one.login
        for one in await phone_passwords.holders(conn)
        if (one.pbx, one.seat) == (phone.pbx, phone.seat) and one.agent_id != phone.agent_id
    ]
    if not known:
        return []
    return [
        f"{', '.join(known)} had its password: change it at the PBX, then"
        f"   cti-server phone set {phone.seat} --sip-password …"
    ]
