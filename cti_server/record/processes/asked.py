"""What one process asks of the one that is attached to a PBX, as rows: it claims them, and writes its answer.

A row needs no address of the other process, only the record, which both need anyway; and it is still there when
the one that claimed it dies (docs/decisions/the-owner-acts.md). Claiming is committed before anything is done, so
nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.leases import Lease, fence
from cti_server.record.schema import CleanText, Id, UtcDateTime, metadata

asked = sa.Table(
    "asked",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("pbx", CleanText, nullable=False),
    sa.Column("kind", CleanText, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("state", CleanText, nullable=False),  # asked, claimed, answered, withdrawn
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("answer", sa.JSON(none_as_null=True)),
    sa.Index("ix_asked_pbx_state", "pbx", "state"),
)

KEPT = timedelta(minutes=10)
MAX_CLAIMED = 100  # at once

Fate = Literal["asked", "claimed", "answered", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Question:
    """One row. `answer` is there once its state is `answered`."""

    id: int
    pbx: str
    kind: str
    body: Mapping[str, Any]
    state: Fate
    answer: Mapping[str, Any] | None


async def ask(conn: Connection, pbx: str, kind: str, body: Mapping[str, Any]) -> int:
    """Ask; returns the number of the question."""
    row = await conn.execute(
        sa.insert(asked)
        .values(pbx=pbx, kind=kind, body=body, state="asked", at=sa.func.now())
        .returning(asked.c.id)
    )
    return int(row.scalar_one())


async def claim(conn: Connection, lease: Lease) -> Sequence[Question]:
    """Take what is asked of the PBX, in order. Raises LeaseLost where another process is attached to it."""
    await fence(conn, lease)
    waiting = (
        sa.select(asked.c.id)
        .where(asked.c.pbx == lease.pbx, asked.c.state == "asked")
        .order_by(asked.c.id)
        .limit(MAX_CLAIMED)
        .with_for_update(skip_locked=True)
    )
    rows = await conn.execute(
        sa.update(asked).where(asked.c.id.in_(waiting)).values(state="claimed").returning(*asked.c)
    )
    return sorted((_question(row) for row in rows), key=lambda question: question.id)


async def answer(conn: Connection, number: int, said: Mapping[str, Any]) -> None:
    # What was asked may name a caller, and is of no use any more.
    values = {"state": "answered", "answer": said, "body": {}}
    await conn.execute(sa.update(asked).where(asked.c.id == number).values(**values))


async def withdraw(conn: Connection, number: int) -> bool:
    """Take a question back. False when it was claimed before that."""
    still = sa.update(asked).where(asked.c.id == number, asked.c.state == "asked")
    done = await conn.execute(still.values(state="withdrawn", body={}))
    return done.rowcount == 1


async def find(conn: Connection, number: int) -> Question | None:
    row = (await conn.execute(sa.select(asked).where(asked.c.id == number))).first()
    return _question(row) if row is not None else None


async def prune(conn: Connection, now: datetime) -> int:
    """Forget old questions: nobody waits for their answers any more. Returns how many."""
    return (await conn.execute(sa.delete(asked).where(asked.c.at < now - KEPT))).rowcount


def _question(row: Any) -> Question:
    return Question(row.id, row.pbx, row.kind, row.body, row.state, row.answer)
