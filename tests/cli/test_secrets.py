"""Commands that take a secret: nothing that is printed, and no byte of the database, has it in clear then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import typer

from cti_server.cli import cli
from cti_server.record.center import agents, phone_passwords, phones
from cti_server.record.center.phone_secrets import password_of
from cti_server.record.center.phones import Phone
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, key_of, new_key
from tests.cli.commands import Record, run
from tests.record.builders import NOON, in_clear
from tests.record.whole import bytes_of

KEY, NEXT_KEY = new_key(), new_key()
SECRET = "hunter-zwei-42"
WORDS = ("password", "secret", "key", "token")
ALICE = ("user", "add", "alice", "--name", "Alice", "--password")
PHONE = ("phone", "add", "PJSIP/1101", "--kind", "browser")


@dataclass(frozen=True)
class Case:
    """A command that is given SECRET, by its option or typed; what runs before it; the options that it proves."""

    arguments: tuple[str, ...]
    proves: tuple[str, ...] = ()
    before: tuple[tuple[str, ...], ...] = ()
    typed: str = ""
    fails: bool = False


SOMEBODY = ((*ALICE, "another good one"),)
SOME_PHONE = (*SOMEBODY, (*PHONE, "--owner", "alice", "--sip-password", "first"))
CASES = {
    "user add": Case((*ALICE, SECRET), ("user add password",)),
    "user add typed": Case((*ALICE[:-1],), typed=f"{SECRET}\n"),
    "user set": Case(("user", "set", "alice", "--password", SECRET), ("user set password",), SOMEBODY),
    "user set typed": Case(
        ("user", "set", "alice", "--new-password"), ("user set new_password",), SOMEBODY, f"{SECRET}\n"
    ),
    "user twice": Case((*ALICE, SECRET), before=SOMEBODY, fails=True),
    "phone add": Case(
        (*PHONE, "--owner", "alice", "--sip-password", SECRET), ("phone add sip_password",), SOMEBODY
    ),
    "phone add typed": Case((*PHONE, "--shared"), typed=f"{SECRET}\n"),
    "phone add for a desk": Case(("phone", "add", "PJSIP/1001", "--sip-password", SECRET)),
    "phone add twice": Case((*PHONE, "--shared", "--sip-password", SECRET), before=SOME_PHONE, fails=True),
    "phone add of nobody": Case((*PHONE, "--sip-password", SECRET), fails=True),
    "phone add for nobody": Case((*PHONE, "--owner", "nobody", "--sip-password", SECRET), fails=True),
    "phone set": Case(
        ("phone", "set", "PJSIP/1101", "--sip-password", SECRET), ("phone set sip_password",), SOME_PHONE
    ),
    "phone set of nothing": Case(("phone", "set", "PJSIP/7", "--sip-password", SECRET), fails=True),
}


def secret_options() -> Iterator[str]:
    """Every option of every command whose name says that it takes a secret."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[str]:
        for name, child in getattr(command, "commands", {}).items():
            yield from walk(child, (*path, name))
        for option in [] if getattr(command, "commands", None) else command.params:
            if any(word in option.name for word in WORDS):
                yield " ".join((*path, option.name))

    return walk(typer.main.get_command(cli), ())


def test_each_option_that_takes_a_secret_has_a_case() -> None:
    none = {"user add no_password", "api-key revoke key"}  # a flag, and a key's number
    assert {option for case in CASES.values() for option in case.proves} | none == set(secret_options())


def whole(url: str) -> bytes:
    async def read() -> bytes:
        async with Database(url) as database:
            return await bytes_of(database)

    return asyncio.run(read())


