"""One process is attached to a PBX, and a stale one writes no more."""

from __future__ import annotations

import pytest

from cti_server.record import leases
from cti_server.record.database import Database
from cti_server.record.leases import LeaseLost, LeaseTaken
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
