"""Sessions and tickets: who is signed in, and who may open one websocket. Only hashes of the secrets are
stored.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from cti_server.record.center.agents import Agent, agents
from cti_server.record.database import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, metadata


def _agent_column() -> sa.Column[int]:
    return sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), nullable=False, index=True)


sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_hash", CleanText, primary_key=True),
    _agent_column(),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("ticket_hash", CleanText, primary_key=True),
    _agent_column(),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)


async def open_session(
    conn: Connection, token_hash: str, agent_id: int, created_at: datetime, expires_at: datetime
) -> None:
    await conn.execute(
        sa.insert(sessions).values(
            token_hash=token_hash, agent_id=agent_id, created_at=created_at, expires_at=expires_at
        )
    )


async def agent_of(conn: Connection, token_hash: str, now: datetime) -> Agent | None:
    """The agent whose session this is, if it has not expired and they are still active."""
    row = (
        await conn.execute(
            sa.select(agents)
            .join_from(sessions, agents, agents.c.id == sessions.c.agent_id)
            .where(sessions.c.token_hash == token_hash, sessions.c.expires_at > now, agents.c.active)
        )
    ).one_or_none()
    return None if row is None else Agent(**row._mapping)


async def signed_in(conn: Connection, agent_id: int, now: datetime) -> Agent | None:
    """The agent, if they are active and have a session that has not expired."""
    own = sa.exists().where(sessions.c.agent_id == agents.c.id, sessions.c.expires_at > now)
    query = sa.select(agents).where(agents.c.id == agent_id, agents.c.active, own)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else Agent(**row._mapping)


async def close_session(conn: Connection, token_hash: str) -> bool:
    """Sign out. False if there was no such session."""
    return (await conn.execute(sa.delete(sessions).where(sessions.c.token_hash == token_hash))).rowcount == 1


async def close_all(conn: Connection, agent_id: int) -> None:
    """End every session and ticket of an agent: a password was changed, or they left."""
    for table in (sessions, tickets):
        await conn.execute(sa.delete(table).where(table.c.agent_id == agent_id))


async def drop_tickets(conn: Connection, agent_id: int) -> None:
    """Make an agent's unused tickets worthless."""
    await conn.execute(sa.delete(tickets).where(tickets.c.agent_id == agent_id))


async def issue_ticket(conn: Connection, ticket_hash: str, agent_id: int, expires_at: datetime) -> None:
    await conn.execute(
        sa.insert(tickets).values(ticket_hash=ticket_hash, agent_id=agent_id, expires_at=expires_at)
    )


async def redeem_ticket(conn: Connection, ticket_hash: str, now: datetime) -> int | None:
    """Use the ticket up; answer its agent, or None if it was used, has expired or never was."""
    return await conn.scalar(
        sa.delete(tickets)
        .where(tickets.c.ticket_hash == ticket_hash, tickets.c.expires_at > now)
        .returning(tickets.c.agent_id)
    )


async def purge(conn: Connection, now: datetime) -> None:
    """Forget what has expired."""
    for table in (sessions, tickets):
        await conn.execute(sa.delete(table).where(table.c.expires_at <= now))
