"""Leases: one process is attached to a PBX at a time, and one that has lost its lease neither writes nor orders.

A lease has an *epoch*, which rises with each owner: `fence` compares it in the transaction that writes. And it
has a *term*, which its owner renews by the database's clock: after it another process may take the PBX. The owner
knows its own deadline, counted from before it asked for the term, and sends nothing to the PBX past it: so a
process that was frozen, or is cut off from the database, is silent before another one speaks.

The two stand in different rows, because a renewal must not wait for a transaction that is fenced. A process of an
older version holds an advisory lock and no term; ours hold the lock too, so that the two keep off each other while
a center is upgraded. On SQLite there is one process: its term has no end.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import sqlalchemy as sa
import structlog

from cti_server.record import journal, swift
from cti_server.record.database import Database
from cti_server.record.engines import Connection, lone_engine
from cti_server.record.schema import CleanText, UtcDateTime, metadata, upsert

pbx_leases = sa.Table(
    "pbx_leases",
    metadata,
    sa.Column("pbx", CleanText, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("owner", CleanText, nullable=False),
    sa.Column("taken_at", UtcDateTime, nullable=False),
    sa.Column("live_at", UtcDateTime),  # until when the PBX has been heard for certain
    sa.Column("standby_at", UtcDateTime),  # of versions before 0018
)

pbx_terms = sa.Table(
    "pbx_terms",
    metadata,
    sa.Column("pbx", CleanText, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("standby_at", UtcDateTime),  # when another process last asked for the lease and did not get it
)

TOLD_WITHIN = timedelta(seconds=8)  # after the last note; one is made every 5 s
TERM_S = 2.0  # how long after the last renewal another process may take the PBX
RENEW_EVERY_S = 0.4
RENEW_WITHIN_S = 1.0  # for one try; a connection that takes longer is given up
TAKE_WITHIN_S = 5.0  # a connection that has died is silent for much longer
MARGIN_S = 0.25  # the owner stops so much earlier than others may begin
BACK_S = 3.0  # after the record was away, whoever had a PBX may renew its term for so long
AGAIN_S = 1.5  # the same where only this process waited: a frozen owner's transaction may have been why
STANDBY_S = 6.0  # a process that asked longer ago than this does not wait any more
ASSURED_WITHIN_S = 3.0  # how long an order waits for a renewal that is late

CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

log = structlog.get_logger()


class LeaseTaken(Exception):
    """Another process is attached to this PBX. `for_s` is how long its term lasts yet, where that is known."""

    def __init__(self, said: str, for_s: float | None = None) -> None:
        super().__init__(said)
        self.for_s = for_s


class LeaseLost(Exception):
    """A newer process has taken this PBX over; this one must stop writing."""


class NotAssured(ConnectionError):
    """The record cannot be asked whether this process still is the one that is attached: it must not order."""


@dataclass(slots=True, eq=False)
class Lease:
    """The right to write what happens at one PBX, and to order. Pass it to `fence` in every transaction that
    writes; `check` before every byte that orders. `until` is by `clock`; `lost` is done when a newer
    process has the PBX."""

    pbx: str
    epoch: int
    until: float = float("inf")
    lost: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _renewed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def valid(self) -> bool:
        return clock() < self.until and not self.lost.done()

    def check(self) -> None:
        """Raises NotAssured past the deadline. It does not wait: it holds at the moment in which it returns."""
        if not self.valid:
            raise NotAssured(
                f"for {TERM_S:g} s the record has not said that this server is attached to {self.pbx}"
            )

    async def assured(self) -> None:
        """Wait for a renewal that is late. Raises NotAssured when none comes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ASSURED_WITHIN_S):
                while not self.valid and not self.lost.done():
                    self._renewed.clear()
                    await self._renewed.wait()
        self.check()

    def renew(self, asked_at: float) -> None:
        """The record granted another term to a question that was sent at this time."""
        self.until = asked_at + TERM_S - MARGIN_S
        self._renewed.set()

    def lose(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
        self._renewed.set()


def clock() -> float:
    """Seconds that go on while a process is frozen or its machine sleeps, and never jump."""
    return time.clock_gettime(CLOCK)


def lock_key(name: str) -> int:
    """A key for PostgreSQL's advisory locks: a signed 64-bit number, the same in every process."""
    return int.from_bytes(hashlib.sha256(f"cti-server {name}".encode()).digest()[:8], signed=True)


@asynccontextmanager
async def hold(
    database: Database, pbx: str, owner: str, now: datetime, not_before: float = 0.0, patience_s: float = 0.0
) -> AsyncIterator[Lease]:
    """Hold the lease of a PBX, and renew it. Raises LeaseTaken at once where another process has it.

    Before `not_before`, by `clock`, a term that has ended is left to whoever had it: after the record was away its
    owner has more to write than what anybody else knows, and renews as soon as it can. And until it has been over
    for `patience_s` it is left to any other process.
    """
    if database.is_sqlite:
        yield Lease(pbx, await _next_epoch(database, pbx, owner, now))
        return
    engine = lone_engine(database.url)
    try:
        async with engine.connect() as own:
            async with asyncio.timeout(TAKE_WITHIN_S):
                await own.execution_options(isolation_level="AUTOCOMMIT")
                await _keep_off_older_versions(own, pbx)
                lease = await _take(database, pbx, owner, now, not_before, patience_s)
            renewing = asyncio.create_task(_renew(lease, own), name=f"lease {pbx}")
            try:
                yield lease
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)
                await _let_go(database, lease)
    finally:
        with suppress(Exception):
            async with asyncio.timeout(RENEW_WITHIN_S):
                await engine.dispose()


