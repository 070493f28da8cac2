"""Notes: what somebody wrote about a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, customer_column, id_column, metadata
from cti_server.rules.facts import AgentBrief, Note

notes = sa.Table(
    "notes",
    metadata,
    id_column(),
    customer_column(),
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="SET NULL")),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("text", CleanText, nullable=False),
    sa.Column("pinned", sa.Boolean, nullable=False),
)


MANY = 50  # of a customer's notes, as many are read


def note(row: Any) -> Note:
    """A row of `about` as a fact."""
    return Note(
        id=row.id,
        customer_id=row.customer_id,
        agent=AgentBrief(row.agent_id, row.agent_name, row.seat) if row.agent_id else None,
        at=row.at,
        text=row.text,
        pinned=row.pinned,
    )


def about(customer_id: int | sa.BindParameter[int], limit: int = MANY) -> Any:
    """The query for the notes about a customer, pinned ones first, then the latest."""
    return (
        sa.select(notes, agents.c.name.label("agent_name"), agents.c.seat)
        .outerjoin_from(notes, agents, agents.c.id == notes.c.agent_id)
        .where(notes.c.customer_id == customer_id)
        .order_by(notes.c.pinned.desc(), notes.c.at.desc(), notes.c.id.desc())
        .limit(limit)
    )


async def of_customer(conn: Connection, customer_id: int, limit: int = MANY) -> list[Note]:
    """The notes about a customer, pinned ones first, then the latest."""
    return [note(row) for row in await conn.execute(about(customer_id, limit))]


async def add(
    conn: Connection,
    customer_id: int,
    text: str,
    *,
    at: datetime,
    agent_id: int | None = None,
    pinned: bool = False,
) -> int:
    """Write a note; returns its id."""
    values = {"customer_id": customer_id, "agent_id": agent_id, "at": at, "text": text, "pinned": pinned}
    return cast(int, await conn.scalar(sa.insert(notes).values(values).returning(notes.c.id)))
