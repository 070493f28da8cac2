"""The record moves from a file into a real PostgreSQL by its socket: all or nothing, and the file is only read."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from cti_server.demo.seed import seed
from cti_server.record import journal, migrate
from cti_server.record.center import phone_secrets, phones
from cti_server.record.crm import customers, search
from cti_server.record.database import Database
from cti_server.record.move import CannotMove, move
from cti_server.record.schema import metadata
from cti_server.record.sealing import Sealer, new_key
from tests.conftest import PostgresServer
from tests.record.builders import a_customer, an_agent, in_clear
from tests.record.whole import bytes_of

NOW = datetime(2026, 11, 28, 9, 30, 0, 123456, tzinfo=UTC)
HOSTILE = "王\U0001f600 \\u0000 \"'; DROP TABLE"


@pytest.fixture
async def seeded(sqlite_url: str) -> str:
    """The demo's people and history, and what a file has that must be copied with care."""
    async with Database(sqlite_url) as database:
        await seed(database, "demo", NOW)
        async with database.begin() as conn:
            early = await a_customer(conn, "Early", "+8613800138001")
            company = await a_customer(conn, HOSTILE, "+8613800138002", kind="company")
            await conn.execute(
                sa.update(customers.customers)
                .values(company_id=company.id)
                .where(customers.customers.c.id == early.id)
            )
            entries = [
                journal.NewEntry(
                    NOW + timedelta(seconds=n), "call.started", {"n": n, "null": None, "name": HOSTILE}, a
                )
                for n, a in enumerate((None, ["agent:1"], {"topics": []}))
            ]
            await journal.append(conn, "pbx:demo", entries)
    return sqlite_url


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def dump(url: str) -> list[str]:
    with sqlite3.connect(f"file:{file_of(url)}?mode=ro", uri=True) as conn:
        lines = list(conn.iterdump())
    conn.close()
    return lines


