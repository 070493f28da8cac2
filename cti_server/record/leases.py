"""Leases: one process is attached to a PBX at a time, and one that has lost its lease can no longer write.

On PostgreSQL the lease is an advisory lock on a connection of its own, so it ends with the process, however that
ends. The epoch rises with each owner; `fence` compares it in the transaction that writes. On SQLite there is only
one process, and the epoch alone reveals a newer owner.
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

import sqlalchemy as sa

from cti_server.record.database import Connection, Database, lone_engine
from cti_server.record.schema import CleanText, UtcDateTime, metadata, upsert

pbx_leases = sa.Table(
    "pbx_leases",
    metadata,
    sa.Column("pbx", CleanText, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("owner", CleanText, nullable=False),
    sa.Column("taken_at", UtcDateTime, nullable=False),
    sa.Column("live_at", UtcDateTime),  # until when the PBX has been heard for certain
    sa.Column("standby_at", UtcDateTime),  # when another process last asked for the lease and did not get it
)


STANDBY_S = 6.0  # a process that asked longer ago than this does not wait any more


class LeaseTaken(Exception):
    """Another process is attached to this PBX."""


class LeaseLost(Exception):
    """A newer process has taken this PBX over; this one must stop writing."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write what happens at one PBX. Pass it to `fence` in every transaction that does."""

    pbx: str
    epoch: int


def lock_key(name: str) -> int:
    """A key for PostgreSQL's advisory locks: a signed 64-bit number, the same in every process."""
    return int.from_bytes(hashlib.sha256(f"cti-server {name}".encode()).digest()[:8], signed=True)


@asynccontextmanager
async def hold(database: Database, pbx: str, owner: str, now: datetime) -> AsyncIterator[Lease]:
    """Hold the lease of a PBX. Raises LeaseTaken at once when another process has it (PostgreSQL)."""
    if database.is_sqlite:
        yield await _take(database, pbx, owner, now)
        return
    engine = lone_engine(database.url)
    try:
        async with engine.connect() as own:
            await own.execution_options(isolation_level="AUTOCOMMIT")
            locked = await own.scalar(sa.select(sa.func.pg_try_advisory_lock(lock_key(f"pbx {pbx}"))))
            if not locked:
                await own.execute(
                    sa.update(pbx_leases).where(pbx_leases.c.pbx == pbx).values(standby_at=sa.func.now())
                )
                raise LeaseTaken(f"another process is attached to {pbx}")
            yield await _take(database, pbx, owner, now)
    finally:
        await engine.dispose()


async def _take(database: Database, pbx: str, owner: str, now: datetime) -> Lease:
    async with database.begin() as conn:
        epoch = await conn.scalar(
            upsert(conn.dialect.name, pbx_leases)
            .values(pbx=pbx, epoch=1, owner=owner, taken_at=now)
            .on_conflict_do_update(
                index_elements=["pbx"],
                set_={"epoch": pbx_leases.c.epoch + 1, "owner": owner, "taken_at": now, "standby_at": None},
            )
            .returning(pbx_leases.c.epoch)
        )
    return Lease(pbx, cast(int, epoch))


async def fence(conn: Connection, lease: Lease) -> None:
    """Call this first in each transaction that writes for a PBX. Raises LeaseLost when there is a newer owner.

    The row stays locked until the transaction ends, so the lease cannot change hands in the middle of it.
    """
    query = sa.select(pbx_leases.c.epoch).where(pbx_leases.c.pbx == lease.pbx).with_for_update(read=True)
    if (epoch := await conn.scalar(query)) != lease.epoch:
        raise LeaseLost(f"{lease.pbx}: epoch {lease.epoch} was followed by {epoch}")


async def stop_waiting(conn: Connection, pbx: str) -> None:
    """Call it when a process that waited ends: others who wait ask again at once."""
    await conn.execute(sa.update(pbx_leases).where(pbx_leases.c.pbx == pbx).values(standby_at=None))


async def is_awaited(conn: Connection, pbx: str) -> bool:
    """Whether another process waits for the lease, and so takes the PBX over when this one lets it go."""
    asked = await conn.scalar(sa.select(pbx_leases.c.standby_at).where(pbx_leases.c.pbx == pbx))
    now = await conn.scalar(sa.select(sa.func.now(type_=UtcDateTime)))
    return asked is not None and now is not None and (now - asked).total_seconds() < STANDBY_S


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
    engine = lone_engine(database.url)
    try:
        async with engine.connect() as own:  # the lock ends with this connection
            free = await own.scalar(sa.select(sa.func.pg_try_advisory_lock(lock_key(f"pbx {pbx}"))))
    finally:
        await engine.dispose()
    return None if free else cast(str, owner)


async def note_live(conn: Connection, pbx: str, at: datetime) -> None:
    """The PBX is being heard at this time. Call `fence` first, as in every transaction that writes for a PBX."""
    await conn.execute(sa.update(pbx_leases).where(pbx_leases.c.pbx == pbx).values(live_at=at))


async def live_until(conn: Connection, pbx: str) -> datetime | None:
    """Until when the PBX was heard, by the process that was attached last; None when that is not known."""
    return cast(
        "datetime | None", await conn.scalar(sa.select(pbx_leases.c.live_at).where(pbx_leases.c.pbx == pbx))
    )
