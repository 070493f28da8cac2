"""What a start begins with: the calls that were going on when the last process, or the PBX, went away."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from cti_server.record.database import Connection
from cti_server.record.history import SELECT, Interaction, read
from cti_server.record.interactions import interactions, segments


async def open_interactions(conn: Connection, pbx: str) -> list[Interaction]:
    """The calls of a PBX whose end was not seen yet, with their aliases, the oldest first."""
    query = SELECT.where(interactions.c.pbx == pbx, interactions.c.outcome.is_(None))
    query = query.order_by(interactions.c.started_at, interactions.c.id)
    return await read(conn, query, with_aliases=True)


async def close_unseen(conn: Connection, pbx: str, boot: int, live: Collection[str]) -> list[int]:
    """End the open calls of `pbx` that are not going on any more: of another boot, or not among the `live`
    linkedids.

    Nobody saw how they ended, so nothing is claimed: no `ended_at`, not complete, ended by unknown. A call
    that had been answered was answered; any other is `unseen`. Answers their ids.
    """
    gone = [
        (row.id, row.answered)
        for row in await conn.execute(
            sa.select(
                interactions.c.id,
                interactions.c.boot,
                interactions.c.linkedid,
                interactions.c.answered_at.is_not(None).label("answered"),
            ).where(interactions.c.pbx == pbx, interactions.c.outcome.is_(None))
        )
        if row.boot != boot or row.linkedid not in live
    ]
    if not gone:
        return []
    ids = [interaction_id for interaction_id, _ in gone]
    for table, extra in ((interactions, {"ended_by": "unknown", "complete": False}), (segments, {})):
        key = table.c.id if table is interactions else table.c.interaction_id
        outcome = sa.case((table.c.answered_at.is_not(None), "answered"), else_="unseen")
        await conn.execute(
            sa.update(table).where(key.in_(ids), table.c.outcome.is_(None)).values(outcome=outcome, **extra)
        )
    return ids
