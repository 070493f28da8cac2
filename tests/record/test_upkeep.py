"""Upkeep cuts what is older than it is kept, a little at a time, by one process at a time; contacts stay."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from cti_server.demo.seed import seed
from cti_server.record import journal
from cti_server.record.contacts.tables import interactions
from cti_server.record.database import Database
from cti_server.record.desk import messages
from cti_server.record.engines import Connection
from cti_server.record.journal import NewEntry, PositionGone
from cti_server.record.upkeep import claims, partitions
from cti_server.record.upkeep import run as upkeep
from cti_server.record.upkeep.run import Done, Kept
from tests.record.builders import an_agent

NOW = datetime.now(UTC)  # partitions are made for the time that PostgreSQL has
KEPT = Kept(timedelta(days=3), timedelta(days=90))


async def written(database: Database, *times: datetime, stream: str = "pbx:demo") -> None:
    async with database.begin() as conn:
        await journal.append(conn, stream, [NewEntry(at, "call.changed", {"n": n}) for n, at in enumerate(times)])


async def read(database: Database, seq: int, stream: str = "pbx:demo") -> list[int]:
    async with database.read() as conn:
        return [entry.seq for entry in await journal.read_after(conn, stream, seq)]


async def done(database: Database, now: datetime = NOW) -> Done:
    made = await upkeep.run(database, KEPT, lambda: now, pause_s=0)
    assert made is not None
    return made


async def count(conn: Connection, table: sa.Table) -> int:
    return await conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0


async def test_what_is_older_is_cut_and_the_rest_goes_on(database: Database) -> None:
    """On PostgreSQL by whole months, and so up to a month later."""
    long_ago = partitions.month_of(NOW) - timedelta(days=400)
    young = NOW - timedelta(days=2)
    await written(database, long_ago, long_ago, young, NOW)
    assert await read(database, 0) == [1, 2, 3, 4]
    later = partitions.after(partitions.month_of(NOW)) + KEPT.journal
    assert (await done(database)).failures == {}
    if database.is_sqlite:
        assert await read(database, 2) == [3, 4]
        with pytest.raises(PositionGone):
            await read(database, 1)
    made = await done(database, later)
    assert made.failures == {}
    assert made.rows["journal"] == (2 if database.is_sqlite else 0)
    assert made.partitions.cut == ([] if database.is_sqlite else [partitions.named(partitions.month_of(NOW))])
    with pytest.raises(PositionGone):
        await read(database, 3)
    assert await read(database, 4) == []
    await written(database, later)
    assert await read(database, 4) == [5]


async def test_contacts_stay_and_old_messages_and_sessions_go(database: Database) -> None:
    await seed(database, "demo", NOW - timedelta(days=500))
    async with database.begin() as conn:
        alice = await an_agent(conn, "somebody")
        for days in (100, 91, 89):
            at = NOW - timedelta(days=days)
            await messages.add(conn, at=at, sender_id=alice, to_kind="team", text="x")
        before = await count(conn, interactions)
    made = await done(database)
    assert made.failures == {}
    async with database.read() as conn:
        assert await count(conn, interactions) == before > 10
        left = await conn.scalar(sa.select(sa.func.count()).where(messages.m.sender_id == alice))
    assert left == 1
    assert made.rows["messages"] >= 2


async def test_between_two_batches_others_have_their_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits to write, waits for one batch."""
    monkeypatch.setattr(upkeep, "BATCH", 2)
    old = NOW + timedelta(days=18_000)  # on PostgreSQL it is in the rest, because no month takes it
    await written(database, *[old] * 9)
    later = old + timedelta(days=10)
    said: list[str] = []
    cut = journal.cut

    async def told(*given: Any) -> int:
        gone = await cut(*given)
        said.append(f"cut {gone}")
        if len(said) == 1:
            waiting.append(asyncio.create_task(call()))
            await asyncio.sleep(0)  # it asks for the database now, and waits
        return gone

    async def call() -> None:
        async with database.begin() as conn:
            await journal.append(conn, "desk", [NewEntry(later, "call.changed", {})])
        said.append("call")

    waiting: list[asyncio.Task[None]] = []
    monkeypatch.setattr(journal, "cut", told)
    assert (await done(database, later)).rows["journal"] == 9
    if database.is_sqlite:
        assert said == ["cut 2", "call", "cut 2", "cut 2", "cut 2", "cut 1"]
    else:  # nobody waits for anybody there
        await asyncio.gather(*waiting)
        assert [one for one in said if one != "call"] == ["cut 2"] * 4 + ["cut 1"]


async def test_one_process_at_a_time(database: Database) -> None:
    async with database.begin() as conn:
        claim = await claims.take(conn, "first", NOW)
        assert claim is not None
        assert await claims.take(conn, "second", NOW) is None
    assert await upkeep.run(database, KEPT, lambda: NOW) is None
    async with database.read() as conn:
        assert await claims.done_at(conn) is None
    async with database.begin() as conn:
        await claim.release(conn, NOW, done=False)
    await done(database)
    async with database.read() as conn:
        assert await claims.done_at(conn) == NOW


async def test_a_process_that_was_killed_or_frozen_keeps_nobody_from_it(database: Database) -> None:
    async with database.begin() as conn:
        frozen = await claims.take(conn, "frozen", NOW)
        assert frozen is not None
    later = NOW + claims.CLAIMED_FOR + timedelta(seconds=1)
    assert (await done(database, later)).failures == {}
    async with database.begin() as conn:
        with pytest.raises(claims.ClaimLost):
            await frozen.renew(conn, later)
        await frozen.release(conn, later, done=True)
        assert await claims.done_at(conn) == later


async def test_what_fails_is_said_and_keeps_nothing_else_from_its_work(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*given: object) -> int:
        raise RuntimeError("as it happens")

    monkeypatch.setattr(upkeep.sessions, "purge", fails)
    made = await done(database)
    assert made.failures == {"sessions": "as it happens"}
    assert made.rows.keys() == {"journal", "messages", "asked", "requests", "handovers"}
    async with database.read() as conn:
        assert await claims.done_at(conn) is None
    monkeypatch.undo()
    assert (await done(database)).failures == {}


async def test_a_run_that_is_cancelled_is_not_done(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def waits(*given: object) -> int:
        begun.set()
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(upkeep.sessions, "purge", waits)
    run = asyncio.create_task(upkeep.run(database, KEPT, lambda: NOW))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    monkeypatch.undo()
    async with database.read() as conn:
        assert await claims.done_at(conn) is None
    await done(database)
