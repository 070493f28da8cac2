"""What the server starts from: the calls that were going on when the last process, or the PBX, went away."""

from __future__ import annotations

import sqlalchemy as sa

from cti_server.record.contacts.history import SELECT, Interaction, read
from cti_server.record.contacts.tables import interactions
from cti_server.record.engines import Connection


async def open_interactions(conn: Connection, pbx: str) -> list[Interaction]:
    """The calls of a PBX that were on its floor: their end has not been recorded, or somebody wraps them up, or
    desktops have not been told yet that nobody does any more. With their aliases, the oldest first."""
    i = interactions.c
    query = SELECT.where(i.pbx == pbx, sa.or_(i.outcome.is_(None), i.resume.is_not(None)))
    query = query.order_by(interactions.c.started_at, interactions.c.id)
    return await read(conn, query, with_aliases=True)
