"""The states that agents were in, one row per change: the source of "my day" and of explaining past states."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cti_server.record import swift
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, id_column, insert_if_there, metadata

agent_states = sa.Table(
    "agent_states",
    metadata,
    id_column(),
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("reason", CleanText),
    sa.Column("by_kind", CleanText),
    sa.Column("by_name", CleanText),
    sa.Column("because", sa.JSON(none_as_null=True)),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Index("ix_agent_states_agent_id_at", "agent_id", "at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStateRow:
    """The agent entered this state at `at`."""

    agent_id: int
    name: str
    at: datetime
    reason: str | None = None
    by_kind: str | None = None
    by_name: str | None = None
    because: dict[str, Any] | None = None


_WRITTEN = [f.name for f in fields(AgentStateRow)]


async def append(conn: Connection, rows: Iterable[AgentStateRow]) -> None:
    """Add these changes, except those of an agent who has been deleted."""
    if values := [asdict(row) for row in rows]:
        await swift.run(conn, _insert(conn.dialect.name), values)


@functools.cache
def _insert(dialect: str) -> Any:
    return insert_if_there(dialect, agent_states, "agent_id", "agents", _WRITTEN)


async def last(conn: Connection, agent_id: int) -> AgentStateRow | None:
    """The state that this agent is in, as far as it was written."""
    c = agent_states.c
    query = sa.select(agent_states).where(c.agent_id == agent_id).order_by(c.at.desc(), c.id.desc()).limit(1)
    row = (await conn.execute(query)).one_or_none()
    return _row(row) if row is not None else None


async def of_day(conn: Connection, agent_id: int, since: datetime, until: datetime) -> list[AgentStateRow]:
    """The changes in [since, until), in order, preceded by the state that the agent was in at `since`, if any."""
    c = agent_states.c
    query = sa.select(agent_states).where(c.agent_id == agent_id)
    before = await conn.execute(query.where(c.at < since).order_by(c.at.desc(), c.id.desc()).limit(1))
    within = await conn.execute(query.where(c.at >= since, c.at < until).order_by(c.at, c.id))
    return [_row(row) for row in (*before, *within)]


def _row(row: Any) -> AgentStateRow:
    return AgentStateRow(**{name: value for name, value in row._mapping.items() if name != "id"})
