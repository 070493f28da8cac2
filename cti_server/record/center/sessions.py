"""Sessions (who is signed in), tickets (each opens one websocket), and the devices that have signed in before.
Only hashes of the secrets are stored.

Whoever ends somebody's sessions leaves a row in `session_ends`: every process looks there each second, and closes
the websockets that it has of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from cti_server.record.center import identities, second_factors
from cti_server.record.center.agents import Agent, agents
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, metadata

ENDS_KEPT: Final = timedelta(days=1)
DEVICES_KEPT: Final = timedelta(days=400)  # as long as browsers keep a cookie


def _agent_column() -> sa.Column[int]:
    return sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), nullable=False, index=True)


sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_hash", CleanText, primary_key=True),
    _agent_column(),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("address", CleanText),
    sa.Column("browser", CleanText),
)

session_ends = sa.Table(
    "session_ends",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("agent_id", Id, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,  # a number that was pruned must not come again: it has been looked at
)

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("token_hash", CleanText, primary_key=True),
    _agent_column(),
    sa.Column("seen_at", UtcDateTime, nullable=False),
)

tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("ticket_hash", CleanText, primary_key=True),
    _agent_column(),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in: since when, until when, from which address and with what browser."""

    token_hash: str
    agent_id: int
    created_at: datetime
    expires_at: datetime
    address: str | None = None
    browser: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose session it is, whether their second factor is on, and whether they came through a provider."""

    agent: Agent
    second_factor: bool
    by_provider: bool


async def open_session(conn: Connection, session: Session) -> None:
    await conn.execute(sa.insert(sessions).values(asdict(session)))


async def of_agent(conn: Connection, agent_id: int, now: datetime) -> list[Session]:
    """Every session of an agent that has not expired, the latest first."""
    query = (
        sa.select(sessions)
        .where(sessions.c.agent_id == agent_id, sessions.c.expires_at > now)
        .order_by(sessions.c.created_at.desc())
    )
    return [Session(**row._mapping) for row in await conn.execute(query)]


async def agent_of(conn: Connection, token_hash: str, now: datetime) -> Agent | None:
    """The agent whose session this is; None if it has expired or they are no longer active."""
    holder = (await holders(conn, [token_hash], now)).get(token_hash)
    return None if holder is None else holder.agent


async def holders(conn: Connection, token_hashes: Collection[str], now: datetime) -> dict[str, Holder]:
    """Who has these sessions, by token hash; without those that have expired, and those of agents who are
    not active."""
    query = (
        sa.select(
            sessions.c.token_hash.label("its_token"),
            second_factors.is_on(agents.c.id).label("its_factor"),
            identities.is_by_provider(sessions.c.token_hash).label("its_provider"),
            agents,
        )
        .join_from(sessions, agents, agents.c.id == sessions.c.agent_id)
        .where(sessions.c.token_hash.in_(token_hashes), sessions.c.expires_at > now, agents.c.active)
    )
    rows = [dict(row._mapping) for row in await conn.execute(query)]
    return {row.pop("its_token"): _holder(row) for row in rows}


def _holder(row: dict[str, Any]) -> Holder:
    factor, provider = bool(row.pop("its_factor")), bool(row.pop("its_provider"))
    return Holder(Agent(**row), factor, provider)


async def signed_in(conn: Connection, agent_id: int, now: datetime) -> Agent | None:
    """The agent; None unless they are active and have a session that has not expired."""
    return (await all_signed_in(conn, [agent_id], now)).get(agent_id)


async def all_signed_in(conn: Connection, agent_ids: Collection[int], now: datetime) -> dict[int, Agent]:
    """The same as `signed_in` for several agents at once, by id."""
    own = sa.exists().where(sessions.c.agent_id == agents.c.id, sessions.c.expires_at > now)
    query = sa.select(agents).where(agents.c.id.in_(agent_ids), agents.c.active, own)
    found = [Agent(**row._mapping) for row in await conn.execute(query)]
    return {agent.id: agent for agent in found}


async def close_session(conn: Connection, token_hash: str, at: datetime) -> bool:
    """Sign out, in every process. False if there was no such session."""
    gone = sa.delete(sessions).where(sessions.c.token_hash == token_hash).returning(sessions.c.agent_id)
    if (agent_id := await conn.scalar(gone)) is None:
        return False
    await conn.execute(sa.insert(session_ends).values(agent_id=agent_id, at=at))
    return True


async def close_all(conn: Connection, agent_id: int, at: datetime, keep: str | None = None) -> int:
    """End every session and ticket of an agent but the session with the token hash `keep`: their password, their
    role or whether they may sign in has changed. Returns how many sessions."""
    await drop_tickets(conn, agent_id)
    of_agent = sa.delete(sessions).where(sessions.c.agent_id == agent_id)
    ended = await conn.execute(of_agent if keep is None else of_agent.where(sessions.c.token_hash != keep))
    await conn.execute(sa.insert(session_ends).values(agent_id=agent_id, at=at))
    return ended.rowcount


async def look_again(conn: Connection, agent_id: int, at: datetime) -> None:
    """Every process closes the websockets of this agent; they connect again, with the rights that they have
    now."""
    await conn.execute(sa.insert(session_ends).values(agent_id=agent_id, at=at))


async def close_of_provider(
    conn: Connection, issuer: str, subject: str | None, sid: str | None, at: datetime
) -> set[int]:
    """End the sessions behind which this session of a provider stands. Returns whose they were."""
    ended = await identities.sessions_of(conn, issuer, subject, sid)
    gone = sa.delete(sessions).where(sessions.c.token_hash.in_(ended)).returning(sessions.c.agent_id)
    people = set(await conn.scalars(gone))
    for agent_id in people:
        await drop_tickets(conn, agent_id)
        await conn.execute(sa.insert(session_ends).values(agent_id=agent_id, at=at))
    return people


async def ends_since(conn: Connection, at: datetime) -> dict[int, int]:
    """Whose sessions were ended since then: the number of each row, and its agent. A row of a slow transaction is
    seen later than one with a higher number, so a reader goes by the time, generously, and by what it has seen."""
    rows = await conn.execute(sa.select(session_ends).where(session_ends.c.at > at))
    return {row.id: row.agent_id for row in rows}


# --- devices -----------------------------------------------------------------------------------------------


async def know_device(conn: Connection, token_hash: str, agent_id: int, now: datetime) -> None:
    """Somebody has signed in from this device."""
    await conn.execute(sa.delete(devices).where(devices.c.token_hash == token_hash))
    await conn.execute(sa.insert(devices).values(token_hash=token_hash, agent_id=agent_id, seen_at=now))


async def is_known_device(conn: Connection, token_hash: str, agent_id: int) -> bool:
    """Whether this very person has signed in from there."""
    query = sa.select(devices.c.agent_id).where(devices.c.token_hash == token_hash)
    return await conn.scalar(query) == agent_id


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


async def purge(conn: Connection, now: datetime) -> int:
    """Delete sessions and tickets that have expired, and what else nobody will ask for; returns how many."""
    over = (
        (sessions, sessions.c.expires_at <= now),
        (tickets, tickets.c.expires_at <= now),
        (session_ends, session_ends.c.at < now - ENDS_KEPT),
        (devices, devices.c.seen_at < now - DEVICES_KEPT),
    )
    return sum([(await conn.execute(sa.delete(table).where(is_over))).rowcount for table, is_over in over])
