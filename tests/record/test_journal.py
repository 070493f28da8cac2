"""The journal numbers without a gap, whoever writes, whatever was rolled back or cut."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from cti_server.record import journal
from cti_server.record.database import Database
from cti_server.record.journal import NewEntry, PositionGone

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def entry(n: int, at: datetime = NOON) -> NewEntry:
    return NewEntry(at=at, kind="call.changed", body={"n": n, "name": "王\0小明 🙂"}, audience={"agents": [n]})


async def test_append_then_read_after(database: Database) -> None:
    async with database.begin() as conn:
        assert await journal.append(conn, "pbx:demo", []) == range(0)
        assert list(await journal.append(conn, "pbx:demo", [entry(1), entry(2)])) == [1, 2]
        assert list(await journal.append(conn, "desk", [entry(9)])) == [1]
        assert list(await journal.append(conn, "pbx:demo", [entry(3)])) == [3]
    async with database.read() as conn:
        assert await journal.positions(conn) == {"pbx:demo": 3, "desk": 1}
        read = await journal.read_after(conn, "pbx:demo", 1)
        assert [(e.seq, e.at, e.kind, e.audience) for e in read] == [
            (2, NOON, "call.changed", {"agents": [2]}),
            (3, NOON, "call.changed", {"agents": [3]}),
        ]
        assert read[0].body == {"n": 2, "name": "王\N{REPLACEMENT CHARACTER}小明 🙂"}
        assert [e.seq for e in await journal.read_after(conn, "pbx:demo", 0, limit=1)] == [1]
        assert await journal.read_after(conn, "pbx:demo", 3) == []
        assert await journal.read_after(conn, "never", 0) == []


async def test_what_was_rolled_back_never_was(database: Database) -> None:
    with contextlib.suppress(RuntimeError):
        async with database.begin() as conn:
            await journal.append(conn, "pbx:demo", [entry(1)])
            raise RuntimeError
    async with database.begin() as conn:
        assert list(await journal.append(conn, "pbx:demo", [entry(1)])) == [1]


async def test_writers_of_one_stream_take_turns(database: Database) -> None:
    async def write(n: int) -> list[int]:
        async with database.begin() as conn:
            return list(await journal.append(conn, "desk", [entry(n), entry(n)]))

    given = await asyncio.gather(*(write(n) for n in range(12)))
    assert sorted(seq for seqs in given for seq in seqs) == list(range(1, 25))
    assert all(second == first + 1 for first, second in given)
    async with database.read() as conn:
        assert [e.seq for e in await journal.read_after(conn, "desk", 0)] == list(range(1, 25))


async def test_a_position_that_was_cut_or_lies_ahead_is_gone(database: Database) -> None:
    async with database.begin() as conn:
        await journal.append(conn, "pbx:demo", [entry(n, NOON + timedelta(minutes=n)) for n in range(5)])
        assert await journal.cut(conn, NOON + timedelta(minutes=2), 10) == 2
    async with database.read() as conn:
        for gone in (0, 1, 6):
            with pytest.raises(PositionGone):
                await journal.read_after(conn, "pbx:demo", gone)
        assert [e.seq for e in await journal.read_after(conn, "pbx:demo", 2)] == [3, 4, 5]


async def test_a_number_is_not_given_twice_though_all_was_cut(database: Database) -> None:
    async with database.begin() as conn:
        await journal.append(conn, "pbx:demo", [entry(1), entry(2)])
        await journal.cut(conn, NOON + timedelta(days=1), 10)
        assert await journal.read_after(conn, "pbx:demo", 2) == []
        with pytest.raises(PositionGone):
            await journal.read_after(conn, "pbx:demo", 1)
        assert list(await journal.append(conn, "pbx:demo", [entry(3)])) == [3]