async def _keep_off_older_versions(own: Connection, pbx: str) -> None:
    """Take the advisory lock, if it is free. Where it is not, and the last epoch has no term, an older version has
    the PBX."""
    if await own.scalar(sa.select(sa.func.pg_try_advisory_lock(lock_key(f"pbx {pbx}")))):
        return
    ours = sa.select(pbx_terms.c.pbx).join(
        pbx_leases, (pbx_leases.c.pbx == pbx_terms.c.pbx) & (pbx_leases.c.epoch == pbx_terms.c.epoch)
    )
    if await own.scalar(ours.where(pbx_terms.c.pbx == pbx)) is None:
        await own.execute(sa.update(pbx_leases).where(pbx_leases.c.pbx == pbx).values(standby_at=sa.func.now()))
        raise LeaseTaken(f"a process of an older version is attached to {pbx}")


async def _take(
    database: Database, pbx: str, owner: str, now: datetime, not_before: float = 0.0, patience_s: float = 0.0
) -> Lease:
    """Take the lease if no term goes on. The row of the epoch is locked first: a transaction that is fenced by the
    last owner is over when the new one begins."""
    asked_at = clock()
    async with database.begin() as conn:
        await conn.execute(sa.select(pbx_leases.c.epoch).where(pbx_leases.c.pbx == pbx).with_for_update())
        left: float | None = await conn.scalar(
            sa.select(_seconds_left()).where(pbx_terms.c.pbx == pbx).with_for_update()
        )
        if left is not None and left <= 0:
            if clock() - asked_at > RENEW_WITHIN_S:  # it was away while this waited, or is slow for everybody
                not_before = max(not_before, clock() + AGAIN_S)
            left = max(not_before - clock(), left + patience_s)
        if left is not None and left > 0:
            await conn.execute(_standby(pbx))
        else:
            epoch = await _raise_epoch(conn, pbx, owner, now)
            term = {"epoch": epoch, "until": _term(), "standby_at": None}
            await conn.execute(
                upsert(conn.dialect.name, pbx_terms)
                .values(pbx=pbx, **term)
                .on_conflict_do_update(index_elements=["pbx"], set_=term)
            )
            lease = Lease(pbx, epoch)
            lease.renew(asked_at)
            return lease
    raise LeaseTaken(f"another process is attached to {pbx}", left)


