"""History: interactions as they are read back, in pages, and what a person at the desk may change in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.contacts.briefs import of_customer, together
from cti_server.record.contacts.mentions import mentions, narrowed
from cti_server.record.contacts.records import (
    OF_INTERACTION,
    OF_SEGMENT,
    OF_VISIT,
    CallKey,
    InteractionRecord,
    MatchStanding,
    SegmentRecord,
    VisitRecord,
)
from cti_server.record.contacts.tables import aliases, interactions, segments, visits
from cti_server.record.crm.customers import customers
from cti_server.record.cursor import Page, bounded, cut, decode
from cti_server.record.engines import Connection
from cti_server.record.schema import chunks
from cti_server.rules.facts import Channel, Direction, Outcome

i, s = interactions.c, segments.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(SegmentRecord):
    """A segment as read, with the agent's name. `interaction_id` is the contact that it is a part of."""

    id: int
    interaction_id: int
    agent_name: str | None = None
    follow_up: dict[str, Any] | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit(VisitRecord):
    """A visit as read, with the name of who answered."""

    agent_name: str | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A contact whose customer an agent joined to another's: its interaction, whose it is, and the number at the
    other end."""

    interaction_id: int
    customer_id: int | None
    customer_name: str | None
    number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction(InteractionRecord):
    """A contact as read, with its id, names and what people wrote about it; open while `outcome` is None.

    `note` joins all notes: `own_note`, the one on the contact itself, then each agent's on their part.
    `joined_with` are the contacts of `joined` that the record still has.
    """

    id: int
    customer_name: str | None = None
    customer_tier: str | None = None
    subject: str | None = None
    own_note: str | None = None
    note: str | None = None
    joined_with: tuple[Joined, ...] = ()
    segments: tuple[Segment, ...] = ()
    visits: tuple[Visit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which interactions to list; a field that is None does not filter. `since` is included, `until` is not.

    `q` is a fragment of a number (three digits or more), part of the caller's name, of the subject or of a note,
    or what the customer is found by; of a number only the whole one with `whole_numbers`. To look for it may take
    long: `Database.read_within`. `agent_id` means that one of the segments was offered to them. `of` are agents
    and queues (as `pbx/queue`), of whom one had it.
    """

    since: datetime | None = None
    until: datetime | None = None
    agent_id: int | None = None
    queue: str | None = None
    outcome: Outcome | None = None
    channel: Channel | None = None
    direction: Direction | None = None
    customer_id: int | None = None
    q: str | None = None
    whole_numbers: bool = False
    of: tuple[frozenset[int], frozenset[str]] | None = None


_EQUAL = ("queue", "outcome", "channel", "direction", "customer_id")
SELECT = sa.select(
    interactions, customers.c.name.label("customer_name"), customers.c.tier.label("customer_tier")
).outerjoin_from(interactions, customers, customers.c.id == i.customer_id)


async def get(conn: Connection, interaction_id: int) -> Interaction | None:
    """One interaction with its segments and visits."""
    found = await read(conn, SELECT.where(i.id == interaction_id))
    return found[0] if found else None


async def by_key(conn: Connection, key: CallKey) -> Interaction | None:
    """The interaction of a call, found by its own linkedid or by one that was merged into it."""
    found = await read(conn, SELECT.where(_is_call(key)))
    return found[0] if found else None


def _is_call(key: CallKey) -> sa.ColumnElement[bool]:
    merged = sa.select(aliases.c.interaction_id).where(
        aliases.c.pbx == key[0], aliases.c.boot == key[1], aliases.c.linkedid == key[2]
    )
    own = sa.and_(i.pbx == key[0], i.boot == key[1], i.linkedid == key[2])
    return sa.or_(own, i.id.in_(merged))


async def page(conn: Connection, wanted: Filter, cursor: str | None = None, limit: int = 50) -> Page[Interaction]:
    """The interactions that pass the filter, the latest first. Raises BadCursor."""
    conditions = _conditions(wanted)
    if wanted.q and (q := wanted.q.strip()):
        conditions.append(mentions(q, conn.dialect.name, whole_numbers=wanted.whole_numbers))
        if (few := await narrowed(conn, q)) is not None:
            conditions.append(few)
    return await _page(conn, SELECT.where(*conditions), cursor, limit)


async def timeline(
    conn: Connection, customer_id: int, cursor: str | None = None, limit: int = 50
) -> Page[Interaction]:
    """All contacts with one customer, and with a company's people, the latest first. Raises BadCursor."""
    return await _page(conn, SELECT.where(of_customer(customer_id)), cursor, limit)


async def unwrapped(conn: Connection, agent_id: int, since: datetime) -> list[Segment]:
    """The agent's segments that were answered, ended since then, and are not wrapped up, the oldest first."""
    query = (
        sa.select(segments, agents.c.name.label("agent_name"))
        .join_from(segments, agents, agents.c.id == s.agent_id)
        .where(s.agent_id == agent_id, s.answered_at.is_not(None), s.wrapped_at.is_(None), s.ended_at >= since)
        .order_by(s.ended_at, s.id)
    )
    return [segment_of(row) for row in await conn.execute(query)]


async def reassociate(
    conn: Connection,
    interaction_id: int,
    customer_id: int | None,
    at: datetime,
    standing: MatchStanding = "verified",
) -> bool:
    """A person says whose contact this was; from now on `save_calls` leaves that alone. False if there is no such
    interaction.
    """
    changed = await conn.execute(
        sa.update(interactions)
        .where(i.id == interaction_id)
        .values(customer_id=customer_id, match_standing=standing if customer_id else "none", customer_set_at=at)
    )
    return changed.rowcount == 1


