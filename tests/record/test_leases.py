"""One process is attached to a PBX, and a stale one writes no more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from cti_server.record import leases
from cti_server.record.database import Database
from cti_server.record.engines import lone_engine
from cti_server.record.leases import LeaseLost, LeaseTaken, NotAssured
from tests.record.builders import NOON, after


async def test_a_newer_owner_fences_the_older_one(database: Database) -> None:
    async with leases.hold(database, "demo", "one", NOON) as first, database.begin() as conn:
        await leases.fence(conn, first)
    async with leases.hold(database, "demo", "two", after(9)) as second:
        assert second.epoch > first.epoch
        async with database.begin() as conn:
            await leases.fence(conn, second)
            with pytest.raises(LeaseLost):
                await leases.fence(conn, first)


async def test_two_pbxs_have_a_lease_each(database: Database) -> None:
    async with leases.hold(database, "a", "one", NOON) as a, leases.hold(database, "b", "one", NOON) as b:
        assert (a.pbx, b.pbx) == ("a", "b")


async def test_a_lease_that_is_held_is_refused_and_free_again_later(postgres_url: str) -> None:
    async with Database(postgres_url) as one, Database(postgres_url) as two:
        async with leases.hold(one, "demo", "one", NOON):
            with pytest.raises(LeaseTaken):
                async with leases.hold(two, "demo", "two", NOON):
                    raise AssertionError
        async with leases.hold(two, "demo", "two", NOON) as lease:
            assert lease.epoch == 2


async def test_who_waits_for_a_lease_is_known_to_who_holds_it(postgres_url: str) -> None:
    """So that a server that stops gives nothing back to a PBX that another one takes over."""
    async with Database(postgres_url) as one, Database(postgres_url) as two:
        async with leases.hold(one, "demo", "one:1", NOON):
            async with one.read() as conn:
                assert not await leases.is_awaited(conn, "demo")
            assert await leases.holder(two, "demo") == "one:1"
            with pytest.raises(LeaseTaken):
                async with leases.hold(two, "demo", "two:2", NOON):
                    raise AssertionError
            async with one.read() as conn:
                assert await leases.is_awaited(conn, "demo")
        assert await leases.holder(two, "demo") is None
        async with leases.hold(two, "demo", "two:2", NOON), two.read() as conn:
            assert not await leases.is_awaited(conn, "demo"), "who waited has it now"


async def test_a_frozen_owner_is_followed_and_knows_before_that_it_must_be_silent(
    postgres_url: str,
) -> None:
    """Frozen: it renews no more. When another one has the PBX, its own deadline has passed."""
    async with (
        Database(postgres_url) as one,
        Database(postgres_url) as two,
        leases.hold(one, "demo", "one", NOON) as first,
    ):
        first.check()
        await asyncio.sleep(0.05)
        for task in asyncio.all_tasks():
            if task.get_name() == "lease demo":
                task.cancel()
        async with second_of(two) as second:
            assert second.epoch == first.epoch + 1
            second.check()
            with pytest.raises(NotAssured):
                first.check()
            async with one.begin() as conn:
                with pytest.raises(LeaseLost):
                    await leases.fence(conn, first)
            assert first.lost.done()


async def test_an_owner_that_renews_keeps_the_pbx_and_learns_that_it_lost_it(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.1)
    async with (
        Database(postgres_url) as one,
        Database(postgres_url) as two,
        leases.hold(one, "demo", "one", NOON) as first,
    ):
        for _ in range(25):  # longer than the term
            with pytest.raises(LeaseTaken) as taken:
                async with leases.hold(two, "demo", "two", NOON):
                    raise AssertionError
            assert taken.value.for_s is not None
            assert 0 < taken.value.for_s <= leases.TERM_S
            await first.assured()
            await asyncio.sleep(0.1)
        async with two.begin() as conn:  # as somebody who takes it over
            await conn.execute(sa.update(leases.pbx_terms).values(epoch=leases.pbx_terms.c.epoch + 1))
        async with asyncio.timeout(5):
            await first.lost
        with pytest.raises(NotAssured):
            await first.assured()


async def test_a_write_that_is_under_way_is_over_before_the_next_owner_begins(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "TERM_S", 0.4)
    async with Database(postgres_url) as one, Database(postgres_url) as two:
        first = await leases._take(one, "demo", "one", NOON)
        taking: asyncio.Task[leases.Lease] | None = None
        async with one.begin() as conn:
            await leases.fence(conn, first)
            await asyncio.sleep(0.5)  # past the term
            taking = asyncio.create_task(leases._take(two, "demo", "two", NOON))
            done, _ = await asyncio.wait({taking}, timeout=0.3)
            assert not done, "taken in the middle of a transaction that is fenced"
            await conn.execute(sa.update(leases.pbx_leases).values(live_at=after(1)))
        assert (await taking).epoch == first.epoch + 1
        async with two.read() as conn:
            assert await leases.live_until(conn, "demo") == after(1)


async def test_who_waited_for_a_record_that_was_away_leaves_the_pbx_to_its_owner(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner has more to write than what anybody else knows: it may renew a term that has ended meanwhile."""
    async with Database(postgres_url) as one, Database(postgres_url) as two:
        first = await leases._take(one, "demo", "one", NOON)
        await asyncio.sleep(leases.TERM_S + 0.1)
        with monkeypatch.context() as slow:
            slow.setattr(leases, "RENEW_WITHIN_S", -1.0)  # as if the question had taken so long
            with pytest.raises(leases.LeaseTaken) as taken:
                await leases._take(two, "demo", "two", NOON)
        assert taken.value.for_s == pytest.approx(leases.AGAIN_S, abs=0.5)
        with pytest.raises(leases.LeaseTaken):
            await leases._take(two, "demo", "two", NOON, leases.clock() + 1.0)
        assert (await leases._take(two, "demo", "two", NOON)).epoch == first.epoch + 1


