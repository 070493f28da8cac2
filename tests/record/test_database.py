"""The way to the database: URLs, transactions, one writer on SQLite, and times with a zone."""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from cti_server.record import migrate
from cti_server.record.center import agents, lines, phones, queues
from cti_server.record.center.phones import Phone
from cti_server.record.center.queues import Queue
from cti_server.record.database import Database
from cti_server.record.engines import DatabaseAbsent, unsafe_sqlite
from cti_server.record.journal import NewEntry, append
from cti_server.record.schema import UtcDateTime, to_json
from cti_server.record.urls import normalise_url
from cti_server.rules.facts import Line
from tests.conftest import PostgresServer
from tests.record.builders import an_agent


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///cti.db", "sqlite+aiosqlite:///cti.db"),
        ("sqlite+aiosqlite:////var/cti.db", "sqlite+aiosqlite:////var/cti.db"),
        ("postgres://u:p@h:5433/n", "postgresql+asyncpg://u:p@h:5433/n"),
        ("postgresql:///cti", "postgresql+asyncpg:///cti"),
        ("postgresql://cti@%2Frun%2Fpostgresql/cti", "postgresql+asyncpg://cti@/cti?host=%2Frun%2Fpostgresql"),
        ("postgresql://u@h/n?sslmode=require", "postgresql+asyncpg://u@h/n?ssl=require"),
        ("postgresql://u@a,b:5433/n", "postgresql+asyncpg://u@/n?host=a%3A5432&host=b%3A5433"),
        (
            "postgres://a:1,b:2/n?sslmode=require",
            "postgresql+asyncpg:///n?host=a%3A1&host=b%3A2&ssl=require",
        ),
        ("postgresql+psycopg://u@h/n", "postgresql+asyncpg://u@h/n"),
    ],
)
def test_urls(given: str, used: str) -> None:
    assert normalise_url(given).render_as_string(hide_password=False) == used


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("mysql://h/n", "names mysql"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("cti.db", "is not a database URL"),
        ("", "is not a database URL"),
    ],
)
def test_urls_that_cannot_be_used(given: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        normalise_url(given)


async def test_sqlite_is_set_up_to_lose_nothing(sqlite_url: str) -> None:
    async with Database(sqlite_url) as database, database.read() as conn:
        pragmas = {
            name: await conn.scalar(sa.text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


@pytest.mark.parametrize(
    ("version", "is_unsafe"), [((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False), ((3, 60, 0), False)]
)
def test_an_sqlite_with_a_bug_is_known(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], is_unsafe: bool
) -> None:
    monkeypatch.setattr("cti_server.record.engines.sqlite3.sqlite_version_info", version)
    assert (unsafe_sqlite() is not None) is is_unsafe


async def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "x.db"
    with pytest.raises(DatabaseAbsent, match=str(file)):
        Database(f"sqlite:///{file}")
    assert await migrate.current(f"sqlite:///{file}") is None
    assert os.listdir(tmp_path) == []


async def test_a_file_that_is_moved_away_while_it_is_used_is_not_made_anew(sqlite_url: str) -> None:
    file = sqlite_url.removeprefix("sqlite:///")
    async with Database(sqlite_url) as database:
        os.rename(file, f"{file}.away")
        with pytest.raises(sa.exc.OperationalError):
            await database.ping()
    assert os.path.basename(file) not in os.listdir(os.path.dirname(file))


async def test_a_name_that_is_special_in_urls(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/100% sure #1 & 2.db"
    await migrate.upgrade(url)
    async with Database(url) as database:
        await database.ping()
    assert [name for name in os.listdir(tmp_path) if name.endswith(".db")] == ["100% sure #1 & 2.db"]


async def test_readers_do_not_wait_for_a_writer_and_see_what_is_committed(database: Database) -> None:
    async with database.begin() as writer:
        await an_agent(writer)
        async with database.read() as reader:
            assert await agents.all_active(reader) == []
    async with database.read() as reader:
        assert len(await agents.all_active(reader)) == 1


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(database: Database) -> None:
    started = asyncio.Event()

    async def write() -> None:
        async with database.begin() as conn:
            await an_agent(conn)
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await started.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    async with database.begin() as conn:
        assert await agents.all_active(conn) == []


async def test_connections_that_were_cut_are_replaced_unnoticed(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with Database(postgres_url) as database:
        async with database.begin() as conn:
            await an_agent(conn)
        async with database.read() as one, database.read() as other:
            assert len(await agents.all_active(one)) == len(await agents.all_active(other)) == 1
        postgres_server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cti-server'"
        )
        for _ in range(3):
            async with database.read() as conn:
                assert len(await agents.all_active(conn)) == 1


async def test_another_process_that_writes_is_waited_for(sqlite_url: str) -> None:
    entry = NewEntry(at=datetime(2026, 1, 1, tzinfo=UTC), kind="x", body={})
    async with Database(sqlite_url) as one, Database(sqlite_url) as two:

        async def write(database: Database) -> None:
            for _ in range(10):
                async with database.begin() as conn:
                    await append(conn, "desk", [entry])

        await asyncio.gather(write(one), write(two))
        async with one.begin() as conn:
            assert list(await append(conn, "desk", [entry])) == [21]


async def test_times_have_a_zone_and_come_back_in_utc(database: Database) -> None:
    table = sa.Table("moments", sa.MetaData(), sa.Column("at", UtcDateTime))
    shanghai = datetime(2026, 11, 22, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    async with database.begin() as conn:
        await conn.run_sync(table.create)
        await conn.execute(sa.insert(table), [{"at": shanghai}, {"at": None}])
        read = list(await conn.scalars(sa.select(table.c.at)))
        assert read == [datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC), None]
        assert read[0].tzinfo is UTC
    async with database.read() as conn:
        with pytest.raises(sa.exc.StatementError, match="no time zone"):
            await conn.execute(sa.select(table).where(table.c.at == datetime(2026, 1, 1)))  # noqa: DTZ001


def test_json_has_nothing_that_an_engine_refuses() -> None:
    assert to_json({"名": "a\0b\udcff🙂"}) == '{"名":"a\ufffdb???🙂"}'.replace("???", "\ufffd" * 3)


async def test_lines_and_queues_are_saved_once(database: Database) -> None:
    line = Line(0, "+864008001000", "4008001000", "CN", "Support", "支持", "zh", "support")
    queue = Queue(0, "demo", "support", "Support", "支持")
    async with database.begin() as conn:
        assert await lines.save(conn, line) == await lines.save(conn, line)
        assert await queues.save(conn, queue) == await queues.save(conn, queue)
        for number in ("4008001000", "+864008001000"):
            found = await lines.by_number(conn, number)
            assert found is not None
            assert (found.queue, found.e164, found.title_zh) == ("support", "+864008001000", "支持")
        assert await lines.by_number(conn, "1") is None
        assert len(await lines.all_lines(conn)) == 1
        [saved] = await queues.all_queues(conn, "demo")
        assert (saved.name, saved.wrap_up_ms) == ("support", 30000)
        assert await queues.all_queues(conn, "other") == []


async def test_what_was_to_be_written_is_in_no_error(database: Database) -> None:
    """Errors are logged."""
    phone = Phone(pbx="demo", seat="PJSIP/1", extension="1", sip_password="v1:s3cret", agent_id=999_999)
    with pytest.raises(sa.exc.IntegrityError) as refused:
        async with database.begin() as conn:
            await phones.save(conn, phone)
    assert "s3cret" not in str(refused.value)