async def set_note(conn: Connection, interaction_id: int, text: str | None) -> bool:
    """Replace the note on the interaction itself; agents' notes stay. False if there is no such interaction."""
    statement = sa.update(interactions).where(i.id == interaction_id).values(note=text or None)
    return (await conn.execute(statement)).rowcount == 1


def is_finished(part: Segment) -> bool:
    """The same of a segment that was read."""
    return part.finished_at is not None or part.wrapped_at is not None


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(i.started_at >= wanted.since)
    if wanted.until is not None:
        found.append(i.started_at < wanted.until)
    found += [i[name] == value for name in _EQUAL if (value := getattr(wanted, name)) is not None]
    if wanted.agent_id is not None:
        found.append(i.id.in_(sa.select(s.interaction_id).where(s.agent_id == wanted.agent_id)))
    if wanted.of is not None:
        agents_of, queues_of = wanted.of
        had = sa.select(s.interaction_id).where(s.agent_id.in_(agents_of))
        waited = sa.select(visits.c.interaction_id).where(
            visits.c.interaction_id == i.id, (i.pbx + "/" + visits.c.queue).in_(queues_of)
        )
        found.append(sa.or_(i.id.in_(had), waited.exists()))
    return found


async def _page(conn: Connection, query: Any, cursor: str | None, limit: int) -> Page[Interaction]:
    if cursor is not None:
        at, last = decode(cursor, datetime, int)
        query = query.where(i.started_at <= at, sa.or_(i.started_at < at, i.id < last))
    limit = bounded(limit)
    found = await read(conn, query.order_by(i.started_at.desc(), i.id.desc()).limit(limit + 1))
    return cut(found, limit, lambda item: item.started_at, lambda item: item.id)


async def read(conn: Connection, query: Any, *, with_aliases: bool = False) -> list[Interaction]:
    """The interactions that a query built on SELECT finds, with their segments and visits."""
    rows = (await conn.execute(query)).all()
    ids = [row.id for row in rows]
    parts, waits = await _segments(conn, ids), await _visits(conn, ids)
    merged = await _aliases(conn, ids) if with_aliases else {}
    others = await _contacts_of(conn, {call for row in rows for call in row.joined or ()})
    return [
        Interaction(
            id=row.id,
            customer_name=row.customer_name,
            customer_tier=row.customer_tier,
            subject=row.subject,
            own_note=row.note,
            note=together(row.note, *(part.note for part in parts.get(row.id, ()))),
            aliases=tuple(merged.get(row.id, ())),
            joined_with=tuple(others[call] for call in row.joined or () if call in others),
            segments=tuple(parts.get(row.id, ())),
            visits=tuple(waits.get(row.id, ())),
            **{name: getattr(row, name) for name in OF_INTERACTION},
        )
        for row in rows
    ]


async def _segments(conn: Connection, ids: Sequence[int]) -> dict[int, list[Segment]]:
    found: dict[int, list[Segment]] = {}
    query = sa.select(segments, agents.c.name.label("agent_name")).order_by(s.interaction_id, s.position)
    query = query.outerjoin_from(segments, agents, agents.c.id == s.agent_id)
    for some in chunks(ids):
        for row in await conn.execute(query.where(s.interaction_id.in_(some))):
            found.setdefault(row.interaction_id, []).append(segment_of(row))
    return found


async def _visits(conn: Connection, ids: Sequence[int]) -> dict[int, list[Visit]]:
    found: dict[int, list[Visit]] = {}
    v = visits.c
    query = sa.select(visits, agents.c.name.label("agent_name")).order_by(v.interaction_id, v.position)
    query = query.outerjoin_from(visits, agents, agents.c.id == v.agent_id)
    for some in chunks(ids):
        for row in await conn.execute(query.where(v.interaction_id.in_(some))):
            visit = Visit(agent_name=row.agent_name, **{name: getattr(row, name) for name in OF_VISIT})
            found.setdefault(row.interaction_id, []).append(visit)
    return found


async def _contacts_of(conn: Connection, calls: Collection[str]) -> dict[str, Joined]:
    """The contact of each of these calls, by its own linkedid or by one that was merged into it."""
    found: dict[str, Joined] = {}
    for call in calls:
        pbx, boot, linkedid = call.split(":", 2)
        if (other := await _contact_of(conn, (pbx, int(boot), linkedid))) is not None:
            found[call] = other
    return found


async def _contact_of(conn: Connection, key: CallKey) -> Joined | None:
    number = sa.case((i.direction == "outbound", i.dnis), else_=i.ani_e164)
    query = sa.select(i.id, i.customer_id, customers.c.name, number.label("number"))
    query = query.outerjoin_from(interactions, customers, customers.c.id == i.customer_id).where(_is_call(key))
    row = (await conn.execute(query)).one_or_none()
    return Joined(row.id, row.customer_id, row.name, row.number) if row is not None else None


async def _aliases(conn: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = sa.select(aliases).order_by(aliases.c.linkedid)
    for some in chunks(ids):
        for row in await conn.execute(query.where(aliases.c.interaction_id.in_(some))):
            found.setdefault(row.interaction_id, []).append(row.linkedid)
    return found


def segment_of(row: Any) -> Segment:
    return Segment(
        id=row.id,
        interaction_id=row.interaction_id,
        agent_name=row.agent_name,
        follow_up=row.follow_up,
        finished_at=row.finished_at,
        **{name: getattr(row, name) for name in OF_SEGMENT},
    )
