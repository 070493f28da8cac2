"""What a card is made of: whom a number may be, and everything about the one it is."""

from __future__ import annotations

from cti_server.record import card_facts
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.crm import cases, notes, products
from cti_server.record.crm.contact_points import choose
from cti_server.record.database import Database
from tests.record.builders import NOON, a_contract, a_customer, after, an_agent, call

NUMBER = "+8613800138000"


async def test_nobody_one_and_several(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        wang = await a_customer(conn, "Wang", NUMBER)
        assert await card_facts.callers(conn, "+8613900139000") == card_facts.Callers((), ())
        [holder] = (await card_facts.callers(conn, NUMBER)).holders
        assert holder.customer.id == wang.id
        assert holder.contact_point is not None
        assert (holder.contact_point.e164, holder.contact_point.customer_id) == (NUMBER, wang.id)
        assert (holder.chosen_count, holder.last_chosen_at) == (0, None)
        li = await a_customer(conn, "Li", NUMBER)
        zhao = await a_customer(conn, "Zhao")
        await choose(conn, NUMBER, li.id, alice, after(1))
        await choose(conn, NUMBER, li.id, alice, after(2))
        await choose(conn, NUMBER, zhao.id, alice, after(3))
        holders = (await card_facts.callers(conn, NUMBER)).holders
    assert [(h.customer.name, h.contact_point is not None, h.chosen_count, h.last_chosen_at) for h in holders] == [
        ("Li", True, 2, after(2)),
        ("Zhao", False, 1, after(3)),
        ("Wang", True, 0, None),
    ]
    assert holders[0].contact_point is not None
    assert holders[0].contact_point.chosen_count == 2


async def test_the_people_behind_a_companys_number(database: Database) -> None:
    async with database.begin() as conn:
        acme = await a_customer(conn, "Acme", "+862188886666", kind="company")
        await a_customer(conn, "Li", "+862188886666-801", company_id=acme.id)
        await a_customer(conn, "Bo", company_id=acme.id)
        found = await card_facts.callers(conn, "+862188886666")
    assert [(h.customer.name, h.contact_point and h.contact_point.extension) for h in found.holders] == [
        ("Acme", None),
        ("Li", "801"),
    ]
    assert [(h.customer.name, h.contact_point) for h in found.people] == [("Bo", None), ("Li", None)]


async def test_a_number_of_very_many_is_cut(database: Database) -> None:
    async with database.begin() as conn:
        for n in range(card_facts.MAX_HOLDERS + 2):
            last = await a_customer(conn, f"C{n}", NUMBER)
        await choose(conn, NUMBER, last.id, None, NOON)
        holders = (await card_facts.callers(conn, NUMBER)).holders
    assert len(holders) == card_facts.MAX_HOLDERS
    assert holders[0].customer.id == last.id


async def test_everything_for_a_card(database: Database) -> None:
    async with database.begin() as conn:
        acme = await a_customer(conn, "Acme", kind="company")
        li = await a_customer(conn, "Li", NUMBER, company_id=acme.id)
        contract_id = await a_contract(conn, acme.id, "C-1")
        await products.add(conn, acme.id, "Router", contract_id=contract_id)
        await cases.add(conn, li.id, number="1", subject="Slow", opened_at=NOON)
        await notes.add(conn, li.id, "kind", at=NOON)
        ids = await save_calls(
            conn, [call("old", customer_id=li.id), call("now", customer_id=li.id, started_at=after(9))]
        )
        current = ids["demo", 100, "now"]
        facts = await card_facts.card(conn, li.id, without=current)
        assert await card_facts.card(conn, 999) is None
    assert facts is not None
    assert facts.customer.contact_points[0].e164 == NUMBER
    assert [c.number for c in facts.contracts] == ["C-1"]
    assert [p.contract for p in facts.products] == ["C-1"]
    assert [c.subject for c in facts.cases] == ["Slow"]
    assert [n.text for n in facts.notes] == ["kind"]
    assert [one.id for one in facts.recent] == [ids["demo", 100, "old"]]