@pytest.mark.parametrize("name", list(CASES))
def test_it_is_nowhere_in_clear(database_url: str, name: str) -> None:
    case = CASES[name]
    record = Record(database_url, CTI_SECRET_KEY=KEY)
    for arguments in case.before:
        record.do(*arguments)
    done = run(*case.arguments, typed=case.typed, **record.settings)
    assert (done.returncode != 0) == case.fails, done.stderr
    shown = "".join(
        run(*show, **record.settings).stdout
        for show in (("phone", "list", "--json"), ("phone", "show", "PJSIP/1101", "--json"), ("user", "list"))
    )
    for said in (done.stdout, done.stderr, shown):
        assert SECRET not in said
        assert KEY not in said
    assert SECRET.encode() not in whole(database_url)
    assert KEY.encode() not in whole(database_url)


# --- keys ----------------------------------------------------------------------------------------------------


def test_a_key_is_alone_on_stdout(record: Record) -> None:
    done = run("key", **record.settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(key_of(done.stdout.removesuffix("\n"))) == 32
    assert run("key").stdout != done.stdout


@pytest.mark.parametrize("wrong", [KEY[:-3], f"{KEY},{NEXT_KEY}x"], ids=["short", "second"])
def test_a_key_that_is_none_is_refused_and_not_shown(sqlite_url: str, wrong: str) -> None:
    said = Record(sqlite_url, CTI_SECRET_KEY=wrong).refused("phone", "list")
    assert "CTI_SECRET_KEY" in said
    assert "cti-server key" in said
    assert KEY[:-3] not in said


@pytest.mark.parametrize(
    "arguments",
    [
        (*PHONE, "--shared"),
        (*PHONE, "--shared", "--sip-password", "s"),
        ("phone", "set", "PJSIP/1101", "--sip-password", "s"),
        ("phone", "seal"),
    ],
)
def test_without_a_key_no_password_is_taken(sqlite_url: str, arguments: tuple[str, ...]) -> None:
    said = Record(sqlite_url).refused(*arguments)  # before it is asked for: nothing is typed
    assert "there is no key" in said
    assert "cti-server key" in said


async def _stored(url: str, *keys: str) -> list[str]:
    async with Database(url) as database, database.read() as conn:
        return [password_of(one, Sealer(keys)) for one in await phones.all_phones(conn)]


async def _make_clear(url: str) -> None:
    async with Database(url) as database, database.begin() as conn:
        await in_clear(conn, "PJSIP/1101", SECRET)


def test_sealing_by_hand_says_how_many(database_url: str) -> None:
    record = Record(database_url, CTI_SECRET_KEY=KEY)
    record.do(*PHONE, "--shared", typed="first\n")
    asyncio.run(_make_clear(database_url))
    without = Record(database_url)
    without.do("phone", "set", "PJSIP/1101", "--label", "Window")  # what is in clear goes on
    assert asyncio.run(_stored(database_url)) == [SECRET]
    assert "1 passwords were in clear, 0 encrypted with an older key" in record.do("phone", "seal")
    assert "0 passwords were in clear, 0 encrypted" in record.do("phone", "seal")
    assert SECRET.encode() not in whole(database_url)
    rotated = Record(database_url, CTI_SECRET_KEY=f"{NEXT_KEY},{KEY}")
    assert "0 passwords were in clear, 1 encrypted with an older key" in rotated.do("phone", "seal")
    assert asyncio.run(_stored(database_url, NEXT_KEY)) == [SECRET]
    lost = record.refused("phone", "seal")
    assert "PJSIP/1101: the secret of phones/main/PJSIP/1101 is encrypted with another key" in lost
    record.do("phone", "set", "PJSIP/1101", "--sip-password", SECRET)  # the remedy
    record.do("phone", "seal")


# --- whose a browser phone is --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (PHONE, "--shared says that everybody may have it"),
        ((*PHONE, "--owner", ""), "--shared says that everybody may have it"),
        ((*PHONE, "--owner", "alice", "--shared"), "not both"),
        (("phone", "add", "PJSIP/1", "--shared"), "only browser phones"),
        (("phone", "set", "PJSIP/1001", "--shared"), "only browser phones"),
        (("phone", "set", "PJSIP/1001", "--kind", "browser", "--sip-password", "s"), "--shared says"),
        (("phone", "set", "PJSIP/1102", "--owner", ""), "--shared says"),
        (("phone", "set", "PJSIP/1102", "--shared"), "somebody's own"),
        (("phone", "set", "PJSIP/1103", "--owner", "alice", "--shared"), "not both"),
    ],
)
def test_a_browser_phone_is_somebodys_or_said_to_be_shared(
    record: Record, arguments: tuple[str, ...], why: str
) -> None:
    record.do(*ALICE, "another good one")
    record.do("phone", "add", "PJSIP/1001")
    record.do("phone", "add", "PJSIP/1102", "--kind", "browser", "--owner", "alice", "--sip-password", "s")
    record.do("phone", "add", "PJSIP/1103", "--kind", "browser", "--shared", "--sip-password", "s")
    assert why in record.refused(*arguments)


