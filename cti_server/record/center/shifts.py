"""Shifts: who is at work, at which phone, in which state, so that a restart forgets nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, insert_if_there, metadata

shifts = sa.Table(
    "shifts",
    metadata,
    sa.Column(
        "agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("seat", CleanText, nullable=False),
    sa.Column("pbx", CleanText, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("state", CleanText, nullable=False),
    sa.Column("reason", CleanText),
    sa.Column("by_kind", CleanText),
    sa.Column("by_name", CleanText),
    sa.Column("because", sa.JSON(none_as_null=True)),
    sa.Column("state_since", UtcDateTime, nullable=False),
    sa.Column("pending", sa.JSON(none_as_null=True)),
    sa.Column("added", sa.JSON(none_as_null=True)),
)

# The next shift begins at the phone of the last one, so it is kept when a shift ends.
last_seats = sa.Table(
    "last_seats",
    metadata,
    sa.Column(
        "agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    ),
    sa.Column("seat", CleanText, nullable=False),
    sa.Column("pbx", CleanText, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One agent at work. `seat` is the interface of their phone on `pbx`; `because` and `pending` are JSON.
    `added` names the queues of which the server made the seat a member."""

    agent_id: int
    seat: str
    pbx: str
    since: datetime
    state: str
    state_since: datetime
    reason: str | None = None
    by_kind: str | None = None
    by_name: str | None = None
    because: dict[str, Any] | None = None
    pending: dict[str, Any] | None = None
    added: list[str] | None = None


_SHIFT = [f.name for f in fields(Shift)]
_LAST_SEAT = ["agent_id", "seat", "pbx"]


async def save(conn: Connection, shift: Shift) -> None:
    """Write the agent's shift as it is now, and its phone as their last. Ignores an agent who has been deleted."""
    for table, names in ((shifts, _SHIFT), (last_seats, _LAST_SEAT)):
        statement = insert_if_there(conn.dialect.name, table, "agent_id", "agents", names)
        changes = {name: statement.excluded[name] for name in names if name != "agent_id"}
        await conn.execute(
            statement.on_conflict_do_update(index_elements=["agent_id"], set_=changes),
            {name: getattr(shift, name) for name in names},
        )


async def end(conn: Connection, agent_id: int) -> bool:
    """Delete the shift of an agent who went home. False if they were not at work."""
    return (await conn.execute(sa.delete(shifts).where(shifts.c.agent_id == agent_id))).rowcount == 1


async def of_agent(conn: Connection, agent_id: int) -> Shift | None:
    row = (await conn.execute(sa.select(shifts).where(shifts.c.agent_id == agent_id))).one_or_none()
    return None if row is None else Shift(**row._mapping)


async def all_open(conn: Connection, pbx: str | None = None) -> list[Shift]:
    """The shifts of everyone at work; at one PBX only, if given."""
    query = sa.select(shifts).order_by(shifts.c.agent_id)
    if pbx is not None:
        query = query.where(shifts.c.pbx == pbx)
    return [Shift(**row._mapping) for row in await conn.execute(query)]


async def nobody_added(conn: Connection, pbx: str, kept: Collection[tuple[str, str]] = ()) -> None:
    """The server has taken its members out of the queues of this PBX, but for the (queue, seat) that it kept.

    Whoever is a member from now on was made one by somebody else.
    """
    for shift in await all_open(conn, pbx):
        left = [queue for queue in shift.added or () if (queue, shift.seat) in kept]
        changed = sa.update(shifts).where(shifts.c.agent_id == shift.agent_id).values(added=left or None)
        await conn.execute(changed)


async def last_seats_of(conn: Connection, pbx: str) -> list[str]:
    """The phones at which somebody's last shift was."""
    return list(await conn.scalars(sa.select(last_seats.c.seat).where(last_seats.c.pbx == pbx).distinct()))


async def last_seat(conn: Connection, agent_id: int, pbx: str) -> str | None:
    """The phone that the agent sat at last."""
    return await conn.scalar(
        sa.select(last_seats.c.seat).where(last_seats.c.agent_id == agent_id, last_seats.c.pbx == pbx)
    )
