"""Customers, what is theirs, and edits that do not overwrite each other."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from cti_server.record.center import agents
from cti_server.record.crm import cases, contracts, customers, notes, products
from cti_server.record.crm.contact_points import ContactPointTaken
from cti_server.record.crm.customers import BadCompany, ExternalRefTaken, UnknownCustomer
from cti_server.record.database import Database
from cti_server.record.versions import StaleVersion
from cti_server.rules.facts import AgentBrief, CompanyBrief
from tests.record.builders import BUILDER, NOON, a_contract, a_customer, after, an_agent


async def test_a_customer_with_everything(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn, seat="PJSIP/1001")
        acme = await a_customer(conn, "Acme", kind="company")
        li = await a_customer(
            conn,
            "李娜",
            "+8613800138000",
            company_id=acme.id,
            role_title="CTO",
            tier="gold",
            language="zh",
            time_zone="Asia/Shanghai",
            preferred_agent_id=alice,
            remarks="prefers email",
            external_ref="CRM-1",
        )
        await customers.add_contact_point(conn, li.id, at=NOON, kind="email", raw="li@example.com", label="work")
        found = await customers.get(conn, li.id)
        assert await customers.get(conn, 999) is None
        assert [person.name for person in await customers.people_of(conn, acme.id)] == ["李娜"]
    assert found is not None
    assert found.company == CompanyBrief(acme.id, "Acme")
    assert found.preferred_agent == AgentBrief(alice, "Alice", "PJSIP/1001")
    assert (found.role_title, found.tier, found.external_ref, found.created_at) == ("CTO", "gold", "CRM-1", NOON)
    assert [(p.kind, p.raw, p.e164, p.extension) for p in found.contact_points] == [
        ("phone", "+8613800138000", "+8613800138000", None),
        ("email", "li@example.com", None, None),
    ]
    assert found.version == 3  # each contact point was a change


async def test_an_agent_who_left_is_nobodys_preferred_agent(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        li = await a_customer(conn, "Li", preferred_agent_id=alice)
        await agents.update(conn, alice, active=False)
        found = await customers.get(conn, li.id)
    assert found is not None
    assert found.preferred_agent is None


async def test_a_stale_edit_is_refused(database: Database) -> None:
    async with database.begin() as conn:
        li = await a_customer(conn, "Li")
        changed = await customers.update(conn, li.id, 1, {"name": "Li Na", "tier": "gold"}, after(5), by=BUILDER)
        assert (changed.name, changed.tier, changed.version, changed.updated_at) == ("Li Na", "gold", 2, after(5))
        with pytest.raises(StaleVersion) as refused:
            await customers.update(conn, li.id, 1, {"name": "Other"}, after(6))
        assert refused.value.current == 2
        with pytest.raises(UnknownCustomer):
            await customers.update(conn, 999, 1, {"name": "Other"}, after(6))
        with pytest.raises(TypeError, match="version"):
            await customers.update(conn, li.id, 2, {"version": 7}, after(6))


async def test_of_two_edits_at_once_one_wins(database: Database) -> None:
    async with database.begin() as conn:
        li = await a_customer(conn, "Li")

    async def edit(name: str) -> str:
        async with database.begin() as conn:
            try:
                return (await customers.update(conn, li.id, 1, {"name": name}, after(1))).name
            except StaleVersion:
                return "stale"

    assert sorted(await asyncio.gather(edit("A"), edit("B"), edit("C")))[1:] == ["stale", "stale"]


async def test_what_cannot_be_is_refused(database: Database) -> None:
    async with database.begin() as conn:
        acme = await a_customer(conn, "Acme", kind="company", external_ref="A")
        li = await a_customer(conn, "Li", "+8613800138000")
        for company_id in (li.id, 999):
            with pytest.raises(BadCompany):
                await customers.update(conn, li.id, li.version, {"company_id": company_id}, NOON)
        with pytest.raises(BadCompany):
            await customers.update(conn, acme.id, acme.version, {"company_id": acme.id}, NOON)
        with pytest.raises(ExternalRefTaken):
            await customers.create(conn, kind="person", name="X", at=NOON, external_ref="A")
        with pytest.raises(ContactPointTaken):
            await customers.add_contact_point(conn, li.id, at=NOON, kind="phone", raw="x", e164="+8613800138000")
        with pytest.raises(UnknownCustomer):
            await customers.add_contact_point(conn, 999, at=NOON, kind="phone", raw="1", e164="+8613800138000")


async def test_contact_points_come_and_go(database: Database) -> None:
    async with database.begin() as conn:
        li = await a_customer(conn, "Li", "+862188886666-801", "+862188886666-802")
        wang = await a_customer(conn, "Wang")
        first, second = li.contact_points
        assert (first.extension, second.extension) == ("801", "802")
        assert not await customers.remove_contact_point(conn, wang.id, first.id, NOON)
        assert await customers.remove_contact_point(conn, li.id, first.id, NOON)
        found = await customers.get(conn, li.id)
    assert found is not None
    assert [p.id for p in found.contact_points] == [second.id]
    assert found.version == li.version + 1


async def test_a_deleted_customers_own_things_go_and_its_people_stay(database: Database) -> None:
    async with database.begin() as conn:
        acme = await a_customer(conn, "Acme", "+862188886666", kind="company")
        li = await a_customer(conn, "Li", company_id=acme.id)
        await a_contract(conn, acme.id, "C-1")
        assert await customers.delete(conn, acme.id)
        assert not await customers.delete(conn, acme.id)
        left = await customers.get(conn, li.id)
        assert await contracts.by_number(conn, "C-1") is None
    assert left is not None
    assert left.company is None


async def test_contracts_products_cases_and_notes(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        acme = await a_customer(conn, "Acme", kind="company")
        li = await a_customer(conn, "Li", company_id=acme.id)
        await a_contract(conn, li.id, "C-2", "silver", minutes_total=600, minutes_used=20)
        gold = await a_contract(conn, acme.id, "C-1", "gold", ends_on=None)
        assert await a_contract(conn, acme.id, "C-1", "gold", status="suspended", status_reason="unpaid") == gold
        found = await contracts.of_customers(conn, [li.id, acme.id])
        assert [(c.number, c.service_level.code, c.status, c.minutes_total) for c in found] == [
            ("C-1", "gold", "suspended", None),
            ("C-2", "silver", "active", 600),
        ]
        assert [level.code for level in await contracts.all_service_levels(conn)] == ["gold", "silver", "bronze"]
        await products.add(conn, acme.id, "Router", serial="R1", installed_on=date(2026, 1, 2), contract_id=gold)
        [held] = await products.of_customers(conn, [li.id, acme.id])
        assert (held.name, held.contract, held.installed_on) == ("Router", "C-1", date(2026, 1, 2))
        await cases.add(conn, li.id, number="1", subject="Slow", opened_at=NOON, priority=3)
        await cases.add(conn, acme.id, number="2", subject="Down", opened_at=NOON, priority=1, due_at=after(60))
        await cases.add(
            conn, li.id, number="3", subject="Old", opened_at=after(-9), status="closed", closed_at=NOON
        )
        assert [case.subject for case in await cases.open_of(conn, [li.id, acme.id])] == ["Down", "Slow"]
        assert [case.subject for case in await cases.of_customer(conn, li.id)] == ["Slow", "Old"]
        for text, seconds, pinned in (("first", 1, False), ("second", 2, False), ("pinned", 0, True)):
            await notes.add(conn, li.id, text, at=after(seconds), agent_id=alice, pinned=pinned)
        read = await notes.of_customer(conn, li.id)
    assert [(note.text, note.agent) for note in read] == [
        (text, AgentBrief(alice, "Alice")) for text in ("pinned", "second", "first")
    ]
