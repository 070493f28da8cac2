"""A backup is the record at one moment, and comes back whole, on either engine."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from cti_server.record import journal, leases, migrate
from cti_server.record.backup import archive, postgresql, sqlite
from cti_server.record.backup.restore import EPOCHS_AHEAD, STREAMS_AHEAD, restore
from cti_server.record.backup.take import take
from cti_server.record.crm import search
from cti_server.record.database import Database
from cti_server.record.journal import NewEntry, PositionGone
from cti_server.record.urls import normalise_url, sqlite_file
from tests.record.backup.records import NOW, Target, all_rows, left_beside
from tests.record.builders import a_customer, an_agent

CHANGED = {"sessions", "tickets", "provider_sessions", "journal_streams", "pbx_leases"}
"""What a restored record has otherwise, on purpose."""


async def test_everything_comes_back(record: str, nowhere: Target, file: Path) -> None:
    before = await all_rows(record)
    made = await take(record, file)
    assert await all_rows(record) == before
    assert file.stat().st_mode & 0o777 == 0o600
    assert left_beside(file) == ["record.cti"]
    assert made.facts.revision == migrate.head()
    assert {name: made.facts.tables[name].rows for name in before} == {n: len(rows) for n, rows in before.items()}
    target = nowhere()
    assert await restore(file, target) == made
    after = await all_rows(target)
    assert {name: rows for name, rows in after.items() if name not in CHANGED} == {
        name: rows for name, rows in before.items() if name not in CHANGED
    }
    assert await migrate.current(target) == migrate.head()
    async with Database(target) as database:
        async with database.begin() as conn:
            await an_agent(conn, "next")  # ids go on
            found = await search.find(conn, "申江")
            assert found.items
        if (restored := sqlite_file(normalise_url(target))) is not None:
            assert restored.stat().st_mode & 0o777 == 0o600


async def test_it_is_one_moment_though_a_server_writes(
    record: str, nowhere: Target, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes between the sums and the copy, and waits for nothing."""
    wrote: list[int] = []

    async def write() -> None:
        async with Database(record) as database, database.begin() as conn:
            wrote.append((await a_customer(conn, "Later", "+8613800138999")).id)
            await journal.append(conn, "pbx:demo", [NewEntry(NOW, "call.ended", {})] * 5)

    engine = sqlite if record.startswith("sqlite") else postgresql
    facts_of = engine.facts_of

    def blocking(conn: sqlite3.Connection) -> archive.Facts:
        facts = facts_of(conn)
        asyncio.run(write())  # in the thread of the copy
        return facts

    async def waiting(conn: Any) -> archive.Facts:
        facts = await facts_of(conn)
        await write()
        return facts

    monkeypatch.setattr(engine, "facts_of", blocking if engine is sqlite else waiting)
    await take(record, file)
    monkeypatch.undo()
    assert len(wrote) == 1
    target = nowhere()
    await restore(file, target)
    async with Database(target) as database, database.read() as conn:
        names = list(await conn.scalars(sa.text("SELECT name FROM customers WHERE name = 'Later'")))
        top = (await journal.positions(conn))["pbx:demo"] - STREAMS_AHEAD
        assert (names, top) == ([], 3)


async def test_a_server_that_never_stops_to_write_does_not_keep_it_from_ending(record: str, file: Path) -> None:
    """SQLite's backup in steps begins anew after each write: beside such a server it would copy for ever."""
    done = asyncio.Event()

    async def write() -> int:
        count = 0
        async with Database(record) as database:
            while not done.is_set():
                async with database.begin() as conn:
                    await journal.append(conn, "desk", [NewEntry(NOW, "call.changed", {"n": count})])
                count += 1
        return count

    writer = asyncio.create_task(write())
    made = await take(record, file)
    done.set()
    assert await writer > 0
    with archive.opened(file) as (packed, manifest):
        assert manifest == made
        assert packed.testzip() is None


async def test_what_was_ended_since_does_not_come_back(record: str, nowhere: Target, file: Path) -> None:
    """A desktop's position lies ahead of the backup; a session may have been ended; an owner may be frozen."""
    await take(record, file)
    async with Database(record) as database, database.begin() as conn:
        await journal.append(conn, "pbx:demo", [NewEntry(NOW, "call.ended", {})] * 2)  # a desktop saw these: 4, 5
    target = nowhere()
    await restore(file, target)
    async with Database(target) as database, database.begin() as conn:
        for seen in (5, 3):
            with pytest.raises(PositionGone):
                await journal.read_after(conn, "pbx:demo", seen)
        numbers = await journal.append(conn, "pbx:demo", [NewEntry(NOW, "call.ended", {})] * 4)
        assert numbers[0] == STREAMS_AHEAD + 4
        with pytest.raises(PositionGone):
            await journal.read_after(conn, "pbx:demo", 5)
        assert len(await journal.read_after(conn, "pbx:demo", numbers[0])) == 3
        assert await conn.scalar(sa.text("SELECT count(*) FROM sessions")) == 0
        epoch = sa.select(leases.pbx_leases.c.epoch).where(leases.pbx_leases.c.pbx == "demo")
        assert await conn.scalar(epoch) == EPOCHS_AHEAD + 7
