"""A call that passes three queues has three visits: written as it goes, read back, brought back by a restart."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from cti_server.floor.calls import Call
from cti_server.floor.visits import How, Visit
from cti_server.record.calls import call_of, record_of
from cti_server.record.center import agents
from cti_server.record.contacts import history, restart
from cti_server.record.contacts.interactions import VisitRecord, save_calls
from cti_server.record.contacts.tables import visits
from cti_server.record.database import Database
from tests.record.builders import NOON, after, an_agent, call


def visit(position: int, queue: str, **fields: Any) -> VisitRecord:
    given: dict[str, Any] = {"joined_at": after(10 * position)}
    return VisitRecord(position=position, queue=queue, **given | fields)


async def seen(database: Database, linkedid: str) -> list[tuple[Any, ...]]:
    async with database.read() as conn:
        found = await history.by_key(conn, ("demo", 100, linkedid))
    assert found is not None
    return [(v.position, v.queue, v.joined_at, v.left_at, v.how, v.agent_name) for v in found.visits]


async def test_a_call_passes_three_queues(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        await save_calls(conn, [call("a", visits=(visit(0, "sales", place=3),))])
    assert await seen(database, "a") == [(0, "sales", NOON, None, None, None)]

    timed_out = visit(0, "sales", place=3, left_at=after(8), how="timed_out")
    moved_on = visit(1, "support", left_at=after(15), how="moved_on")
    async with database.begin() as conn:
        await save_calls(conn, [call("a", visits=(timed_out, moved_on, visit(2, "night")))])
        answered = visit(2, "night", left_at=after(30), how="answered", agent_id=alice, seat="PJSIP/1001")
        await save_calls(conn, [call("a", visits=(timed_out, moved_on, answered)), call("b")])
    assert await seen(database, "a") == [
        (0, "sales", NOON, after(8), "timed_out", None),
        (1, "support", after(10), after(15), "moved_on", None),
        (2, "night", after(20), after(30), "answered", "Alice"),
    ]
    assert await seen(database, "b") == []


async def test_who_answered_is_deleted_before_it_is_written(database: Database) -> None:
    answered = visit(0, "sales", left_at=after(8), how="answered", agent_id=999, seat="PJSIP/1001")
    async with database.begin() as conn:
        await save_calls(conn, [call("a", visits=(answered,))])
    assert await seen(database, "a") == [(0, "sales", NOON, after(8), "answered", None)]


async def test_who_answered_is_deleted_afterwards(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        answered = visit(0, "sales", left_at=after(8), how="answered", agent_id=alice, seat="PJSIP/1001")
        await save_calls(conn, [call("a", visits=(answered,))])
        await conn.execute(sa.delete(agents.agents))
    assert await seen(database, "a") == [(0, "sales", NOON, after(8), "answered", None)]


async def test_two_calls_that_become_one_have_the_visits_of_both_once(database: Database) -> None:
    first, second = visit(0, "sales", left_at=after(8), how="moved_on"), visit(1, "support")
    async with database.begin() as conn:
        await save_calls(conn, [call("a", visits=(first,)), call("b", visits=(visit(0, "support"),))])
        await save_calls(conn, [call("a", aliases=("b",), visits=(first, second))])
        count = await conn.scalar(sa.select(sa.func.count()).select_from(visits))
    assert count == 2
    assert [row[:2] for row in await seen(database, "b")] == [(0, "sales"), (1, "support")]


async def test_a_restart_brings_the_visits_back(database: Database) -> None:
    start = NOON.timestamp()
    async with database.begin() as conn:
        alice = await an_agent(conn)
        waits = [
            Visit("sales", start, 2, start + 8, How.TIMED_OUT),
            Visit("support", start + 8.25, 1, start + 20, How.ANSWERED, alice, "PJSIP/1001"),
            Visit("night", start + 30),
        ]
        before = Call("demo", 100, "demo-1.1", start, visits=waits)
        await save_calls(conn, [record_of(before)])
        [row] = await restart.open_interactions(conn, "demo")
    after_restart = call_of(row)
    assert after_restart.visits == waits
    assert record_of(after_restart).visits == record_of(before).visits