async def all_rows(url: str) -> dict[str, list[str]]:
    async with Database(url) as database, database.read() as conn:
        return {
            table.name: sorted(repr(tuple(row)) for row in await conn.execute(sa.select(table)))
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("at_once", [1000, 3])
async def test_everything_arrives_and_the_file_stays(
    seeded: str, peer_url: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti_server.record.move.ROWS_AT_ONCE", at_once)
    before, rows = dump(seeded), await all_rows(seeded)
    steps: list[tuple[int, int]] = []
    moved = await move(seeded, peer_url, lambda done, of: steps.append((done, of)))
    assert dump(seeded) == before
    assert await all_rows(peer_url) == rows
    assert moved == {name: len(found) for name, found in rows.items()}
    assert steps[-1] == (sum(moved.values()), sum(moved.values()))
    assert moved["customers"] > 10
    assert moved["interactions"] > 10
    assert await migrate.current(peer_url) == migrate.head()


async def test_what_is_sealed_stays_sealed_and_opens_there(sqlite_url: str, peer_url: str) -> None:
    """With the same key, and with no other."""
    sealer = Sealer([new_key()])
    async with Database(sqlite_url) as database:
        await seed(database, "demo", NOW, sealer)
        async with database.begin() as conn:
            await in_clear(conn, "PJSIP/1105", "left-in-clear")
    await move(sqlite_url, peer_url)
    async with Database(peer_url) as database:
        async with database.read() as conn:
            there = [one for one in await phones.all_phones(conn) if one.kind == "browser"]
        states = [phone_secrets.state_of(one, sealer) for one in there]
        assert states == ["sealed"] * 4 + ["clear"]
        assert [phone_secrets.password_of(one, sealer) for one in there] == ["demo"] * 4 + ["left-in-clear"]
        done = await phone_secrets.seal_all(database, Sealer([new_key()]))
        assert len(done.left) == 4
        assert b"left-in-clear" not in await bytes_of(database)


async def test_it_goes_on_there(seeded: str, peer_url: str) -> None:
    """Ids and positions continue, the search finds, SQL's NULL is none of JSON's, foreign keys are as before."""
    await move(seeded, peer_url)
    async with Database(seeded) as old, old.begin() as conn:
        was = await a_customer(conn, "Next", "+8613800138003")
        (position,) = await journal.append(conn, "pbx:demo", [journal.NewEntry(NOW, "call.ended", {})])
    async with Database(peer_url) as new, new.begin() as conn:
        assert (await a_customer(conn, "Next", "+8613800138003")).id == was.id
        assert await journal.append(conn, "pbx:demo", [journal.NewEntry(NOW, "call.ended", {})]) == range(
            position, position + 1
        )
        await an_agent(conn, "new")
        assert (await search.find(conn, "申江")).items
        nulls = sa.text("SELECT count(*) FROM journal WHERE audience IS NULL")
        assert await conn.scalar(nulls) == 2
        deferrable = sa.text("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND condeferrable")
        assert await conn.scalar(deferrable) == 0
    async with Database(peer_url) as new:
        with pytest.raises(sa.exc.IntegrityError):
            async with new.begin() as conn:
                await conn.execute(sa.update(customers.customers).values(company_id=10**9))


@pytest.fixture
async def half_open(seeded: str) -> AsyncIterator[str]:
    """As a server has it: a connection that has read, and does nothing now."""
    async with Database(seeded) as database:
        await database.ping()
        yield seeded


@pytest.mark.usefixtures("half_open")
async def test_not_while_a_server_has_the_file_open(seeded: str, peer_url: str) -> None:
    with pytest.raises(CannotMove, match=r"has .*cti\.db open") as refused:
        await move(seeded, peer_url)
    assert refused.value.remedy == "stop it first: systemctl stop cti-server"
    assert await migrate.current(peer_url) is None


async def test_not_into_a_database_that_has_something(seeded: str, postgres_url: str) -> None:
    async with Database(postgres_url) as database, database.begin() as conn:
        await an_agent(conn, "here")
    before = await all_rows(postgres_url)
    with pytest.raises(CannotMove, match=r"not empty: .*1 rows in agents"):
        await move(seeded, postgres_url)
    assert await all_rows(postgres_url) == before


async def test_nor_a_second_time(seeded: str, peer_url: str) -> None:
    await move(seeded, peer_url)
    with pytest.raises(CannotMove, match="not empty"):
        await move(seeded, peer_url)


async def test_a_failure_on_the_way_leaves_nothing_there(
    seeded: str, peer_url: str, postgres_server: PostgresServer
) -> None:
    """The last table fails: a row that PostgreSQL cannot hold, as only another program could write it."""
    broken = sqlite3.connect(file_of(seeded))
    broken.execute("UPDATE promises SET version = 99999999999999999999999 WHERE id = 1")
    broken.commit()
    broken.close()
    with pytest.raises(Exception, match=r"(?i)range|out of|int"):
        await move(seeded, peer_url)
    assert await migrate.current(peer_url) is None


async def test_a_file_of_another_version_or_with_foreign_tables(seeded: str, peer_url: str) -> None:
    other = sqlite3.connect(file_of(seeded))
    other.execute("CREATE TABLE theirs (id INTEGER)")
    other.commit()
    other.close()
    with pytest.raises(CannotMove, match="tables that are not of this record: theirs"):
        await move(seeded, peer_url)
    await migrate.downgrade(seeded, "-1")
    with pytest.raises(CannotMove, match="revision") as refused:
        await move(seeded, peer_url)
    assert refused.value.remedy == "run: cti-server migrate"


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("postgresql:///a", "postgresql:///b", "in PostgreSQL already"),
        ("sqlite:///SEEDED", "sqlite:///other.db", "from SQLite to PostgreSQL"),
        ("sqlite:////nowhere/cti.db", "postgresql:///b", "does not exist"),
    ],
)
async def test_other_ways_are_refused_in_words(source: str, target: str, why: str) -> None:
    with pytest.raises(CannotMove, match=why):
        await move(source, target)
