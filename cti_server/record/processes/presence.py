"""Which processes live, and which agents have a desktop at which."""

from __future__ import annotations

from collections.abc import Set
from datetime import timedelta

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, UtcDateTime, metadata, upsert

processes = sa.Table(
    "processes",
    metadata,
    sa.Column("process", CleanText, primary_key=True),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
)

desktops = sa.Table(
    "desktops",
    metadata,
    sa.Column("process", sa.ForeignKey("processes.process", ondelete="CASCADE"), primary_key=True),
    sa.Column("agent_id", sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
)

LIVES_S = 5.0  # a process that was seen longer ago has no desktops any more
FORGET_S = 3600.0


async def here(conn: Connection, process: str, agents: Set[int]) -> bool:
    """This process lives, and these agents have a desktop at it. Returns whether others were there before."""
    now = sa.func.now()
    await conn.execute(
        upsert(conn.dialect.name, processes)
        .values(process=process, started_at=now, seen_at=now)
        .on_conflict_do_update(index_elements=["process"], set_={"seen_at": now})
    )
    mine = desktops.c.process == process
    known = set((await conn.scalars(sa.select(desktops.c.agent_id).where(mine))).all())
    if gone := known - agents:
        await conn.execute(sa.delete(desktops).where(mine, desktops.c.agent_id.in_(gone)))
    if new := agents - known:
        await conn.execute(sa.insert(desktops), [{"process": process, "agent_id": agent} for agent in sorted(new)])
    return known != agents


async def alive(conn: Connection) -> int:
    """How many processes live."""
    recently = processes.c.seen_at > sa.func.now() - sa.literal(timedelta(seconds=LIVES_S), sa.Interval)
    return await conn.scalar(sa.select(sa.func.count()).select_from(processes).where(recently)) or 0


async def connected(conn: Connection) -> frozenset[int]:
    """The agents who have a desktop at a process that lives."""
    found = await conn.scalars(
        sa.select(desktops.c.agent_id)
        .distinct()
        .join(processes, processes.c.process == desktops.c.process)
        .where(processes.c.seen_at > sa.func.now() - sa.literal(timedelta(seconds=LIVES_S), sa.Interval))
    )
    return frozenset(found.all())


async def leave(conn: Connection, process: str) -> None:
    """This process ends."""
    await conn.execute(sa.delete(desktops).where(desktops.c.process == process))
    await conn.execute(sa.delete(processes).where(processes.c.process == process))


async def forget(conn: Connection) -> None:
    """Forget processes that ended long ago without saying so."""
    old = sa.func.now() - sa.literal(timedelta(seconds=FORGET_S), sa.Interval)
    dead = sa.select(processes.c.process).where(processes.c.seen_at < old)
    await conn.execute(sa.delete(desktops).where(desktops.c.process.in_(dead)))
    await conn.execute(sa.delete(processes).where(processes.c.seen_at < old))
