"""The audit log: several processes append, no transaction loses its entry, and whatever is changed is found."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from cti_server.record.audit import seals
from cti_server.record.audit.entries import Actor, Chain, Operation, acts, audit, chains, note, page
from cti_server.record.audit.seals import audit_seals, seal, verify
from cti_server.record.database import Database, DatabaseRefusal
from cti_server.record.engines import Connection
from cti_server.record.sealing import Sealer, Signer, new_key

KEY = new_key()
SIGNER: Signer = Sealer([KEY]).signers[0]
TRUSTED = {SIGNER.public: SIGNER}
NOW = datetime.now(UTC)
YESTERDAY = NOW - timedelta(days=1)
DAY = YESTERDAY.date().isoformat()
MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
IN_TIME = MIDNIGHT + timedelta(minutes=12)
LATER = NOW + timedelta(minutes=15)  # whatever the clock says, yesterday is over by then


async def entries(database: Database) -> list[Any]:
    async with database.read() as conn:
        return [entry async for entry in chains(conn)]


async def found(database: Database, now: datetime = NOW, trusted: dict[str, Any] = TRUSTED) -> set[str]:
    async with database.read() as conn:
        return {one.code for one in (await verify(conn, now, trusted)).findings}


async def do(database: Database, *things: str) -> None:
    for thing in things:
        async with database.begin():
            note("user.changed", thing, {"role": "supervisor"})


async def test_what_is_noted_is_written_with_its_transaction(database: Database) -> None:
    acts(Actor("user:3", "zhao", "192.0.2.7"))
    async with database.begin():
        note("user.changed", "user:1", {"grants": ["listen"]}, allowed_by="administer")
        note("user.changed", "user:2")
    (one, two) = await entries(database)
    assert (one.actor, one.actor_name, one.address) == ("user:3", "zhao", "192.0.2.7")
    assert (one.action, one.thing, one.allowed_by) == ("user.changed", "user:1", "administer")
    assert orjson.loads(one.detail) == {"grants": ["listen"]}
    assert [(entry.seq, entry.previous) for entry in (one, two)] == [(1, "0" * 64), (2, one.hash)]
    assert await found(database) == set()


async def test_what_is_rolled_back_leaves_no_entry_and_no_gap(database: Database) -> None:
    await do(database, "user:1")
    with contextlib.suppress(ZeroDivisionError):
        async with database.begin():
            note("user.changed", "user:2")
            raise ZeroDivisionError
    await do(database, "user:3")
    assert [entry.thing for entry in await entries(database)] == ["user:1", "user:3"]
    assert await found(database) == set()


async def test_outside_of_a_transaction_nothing_can_be_noted(database: Database) -> None:
    with pytest.raises(RuntimeError, match="no transaction"):
        note("user.changed", "user:1")
    async with database.begin():
        later = asyncio.create_task(_note_later())
    with pytest.raises(RuntimeError, match="no transaction"):
        await later


async def _note_later() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    note("user.changed", "user:1")


async def test_an_operation_is_noted_once_with_what_it_changed_first(database: Database) -> None:
    acts(Actor("command:root", "root"), Operation("user.set", "user set li", {"password": "…"}))
    for _ in range(2):
        async with database.begin():
            pass
    acts(Actor("server", "cti-server"))
    assert [(one.action, one.thing) for one in await entries(database)] == [("user.set", "user set li")]


async def test_processes_append_without_waiting_for_each_other(database: Database) -> None:
    """A transaction of one process that has appended and not committed keeps no other one from appending."""
    if database.is_sqlite:
        many = 20
    else:
        many = 40
        other = Database(str(database.url.render_as_string(hide_password=False)))
        async with other, database.begin():
            note("user.changed", "user:slow")
            await asyncio.wait_for(do(other, "user:fast"), 5)
        assert {entry.process for entry in await entries(database)} == {
            database.chain.process,
            other.chain.process,
        }
    await asyncio.gather(*(do(database, f"user:{number}") for number in range(many)))
    own = [entry for entry in await entries(database) if entry.process == database.chain.process]
    assert [entry.seq for entry in own] == list(range(1, len(own) + 1))
    assert await found(database) == set()


async def yesterday(database: Database) -> None:
    """Three entries of two processes, sealed the day after."""
    first, second = Chain(now=lambda: YESTERDAY), Chain(now=lambda: YESTERDAY)
    database.chain = first
    await do(database, "user:1", "user:2")
    database.chain = second
    await do(database, "user:3")
    database.chain = Chain()
    async with database.begin() as conn:
        made = await seal(conn, DAY, IN_TIME, SIGNER)
    assert orjson.loads(made.heads).keys() == {first.process, second.process}


@pytest.fixture
async def unlocked(database: Database) -> Database:
    """As whoever owns the database would have it: without the triggers."""
    async with database.begin() as conn:
        if database.is_sqlite:
            for table in ("audit", "audit_seals"):
                for verb in ("update", "delete"):
                    await conn.execute(sa.text(f"DROP TRIGGER {table}_no_{verb}"))
        else:
            for table in ("audit", "audit_seals"):
                await conn.execute(sa.text(f"DROP TRIGGER {table}_append_only ON {table}"))
    return database


Change = Callable[[Connection], Awaitable[Any]]


def of(table: sa.Table, where: Any, **values: Any) -> Change:
    return lambda conn: conn.execute(sa.update(table).where(where).values(**values))


def without(table: sa.Table, where: Any) -> Change:
    return lambda conn: conn.execute(sa.delete(table).where(where))


a, s = audit.c, audit_seals.c

TAMPERED: dict[str, tuple[Change, set[str]]] = {
    "another detail": (of(audit, a.thing == "user:1", detail='{"role":"agent"}'), {"changed"}),
    "another actor": (of(audit, a.thing == "user:2", actor="user:9"), {"changed"}),
    "another time": (of(audit, a.thing == "user:3", at=NOW - timedelta(days=9)), {"changed"}),
    "an entry in the middle is gone": (without(audit, a.thing == "user:1"), {"missing"}),
    "the last entry is gone": (without(audit, a.thing == "user:2"), {"missing"}),
    "a whole chain is gone": (without(audit, a.thing.in_(["user:1", "user:2"])), {"missing"}),
    "the seal's heads": (of(audit_seals, s.day != "", heads="{}"), {"changed", "added"}),
    "the seal is gone": (without(audit_seals, s.day != ""), {"missing", "unsealed"}),
    "the seal's signature": (of(audit_seals, s.day != "", signature="00" * 64), {"forged"}),
    "the seal's signer": (of(audit_seals, s.day != "", signer=Sealer([new_key()]).signers[0].public), {"forged"}),
    "the seal is not signed any more": (of(audit_seals, s.day != "", signature=None), {"unsigned"}),
    "the seal's time": (of(audit_seals, s.day != "", sealed_at=MIDNIGHT), {"changed"}),
}


@pytest.mark.parametrize("case", TAMPERED)
async def test_what_was_tampered_with_is_found(unlocked: Database, case: str) -> None:
    await yesterday(unlocked)
    assert await found(unlocked, LATER) == set()
    change, codes = TAMPERED[case]
    async with unlocked.begin() as conn:
        await change(conn)
    assert await found(unlocked, LATER) == codes


async def test_an_entry_that_is_hashed_anew_does_not_fit_the_seal(unlocked: Database) -> None:
    """Whoever knows how the chain is made writes the whole chain again; the signed head tells."""
    await yesterday(unlocked)
    last = next(entry for entry in await entries(unlocked) if entry.thing == "user:2")
    forged = type(last)(**{**{n: getattr(last, n) for n in last.__slots__}, "actor": "user:9"})
    async with unlocked.begin() as conn:
        await of(audit, a.id == last.id, actor="user:9", hash=forged.hashed())(conn)
    assert "changed" in await found(unlocked, LATER)


@pytest.mark.parametrize("again", ["unsigned", "by another key", "not at all", "by the server, later"])
async def test_a_log_that_is_written_anew_is_not_proven(unlocked: Database, again: str) -> None:
    """Whoever has the database can write it all anew, and cannot sign it; nor have it signed unseen."""
    await yesterday(unlocked)
    async with unlocked.begin() as conn:
        await without(audit, a.thing != "user:1")(conn)
        await without(audit_seals, s.day != "")(conn)
    unlocked.chain = Chain()  # a process that was stopped meanwhile: one that runs on would miss its own entries
    signer = {"unsigned": None, "by another key": Sealer([new_key()]).signers[0]}.get(again, SIGNER)
    at = MIDNIGHT + timedelta(hours=3) if again == "by the server, later" else IN_TIME
    if again != "not at all":
        async with unlocked.begin() as conn:
            await seal(conn, DAY, at, signer)
    async with unlocked.read() as conn:
        told = await verify(conn, LATER, TRUSTED)
    assert told.verdict == "unproven"
    assert {one.code for one in told.findings} <= {"unsigned", "other_key", "unsealed", "late"}


async def test_a_later_seal_proves_the_days_before_there_was_a_key(database: Database) -> None:
    for days in (2, 1):
        at = NOW - timedelta(days=days)
        database.chain = Chain(now=lambda at=at: at)  # type: ignore[misc]
        await do(database, f"user:{days}")
    database.chain = Chain()
    for days, signer in ((2, None), (1, SIGNER)):
        day = (NOW - timedelta(days=days)).date().isoformat()
        async with database.begin() as conn:
            await seal(conn, day, IN_TIME - timedelta(days=days - 1), signer)
    async with database.read() as conn:
        assert (await verify(conn, LATER, TRUSTED)).verdict == "proven"


async def test_a_clock_that_goes_back_over_midnight_stops_nothing(database: Database) -> None:
    second = timedelta(seconds=1)
    times = iter([MIDNIGHT - second, MIDNIGHT + second, MIDNIGHT - second])
    database.chain = Chain(now=lambda: next(times))
    await do(database, "user:1", "user:2", "user:3")
    assert [(one.day == DAY, one.seq) for one in await entries(database)] == [(True, 1), (False, 1), (False, 2)]
    assert "changed" not in await found(database, LATER)


async def test_the_server_cannot_change_what_it_wrote(database: Database) -> None:
    await yesterday(database)
    for change in (
        of(audit, a.thing == "user:1", actor="user:9"),
        without(audit, a.thing == "user:1"),
        of(audit_seals, s.day != "", heads="{}"),
        without(audit_seals, s.day != ""),
    ):
        with pytest.raises(DatabaseRefusal, match="append-only"):
            async with database.begin() as conn:
                await change(conn)


async def test_days_that_are_over_are_sealed_once_and_a_new_key_knows_the_old_ones_seals(
    database: Database,
) -> None:
    database.chain = Chain(now=lambda: YESTERDAY)
    await do(database, "user:1")
    database.chain = Chain()
    async with database.read() as conn:
        assert await seals.due(conn, MIDNIGHT + timedelta(minutes=5)) == []
        assert await seals.due(conn, MIDNIGHT + timedelta(minutes=15)) == [DAY]
    async with database.begin() as conn:
        await seal(conn, DAY, IN_TIME, SIGNER)
    with pytest.raises(DatabaseRefusal):
        async with database.begin() as conn:
            await seal(conn, DAY, IN_TIME, SIGNER)
    assert await found(database, trusted={}) == {"other_key"}
    assert await found(database) == set()


async def test_a_day_sealed_without_a_key_says_so(database: Database) -> None:
    database.chain = Chain(now=lambda: YESTERDAY)
    await do(database, "user:1")
    database.chain = Chain()
    async with database.begin() as conn:
        await seal(conn, DAY, IN_TIME, None)
    assert await found(database) == {"unsigned"}


async def test_it_is_read_in_pages_and_by_action_and_actor(database: Database) -> None:
    acts(Actor("user:7", "qian"))
    await do(database, *(f"user:{number}" for number in range(5)))
    async with database.begin():
        note("audit.sealed", "day:x", {})
    async with database.read() as conn:
        first = await page(conn, action="user.", limit=3)
        rest = await page(conn, action="user.", cursor=first.next, limit=3)
        assert [one.thing for one in (*first.items, *rest.items)] == [f"user:{n}" for n in (4, 3, 2, 1, 0)]
        assert (await page(conn, actor="user:8")).items == ()
        assert len((await page(conn, actor="user:7", action="user.changed")).items) == 5
