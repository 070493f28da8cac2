"""The migrations go up and down on both engines and make the tables that the code speaks of."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from cti_server.record import engines, migrate
from cti_server.record.crm import search
from cti_server.record.database import Database
from cti_server.record.tables import metadata
from tests.conftest import PostgresServer
from tests.record.builders import a_customer


def _differences(conn: sa.Connection) -> list[object]:
    options = {"include_name": migrate.in_metadata, "compare_type": True, "target_metadata": metadata}
    return list(compare_metadata(MigrationContext.configure(conn, opts=options), metadata))


async def test_up_down_and_up_again(empty_url: str) -> None:
    assert await migrate.current(empty_url) is None
    await migrate.upgrade(empty_url)
    assert await migrate.current(empty_url) == migrate.head()
    await migrate.downgrade(empty_url, "base")
    assert await migrate.current(empty_url) is None
    async with Database(empty_url) as database, database.read() as conn:
        left = await conn.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    assert left == ["alembic_version"]
    await migrate.upgrade(empty_url)
    assert await migrate.current(empty_url) == migrate.head()


async def test_migrated_tables_are_those_of_the_code(database: Database) -> None:
    async with database.read() as conn:
        assert await conn.run_sync(_differences) == []


async def test_a_difference_would_be_seen(database: Database) -> None:
    async with database.begin() as conn:
        await conn.execute(sa.text("ALTER TABLE agents DROP COLUMN extension"))
        assert len(await conn.run_sync(_differences)) == 1


async def test_a_second_upgrade_changes_nothing(database_url: str) -> None:
    await migrate.upgrade(database_url)
    assert await migrate.current(database_url) == migrate.head()


async def test_two_processes_may_upgrade_at_once(empty_url: str) -> None:
    await asyncio.gather(*(migrate.upgrade(empty_url) for _ in range(3)))
    assert await migrate.current(empty_url) == migrate.head()


async def test_a_migration_waits_for_a_long_one_of_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite, where a process that wants to write gives up after a while: a migration of years takes longer."""
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 1)
    url = f"sqlite+aiosqlite:///{tmp_path / 'record.db'}"
    await migrate.upgrade(url, "0015")
    async with Database(url) as database:
        async with database.begin() as conn:
            await conn.execute(sa.text("UPDATE customers SET name = name"))
            later = asyncio.create_task(migrate.upgrade(url))
            await asyncio.sleep(0.3)
            assert not later.done()
        await later
    assert await migrate.current(url) == migrate.head()


async def test_a_migration_gives_up_behind_a_long_reader_and_changes_nothing(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that runs for an hour: whoever writes would wait behind the migration for as long."""
    monkeypatch.setattr(migrate, "LOCK_WAIT_S", 0.1)
    with postgres_server.database() as url:
        await migrate.upgrade(url, "0015")
        async with Database(url) as database:
            async with database.engine.begin() as report:
                await report.execute(sa.text("SELECT count(*) FROM journal"))
                with pytest.raises(sa.exc.DBAPIError, match="lock timeout"):
                    await migrate.upgrade(url)
            assert await migrate.current(url) == "0015"
        await migrate.upgrade(url)


async def test_an_unreachable_server_is_an_error_that_names_it() -> None:
    with pytest.raises(OSError, match=r"127\.0\.0\.1"):
        await migrate.upgrade("postgresql://nobody@127.0.0.1:1/none")


async def test_without_the_right_to_create_an_extension_all_works_but_slower(
    postgres_server: PostgresServer,
) -> None:
    with postgres_server.database() as url:
        name = url.rpartition("/")[2]
        postgres_server.execute("CREATE ROLE limited LOGIN", name)
        postgres_server.execute("GRANT CREATE, USAGE ON SCHEMA public TO limited", name)
        limited = url.replace("cti@", "limited@")
        await migrate.upgrade(limited)
        async with Database(limited) as database, database.begin() as conn:
            extensions = list(await conn.scalars(sa.text("SELECT extname FROM pg_extension")))
            wang = await a_customer(conn, "Wang", "+8613800138000")
            found = (await search.find(conn, "0013800")).items
        await migrate.downgrade(limited, "base")
    assert extensions == ["plpgsql"]
    assert [one.customer.id for one in found] == [wang.id]


async def test_the_searches_of_sqlite_are_still_told_of_each_change(tmp_path: Path) -> None:
    """A later migration that makes a table anew drops its triggers: searches would find what was there before."""
    file = tmp_path / "cti.db"
    await migrate.upgrade(f"sqlite:///{file}")
    with closing(sqlite3.connect(file)) as record:
        found = {row[0] for row in record.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    told = {
        f"{of}_search_{event}" for of in ("interactions", "segments") for event in ("insert", "update", "delete")
    }
    assert told <= found
