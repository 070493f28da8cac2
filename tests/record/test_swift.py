"""Statements on the driver itself: the same values in, the same rows and the same exceptions out as by SQLAlchemy.
A connection that was left in the middle is not used again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from cti_server.record import swift
from cti_server.record.center.agent_states import agent_states
from cti_server.record.database import Database, is_refusal
from cti_server.record.engines import Connection
from cti_server.record.journal import journal
from tests.record.builders import an_agent
from tests.record.held_back import held_back

AT = datetime(2026, 11, 29, 12, tzinfo=timezone(timedelta(hours=8)))
ENTRY = sa.insert(journal)
STATE = sa.insert(agent_states)
STATE_TOLD = STATE.returning(agent_states.c.name)
SLOW = sa.select(sa.func.pg_sleep(sa.bindparam("s", type_=sa.Float)))
ONE = sa.select(sa.literal(1).label("one"), sa.bindparam("given", type_=sa.String))


def entry(seq: int, **changes: object) -> dict[str, object]:
    body = {"名": [1, None]}
    return {"stream": "x", "seq": seq, "at": AT, "kind": "k", "audience": None, "body": body} | changes


async def test_what_is_written_is_what_sqlalchemy_writes(database: Database) -> None:
    async with database.begin() as conn:
        await swift.run(conn, ENTRY, [entry(1), entry(2, kind="a\0b\udcff")])
        await conn.execute(ENTRY, [entry(3), entry(4, kind="a\0b\udcff")])
    async with database.read() as conn:
        rows = (await conn.execute(sa.select(journal).order_by(journal.c.seq))).all()
    assert [row[2:] for row in rows[:2]] == [row[2:] for row in rows[2:]]
    assert rows[0].at == AT.astimezone(UTC)
    assert rows[0].body == {"名": [1, None]}
    assert rows[0].audience is None


@pytest.mark.parametrize("how_many", [1, 3, 20])
async def test_what_is_returned_comes_back_for_each_row(database: Database, how_many: int) -> None:
    async with database.begin() as conn:
        agent = await an_agent(conn, "bob")
        rows = [{"agent_id": agent, "name": f"state {n}", "at": AT} for n in range(how_many)]
        told = await swift.run(conn, STATE_TOLD, rows)
    assert sorted(name for (name,) in told) == sorted(f"state {n}" for n in range(how_many))


async def write(database: Database, statement: swift.Statement, *rows: dict[str, object]) -> None:
    async with database.begin() as conn:
        await swift.run(conn, statement, rows)


@pytest.mark.parametrize("how_many", [1, 2])
async def test_a_value_that_is_refused_is_refused_as_by_sqlalchemy(database: Database, how_many: int) -> None:
    bad: dict[str, object] = {"agent_id": 4711, "name": "ready", "at": AT}  # there is no such agent
    with pytest.raises(sa.exc.IntegrityError) as refused:
        await write(database, STATE, *[bad] * how_many)
    assert is_refusal(refused.value)
    assert database.trouble.now is None
    assert "ready" not in str(refused.value)


async def test_a_transaction_that_fails_is_rolled_back(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        await write(database, ENTRY, entry(1), entry(2), entry(1))
    await write(database, ENTRY, entry(1))


async def pid(conn: Connection) -> int:
    found = await conn.scalar(sa.text("SELECT pg_backend_pid()"))
    assert isinstance(found, int)
    return found


async def test_who_gives_up_in_the_middle_leaves_no_half_of_a_transaction(postgres_url: str) -> None:
    left = []

    async def given_up(database: Database) -> None:
        async with asyncio.timeout(0.3), database.begin() as conn:
            left.append(await pid(conn))
            await swift.run(conn, ENTRY, [entry(1)])
            await swift.run(conn, SLOW, [{"s": 3.0}])

    async with Database(postgres_url, pool_size=1) as database:
        with pytest.raises(TimeoutError):
            await given_up(database)
        async with database.begin() as conn:
            assert [await pid(conn)] != left
            await swift.run(conn, ENTRY, [entry(1)])


@pytest.mark.parametrize("at_commit", [False, True])
async def test_a_connection_that_is_cut_is_the_databases_trouble_and_is_made_anew(
    postgres_url: str, at_commit: bool
) -> None:
    async def cut(database: Database, other: Database) -> None:
        async with database.begin() as conn:
            await swift.run(conn, ENTRY, [entry(1)])
            async with other.begin() as killing:
                await killing.execute(sa.text(f"SELECT pg_terminate_backend({await pid(conn)})"))
            await asyncio.sleep(0.1)
            if not at_commit:
                await swift.run(conn, ENTRY, [entry(2)])

    async with Database(postgres_url, pool_size=1) as database, Database(postgres_url) as other:
        with pytest.raises(sa.exc.DBAPIError) as lost:
            await cut(database, other)
        assert not is_refusal(lost.value)
        assert database.trouble.now is not None
        await write(database, ENTRY, entry(1))
        assert database.trouble.now is None


@pytest.mark.parametrize("word", [b"BEGIN", b"COMMIT"])
async def test_who_gives_up_while_a_transaction_begins_or_ends_leaves_none_to_the_next(
    postgres_url: str, word: bytes
) -> None:
    """The next one would be a part of it: its commit would do nothing, and be told as done."""

    async def given_up(database: Database) -> None:
        async with asyncio.timeout(0.5), database.begin() as conn:
            await swift.run(conn, ENTRY, [entry(1)])

    async with (
        held_back(postgres_url) as (way, url),
        Database(url, pool_size=1) as database,
        Database(postgres_url) as other,
    ):
        await write(database, ENTRY, entry(9))
        way.hold(word + b";", answer_only=word == b"BEGIN")
        with pytest.raises((TimeoutError, sa.exc.DBAPIError)):
            await given_up(database)
        assert way.held.is_set()
        way.free.set()
        await asyncio.sleep(0.1)
        await write(database, ENTRY, entry(2))
        async with other.read() as conn:
            assert 2 in (await conn.scalars(sa.select(journal.c.seq))).all()


async def test_a_select_takes_its_values(database: Database) -> None:
    async with database.begin() as conn:
        assert [tuple(row) for row in await swift.run(conn, ONE, [{"given": "x"}])] == [(1, "x")]
