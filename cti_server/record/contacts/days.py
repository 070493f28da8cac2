"""An agent's day as `rules.figures` takes it: their segments between two times."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from cti_server.record.contacts.tables import interactions, segments
from cti_server.record.engines import Connection
from cti_server.rules.figures import Stretch

MAX_STRETCHES = 5000
"""More than anybody handles in a day; of more, the first ones are read."""


async def stretches(conn: Connection, agent_id: int, since: datetime, until: datetime) -> list[Stretch]:
    """The agent's calls that rang, or began, in [since, until), in order. Mail and visits do not count."""
    s, i = segments.c, interactions.c
    began = sa.func.coalesce(s.offered_at, s.answered_at, i.started_at)
    query = (
        sa.select(segments)
        .join_from(segments, interactions, i.id == s.interaction_id)
        .where(s.agent_id == agent_id, i.channel == "voice", began >= since, began < until)
        .order_by(began, s.id)
        .limit(MAX_STRETCHES)
    )
    return [
        Stretch(
            contact=row.interaction_id,
            origin=row.origin,
            outcome=row.outcome,
            offered_at=row.offered_at,
            answered_at=row.answered_at,
            ended_at=row.ended_at,
            wrapped_at=row.wrapped_at,
            ring_ms=row.ring_ms or 0,
            talk_ms=row.talk_ms or 0,
            hold_ms=row.hold_ms or 0,
        )
        for row in await conn.execute(query)
    ]