def _term() -> sa.ColumnElement[datetime]:
    # clock_timestamp: now() is when the transaction began, which may have waited for a lock since.
    return sa.func.clock_timestamp() + sa.literal(timedelta(seconds=TERM_S), sa.Interval)


def _seconds_left() -> sa.ColumnElement[float]:
    """Of a term, by the database's clock."""
    return sa.cast(
        sa.extract("epoch", pbx_terms.c.until) - sa.extract("epoch", sa.func.clock_timestamp()), sa.Float
    )


def _standby(pbx: str) -> sa.Update:
    return sa.update(pbx_terms).where(pbx_terms.c.pbx == pbx).values(standby_at=sa.func.now())


async def _next_epoch(database: Database, pbx: str, owner: str, now: datetime) -> int:
    async with database.begin() as conn:
        return await _raise_epoch(conn, pbx, owner, now)


async def _raise_epoch(conn: Connection, pbx: str, owner: str, now: datetime) -> int:
    epoch = await conn.scalar(
        upsert(conn.dialect.name, pbx_leases)
        .values(pbx=pbx, epoch=1, owner=owner, taken_at=now)
        .on_conflict_do_update(
            index_elements=["pbx"],
            set_={"epoch": pbx_leases.c.epoch + 1, "owner": owner, "taken_at": now, "standby_at": None},
        )
        .returning(pbx_leases.c.epoch)
    )
    return cast(int, epoch)


async def _renew(lease: Lease, own: Connection) -> None:
    """Renew until cancelled, or until the lease is lost. A connection that fails is made anew."""
    renewal = (
        sa.update(pbx_terms)
        .where(pbx_terms.c.pbx == lease.pbx, pbx_terms.c.epoch == lease.epoch)
        .values(until=_term())
    )
    engine, failing = own.engine, False
    conn: Connection | None = own
    while not lease.lost.done():
        asked_at = clock()
        try:
            async with asyncio.timeout(RENEW_WITHIN_S):
                if conn is None:
                    conn = await engine.connect()
                    await conn.execution_options(isolation_level="AUTOCOMMIT")
                    await conn.scalar(sa.select(sa.func.pg_try_advisory_lock(lock_key(f"pbx {lease.pbx}"))))
                still_ours = (await conn.execute(renewal)).rowcount == 1
        except Exception as cause:
            if not failing:
                log.warning("lease.not_renewed", pbx=lease.pbx, cause=_in_words(cause))
            failing = True
            if conn is not None:
                with suppress(Exception):
                    async with asyncio.timeout(RENEW_WITHIN_S):
                        await conn.invalidate()
                        await conn.close()
                conn = None
        else:
            if failing:
                log.info("lease.renewed_again", pbx=lease.pbx)
            failing = False
            lease.renew(asked_at) if still_ours else lease.lose()
        await asyncio.sleep(max(0.0, RENEW_EVERY_S - (clock() - asked_at)))


async def _let_go(database: Database, lease: Lease) -> None:
    """End the term now, so that whoever waits need not wait for its end."""
    try:
        async with asyncio.timeout(RENEW_WITHIN_S), database.begin() as conn:
            await conn.execute(
                sa.update(pbx_terms)
                .where(pbx_terms.c.pbx == lease.pbx, pbx_terms.c.epoch == lease.epoch)
                .values(until=sa.func.now())
            )
    except Exception as cause:  # it ends by itself
        log.info("lease.not_let_go", pbx=lease.pbx, cause=f"{type(cause).__name__}: {cause}"[:300])


_EPOCH = sa.select(pbx_leases.c.epoch).where(pbx_leases.c.pbx == sa.bindparam("pbx"))
_FENCES = {True: _EPOCH.with_for_update(key_share=True), False: _EPOCH.with_for_update(read=True)}


