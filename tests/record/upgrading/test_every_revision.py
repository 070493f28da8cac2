"""Every revision with data in it goes up to this version and back, and no value is lost on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
import sqlalchemy as sa

from cti_server.record import journal, migrate
from cti_server.record.database import Database
from cti_server.record.engines import lone_engine
from cti_server.record.journal import NewEntry
from cti_server.record.tables import metadata
from cti_server.record.urls import normalise_url
from tests.record.upgrading.typical import NOW, ROWS, Rows, fill, read, shape

T = TypeVar("T")
REVISIONS = [one.number for one in migrate.revisions()]
EMPTIES_THE_JOURNAL = "0005"  # up and down: its events have another shape
MOVES_NOTES = "0002"  # of contacts into their segments; looked at by themselves
POLICY = ("*", "*")  # 0009 adds a queue policy, and takes it away


async def on(url: str, work: Callable[[sa.Connection], T]) -> T:
    engine = lone_engine(normalise_url(url))
    try:
        async with engine.connect() as conn:
            await conn.execution_options(cti_write=True)
            async with conn.begin():
                return await conn.run_sync(work)
    finally:
        await engine.dispose()


def lost(before: Rows, after: Rows, crossed: list[str]) -> list[str]:
    """What was before, and is not any more, among tables and columns that are on both sides."""
    return list(_lost(before, after, crossed))


def _lost(before: Rows, after: Rows, crossed: list[str]) -> Iterator[str]:
    for table in before.keys() & after.keys():
        if table == "journal" and EMPTIES_THE_JOURNAL in crossed:
            continue
        for key, row in before[table].items():
            now = after[table].get(key)
            if now is None:
                if table != "queues" or (row["pbx"], row["name"]) != POLICY:
                    yield f"{table} {key} is gone"
                continue
            for column in row.keys() & now.keys():
                if column == "note" and table in ("interactions", "segments") and MOVES_NOTES in crossed:
                    continue
                if row[column] != now[column]:
                    yield f"{table} {key} {column}: {(row[column] or '')[:80]!r} is {(now[column] or '')[:80]!r}"
    notes = {
        text
        for rows in (after["interactions"], after["segments"])
        for row in rows.values()
        if (text := row["note"])
    }
    for table in ("interactions", "segments"):
        for key, row in before[table].items():
            if (note := row["note"]) and not any(note in one for one in notes):
                yield f"the note of {table} {key} is gone"


def crossed(revision: str) -> list[str]:
    """The revisions above this one."""
    return REVISIONS[REVISIONS.index(revision) + 1 :]


@pytest.mark.parametrize("revision", REVISIONS)
async def test_up_and_back_with_what_that_version_had(empty_url: str, revision: str) -> None:
    await migrate.upgrade(empty_url, revision)
    made = await on(empty_url, shape)
    filled = await on(empty_url, fill)
    before = await on(empty_url, read)
    for name, rows in filled.items():
        assert len(before[name]) >= len(rows), name

    await migrate.upgrade(empty_url)
    up = await on(empty_url, read)
    assert lost(before, up, crossed(revision)) == []
    async with Database(empty_url) as database:
        async with database.read() as conn:
            for table in metadata.sorted_tables:  # what is in it means something to this version
                (await conn.execute(sa.select(table))).all()
        async with database.begin() as conn:
            seqs = await journal.append(conn, "desk", [NewEntry(NOW, "call.changed", {})])
            assert list(await journal.read_after(conn, "desk", seqs[0] - 1))

    await migrate.downgrade(empty_url, revision)
    assert await migrate.current(empty_url) == revision
    back = await on(empty_url, read)
    assert await on(empty_url, shape) == made
    assert lost(before, back, crossed(revision)) == []


async def test_back_step_by_step_with_what_this_version_has_and_up_again(empty_url: str) -> None:
    """As whoever goes back because of a fault, and tries again later: what the older one knows is kept."""
    await migrate.upgrade(empty_url)
    await on(empty_url, fill)
    before = await on(empty_url, read)
    for revision in REVISIONS[-2::-1]:
        await migrate.downgrade(empty_url, revision)
        back = await on(empty_url, read)
        assert lost(before, back, crossed(revision)[:1]) == [], f"down to {revision}"
        before = back
    assert sum(len(rows) for rows in before.values()) >= ROWS * 15
    await migrate.upgrade(empty_url)
    assert lost(before, await on(empty_url, read), crossed(REVISIONS[0])) == []
    await migrate.downgrade(empty_url, "base")
    assert await on(empty_url, read) == {}


async def test_a_loss_would_be_seen(empty_url: str) -> None:
    await migrate.upgrade(empty_url)
    await on(empty_url, fill)
    before = await on(empty_url, read)
    await on(empty_url, lambda conn: conn.execute(sa.text("DELETE FROM visits WHERE id = 101")))
    await on(empty_url, lambda conn: conn.execute(sa.text("UPDATE notes SET text = 'x' WHERE id = 103")))
    found = lost(before, await on(empty_url, read), [])
    assert sorted(one.split(":")[0] for one in found) == ["notes ('103',) text", "visits ('101',) is gone"]
