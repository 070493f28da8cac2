"""What colleagues leave for each other with a call that they give away, for as long as the call lives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, metadata

handovers = sa.Table(
    "handovers",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("call", CleanText, nullable=False, index=True),
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("kind", CleanText, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("to_agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE")),
    sa.Column("said", CleanText),
)

KEPT = timedelta(hours=24)  # longer than calls last
MAX_SENT = 20  # of one call, the latest ones


@dataclass(frozen=True, slots=True)
class Handover:
    """What one agent left with a call. `to` is the agent it is for, None for whoever takes the call."""

    agent: int
    name: str
    kind: Literal["transfer", "consult"]
    at: datetime
    to: int | None = None
    said: str | None = None
    id: int | None = None


async def leave(conn: Connection, call: str, left: Handover) -> int:
    """Keep it with the call of this id; returns its number."""
    row = await conn.execute(
        sa.insert(handovers)
        .values(
            call=call,
            agent_id=left.agent,
            name=left.name,
            kind=left.kind,
            at=left.at,
            to_agent_id=left.to,
            said=left.said,
        )
        .returning(handovers.c.id)
    )
    return int(row.scalar_one())


async def withdraw(conn: Connection, number: int) -> None:
    await conn.execute(sa.delete(handovers).where(handovers.c.id == number))


async def of_calls(conn: Connection, calls: Sequence[str]) -> list[Handover]:
    """What was left with a call; `calls` are the ids that it has and had. The latest comes last."""
    rows = await conn.execute(
        sa.select(handovers).where(handovers.c.call.in_(calls)).order_by(handovers.c.id.desc()).limit(MAX_SENT)
    )
    found = [Handover(r.agent_id, r.name, r.kind, r.at, r.to_agent_id, r.said, r.id) for r in rows]
    return found[::-1]


async def prune(conn: Connection, now: datetime) -> int:
    """Forget what was left with calls that are over. Returns how many."""
    return (await conn.execute(sa.delete(handovers).where(handovers.c.at < now - KEPT))).rowcount