async def fence(conn: Connection, lease: Lease, *, changes_it: bool = False) -> None:
    """Call this first in each transaction that writes for a PBX. Raises LeaseLost when there is a newer owner.

    The row stays locked until the transaction ends, so the lease cannot change hands in the middle of it. With
    `changes_it` the transaction goes on to write that row itself (`note_live`): two that shared it first would
    wait for each other for ever.
    """
    found = await swift.run(conn, _FENCES[changes_it], [{"pbx": lease.pbx}])
    epoch = found[0][0] if found else None
    if epoch != lease.epoch:
        lease.lose()
        raise LeaseLost(f"{lease.pbx}: epoch {lease.epoch} was followed by {epoch}")


async def stop_waiting(conn: Connection, pbx: str) -> None:
    """Call it when a process that waited ends: others who wait ask again at once."""
    await conn.execute(sa.update(pbx_terms).where(pbx_terms.c.pbx == pbx).values(standby_at=None))


async def is_awaited(conn: Connection, pbx: str) -> bool:
    """Whether another process waits for the lease, and so takes the PBX over when this one lets it go."""
    asked = await conn.scalar(sa.select(pbx_terms.c.standby_at).where(pbx_terms.c.pbx == pbx))
    now = await conn.scalar(sa.select(sa.func.now(type_=UtcDateTime)))
    return asked is not None and now is not None and (now - asked).total_seconds() < STANDBY_S


@dataclass(frozen=True, slots=True)
class Term:
    """The last term of a PBX, and whether it has ended by the database's clock."""

    until: datetime
    ended: bool


async def terms(conn: Connection) -> dict[str, Term]:
    """The last term of each PBX (PostgreSQL)."""
    rows = await conn.execute(sa.select(pbx_terms.c.pbx, pbx_terms.c.until, _seconds_left().label("left")))
    return {row.pbx: Term(row.until, row.left <= 0) for row in rows}


async def living_holder(database: Database, pbx: str) -> str | None:
    """The process that is attached to the PBX now, as `host:pid`; None when there is none, as far as this machine
    can tell."""
    owner = await holder(database, pbx)
    return owner if owner is not None and (not database.is_sqlite or _lives(owner)) else None


def _lives(owner: str) -> bool:
    """Whether the process `host:pid` is a server that runs on this machine."""
    host, _, pid = owner.rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal() or int(pid) == os.getpid():
        return False
    try:
        started = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"cti" in started or b"python" in started  # the number may be another program's by now


async def holder(database: Database, pbx: str) -> str | None:
    """The process that is attached to the PBX now, as `host:pid`; None when there is none.

    On SQLite the record only knows who was attached last: whether that process lives is for the caller to find.
    """
    async with database.read() as conn:
        owner = await conn.scalar(sa.select(pbx_leases.c.owner).where(pbx_leases.c.pbx == pbx))
        if owner is None or database.is_sqlite:
            return cast("str | None", owner)
        left: float | None = await conn.scalar(sa.select(_seconds_left()).where(pbx_terms.c.pbx == pbx))
    return cast(str, owner) if left is not None and left > 0 else None


async def note_live(conn: Connection, pbx: str, at: datetime) -> None:
    """The PBX is being heard at this time. Call `fence` first, with `changes_it`."""
    await conn.execute(sa.update(pbx_leases).where(pbx_leases.c.pbx == pbx).values(live_at=at))


async def live_until(conn: Connection, pbx: str) -> datetime | None:
    """Until when the PBX was heard, by the process that was attached last; None when that is not known.

    That is noted every few seconds. What happened to calls since was heard, too; if nothing did soon after the
    note, the PBX may have been lost in between.
    """
    noted: datetime | None = await conn.scalar(sa.select(pbx_leases.c.live_at).where(pbx_leases.c.pbx == pbx))
    told = await journal.last_of_calls_at(conn, journal.stream_of(pbx))
    if noted is None or told is None or not noted < told <= noted + TOLD_WITHIN:
        return noted
    return told


def _in_words(cause: BaseException) -> str:
    """What failed, without the statement that did."""
    original = getattr(cause, "orig", None) or cause
    said = str(original).strip() or type(original).__name__
    return said.splitlines()[0].rpartition(">: ")[2][:200]
