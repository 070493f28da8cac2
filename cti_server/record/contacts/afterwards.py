"""Contacts of which somebody else told afterwards: which of them the record has already, the end of those that
have none, and what came of others while nobody watched. What a person wrote is never changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cti_server.record.contacts.history import SELECT, Interaction, read
from cti_server.record.contacts.records import SegmentRecord, VisitRecord
from cti_server.record.contacts.tables import aliases, interactions, segments, visits
from cti_server.record.engines import Connection
from cti_server.record.schema import chunks, if_there

i, s, v = interactions.c, segments.c, visits.c


@dataclass(frozen=True, slots=True)
class Completed:
    """What is to be added to a contact that was not seen whole: values of its columns, of segments and visits by
    position, and further segments and visits."""

    values: Mapping[str, Any]
    segments: Mapping[int, Mapping[str, Any]]
    visits: Mapping[int, Mapping[str, Any]]
    new_segments: Sequence[SegmentRecord] = ()
    new_visits: Sequence[VisitRecord] = ()


async def known(conn: Connection, pbx: str, linkedids: Collection[str], since: datetime) -> dict[str, int]:
    """Those of these linkedids that the record has a call of, its own or merged into it, with the interaction's
    id.

    Only calls that began after `since` are looked at. An id has the second of its beginning in it, so it names one
    call whichever run of Asterisk it is from.
    """
    found: dict[str, int] = {}
    for some in chunks(linkedids):
        own = sa.select(i.linkedid, i.id).where(i.pbx == pbx, i.started_at >= since, i.linkedid.in_(some))
        found |= {row.linkedid: row.id for row in await conn.execute(own)}
        merged = (
            sa.select(aliases.c.linkedid, aliases.c.interaction_id)
            .join(interactions, i.id == aliases.c.interaction_id)
            .where(i.pbx == pbx, i.started_at >= since, aliases.c.linkedid.in_(some))
        )
        found |= {row.linkedid: row.interaction_id for row in await conn.execute(merged)}
    return found


async def without_end(conn: Connection, pbx: str, since: datetime, until: datetime) -> list[Interaction]:
    """The calls of a PBX that began between these times, whose end nobody saw and nobody told."""
    query = SELECT.where(
        i.pbx == pbx,
        i.started_at >= since,
        i.started_at <= until,
        i.outcome.is_not(None),
        i.ended_at.is_(None),
        i.complete.is_(False),
        i.told_by.is_(None),
    )
    return await read(conn, query.order_by(i.started_at, i.id))


async def boot_before(conn: Connection, pbx: str, at: datetime) -> int | None:
    """The run of Asterisk in which the last call began that the record has from before `at`."""
    query = sa.select(i.boot).where(i.pbx == pbx, i.started_at <= at, i.boot.is_not(None))
    boot: int | None = await conn.scalar(query.order_by(i.started_at.desc(), i.id.desc()).limit(1))
    return boot


async def fill(conn: Connection, interaction: int, told: Completed) -> None:
    """Write what came of a contact while nobody watched, and its end was seen."""
    await conn.execute(sa.update(interactions).where(i.id == interaction).values(dict(told.values)))
    for position, values in told.segments.items():
        await conn.execute(sa.update(segments).where(*_part(interaction, position)).values(dict(values)))
    await _end_visits(conn, interaction, told)
    await _add(conn, interaction, told)


async def complete(conn: Connection, interaction: int, told: Completed) -> bool:
    """Write the end of a contact that has none. False when it has got one, or was told of, meanwhile."""
    still = sa.and_(i.id == interaction, i.ended_at.is_(None), i.told_by.is_(None), i.complete.is_(False))
    if (await conn.execute(sa.update(interactions).where(still).values(dict(told.values)))).rowcount != 1:
        return False
    for position, values in told.segments.items():
        await conn.execute(sa.update(segments).where(*_part(interaction, position)).values(dict(values)))
    await _end_visits(conn, interaction, told)
    await _add(conn, interaction, told)
    return True


def _part(interaction: int, position: int) -> tuple[sa.ColumnElement[bool], ...]:
    return s.interaction_id == interaction, s.position == position


async def _end_visits(conn: Connection, interaction: int, told: Completed) -> None:
    for position, values in told.visits.items():
        agent = {"agent_id": if_there("agents", values["agent_id"])} if "agent_id" in values else {}
        visit = sa.update(visits).where(v.interaction_id == interaction, v.position == position)
        await conn.execute(visit.values({**values, **agent}))


async def _add(conn: Connection, interaction: int, told: Completed) -> None:
    for table, rows in ((segments, told.new_segments), (visits, told.new_visits)):
        for row in rows:
            values = {name: getattr(row, name) for name in row.__slots__ if name in table.c}
            values["agent_id"] = if_there("agents", row.agent_id)
            await conn.execute(sa.insert(table).values(interaction_id=interaction, **values))
