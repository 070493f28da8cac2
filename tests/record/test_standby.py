"""A PostgreSQL with a synchronous standby that takes over: who is written to, and what is said meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from cti_server.record.database import Database
from tests.bench.postgres import DurableServer, Standby, durable_postgres, standby_of

MARK = sa.text("INSERT INTO marks VALUES (1)")


@pytest.fixture
def pair() -> Iterator[tuple[DurableServer, Standby]]:
    with durable_postgres() as primary:
        primary.execute("CREATE DATABASE cti")
        primary.execute("CREATE TABLE marks (a int)", "cti")
        with standby_of(primary) as standby:
            yield primary, standby


async def test_of_several_hosts_the_primary_is_found_and_found_again(pair: tuple[DurableServer, Standby]) -> None:
    primary, standby = pair
    url = f"postgresql://cti@127.0.0.1:{standby.port},127.0.0.1:{primary.port}/cti"
    async with Database(url) as database:
        async with database.begin() as conn:
            await conn.execute(MARK)
        primary.kill()
        with pytest.raises((sa.exc.DBAPIError, OSError)):
            async with database.begin() as conn:
                await conn.execute(MARK)
        standby.promote()
        async with database.begin() as conn:
            await conn.execute(MARK)
        async with database.read() as conn:
            assert await conn.scalar(sa.text("SELECT count(*) FROM marks")) == 2


async def test_a_standby_alone_is_named_and_no_connection_to_it_is_kept(
    pair: tuple[DurableServer, Standby],
) -> None:
    """After a switchover an address may lead to the old primary for a while."""
    _, standby = pair
    async with Database(standby.url("cti")) as database:
        with pytest.raises(Exception, match="match the target attribute") as refused:
            await database.ping()
        assert database.trouble.note(refused.value)
        trouble = database.trouble.now
        assert trouble is not None
        assert trouble.why == "the PostgreSQL that answers is a standby, which takes no writes"
        assert "postgresql://cti@host1:5432,host2:5432/cti" in trouble.remedy
        standby.promote()
        await database.ping()
    async with Database(f"{standby.url('cti')}?target_session_attrs=any") as asked_for:
        await asked_for.ping()


async def test_a_connection_that_only_reads_from_now_on_is_given_up(pair: tuple[DurableServer, Standby]) -> None:
    """The server that it leads to goes on as a standby: managed ones are turned round without a restart."""
    primary, _ = pair
    async with Database(primary.url("cti"), pool_size=1) as database:
        for how in ("by its own way", "by the driver"):
            async with database.begin() as conn:
                await conn.execute(MARK)
                before = await conn.scalar(sa.text("SELECT pg_backend_pid()"))
                await conn.execute(sa.text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
            begin = database.begin() if how == "by its own way" else database.read()
            with pytest.raises(sa.exc.DBAPIError, match="read-only"):
                async with asyncio.timeout(5), begin as conn:
                    await conn.execute(MARK)
            async with database.begin() as conn:
                await conn.execute(MARK)
                assert await conn.scalar(sa.text("SELECT pg_backend_pid()")) != before, how
