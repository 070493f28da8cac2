"""Numbers that call, on either database: who they are, what the PBX is told, and what is on the card."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cti_server.lookup.identify import LINES_FRESH_FOR, Lookup
from cti_server.lookup.variables import NAMES, safe, variables
from cti_server.record.center import lines, shifts
from cti_server.record.crm import customers
from cti_server.record.database import Database
from cti_server.rules.facts import Line
from tests.lookup.seed import FAMILY, NOW, World, seed

SUPPORT = "85550000"


@pytest.fixture
async def world(database: Database) -> World:
    return await seed(database)


@pytest.fixture
def lookup(database: Database) -> Lookup:
    return Lookup(database, now=lambda: NOW)


async def told(lookup: Lookup, ani: str | None, dnis: str | None = SUPPORT) -> dict[str, str]:
    return variables(await lookup.identify("demo", ani, None, dnis))


async def test_a_known_caller(lookup: Lookup, world: World) -> None:
    assert await told(lookup, "013800138000") == {
        "CTI_STATUS": "ok",
        "CTI_CUSTOMER": str(world.li),
        "CTI_MATCH": "verified",
        "CTI_TIER": "gold",
        "CTI_VERDICT": "covered",
        "CTI_PRIORITY": "10",
        "CTI_LANGUAGE": "zh",
        "CTI_AGENT": "PJSIP/1001",
    }


async def test_the_preferred_agent_is_rung_where_they_sit_today(
    lookup: Lookup, world: World, database: Database
) -> None:
    """At their own phone somebody else may be at work."""
    async with database.begin() as conn:
        at_work = shifts.Shift(
            agent_id=world.agent, seat="PJSIP/1101", pbx="demo", since=NOW, state="ready", state_since=NOW
        )
        await shifts.save(conn, at_work)
    assert (await told(lookup, "013800138000"))["CTI_AGENT"] == "PJSIP/1101"


async def test_an_unknown_caller_still_has_a_line(lookup: Lookup, world: World) -> None:
    for ani in (None, "", "anonymous", "9" * 300, "sip:x@y", "13912345678", "\n\x00'\"", "👍"):
        values = await told(lookup, ani)
        assert (values["CTI_STATUS"], values["CTI_CUSTOMER"], values["CTI_PRIORITY"]) == ("unknown", "", "0")
        assert values["CTI_LANGUAGE"] == "zh"
        assert tuple(values) == NAMES


async def test_the_lines_region_and_area_read_the_number(lookup: Lookup, world: World) -> None:
    local = await lookup.identify("demo", "85551234", None, SUPPORT)
    assert (local.number.e164, local.customer and local.customer.id) == ("+861085551234", world.acme)
    american = await lookup.identify("demo", "85551234", None, "2025550100")
    assert (american.number.kind, american.customer) == ("malformed", None)
    assert american.line is not None
    assert american.line.title_en == "US line"
    no_line = await lookup.identify("demo", "85551234", None, "nobody")
    assert (no_line.line, no_line.number.reason) == (None, "area_code_missing")


async def test_a_line_is_found_however_the_pbx_writes_it(lookup: Lookup, world: World) -> None:
    for dnis in ("85550000", "+861055550000", "01055550000"):
        found = await lookup.line(dnis)
        assert found is not None
        assert found.queue == "support"


async def test_a_new_line_works_after_some_seconds(database: Database, world: World) -> None:
    clock = [100.0]
    lookup = Lookup(database, now=lambda: NOW, monotonic=lambda: clock[0])
    assert await lookup.line("85559999") is None
    async with database.begin() as conn:
        await lines.save(conn, Line(0, None, "85559999", "CN"))
    assert await lookup.line("85559999") is None
    clock[0] += LINES_FRESH_FOR + 1
    assert await lookup.line("85559999") is not None


async def test_the_companys_contract_covers_the_person_at_the_extension(lookup: Lookup, world: World) -> None:
    found = await lookup.identify("demo", "010-85551234-8001", None, SUPPORT)
    assert found.customer is not None
    assert found.customer.id == world.chen
    assert (found.verdict.code, found.verdict.rule.code) == ("hours_left", "contract.of_company")
    assert found.verdict.rule.params["minutes_left"] == 90


async def test_a_switchboard_shows_the_company_and_offers_its_people(lookup: Lookup, world: World) -> None:
    found = await lookup.identify("demo", "+861085551234", None, SUPPORT)
    assert [(one.customer.id, one.reason.code) for one in found.match.candidates] == [
        (world.acme, "company_number"),
        (world.chen, "switchboard"),
    ]
    assert found.customer is not None
    assert found.customer.id == world.acme


async def test_a_family_phone_picks_nobody_until_an_agent_has_chosen(lookup: Lookup, world: World) -> None:
    first = await lookup.identify("demo", FAMILY, None, SUPPORT)
    assert (first.customer, first.match.standing, first.verdict.rule.code) == (None, "shared", "customer.unknown")
    assert {one.customer.id for one in first.match.candidates} == {world.mother, world.son}

    chosen = await lookup.choose(first, world.son, world.agent, NOW)
    assert chosen is not None
    assert chosen.customer is not None
    assert chosen.customer.id == world.son
    assert chosen.match.candidates[0].reason.code == "chosen_before"

    again = await lookup.identify("demo", FAMILY, None, SUPPORT)
    assert again.customer is not None
    assert (again.customer.id, again.match.reason.code) == (world.son, "chosen_before")
    assert len(again.match.candidates) == 2


async def test_a_choice_for_a_stranger(lookup: Lookup, world: World) -> None:
    unknown = await lookup.identify("demo", "13912345678", None, SUPPORT)
    assert await lookup.choose(unknown, 987654, world.agent, NOW) is None
    assert await lookup.choose(unknown, world.li, world.agent, NOW) is not None
    again = await lookup.identify("demo", "13912345678", None, SUPPORT)
    assert again.customer is not None
    assert (again.customer.id, again.match.standing) == (world.li, "guess")


async def test_a_choice_for_a_withheld_number_is_for_this_call_only(lookup: Lookup, world: World) -> None:
    hidden = await lookup.identify("demo", "anonymous", None, SUPPORT)
    chosen = await lookup.choose(hidden, world.li, world.agent, NOW)
    assert chosen is not None
    assert chosen.verdict.code == "covered"
    assert (await lookup.identify("demo", "anonymous", None, SUPPORT)).customer is None


async def test_the_card_of_a_known_caller(lookup: Lookup, world: World) -> None:
    card = await lookup.card("demo:1:2", await lookup.identify("demo", "13800138000", "Li", SUPPORT))
    assert card["customer"] is not None
    assert card["customer"]["contact_points"][0]["e164"] == "+8613800138000"
    assert card["customer"]["preferred_agent"] == {"id": world.agent, "name": "Li Wei"}
    assert card["number"]["kind"] == "e164"
    assert card["match"]["reason"] == {"code": "verified_number", "params": {}}
    assert card["verdict"]["rule"]["code"] == "contract.within_dates"
    assert card["verdict"]["contract"] is not None
    assert card["verdict"]["contract"]["service_level"]["name_zh"] == "金牌"
    assert [one["serial"] for one in card["products"]] == ["SN-1"]
    assert card["cases"][0]["due_at"] == "2026-11-22T04:00:00.000Z"
    assert card["notes"][0]["pinned"] is True
    assert [(one["channel"], one["agent"]) for one in card["recent"]] == [("visit", "Li Wei")]
    assert [(one["code"], one["ref"]) for one in card["why"]] == [
        ("open_case_overdue", f"case:{world.case}"),
        ("recent_visit", f"interaction:{world.interaction}"),
    ]
    assert json.loads(json.dumps(card)) == card


async def test_the_call_itself_is_not_its_own_history(lookup: Lookup, world: World) -> None:
    known = await lookup.identify("demo", "13800138000", None, SUPPORT)
    assert (await lookup.card("c", known, world.interaction))["recent"] == []


async def test_the_card_of_nobody(lookup: Lookup, world: World) -> None:
    card = await lookup.card("c", await lookup.identify("demo", "anonymous", None, SUPPORT))
    assert (card["customer"], card["match"]["standing"], card["number"]["kind"]) == (None, "none", "withheld")
    assert (card["verdict"]["code"], card["verdict"]["rule"]["code"]) == ("none", "customer.unknown")
    assert card["why"] == []


async def test_a_customer_deleted_in_mid_call(lookup: Lookup, database: Database, world: World) -> None:
    known = await lookup.identify("demo", "13800138000", None, SUPPORT)
    async with database.begin() as conn:
        await customers.delete(conn, world.li)
    assert (await lookup.card("c", known))["customer"] is None


async def test_an_expired_contract_says_so(lookup: Lookup, world: World) -> None:
    found = await lookup.identify("demo", "13700137000", None, SUPPORT)
    assert (found.verdict.code, found.verdict.rule.params["days"], found.priority) == ("expired", 12, 0)
    assert found.language == "en"
    card = await lookup.card("c", found)
    assert [one["code"] for one in card["why"]] == ["contract_expired"]


async def test_nothing_a_dialplan_could_expand_gets_out(lookup: Lookup, world: World) -> None:
    known = await lookup.identify("demo", "13800138000", None, SUPPORT)
    assert known.customer is not None
    hostile = replace(known.customer, tier='go\r\nld"\x00${SHELL(rm)},1|;')
    values = variables(replace(known, match=replace(known.match, customer=hostile)))
    assert values["CTI_TIER"] == "goldSHELLrm1"
    assert len(safe("x" * 500)) == 80
