"""Sessions (who is signed in) and tickets (each opens one websocket). Only hashes of the secrets are stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    """The agent whose session this is; None if it has expired or they are no longer active."""
    return (await agents_of(conn, [token_hash], now)).get(token_hash)


async def agents_of(conn: Connection, token_hashes: Collection[str], now: datetime) -> dict[str, Agent]:
    """The same as `agent_of` for several sessions at once: the agents by token hash."""
    query = (
        sa.select(sessions.c.token_hash.label("its_token"), agents)
        .join_from(sessions, agents, agents.c.id == sessions.c.agent_id)
        .where(sessions.c.token_hash.in_(token_hashes), sessions.c.expires_at > now, agents.c.active)
    )
    rows = [dict(row._mapping) for row in await conn.execute(query)]
    return {row.pop("its_token"): Agent(**row) for row in rows}


async def signed_in(conn: Connection, agent_id: int, now: datetime) -> Agent | None:
    """The agent; None unless they are active and have a session that has not expired."""
    return (await all_signed_in(conn, [agent_id], now)).get(agent_id)


async def all_signed_in(conn: Connection, agent_ids: Collection[int], now: datetime) -> dict[int, Agent]:
    """The same as `signed_in` for several agents at once, by id."""
    own = sa.exists().where(sessions.c.agent_id == agents.c.id, sessions.c.expires_at > now)
    query = sa.select(agents).where(agents.c.id.in_(agent_ids), agents.c.active, own)
    found = [Agent(**row._mapping) for row in await conn.execute(query)]
    return {agent.id: agent for agent in found}


async def close_session(conn: Connection, token_hash: str) -> bool:
    """Sign out. False if there was no such session."""
    return (await conn.execute(sa.delete(sessions).where(sessions.c.token_hash == token_hash))).rowcount == 1


async def close_all(conn: Connection, agent_id: int) -> None:
    """End every session and ticket of an agent, because their password was changed or they have left."""
    for table in (sessions, tickets):
        await conn.execute(sa.delete(table).where(table.c.agent_id == agent_id))


async def drop_tickets(conn: Connection, agent_id: int) -> None:
    """Invalidate an agent's unused tickets."""
    await conn.execute(sa.delete(tickets).where(tickets.c.agent_id == agent_id))


async def issue_tickets(conn: Connection, issued: Mapping[str, int], expires_at: datetime) -> None:
    """Store new tickets: hash of the ticket → agent."""
    rows = [
        {"ticket_hash": ticket, "agent_id": agent, "expires_at": expires_at} for ticket, agent in issued.items()
    ]
    if rows:
        await conn.execute(sa.insert(tickets), rows)


async def redeem_tickets(conn: Connection, ticket_hashes: Collection[str], now: datetime) -> dict[str, int]:
    """Use up these tickets; returns their agents. Tickets that are used, expired or unknown are left out."""
    rows = await conn.execute(
        sa.delete(tickets)
        .where(tickets.c.ticket_hash.in_(ticket_hashes), tickets.c.expires_at > now)
        .returning(tickets.c.ticket_hash, tickets.c.agent_id)
    )
    return {row.ticket_hash: row.agent_id for row in rows}


async def purge(conn: Connection, now: datetime) -> None:
    """Delete sessions and tickets that have expired."""
    for table in (sessions, tickets):
        await conn.execute(sa.delete(table).where(table.c.expires_at <= now))
