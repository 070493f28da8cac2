"""Interactions: each contact with a customer, once, and the segment of each agent in it. Written by the
pipeline.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, cast

import sqlalchemy as sa

from cti_server.floor.signals import CallerIdentified
from cti_server.record.contacts.merging import fold
from cti_server.record.contacts.records import CallKey, InteractionRecord, SegmentRecord
from cti_server.record.contacts.tables import KEY, interactions, segments
from cti_server.record.database import Connection
from cti_server.record.schema import Id, if_there, upsert

__all__ = ["CallKey", "InteractionRecord", "SegmentRecord", "add_contact", "identify", "save_calls"]

_WRITTEN = [f.name for f in fields(InteractionRecord) if f.name not in ("aliases", "segments")]
_SEGMENT = [f.name for f in fields(SegmentRecord)]


def _values(record: InteractionRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _WRITTEN} | {"ivr_path": list(record.ivr_path)}


def _segment_values(interaction_id: int, segment: SegmentRecord) -> dict[str, Any]:
    return {name: getattr(segment, name) for name in _SEGMENT} | {"interaction_id": interaction_id}


# Built once for each engine: building them anew took half of each write, and a card waits for up to two writes.
@functools.cache
def _upsert_calls(dialect: str) -> Any:
    statement = upsert(dialect, interactions).values(
        {name: sa.bindparam(name) for name in _WRITTEN}
        | {
            "customer_id": if_there("customers", sa.bindparam("customer_id", type_=Id)),
            "line_id": if_there("lines", sa.bindparam("line_id", type_=Id)),
        }
    )
    new = statement.excluded
    kept = interactions.c.customer_set_at.is_not(None)
    changes: dict[str, Any] = {name: new[name] for name in _WRITTEN if name not in KEY}
    for name in ("customer_id", "match_standing"):
        changes[name] = sa.case((kept, interactions.c[name]), else_=new[name])
    return statement.on_conflict_do_update(index_elements=list(KEY), set_=changes).returning(
        interactions.c.id, interactions.c.pbx, interactions.c.boot, interactions.c.linkedid
    )


@functools.cache
def _upsert_segments(dialect: str) -> Any:
    statement = upsert(dialect, segments).values(
        {name: sa.bindparam(name) for name in ("interaction_id", *_SEGMENT)}
        | {"agent_id": if_there("agents", sa.bindparam("agent_id", type_=Id))}
    )
    new = statement.excluded
    # What a person wrote stands, and so does what they finished: the floor may not have heard of it yet.
    changes = {name: new[name] for name in _SEGMENT if name not in ("position", "note", "wrap_code")}
    finished = segments.c.finished_at.is_not(None)
    changes["note"] = sa.func.coalesce(segments.c.note, new.note)
    # Back in the call after all: there will be more to say. What followed from the first time is made already.
    changes["finished_at"] = sa.case((new.outcome.is_not(None), segments.c.finished_at))
    again = sa.and_(finished, new.outcome.is_(None))
    changes["follow_up"] = sa.case((again, sa.null()), else_=segments.c.follow_up)
    changes["owed"] = sa.case((finished, sa.false()), else_=new.owed)
    changes["wrapped_at"] = sa.case(
        (finished, sa.func.coalesce(new.wrapped_at, segments.c.wrapped_at)), else_=new.wrapped_at
    )
    return statement.on_conflict_do_update(index_elements=["interaction_id", "position"], set_=changes)


async def save_calls(conn: Connection, records: Iterable[InteractionRecord]) -> dict[CallKey, int]:
    """Write these calls as they are now, in the caller's transaction; answer the interaction of each key.

    A few statements for the whole batch. Of two records with one key the last counts. What a person wrote
    (subject, note, whose call it is) is never overwritten. The rows of `aliases` are folded into the call
    that took them in.
    """
    batch = {record.key: record for record in records}
    if not batch:
        return {}
    rows = await conn.execute(_upsert_calls(conn.dialect.name), [_values(record) for record in batch.values()])
    ids: dict[CallKey, int] = {(row.pbx, row.boot, row.linkedid): row.id for row in rows}
    await _save_segments(conn, [(ids[key], s) for key, record in batch.items() for s in record.segments])
    merged = {
        (record.pbx, record.boot, alias): ids[key]
        for key, record in batch.items()
        for alias in record.aliases
        if alias != record.linkedid
    }
    if merged:
        await fold(conn, cast("dict[CallKey, int]", merged))
    return ids


async def identify(conn: Connection, key: CallKey, who: CallerIdentified) -> None:
    """Write what a lookup found that came after its call was over, unless a customer is named already.

    Changes nothing when the call has no row. A customer or line deleted since the lookup is left out.
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


async def _save_segments(conn: Connection, given: Sequence[tuple[int, SegmentRecord]]) -> None:
    if not given:
        return
    await conn.execute(
        _upsert_segments(conn.dialect.name),
        [_segment_values(interaction_id, segment) for interaction_id, segment in given],
    )


async def add_contact(
    conn: Connection, record: InteractionRecord, *, subject: str | None = None, note: str | None = None
) -> int:
    """Record a contact that is not a call of a PBX (email, chat, visit, or a call of the past); answer its
    id.
    """
    values = _values(record) | {"subject": subject, "note": note}
    interaction_id = cast(
        int, await conn.scalar(sa.insert(interactions).values(values).returning(interactions.c.id))
    )
    await _save_segments(conn, [(interaction_id, segment) for segment in record.segments])
    return interaction_id
