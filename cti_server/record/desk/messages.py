"""Messages between agents and supervisors, and how far each person has read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, id_column, metadata, upsert

MessageTo = Literal["agent", "supervisors", "team"]

messages = sa.Table(
    "messages",
    metadata,
    id_column(),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("sender_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("to_kind", CleanText, nullable=False),
    sa.Column("to_agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), index=True),
    sa.Column("text", CleanText, nullable=False),
    sa.Column("call", CleanText),
    sa.Index("ix_messages_to_kind_id", "to_kind", "id"),
    sqlite_autoincrement=True,  # `up_to` compares ids, so an id must never be reused
)

message_reads = sa.Table(
    "message_reads",
    metadata,
    sa.Column(
        "agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("up_to", sa.BigInteger, nullable=False),
)
m = messages.c
sender = agents.alias("sender")
receiver = agents.alias("receiver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What somebody wrote to one agent, to the supervisors, or to the team; perhaps about a call."""

    id: int
    at: datetime
    sender_id: int
    sender_name: str
    to_kind: MessageTo
    to_agent_id: int | None
    to_agent_name: str | None
    text: str
    call: str | None


async def add(
    conn: Connection,
    *,
    at: datetime,
    sender_id: int,
    to_kind: MessageTo,
    text: str,
    to_agent_id: int | None = None,
    call: str | None = None,
) -> Message:
    values = {
        "at": at,
        "sender_id": sender_id,
        "to_kind": to_kind,
        "to_agent_id": to_agent_id,
        "text": text,
        "call": call,
    }
    made = await conn.scalar(sa.insert(messages).values(values).returning(m.id))
    row = (await conn.execute(_SELECT.where(m.id == made))).one()
    return Message(**row._mapping)


async def of_agent(
    conn: Connection, agent_id: int, *, supervises: bool, since: int = 0, limit: int = 100
) -> list[Message]:
    """The last messages after id `since` that the agent wrote or may read, oldest first."""
    query = _SELECT.where(_readable(agent_id, supervises), m.id > since).order_by(m.id.desc()).limit(limit)
    return [Message(**row._mapping) for row in (await conn.execute(query)).all()[::-1]]


async def unread(conn: Connection, agent_id: int, *, supervises: bool) -> int:
    """How many messages from others the agent has not read."""
    read = sa.select(message_reads.c.up_to).where(message_reads.c.agent_id == agent_id).scalar_subquery()
    query = sa.select(sa.func.count()).where(
        _readable(agent_id, supervises), m.sender_id != agent_id, m.id > sa.func.coalesce(read, 0)
    )
    return cast(int, await conn.scalar(query))


async def read_to(conn: Connection, agent_id: int) -> int:
    """The id of the last message that the agent has read; 0 for none."""
    up_to = sa.select(message_reads.c.up_to).where(message_reads.c.agent_id == agent_id)
    return await conn.scalar(up_to) or 0


async def mark_read(conn: Connection, agent_id: int, up_to: int) -> None:
    """The agent has read everything up to this id. It never moves back, nor past the last message that exists."""
    last = cast(int, await conn.scalar(sa.select(sa.func.coalesce(sa.func.max(m.id), 0))))
    up_to = max(min(up_to, last), await read_to(conn, agent_id))
    statement = upsert(conn.dialect.name, message_reads).values(agent_id=agent_id, up_to=up_to)
    await conn.execute(
        statement.on_conflict_do_update(index_elements=["agent_id"], set_={"up_to": statement.excluded.up_to})
    )


async def prune(conn: Connection, before: datetime, limit: int) -> int:
    """Delete the oldest messages written before this time, at most `limit`; returns how many."""
    oldest = sa.select(m.id).where(m.at < before).order_by(m.id).limit(limit)
    return (await conn.execute(sa.delete(messages).where(m.id.in_(oldest)))).rowcount


_SELECT: Any = (
    sa.select(messages, sender.c.name.label("sender_name"), receiver.c.name.label("to_agent_name"))
    .join_from(messages, sender, sender.c.id == m.sender_id)
    .outerjoin(receiver, receiver.c.id == m.to_agent_id)
)


def _readable(agent_id: int, supervises: bool) -> sa.ColumnElement[bool]:
    kinds = ["team", "supervisors"] if supervises else ["team"]
    return sa.or_(m.sender_id == agent_id, m.to_agent_id == agent_id, m.to_kind.in_(kinds))
