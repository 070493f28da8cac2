"""Gaps: the times in which no server heard a PBX, and what was found out afterwards about the calls in them.

A gap is noted before anything is asked about it, so that one which cannot be filled yet (the log cannot be read,
the server is killed again) is filled later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, UtcDateTime, id_column, metadata

KEPT = timedelta(days=90)

gaps = sa.Table(
    "gaps",
    metadata,
    id_column(),
    sa.Column("pbx", CleanText, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime),
    sa.Column("filled_at", UtcDateTime),
    sa.Column("added", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("completed", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("left_out", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("trouble", CleanText),
    sa.Index("ix_gaps_pbx_since", "pbx", "since"),
)
g = gaps.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """From `since`, when the PBX was heard last, to `until`, when it was heard again (None: not yet).

    `added` contacts came from the PBX's log, of `completed` ones their end; `left_out` are calls of which the log
    does not tell enough. `trouble` says why it is not filled, where something stands in the way.
    """

    id: int
    pbx: str
    since: datetime
    until: datetime | None = None
    filled_at: datetime | None = None
    added: int = 0
    completed: int = 0
    left_out: int = 0
    trouble: str | None = None


async def begin(conn: Connection, pbx: str, since: datetime) -> int:
    """Note a gap that began at `since`, unless one goes on already; returns its id. Gaps of long ago are
    dropped."""
    await conn.execute(sa.delete(gaps).where(g.pbx == pbx, g.since < since - KEPT))
    going_on = await conn.scalar(sa.select(g.id).where(g.pbx == pbx, g.until.is_(None)).order_by(g.since).limit(1))
    if going_on is not None:
        return cast(int, going_on)
    return cast(int, await conn.scalar(sa.insert(gaps).values(pbx=pbx, since=since).returning(g.id)))


async def end(conn: Connection, pbx: str, until: datetime) -> None:
    """The PBX is heard again."""
    await conn.execute(sa.update(gaps).where(g.pbx == pbx, g.until.is_(None)).values(until=until))


async def not_filled(conn: Connection, pbx: str, since: datetime) -> list[Gap]:
    """The gaps that are over, and not filled, that began after `since`; the oldest first."""
    query = sa.select(gaps).where(g.pbx == pbx, g.until.is_not(None), g.filled_at.is_(None), g.since >= since)
    return [Gap(**row._mapping) for row in await conn.execute(query.order_by(g.since, g.id))]


async def spans(conn: Connection, pbx: str, since: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when nobody heard the PBX, of the gaps that ended after `since`; the oldest first."""
    query = sa.select(g.since, g.until).where(g.pbx == pbx, g.until > since).order_by(g.since)
    return [(row.since, row.until) for row in await conn.execute(query)]


async def latest(conn: Connection, pbx: str, limit: int = 20) -> list[Gap]:
    """The last gaps of a PBX, the latest first."""
    query = sa.select(gaps).where(g.pbx == pbx).order_by(g.since.desc(), g.id.desc()).limit(limit)
    return [Gap(**row._mapping) for row in await conn.execute(query)]


async def filled(conn: Connection, gap: int, at: datetime, added: int, completed: int, left_out: int) -> None:
    """All that the log tells of this gap is in the record."""
    values = {"filled_at": at, "trouble": None, "left_out": left_out}
    sums = {"added": g.added + added, "completed": g.completed + completed}
    await conn.execute(sa.update(gaps).where(g.id == gap).values(values | sums))


async def note_trouble(conn: Connection, gap: int, why: str | None, added: int, completed: int) -> None:
    """It is not filled, or not all of it: so much was, and this stands in the way."""
    sums = {"added": g.added + added, "completed": g.completed + completed}
    await conn.execute(sa.update(gaps).where(g.id == gap).values({"trouble": why} | sums))
