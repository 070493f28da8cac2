"""What the server starts from: the calls that were going on when the last process, or the PBX, went away."""

from __future__ import annotations

from cti_server.record.contacts.history import SELECT, Interaction, read
from cti_server.record.contacts.tables import interactions
from cti_server.record.database import Connection


async def open_interactions(conn: Connection, pbx: str) -> list[Interaction]:
    """The calls of a PBX whose end has not been recorded, with their aliases, the oldest first."""
    query = SELECT.where(interactions.c.pbx == pbx, interactions.c.outcome.is_(None))
    query = query.order_by(interactions.c.started_at, interactions.c.id)
    return await read(conn, query, with_aliases=True)