def test_what_is_shared_stays_so_until_it_gets_an_owner(record: Record) -> None:
    record.do(*ALICE, "another good one")
    record.do(*PHONE, "--shared", "--sip-password", "s")

    def whose() -> tuple[Any, Any, Any]:
        shown = record.see("phone", "show", "PJSIP/1101")
        return shown["kind"], shown["owner"], shown["shared"]

    record.do("phone", "set", "PJSIP/1101", "--label", "Window")
    assert whose() == ("browser", None, True)
    record.do("phone", "set", "PJSIP/1101", "--owner", "alice")
    assert whose() == ("browser", "alice", False)
    record.do("phone", "set", "PJSIP/1101", "--owner", "", "--shared")
    assert whose() == ("browser", None, True)
    record.do("phone", "set", "PJSIP/1101", "--kind", "desk")
    assert whose() == ("desk", None, False)


async def _of_before(url: str) -> None:
    """A shared browser phone as versions without --shared made it."""
    async with Database(url) as database, database.begin() as conn:
        made = Phone(pbx="main", seat="PJSIP/1101", extension="1101", kind="browser")
        await phones.save(conn, made)
        await in_clear(conn, made.seat, "s")


def test_one_of_before_is_changed_as_it_was(record: Record) -> None:
    asyncio.run(_of_before(record.url))
    record.do("phone", "set", "PJSIP/1101", "--label", "Window")
    assert record.see("phone", "show", "PJSIP/1101")["shared"] is False
    record.do("phone", "set", "PJSIP/1101", "--shared")
    assert record.see("phone", "show", "PJSIP/1101")["shared"] is True


async def _gave(url: str, login: str) -> None:
    """The desk gave this person the password of 1101."""
    async with Database(url) as database, database.begin() as conn:
        agent = await agents.by_login(conn, login)
        assert agent is not None
        await phone_passwords.note(conn, "main", "PJSIP/1101", agent.id, NOON, shared=False)


def test_who_still_has_the_password_is_said_until_it_is_another(record: Record) -> None:
    record.do(*ALICE, "another good one")
    record.do("user", "add", "bob", "--name", "Bob", "--password", "another good one")
    record.do(*PHONE, "--owner", "alice", "--sip-password", "first")
    asyncio.run(_gave(record.url, "alice"))
    assert "had its password" not in record.do("phone", "set", "PJSIP/1101", "--label", "Window")
    said = record.do("phone", "set", "PJSIP/1101", "--owner", "bob")
    assert "alice had its password: change it at the PBX" in said
    assert "alice had its" in record.do("phone", "set", "PJSIP/1101", "--sip-password", "first"), "the same"
    assert "had its" not in record.do("phone", "set", "PJSIP/1101", "--sip-password", "second")
    asyncio.run(_gave(record.url, "bob"))
    assert "LOGIN --sip-password" in record.do("user", "disable", "bob")
    assert "bob had its password" in record.do("phone", "remove", "PJSIP/1101")
