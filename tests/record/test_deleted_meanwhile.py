"""Somebody deletes what a batch names before it is written: the rest of the batch is written all the same."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from cti_server import memory
from cti_server.floor.signals import CallerIdentified
from cti_server.memory import Batch
from cti_server.record.center import agent_states, agents, lines, shifts
from cti_server.record.center.agent_states import AgentStateRow
from cti_server.record.center.shifts import Shift
from cti_server.record.contacts import history
from cti_server.record.contacts.history import Interaction
from cti_server.record.contacts.interactions import identify, save_calls
from cti_server.record.crm import customers
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from cti_server.rules.facts import Line
from tests.record.builders import NOON, a_customer, after, an_agent, call, part

KEY = ("demo", 100, "demo-1.1")
NUMBER = "+8613800138000"


def found_late(**fields: Any) -> CallerIdentified:
    """A lookup's answer for the call of KEY, which is over."""
    return CallerIdentified(NOON.timestamp(), "demo-1.1", "demo-1.1", "verified", ani=NUMBER, **fields)


async def the_call(conn: Connection) -> Interaction:
    found = await history.by_key(conn, KEY)
    assert found is not None
    return found


async def delete_agent(conn: Connection, agent_id: int) -> None:
    await conn.execute(sa.delete(agents.agents).where(agents.agents.c.id == agent_id))


async def test_the_caller_of_a_late_lookup(database: Database) -> None:
    async with database.begin() as conn:
        wang = await a_customer(conn)
        await save_calls(conn, [call("demo-1.1", outcome="answered")])
        await customers.delete(conn, wang.id)
    async with database.begin() as conn:
        await identify(conn, KEY, found_late(customer={"id": wang.id, "name": wang.name, "tier": None}))
    async with database.read() as conn:
        found = await the_call(conn)
    assert (found.customer_id, found.ani_e164) == (None, NUMBER)


async def test_the_line_of_a_late_lookup(database: Database) -> None:
    async with database.begin() as conn:
        wang = await a_customer(conn)
        line = await lines.save(conn, Line(0, "+864008004000", "4008004000", "CN", "Support", "支持"))
        await save_calls(conn, [call("demo-1.1", outcome="answered")])
        await conn.execute(sa.delete(lines.lines))
    async with database.begin() as conn:
        brief = {"id": wang.id, "name": wang.name, "tier": None}
        await identify(conn, KEY, found_late(customer=brief, line=line))
    async with database.read() as conn:
        found = await the_call(conn)
    assert (found.customer_id, found.line_id) == (wang.id, None)


async def test_a_late_lookup_of_someone_who_is_there_is_kept(database: Database) -> None:
    async with database.begin() as conn:
        wang = await a_customer(conn)
        line = await lines.save(conn, Line(0, "+864008004000", "4008004000", "CN", "Support", "支持"))
        await save_calls(conn, [call("demo-1.1", outcome="answered")])
        brief = {"id": wang.id, "name": wang.name, "tier": None}
        await identify(conn, KEY, found_late(customer=brief, line=line))
        found = await the_call(conn)
    assert (found.customer_id, found.line_id) == (wang.id, line)


async def test_the_agent_of_a_segment(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        both = call("demo-1.1", segments=(part(0, agent_id=alice), part(1, agent_id=bob)))
        await save_calls(conn, [both])
        await delete_agent(conn, alice)
        await save_calls(conn, [both])
        found = await the_call(conn)
    assert [segment.agent_id for segment in found.segments] == [None, bob]


def shift(agent_id: int, **fields: Any) -> Shift:
    given = {"seat": "PJSIP/1001", "pbx": "demo", "since": NOON, "state": "ready", "state_since": NOON}
    return Shift(agent_id=agent_id, **given | fields)


async def test_the_agent_of_a_shift(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        await shifts.save(conn, shift(alice))
        await delete_agent(conn, alice)
        for changed in (shift(alice, state="not_ready"), shift(bob), shift(bob, because={"code": "chosen"})):
            await shifts.save(conn, changed)
        await shifts.end(conn, alice)
        assert await shifts.all_open(conn) == [shift(bob, because={"code": "chosen"})]
        assert await shifts.last_seat(conn, bob, "demo") == "PJSIP/1001"
        assert await shifts.last_seat(conn, alice, "demo") is None


async def test_the_agent_of_a_state(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        await delete_agent(conn, alice)
        rows = [
            AgentStateRow(agent_id=alice, name="ready", at=NOON),
            AgentStateRow(agent_id=bob, name="ready", at=NOON, because={"code": "chosen"}),
            AgentStateRow(agent_id=bob, name="not_ready", at=after(1), reason="lunch"),
        ]
        await agent_states.append(conn, rows)
        assert await agent_states.of_day(conn, bob, NOON, after(2)) == rows[1:]
        assert await agent_states.of_day(conn, alice, NOON, after(2)) == []


async def test_a_whole_batch(database: Database) -> None:
    """What the pipeline writes in one transaction, each row of which names somebody who is gone."""
    async with database.begin() as conn:
        alice, wang = await an_agent(conn), await a_customer(conn)
        await save_calls(conn, [call("demo-1.1", outcome="answered")])
        await delete_agent(conn, alice)
        await customers.delete(conn, wang.id)
    batch = Batch(
        late=[found_late(customer={"id": wang.id, "name": wang.name, "tier": None}, line=999)],
        shifts=[shift(alice), alice],
        states=[AgentStateRow(agent_id=alice, name="ready", at=NOON)],
    )
    async with database.begin() as conn:
        await memory.write(conn, "pbx:demo", ("demo", 100), batch)
    async with database.read() as conn:
        assert (await the_call(conn)).ani_e164 == NUMBER