async def test_a_transaction_of_a_frozen_owner_does_not_keep_the_pbx(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL ends it, because it does nothing."""
    monkeypatch.setattr(leases, "TERM_S", 0.3)
    async with Database(postgres_url, idle_s=1.0) as one, Database(postgres_url) as two:
        first = await leases._take(one, "demo", "one", NOON)

        async def frozen() -> None:
            """The owner, in the middle of a write."""
            async with one.begin() as conn:
                await leases.fence(conn, first)
                with contextlib.suppress(leases.LeaseTaken):  # as if the record had been away
                    await leases._take(two, "demo", "two", NOON)
                await asyncio.sleep(leases.AGAIN_S)
                assert (await leases._take(two, "demo", "two", NOON)).epoch == first.epoch + 1
                await conn.execute(sa.update(leases.pbx_leases).values(live_at=after(1)))

        async with asyncio.timeout(10):
            with pytest.raises(sa.exc.DBAPIError):
                await frozen()
        async with two.read() as conn:
            assert await leases.live_until(conn, "demo") is None, "the frozen one wrote"


async def test_a_process_of_an_older_version_keeps_the_pbx_that_it_has(postgres_url: str) -> None:
    """It holds the advisory lock and no term."""
    async with Database(postgres_url) as one, Database(postgres_url) as two:
        engine = lone_engine(one.url)
        async with engine.connect() as own:
            assert await own.scalar(sa.select(sa.func.pg_try_advisory_lock(leases.lock_key("pbx demo"))))
            async with one.begin() as conn:
                await leases._raise_epoch(conn, "demo", "old:1", NOON)
            with pytest.raises(LeaseTaken, match="older version"):
                async with leases.hold(two, "demo", "two", NOON):
                    raise AssertionError
        await engine.dispose()
        async with leases.hold(two, "demo", "two", NOON) as lease:
            assert lease.epoch == 2


async def test_many_who_note_that_the_pbx_is_heard_do_not_wait_for_each_other_for_ever(postgres_url: str) -> None:
    async with Database(postgres_url) as database, leases.hold(database, "demo", "one", NOON) as lease:

        async def noted(n: int) -> None:
            async with database.begin() as conn:
                await leases.fence(conn, lease, changes_it=True)
                await asyncio.sleep(0.01)  # so that the others are there, too
                await leases.note_live(conn, "demo", after(n))

        async def written() -> None:
            async with database.begin() as conn:
                await leases.fence(conn, lease)
                await asyncio.sleep(0.01)

        await asyncio.gather(*(work for n in range(8) for work in (noted(n), written())))


@asynccontextmanager
async def second_of(database: Database) -> AsyncIterator[leases.Lease]:
    """The lease, as soon as it can be had."""
    async with asyncio.timeout(10):
        while True:
            try:
                async with leases.hold(database, "demo", "two", NOON) as lease:
                    yield lease
                    return
            except LeaseTaken:
                await asyncio.sleep(0.02)
