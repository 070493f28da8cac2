"""What the doctor says of SIP passwords, each with the command that mends it, which is run."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import replace

import pytest

from cti_server.doctor import phones as doctor
from cti_server.doctor.findings import Finding
from cti_server.doctor.pbx import recorded
from cti_server.doctor.texts import TEXTS
from cti_server.record.center import agents, phone_passwords, phones
from cti_server.record.center.phone_secrets import with_password
from cti_server.record.center.phones import Phone
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from cti_server.record.sealing import Sealer, new_key
from tests.cli.commands import Record
from tests.record.builders import NOON, an_agent, in_clear

KEY, OLD, LOST = new_key(), new_key(), new_key()
PHONE = Phone(pbx="main", seat="PJSIP/1101", extension="1101", kind="browser", sip_user="1101")


async def _made(conn: Connection, how: str) -> None:
    """One phone, Alice's own unless it is about that, of which this is to be said."""
    alice, bob = await an_agent(conn), await an_agent(conn, "bob")
    phone = replace(PHONE, agent_id=None if how == "sip.of_nobody" else alice)
    key = {"sip.old_key": OLD, "sip.lost": LOST}.get(how, KEY)
    await phones.save(conn, with_password(phone, "s", Sealer([key])))
    if how in ("sip.no_key", "sip.in_clear"):
        await in_clear(conn, PHONE.seat, "s")
    await phone_passwords.note(conn, "main", PHONE.seat, alice, NOON, shared=False)
    if how == "sip.known":
        await phone_passwords.note(conn, "main", PHONE.seat, bob, NOON, shared=True)


#: code → the keys of the settings, and the command that mends it; None: a key, and a start of the server
CASES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "sip.ok": ((KEY,), None),
    "sip.no_key": ((), None),
    "sip.in_clear": ((KEY,), "phone seal"),
    "sip.old_key": ((KEY, OLD), "phone seal"),
    "sip.lost": ((KEY,), "phone set PJSIP/1101 --sip-password t"),
    "sip.of_nobody": ((KEY,), "phone set PJSIP/1101 --owner alice"),
    "sip.known": ((KEY,), "phone set PJSIP/1101 --sip-password t"),
}


def test_each_text_has_a_case() -> None:
    assert set(CASES) == {code for code in TEXTS if code.startswith("sip.")}


async def _said(url: str, keys: tuple[str, ...]) -> list[Finding]:
    return doctor.examine(Sealer(keys), await recorded.read(url))


@pytest.mark.parametrize("code", list(CASES))
def test_it_is_said_and_mended(database_url: str, code: str) -> None:
    keys, mends = CASES[code]

    async def make() -> None:
        async with Database(database_url) as database, database.begin() as conn:
            await _made(conn, code)

    asyncio.run(make())
    [found] = asyncio.run(_said(database_url, keys))
    assert found.code == code
    if mends is None:
        assert code == "sip.ok" or "CTI_SECRET_KEY" in (found.remedy or "")
        return
    assert " ".join(mends.split()[:-1]) in (found.remedy or "")
    Record(database_url, CTI_SECRET_KEY=",".join(keys)).do(*shlex.split(mends))
    [found] = asyncio.run(_said(database_url, keys))
    assert found.code == "sip.ok"


async def test_without_passwords_nothing_is_said(database: Database) -> None:
    async with database.begin() as conn:
        await phones.save(conn, replace(PHONE, kind="desk"))
    assert await _said(database.url.render_as_string(hide_password=False), ()) == []


async def test_whoever_left_is_named_at_a_shared_phone_too(database: Database) -> None:
    async with database.begin() as conn:
        await phones.save(conn, with_password(replace(PHONE, shared=True), "s", Sealer([KEY])))
        for login in ("alice", "bob"):
            number = await an_agent(conn, login)
            await phone_passwords.note(conn, "main", PHONE.seat, number, NOON, shared=True)
        await agents.update(conn, number, active=False)
    [found] = await _said(database.url.render_as_string(hide_password=False), (KEY,))
    assert (found.code, "bob had the password of PJSIP/1101" in found.what) == ("sip.known", True)
