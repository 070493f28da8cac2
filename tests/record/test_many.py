"""Nothing breaks because there is much of it: PostgreSQL takes 32,767 parameters in a statement."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from cti_server.record import card_facts
from cti_server.record.contacts import history, restart
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.contacts.tables import interactions
from cti_server.record.crm import customers
from cti_server.record.database import Database
from cti_server.record.desk import promises
from cti_server.record.engines import Connection
from tests.record.builders import NOON, a_customer, after, call, part

MANY = 33_000


async def people(conn: Connection, company_id: int, number: int) -> list[int]:
    """Adds so many people to a company; answers their ids."""
    person = {"kind": "person", "name": "P", "name_key": "p", "company_id": company_id, "version": 1}
    await conn.execute(
        sa.insert(customers.customers), [person | {"created_at": NOON, "updated_at": NOON}] * number
    )
    c = customers.customers.c
    return list(await conn.scalars(sa.select(c.id).where(c.company_id == company_id).order_by(c.id)))


async def test_a_company_with_forty_thousand_people(database: Database) -> None:
    async with database.begin() as conn:
        acme, other = await a_customer(conn, "Acme", kind="company"), await a_customer(conn, "Li Na")
        staff = await people(conn, acme.id, 40_000)
        owners = {"a": acme.id, "b": staff[0], "c": staff[-1], "x": other.id}
        await save_calls(
            conn,
            [call(name, customer_id=owner, started_at=after(n)) for n, (name, owner) in enumerate(owners.items())],
        )
    async with database.read() as conn:
        facts = await card_facts.card(conn, acme.id)
        assert facts is not None
        assert [brief.at for brief in facts.recent] == [after(2), after(1), after(0)]
        first = await history.timeline(conn, acme.id, limit=2)
        second = await history.timeline(conn, acme.id, first.next, limit=2)
    assert [one.linkedid for one in (*first.items, *second.items)] == ["c", "b", "a"]


async def test_all_the_calls_that_a_crash_left_open(database: Database) -> None:
    row: dict[str, Any] = {"channel": "voice", "direction": "inbound", "pbx": "demo", "boot": 100}
    row |= {"ivr_path": [], "started_at": NOON, "complete": False}
    async with database.begin() as conn:
        await conn.execute(sa.insert(interactions), [row | {"linkedid": str(n)} for n in range(MANY)])
        last = str(MANY - 1)
        await save_calls(conn, [call(last, aliases=("other",), segments=(part(0), part(1)))])
    async with database.read() as conn:
        found = await restart.open_interactions(conn, "demo")
    assert len(found) == MANY
    assert [(one.linkedid, one.aliases, len(one.segments)) for one in found if one.segments or one.aliases] == [
        (last, ("other",), 2)
    ]


async def test_more_promises_fall_due_than_a_statement_has_parameters(database: Database) -> None:
    async with database.begin() as conn:
        wang = await a_customer(conn)
        first = await promises.add(conn, customer_id=wang.id, kind="other", text="", due_at=NOON, at=NOON)
        row = dict((await conn.execute(sa.select(promises.promises))).one()._mapping)
        del row["id"]
        later = [row | {"due_at": NOON + timedelta(seconds=n)} for n in range(1, MANY)]
        await conn.execute(sa.insert(promises.promises), later)
    async with database.begin() as conn:
        due = await promises.take_due(conn, NOON + timedelta(days=1))
    assert len(due) == MANY
    assert due[0].id == first.id
    assert [promise.due_at for promise in due[:3]] == [after(0), after(1), after(2)]
    assert due == sorted(due, key=lambda promise: promise.due_at)
    assert {promise.state for promise in due} == {"broken"}


async def test_many_calls_that_were_merged_are_written_at_once(database: Database) -> None:
    """A snapshot after an hour without a link changes all calls in one batch."""
    async with database.begin() as conn:
        await save_calls(conn, [call("b0")])
        ids = await save_calls(conn, [call(f"a{n}", aliases=(f"b{n}",)) for n in range(11_000)])
        found = await history.by_key(conn, ("demo", 100, "b0"))
    assert found is not None
    assert found.id == ids["demo", 100, "a0"]
