"""Who was given the password of which browser phone, and when. The password itself is in `phones`, sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, metadata, upsert

phone_passwords_given = sa.Table(
    "phone_passwords_given",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("pbx", CleanText, primary_key=True),
    sa.Column("seat", CleanText, primary_key=True),
    sa.Column("shared", sa.Boolean, nullable=False),  # whether it was nobody's own phone at that time
    sa.Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who knows a phone's password since `at`, when they were given it last."""

    pbx: str
    seat: str
    agent_id: int
    login: str
    active: bool
    at: datetime


async def note(conn: Connection, pbx: str, seat: str, agent_id: int, at: datetime, *, shared: bool) -> None:
    """Remember that this agent was given the password."""
    values = {"agent_id": agent_id, "pbx": pbx, "seat": seat, "shared": shared, "at": at}
    statement = upsert(conn.dialect.name, phone_passwords_given).values(values)
    changed = {name: statement.excluded[name] for name in ("shared", "at")}
    await conn.execute(statement.on_conflict_do_update(index_elements=["agent_id", "pbx", "seat"], set_=changed))


async def shared_since(conn: Connection, agent_id: int, since: datetime) -> dict[str, datetime]:
    """The shared phones whose password this agent was given after `since`, as `pbx/seat`, and when.

    The agent's row is locked until the end of the transaction, so that two requests at once count each other.
    """
    await conn.execute(sa.select(agents.c.id).where(agents.c.id == agent_id).with_for_update())
    c = phone_passwords_given.c
    query = sa.select(c.pbx, c.seat, c.at).where(c.agent_id == agent_id, c.shared, c.at > since)
    return {f"{row.pbx}/{row.seat}": row.at for row in await conn.execute(query)}


async def holders(conn: Connection) -> list[Holder]:
    """Everybody who was given the password that a phone has now, by phone."""
    c = phone_passwords_given.c
    query = (
        sa.select(c.pbx, c.seat, c.agent_id, agents.c.login, agents.c.active, c.at)
        .join_from(phone_passwords_given, agents, agents.c.id == c.agent_id)
        .order_by(c.pbx, c.seat, c.at, c.agent_id)
    )
    return [Holder(**row._mapping) for row in await conn.execute(query)]


async def forget(conn: Connection, pbx: str, seat: str) -> None:
    """The phone has another password now, which nobody was given yet."""
    c = phone_passwords_given.c
    await conn.execute(sa.delete(phone_passwords_given).where(c.pbx == pbx, c.seat == seat))
