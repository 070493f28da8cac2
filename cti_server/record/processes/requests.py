"""Commands that were accepted: by request, by Idempotency-Key, and whether their result was told."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.leases import Lease
from cti_server.record.schema import CleanText, UtcDateTime, metadata

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("request", CleanText, primary_key=True),
    sa.Column("agent_id", sa.ForeignKey("agents.id", ondelete="CASCADE"), nullable=False),
    sa.Column("key", CleanText),  # the Idempotency-Key
    sa.Column("digest", CleanText, nullable=False),  # of the whole command: keys pressed may be somebody's PIN
    sa.Column("command", CleanText, nullable=False),
    sa.Column("call", CleanText),
    sa.Column("pbx", CleanText, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("done_at", UtcDateTime),
    sa.UniqueConstraint("agent_id", "key"),
)

KEPT = timedelta(minutes=10)  # how long an Idempotency-Key is remembered


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command that was accepted, and whose result is told once."""

    request: str
    agent_id: int
    command: str
    call: str | None


def digest(command: str) -> str:
    """What two commands are compared by."""
    return hashlib.sha256(command.encode()).hexdigest()


async def by_key(conn: Connection, agent: int, key: str, now: datetime) -> tuple[str, str] | None:
    """(request, digest) of the command that came with this key within `KEPT`."""
    row = (
        await conn.execute(
            sa.select(requests.c.request, requests.c.digest).where(
                requests.c.agent_id == agent, requests.c.key == key, requests.c.at > now - KEPT
            )
        )
    ).first()
    return (row.request, row.digest) if row is not None else None


async def accept(
    conn: Connection, lease: Lease, accepted: Accepted, digest: str, key: str | None, now: datetime
) -> None:
    """Write down a command before it is carried out. Call `leases.fence` first."""
    if key is not None:  # one that is no longer remembered
        await conn.execute(
            sa.update(requests)
            .where(requests.c.agent_id == accepted.agent_id, requests.c.key == key)
            .values(key=None)
        )
    await conn.execute(
        sa.insert(requests).values(
            request=accepted.request,
            agent_id=accepted.agent_id,
            key=key,
            digest=digest,
            command=accepted.command,
            call=accepted.call,
            pbx=lease.pbx,
            epoch=lease.epoch,
            at=now,
        )
    )


async def finish(conn: Connection, request: str, now: datetime) -> bool:
    """Its result is told in this transaction. False where somebody has told one before: then tell none."""
    of_it = requests.c.request == request
    done = await conn.execute(sa.update(requests).where(of_it, requests.c.done_at.is_(None)).values(done_at=now))
    if done.rowcount == 1:
        return True
    return await conn.scalar(sa.select(requests.c.request).where(of_it)) is None  # it could not be written down


async def left(conn: Connection, lease: Lease) -> Sequence[Accepted]:
    """The commands that earlier owners of the PBX had in hand."""
    rows = await conn.execute(
        sa.select(requests).where(
            requests.c.pbx == lease.pbx, requests.c.epoch < lease.epoch, requests.c.done_at.is_(None)
        )
    )
    return [Accepted(row.request, row.agent_id, row.command, row.call) for row in rows]


async def prune(conn: Connection, now: datetime) -> int:
    """Forget commands whose result was told, and whose key is not remembered any more. Returns how many."""
    old = sa.delete(requests).where(requests.c.at < now - 2 * KEPT, requests.c.done_at.is_not(None))
    return (await conn.execute(old)).rowcount
