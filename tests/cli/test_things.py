"""What the record knows, by the commands: `add` refuses what is there, `set` changes only what is given, `remove`
says what uses it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from cti_server.record.center import agents, second_factors, sessions, shifts
from cti_server.record.center.shifts import Shift
from cti_server.record.crm import contracts, customers, products
from cti_server.record.crm.customer_values import Author
from cti_server.record.database import Database
from tests.cli.commands import Record

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ALICE = ("user", "add", "alice", "--name", "Alice", "--seat", "PJSIP/1001", "--password", "a good one")


def test_a_user_is_changed_only_where_it_is_said(record: Record) -> None:
    record.do(*ALICE, "--role", "administrator", "--may-pick")
    before = record.see("user", "show", "alice")
    why = record.refused("user", "add", "alice", "--name", "Somebody", typed="another one\n")
    assert "alice signs in already" in why
    assert "cti-server user set alice" in why
    record.do("user", "set", "alice", "--language", "zh")
    assert record.see("user", "show", "alice") == before | {"language": "zh"}
    record.do("user", "set", "alice", "--seat", "PJSIP/1002", "--may-not-pick")
    changed = {"language": "zh", "seat": "PJSIP/1002", "extension": "1002", "may_pick": False}
    assert record.see("user", "show", "alice") == before | changed
    record.do("user", "set", "alice", "--seat", "")
    nowhere = {"seat": None, "extension": None, "pbx": None}
    assert record.see("user", "show", "alice") == before | changed | nowhere
    assert "nothing to change" in record.refused("user", "set", "alice")
    assert "nobody signs in as bob" in record.refused("user", "set", "bob", "--role", "agent")


def test_only_a_password_that_is_given_is_changed_and_signs_them_out(record: Record) -> None:
    record.do("user", "add", "alice", "--name", "Alice", typed="from a pipe\n")
    hashed, signed_in = asyncio.run(_sign_in(record.url))
    record.do("user", "set", "alice", "--name", "Alice W")
    assert asyncio.run(_password(record.url)) == (hashed, signed_in)
    record.do("user", "set", "alice", "--new-password", typed="another one\n")
    other, at_all = asyncio.run(_password(record.url))
    assert other != hashed
    assert not at_all
    assert "no password was given" in record.refused("user", "set", "alice", "--new-password")
    for password, why in (
        ("short", "10 characters or more"),
        ("password12", "among those that are tried first"),
        ("          ", "among those that are tried first"),
        ("alice alice", "among those that are tried first"),
    ):
        assert why in record.refused("user", "set", "alice", "--password", password)


def test_a_new_role_signs_out_and_the_same_one_does_not(record: Record) -> None:
    record.do(*ALICE)
    asyncio.run(_sign_in(record.url))
    record.do("user", "set", "alice", "--role", "agent")
    assert asyncio.run(_password(record.url))[1]
    record.do("user", "set", "alice", "--role", "supervisor")
    assert not asyncio.run(_password(record.url))[1]


def test_who_is_disabled_is_removed_and_enabled_brought_back(record: Record) -> None:
    record.do(*ALICE)
    record.do("user", "disable", "alice")
    assert record.see("user", "show", "alice")["active"] is False
    record.do("user", "enable", "alice")
    assert record.see("user", "show", "alice")["active"] is True
    assert "may sign in already" in record.refused("user", "enable", "alice")


def test_a_lost_phone(record: Record) -> None:
    """The administrator turns the second factor off, and whoever has the phone is out everywhere."""
    record.do(*ALICE)
    shown = record.see("user", "show", "alice")
    assert (shown["second_factor"], shown["recovery_codes"]) == (False, 0)
    assert "is not on" in record.refused("user", "second-factor", "alice", "--off")
    asyncio.run(_second_factor(record.url))
    shown = record.see("user", "show", "alice")
    assert (shown["second_factor"], shown["recovery_codes"]) == (True, 1)
    assert "say --off" in record.refused("user", "second-factor", "alice")
    assert "nobody signs in as bob" in record.refused("user", "second-factor", "bob", "--off")
    assert "signed out everywhere" in record.do("user", "second-factor", "alice", "--off")
    assert not asyncio.run(_password(record.url))[1]
    assert record.see("user", "show", "alice")["second_factor"] is False


PROVIDER = {
    "CTI_OIDC_ISSUER": "https://id.example/realms/main/",
    "CTI_OIDC_CLIENT_ID": "cti",
    "CTI_HTTP_ORIGINS": "https://desk.example",
}


def test_who_is_who_at_the_provider(record: Record) -> None:
    record.do(*ALICE, "--role", "administrator")
    assert "CTI_OIDC_ISSUER" in record.refused("user", "link", "alice", "--sub", "u-1")
    house = Record(record.url, **PROVIDER)
    assert "nobody comes in as alice" in house.refused("user", "unlink", "alice")
    house.do("user", "link", "alice", "--sub", "u-1")
    assert house.see("user", "show", "alice")["identities"] == ["u-1 at https://id.example/realms/main"]
    assert "somebody else comes in as alice already" in house.refused("user", "link", "alice", "--sub", "u-2")
    house.do("user", "add", "bob", "--name", "Bob", "--no-password")
    assert "comes in as alice already" in house.refused("user", "link", "bob", "--sub", "u-1")
    asyncio.run(_sign_in(record.url))
    house.do("user", "unlink", "alice")
    assert not asyncio.run(_password(record.url))[1], "signed out everywhere"
    house.do("user", "link", "bob", "--sub", "u-1")


def test_an_emergency_login(record: Record) -> None:
    record.do(*ALICE, "--break-glass")
    assert record.see("user", "show", "alice")["break_glass"] is True
    record.do("user", "set", "alice", "--no-break-glass")
    assert record.see("user", "show", "alice")["break_glass"] is False
    refused = record.refused("user", "add", "bob", "--name", "Bob", "--no-password", "--break-glass")
    assert "leaves nothing" in refused


async def _second_factor(url: str) -> None:
    await _sign_in(url)
    async with Database(url) as database, database.begin() as conn:
        alice = await agents.by_login(conn, "alice")
        assert alice is not None
        await second_factors.begin(conn, alice.id, "v1:sealed", NOW)
        assert await second_factors.turn_on(conn, alice.id, 1, NOW)
        await second_factors.put_codes(conn, alice.id, ["hash"])


async def _sign_in(url: str) -> tuple[str | None, bool]:
    async with Database(url) as database, database.begin() as conn:
        alice = await agents.by_login(conn, "alice")
        assert alice is not None
        await sessions.open_session(
            conn,
            sessions.Session(
                token_hash="token", agent_id=alice.id, created_at=NOW, expires_at=NOW.replace(year=2030)
            ),
        )
    return await _password(url)


async def _password(url: str) -> tuple[str | None, bool]:
    """The hash of her password, and whether she is signed in."""
    async with Database(url) as database, database.read() as conn:
        alice = await agents.by_login(conn, "alice")
        assert alice is not None
        return alice.password_hash, await sessions.agent_of(conn, "token", NOW) is not None


def test_a_removed_user_stays_in_the_history_and_can_be_brought_back(record: Record) -> None:
    record.do(*ALICE)
    record.do("phone", "add", "PJSIP/1101", "--owner", "alice")
    asyncio.run(_at_work_and_preferred(record.url))
    said = record.do("user", "remove", "alice")
    assert "at work at PJSIP/1001" in said
    assert "1 customers prefer them" in said
    assert "cti-server phone set PJSIP/1101 --owner ''" in said
    assert record.see("user", "list") == []
    assert [(one["login"], one["active"]) for one in record.see("user", "list", "--all")] == [("alice", False)]
    assert "was removed already" in record.refused("user", "remove", "alice")
    assert "user set alice --active" in record.refused(*ALICE)
    record.do("user", "set", "alice", "--active")
    assert [one["login"] for one in record.see("user", "list")] == ["alice"]


async def _at_work_and_preferred(url: str) -> None:
    async with Database(url) as database, database.begin() as conn:
        alice = await agents.by_login(conn, "alice")
        assert alice is not None
        at_work = Shift(
            agent_id=alice.id, seat="PJSIP/1001", pbx="main", since=NOW, state="ready", state_since=NOW
        )
        await shifts.save(conn, at_work)
        await customers.create(
            conn, kind="person", name="Wu", at=NOW, by=Author("command", "test"), preferred_agent_id=alice.id
        )


def test_who_serves_which_queue_and_how_well_can_be_undone(record: Record) -> None:
    record.do(*ALICE)
    record.do("queue", "add", "support")
    record.do("user", "serves", "alice", "support", "--penalty", "2")
    record.do("user", "skill", "alice", "english=7", "network=3")
    assert record.see("user", "show", "alice")["queues"] == {"support": 2}
    assert "cti-server user unserves alice support" in record.refused("queue", "remove", "support")
    record.do("user", "unserves", "alice", "support")
    record.do("user", "unskill", "alice", "english")
    shown = record.see("user", "show", "alice")
    assert (shown["queues"], shown["skills"]) == ({}, {"network": 3})
    assert "does not serve support" in record.refused("user", "unserves", "alice", "support")
    assert "has no skill english" in record.refused("user", "unskill", "alice", "english")
    record.do("queue", "remove", "support")


def test_queues_begin_with_the_policy_and_are_changed_one_by_one(record: Record) -> None:
    record.do("queue", "set", "*", "--wrap-up", "forced", "--service-level", "15")
    record.do("queue", "add", "support", "--title-zh", "技术支持", "--short-abandon", "3")
    support = record.see("queue", "show", "support")
    assert (support["wrap_up_mode"], support["service_level_s"], support["short_abandon_s"]) == ("forced", 15, 3)
    record.do("queue", "set", "support", "--wrap-up-time", "45", "--code-required")
    changed = {"wrap_up_s": 45, "code_required": True}
    assert record.see("queue", "show", "support") == support | changed
    assert [one["name"] for one in record.see("queue", "list")] == ["*", "support"]
    assert "queue set support" in record.refused("queue", "add", "support")
    assert "the policy stays" in record.refused("queue", "remove", "*")
    record.do("line", "add", "4008001000", "--queue", "support")
    record.do("code", "add", "technical", "--queue", "support")
    uses = record.refused("queue", "remove", "support")
    assert "cti-server line set 4008001000 --queue ''" in uses
    assert "cti-server code remove technical" in uses


def test_phones(record: Record) -> None:
    record.do("phone", "add", "PJSIP/1101", "--kind", "browser", "--shared", typed="sip secret\n")
    phone = record.see("phone", "show", "PJSIP/1101")
    assert (phone["sip_user"], phone["sip_password_set"]) == ("1101", True)
    assert "sip secret" not in str(phone)
    assert "phone set PJSIP/1101" in record.refused("phone", "add", "PJSIP/1101")
    record.do("phone", "set", "PJSIP/1101", "--label", "Desk 1")
    assert record.see("phone", "show", "PJSIP/1101") == phone | {"label_en": "Desk 1"}
    record.do("phone", "remove", "PJSIP/1101")
    assert record.see("phone", "list") == []
    assert "there is no phone PJSIP/1101" in record.refused("phone", "remove", "PJSIP/1101")
    assert "write PJSIP/1101" in record.refused("phone", "add", "1101")


def test_a_phone_where_somebody_works_stays(record: Record) -> None:
    record.do(*ALICE)
    record.do("phone", "add", "PJSIP/1001")
    asyncio.run(_at_work_and_preferred(record.url))
    assert "alice is at work at PJSIP/1001" in record.refused("phone", "remove", "PJSIP/1001")


def test_lines(record: Record) -> None:
    record.do("line", "add", "02079460100", "--region", "GB", "--title", "London")
    line = record.see("line", "show", "02079460100")
    assert (line["e164"], line["title_zh"], line["queue"]) == ("+442079460100", "London", None)
    assert "line set 02079460100" in record.refused("line", "add", "+442079460100")
    record.do("line", "set", "02079460100", "--language", "en")
    assert record.see("line", "show", "02079460100") == line | {"language": "en"}
    record.do("line", "remove", "02079460100")
    assert record.see("line", "list") == []


def test_service_levels_and_contracts(record: Record) -> None:
    asyncio.run(_customers(record.url))
    record.do("level", "add", "platinum", "--title", "Platinum", "--response", "5")
    levels = record.see("level", "list")
    assert [one["code"] for one in levels] == ["gold", "silver", "bronze", "platinum"]
    record.do("level", "set", "platinum", "--rank", "1", "--response", "0")
    assert record.see("level", "show", "platinum")["response_minutes"] is None
    record.do("contract", "add", "C-1", "--customer", "CRM-1", "--level", "platinum", "--from", "2026-01-01")
    record.do("contract", "add", "C-2", "--customer", "13800138001", "--level", "gold", "--minutes", "600")
    assert "2 contracts" not in record.refused("level", "remove", "platinum")
    assert "contract list --level platinum" in record.refused("level", "remove", "platinum")
    one = record.see("contract", "show", "C-1")
    assert (one["customer"], one["customer_name"], one["ends_on"]) == ("CRM-1", "Acme", None)
    assert [row["number"] for row in record.see("contract", "list", "--customer", "13800138001")] == ["C-2"]
    assert "several customers: Ma Li (no reference), Ma Bo (CRM-3)" in record.refused(
        "contract", "add", "C-3", "--customer", "13800138002", "--level", "gold"
    )
    assert "no customer with the reference or number nobody" in record.refused(
        "contract", "add", "C-3", "--customer", "nobody", "--level", "gold"
    )
    assert "contract set C-1" in record.refused("contract", "add", "C-1", "--customer", "CRM-1", "--level", "gold")
    record.do("contract", "set", "C-1", "--until", "2027-12-31", "--status", "suspended", "--reason", "unpaid")
    changed = {"ends_on": "2027-12-31", "status": "suspended", "status_reason": "unpaid"}
    assert record.see("contract", "show", "C-1") == one | changed
    assert "before it starts" in record.refused("contract", "set", "C-1", "--until", "2025-12-31")
    for written in ("31.12.2027", "2027年12月31日"):
        record.do("contract", "set", "C-1", "--until", written)
        assert record.see("contract", "show", "C-1") == one | changed
    assert "2027-01-02 or 2027-02-01" in record.refused("contract", "set", "C-1", "--until", "01/02/2027")
    assert "is not a day" in record.refused("contract", "set", "C-1", "--until", "31.02.2027")
    asyncio.run(_covers(record.url))
    assert "covers Router" in record.refused("contract", "remove", "C-1")
    record.do("contract", "remove", "C-1", "--anyway")
    record.do("level", "remove", "platinum")


async def _customers(url: str) -> None:
    numbers = {"Li": "13800138001", "Ma Li": "13800138002", "Ma Bo": "13800138002"}
    refs = {"Ma Bo": "CRM-3"}
    async with Database(url) as database, database.begin() as conn:
        await customers.create(conn, kind="company", name="Acme", at=NOW, external_ref="CRM-1")
        for name, number in numbers.items():
            made = await customers.create(conn, kind="person", name=name, at=NOW, external_ref=refs.get(name))
            await customers.add_contact_point(conn, made.id, at=NOW, kind="phone", raw=number, e164=f"+86{number}")


async def _covers(url: str) -> None:
    async with Database(url) as database, database.begin() as conn:
        contract = await contracts.by_number(conn, "C-1")
        assert contract is not None
        await products.add(conn, contract.customer_id, "Router", contract_id=contract.id)


def test_reasons_and_codes(record: Record) -> None:
    record.do("reason", "add", "prayer", "--title", "Prayer", "--title-zh", "祷告")
    assert record.see("reason", "list")[-1]["code"] == "prayer"
    record.do("reason", "remove", "lunch")
    assert record.see("reason", "show", "lunch")["active"] is False
    assert "reason set lunch --active" in record.refused("reason", "add", "lunch")
    assert "gives the reason no_answer itself" in record.refused("reason", "add", "no_answer")
    assert "cannot be a code" in record.refused("reason", "add", "Lunch!")
    record.do("reason", "set", "lunch", "--active", "--title", "Meal")
    assert record.see("reason", "show", "lunch")["title_zh"] == "午餐"

    assert "stands under delivery, which is no code" in record.refused("code", "add", "delivery/late")
    record.do("code", "add", "delivery")
    record.do("code", "add", "delivery/late", "--title", "Too late")
    assert "code remove delivery/late" in record.refused("code", "remove", "delivery")
    assert "for calls of sales" in record.refused("code", "set", "delivery", "--queue", "sales")
    record.do("code", "remove", "delivery/late")
    record.do("code", "remove", "delivery")
    assert record.see("code", "show", "delivery")["active"] is False


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("user", "add", "x" * 81, "--name", "X"), "the limit is 80"),
        (("user", "add", "a b", "--name", "X"), "a login is a word"),
        (("user", "add", "x", "--name", "X" * 81), "the limit is 80"),
        (("user", "add", "x", "--name", "X\nY"), "control character"),
        (("user", "add", "x", "--name", " "), "must not be empty"),
        (("user", "add", "x"), "--name is needed"),
        (("user", "add", "x", "--name", "X", "--seat", "PJSIP/1", "--pbx", "mian"), "no PBX mian"),
        (("user", "add", "x", "--name", "X", "--seat", "1001"), "write PJSIP/1001"),
        (("user", "add", "x", "--name", "X", "--role", "king"), "the role is one of agent"),
        (("user", "add", "x", "--name", "X"), "no password was given"),
        (("queue", "add", "q", "--pbx", "mian"), "--pbx main"),
        (("queue", "add", "q", "--wrap-up", "never"), "optional, mandatory, forced"),
        (("queue", "add", "q", "--wrap-up-time", "1e9"), "86400"),
        (("phone", "add", "PJSIP/1", "--owner", "nobody"), "nobody signs in as nobody"),
    ],
)
def test_what_cannot_be_is_refused_in_words(record: Record, arguments: tuple[str, ...], why: str) -> None:
    assert why in record.refused(*arguments)


def test_a_table_can_be_piped(record: Record) -> None:
    record.do("user", "add", "wang", "--name", "王 芳", "--password", "a good one")
    header, row = record.do("user", "list").splitlines()
    assert header.split("\t")[:3] == ["login", "name", "role"]
    assert row.split("\t")[:4] == ["wang", "王 芳", "agent", "-"]
