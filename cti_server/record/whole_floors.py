"""The whole floor of each PBX as of a position of its stream: where a process that starts begins to follow.

There is one row a PBX. Its owner writes it when it has taken the PBX over, and from time to time, so that what
follows it is short and never older than the journal is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, UtcDateTime, metadata, upsert

whole_floors = sa.Table(
    "whole_floors",
    metadata,
    sa.Column("stream", CleanText, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("floor", sa.JSON, nullable=False),
)


@dataclass(frozen=True, slots=True)
class WholeFloor:
    """`floor` is as `floor.views.whole` makes it, as of the stream's event `seq`."""

    seq: int
    floor: Mapping[str, Any]


async def keep(conn: Connection, stream: str, seq: int, at: datetime, floor: Mapping[str, Any]) -> None:
    """Keep the floor as of this event, in place of the one before. Call `leases.fence` first."""
    values = {"seq": seq, "at": at, "floor": floor}
    await conn.execute(
        upsert(conn.dialect.name, whole_floors)
        .values(stream=stream, **values)
        .on_conflict_do_update(index_elements=["stream"], set_=values)
    )


async def kept(conn: Connection, stream: str) -> WholeFloor | None:
    """The floor that was kept last; None before a server has kept one."""
    found = (
        await conn.execute(
            sa.select(whole_floors.c.seq, whole_floors.c.floor).where(whole_floors.c.stream == stream)
        )
    ).first()
    return WholeFloor(found.seq, found.floor) if found is not None else None
