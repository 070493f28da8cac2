"""Writes interactions: each contact once, with a segment for each agent in it and its visits to queues."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, cast

import sqlalchemy as sa

from cti_server.floor.signals import CallerIdentified
from cti_server.record import swift
from cti_server.record.contacts.merging import fold
from cti_server.record.contacts.records import (
    OF_INTERACTION,
    OF_SEGMENT,
    OF_VISIT,
    CallKey,
    InteractionRecord,
    SegmentRecord,
    VisitRecord,
)
from cti_server.record.contacts.tables import KEY, aliases, interactions, segments, visits
from cti_server.record.engines import Connection
from cti_server.record.schema import Id, if_there, upsert

__all__ = ["CallKey", "InteractionRecord", "SegmentRecord", "VisitRecord", "add_contact", "identify", "save_calls"]


def _values(record: InteractionRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in OF_INTERACTION} | {"ivr_path": list(record.ivr_path)}


# The statements are built once per engine: building them took half of each write, and a card waits for up to two
# writes.
def _insert_calls(dialect: str) -> Any:
    return upsert(dialect, interactions).values(
        {name: sa.bindparam(name) for name in OF_INTERACTION}
        | {
            "customer_id": if_there("customers", sa.bindparam("customer_id", type_=Id)),
            "line_id": if_there("lines", sa.bindparam("line_id", type_=Id)),
        }
    )


@functools.cache
def _upsert_calls(dialect: str) -> Any:
    statement = _insert_calls(dialect)
    new = statement.excluded
    kept = interactions.c.customer_set_at.is_not(None)
    changes: dict[str, Any] = {name: new[name] for name in OF_INTERACTION if name not in KEY}
    changes["told_by"] = sa.func.coalesce(interactions.c.told_by, new.told_by)
    for name in ("customer_id", "match_standing"):
        changes[name] = sa.case((kept, interactions.c[name]), else_=new[name])
    return statement.on_conflict_do_update(index_elements=list(KEY), set_=changes).returning(
        interactions.c.id, interactions.c.pbx, interactions.c.boot, interactions.c.linkedid
    )


@functools.cache
def _upsert_segments(dialect: str) -> Any:
    statement = upsert(dialect, segments).values(
        {name: sa.bindparam(name) for name in ("interaction_id", *OF_SEGMENT)}
        | {"agent_id": if_there("agents", sa.bindparam("agent_id", type_=Id))}
    )
    new = statement.excluded
    # What a person wrote or finished is kept: the floor may not know of it yet.
    changes = {name: new[name] for name in OF_SEGMENT if name not in ("position", "note", "wrap_code")}
    finished = segments.c.finished_at.is_not(None)
    changes["note"] = sa.func.coalesce(segments.c.note, new.note)
    # An agent who is back in the call will have more to say. The first time's follow-up has been made already.
    changes["finished_at"] = sa.case((new.outcome.is_not(None), segments.c.finished_at))
    again = sa.and_(finished, new.outcome.is_(None))
    changes["follow_up"] = sa.case((again, sa.null()), else_=segments.c.follow_up)
    changes["owed"] = sa.case((finished, sa.false()), else_=new.owed)
    changes["wrapped_at"] = sa.case(
        (finished, sa.func.coalesce(new.wrapped_at, segments.c.wrapped_at)), else_=new.wrapped_at
    )
    return statement.on_conflict_do_update(index_elements=["interaction_id", "position"], set_=changes)


@functools.cache
def _upsert_visits(dialect: str) -> Any:
    statement = upsert(dialect, visits).values(
        {name: sa.bindparam(name) for name in ("interaction_id", *OF_VISIT)}
        | {"agent_id": if_there("agents", sa.bindparam("agent_id", type_=Id))}
    )
    changes = {name: statement.excluded[name] for name in OF_VISIT if name != "position"}
    return statement.on_conflict_do_update(index_elements=["interaction_id", "position"], set_=changes)


async def save_calls(conn: Connection, records: Iterable[InteractionRecord]) -> dict[CallKey, int]:
    """Write these calls as they are now, in the caller's transaction; returns the interaction id of each key.

    The whole batch takes a few statements. Of two records with the same key the last one counts. What a person
    wrote (subject, note, whose call it is) is never overwritten. Interactions of `aliases` are folded into the
    call that took them in.
    """
    batch = {record.key: record for record in records}
    if not batch:
        return {}
    rows = await swift.run(conn, _upsert_calls(conn.dialect.name), [_values(record) for record in batch.values()])
    ids: dict[CallKey, int] = {(pbx, boot, linkedid): number for number, pbx, boot, linkedid in rows}
    await _save_parts(conn, [(ids[key], record) for key, record in batch.items()])
    merged = {
        (record.pbx, record.boot, alias): ids[key]
        for key, record in batch.items()
        for alias in record.aliases
        if alias != record.linkedid
    }
    if merged:
        await fold(conn, cast("dict[CallKey, int]", merged))
    return ids


async def add_new(conn: Connection, records: Iterable[InteractionRecord]) -> list[CallKey]:
    """Write those of these calls whose key the record has not, with their parts and aliases; returns their keys.

    What is there stays as it is, an alias that names another call included.
    """
    added: list[CallKey] = []
    for record in records:
        statement = _insert_calls(conn.dialect.name).on_conflict_do_nothing().returning(interactions.c.id)
        number = await conn.scalar(statement, _values(record))
        if number is None:
            continue
        added.append(record.key)
        await _save_parts(conn, [(number, record)])
        names = [
            {"pbx": record.pbx, "boot": record.boot, "linkedid": alias, "interaction_id": number}
            for alias in record.aliases
            if alias != record.linkedid
        ]
        if names:
            await conn.execute(upsert(conn.dialect.name, aliases).on_conflict_do_nothing(), names)
    return added


async def identify(conn: Connection, key: CallKey, who: CallerIdentified) -> None:
    """Write the result of a lookup that came after its call was over, unless the call already has a customer.

    Changes nothing when the call has no interaction. A customer or line deleted since the lookup is left out.
    """
    own = sa.and_(*(interactions.c[name] == value for name, value in zip(KEY, key, strict=True)))
    unknown = sa.and_(interactions.c.customer_id.is_(None), interactions.c.customer_set_at.is_(None))
    values = {
        "customer_id": if_there("customers", who.customer["id"] if who.customer is not None else None),
        "match_standing": who.match,
        "verdict": who.verdict,
        "ani_e164": who.ani,
        "line_id": if_there("lines", who.line),
    }
    await conn.execute(sa.update(interactions).where(own, unknown).values(values))


async def _save_parts(conn: Connection, given: Sequence[tuple[int, InteractionRecord]]) -> None:
    """Write the segments and visits of these interactions. A position that has been written is never removed."""
    segments_of = [_row(number, OF_SEGMENT, s) for number, record in given for s in record.segments]
    visits_of = [_row(number, OF_VISIT, v) for number, record in given for v in record.visits]
    for statement, rows in ((_upsert_segments, segments_of), (_upsert_visits, visits_of)):
        if rows:
            await swift.run(conn, statement(conn.dialect.name), rows)


def _row(interaction_id: int, names: Sequence[str], of: SegmentRecord | VisitRecord) -> dict[str, Any]:
    return {name: getattr(of, name) for name in names} | {"interaction_id": interaction_id}


async def add_contact(
    conn: Connection, record: InteractionRecord, *, subject: str | None = None, note: str | None = None
) -> int:
    """Record a contact that is not a live call of a PBX (email, chat, visit, a past call); returns its id."""
    values = _values(record) | {"subject": subject, "note": note}
    interaction_id = cast(
        int, await conn.scalar(sa.insert(interactions).values(values).returning(interactions.c.id))
    )
    await _save_parts(conn, [(interaction_id, record)])
    return interaction_id
