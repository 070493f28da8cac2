"""Pauses that a server gave back when it stopped, of agents who had gone home: the next server orders them again.

Those of agents at work need no row, for their shift says whether they are paused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, metadata, upsert

handed_back = sa.Table(
    "handed_back",
    metadata,
    sa.Column("pbx", CleanText, primary_key=True),
    sa.Column("queue", CleanText, primary_key=True),
    sa.Column("interface", CleanText, primary_key=True),
    sa.Column("reason", CleanText, nullable=False),
)


@dataclass(frozen=True, slots=True)
class HandedBack:
    """A member of a queue that was paused for this reason, and is not any more."""

    pbx: str
    queue: str
    interface: str
    reason: str


async def keep(conn: Connection, rows: Iterable[HandedBack]) -> None:
    """Note what was given back, for the server that starts next."""
    if given := [asdict(row) for row in rows]:
        statement = upsert(conn.dialect.name, handed_back)
        kept = statement.on_conflict_do_update(
            index_elements=["pbx", "queue", "interface"], set_={"reason": statement.excluded.reason}
        )
        await conn.execute(kept, given)


async def of_pbx(conn: Connection, pbx: str) -> list[HandedBack]:
    rows = await conn.execute(sa.select(handed_back).where(handed_back.c.pbx == pbx))
    return [HandedBack(**row._mapping) for row in rows]


async def forget(conn: Connection, pbx: str) -> None:
    """Call it once the pauses stand again."""
    await conn.execute(sa.delete(handed_back).where(handed_back.c.pbx == pbx))
