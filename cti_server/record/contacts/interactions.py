"""Interactions: each contact with a customer, once, and the segment of each agent in it. Written by the
pipeline.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias, cast

import sqlalchemy as sa

from cti_server.floor.signals import CallerIdentified
from cti_server.record.database import Connection
from cti_server.record.schema import (
    CleanText,
    Id,
    UtcDateTime,
    chunks,
    customer_column,
    id_column,
    if_there,
    metadata,
    upsert,
)
from cti_server.rules.facts import Channel, Direction, Outcome

interactions = sa.Table(
    "interactions",
    metadata,
    id_column(),
    sa.Column("channel", CleanText, nullable=False),
    sa.Column("direction", CleanText, nullable=False),
    sa.Column("pbx", CleanText),
    sa.Column("boot", sa.BigInteger),
    sa.Column("linkedid", CleanText),
    customer_column(nullable=True, index=False, on_delete="SET NULL"),
    sa.Column("match_standing", CleanText),
    sa.Column("customer_set_at", UtcDateTime),  # a person said whose it is; what the pipeline knows stands back
    sa.Column("ani_raw", CleanText),
    sa.Column("ani_e164", CleanText, index=True),
    sa.Column("ani_name", CleanText),
    sa.Column("dnis", CleanText),
    sa.Column("line_id", Id, sa.ForeignKey("lines.id", ondelete="SET NULL")),
    sa.Column("queue", CleanText),
    sa.Column("ivr_path", sa.JSON, nullable=False),
    sa.Column("language", CleanText),
    sa.Column("verdict", sa.JSON(none_as_null=True)),
    sa.Column("subject", CleanText),
    sa.Column("note", CleanText),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("queued_at", UtcDateTime),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("wait_ms", sa.BigInteger),
    sa.Column("ring_ms", sa.BigInteger),
    sa.Column("talk_ms", sa.BigInteger),
    sa.Column("hold_ms", sa.BigInteger),
    sa.Column("ended_by", CleanText),
    sa.Column("outcome", CleanText),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.UniqueConstraint("pbx", "boot", "linkedid"),
    sa.Index("ix_interactions_started_at_id", "started_at", "id"),
    sa.Index("ix_interactions_customer_id_started_at_id", "customer_id", "started_at", "id"),
    sa.Index(
        "ix_interactions_open",
        "pbx",
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    ),
    sqlite_autoincrement=True,  # an id is never given to another contact
)

aliases = sa.Table(
    "interaction_aliases",
    metadata,
    sa.Column("pbx", CleanText, primary_key=True),
    sa.Column("boot", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("linkedid", CleanText, primary_key=True),
    sa.Column(
        "interaction_id", Id, sa.ForeignKey("interactions.id", ondelete="CASCADE"), nullable=False, index=True
    ),
)

segments = sa.Table(
    "segments",
    metadata,
    id_column(),
    sa.Column("interaction_id", Id, sa.ForeignKey("interactions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="SET NULL")),
    sa.Column("seat", CleanText),
    sa.Column("queue", CleanText),
    sa.Column("origin", CleanText, nullable=False),
    sa.Column("offered_at", UtcDateTime),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("ring_ms", sa.BigInteger),
    sa.Column("talk_ms", sa.BigInteger),
    sa.Column("hold_ms", sa.BigInteger),
    sa.Column("outcome", CleanText),
    sa.Column("wrapped_at", UtcDateTime),
    sa.Column("note", CleanText),  # this agent's, from the first letter on
    sa.Column("wrap_code", CleanText),
    sa.Column("wrap_ends_at", UtcDateTime),
    sa.Column("follow_up", sa.JSON(none_as_null=True)),
    sa.Column("owed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("finished_at", UtcDateTime),  # the agent said that nothing is missing; what they said stands
    sa.UniqueConstraint("interaction_id", "position"),
    sa.Index("ix_segments_agent_id_interaction_id", "agent_id", "interaction_id"),
    sa.Index(
        "ix_segments_unwrapped",
        "agent_id",
        "ended_at",
        sqlite_where=sa.text("wrapped_at IS NULL"),
        postgresql_where=sa.text("wrapped_at IS NULL"),
    ),
    sa.Index(
        "ix_segments_unfinished",
        "agent_id",
        "ended_at",
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    ),
)

CallKey: TypeAlias = tuple[str, int, str]
"""(pbx, boot, linkedid): what makes a call one call."""
EndedBy = Literal["caller", "agent", "system", "other", "unknown"]
MatchStanding = Literal["verified", "shared", "guess", "none", "pending"]
Origin = Literal["offer", "transfer", "consult", "pickup", "outbound", "internal", "conference"]
SegmentOutcome = Literal[
    "answered",
    "no_answer",
    "answered_elsewhere",
    "rejected",
    "caller_left",
    "unavailable",
    "transferred",
    "unseen",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRecord:
    """One agent's part. `position` counts from 0 and does not change; `outcome` None while it goes on.

    `wrap_ends_at` is when the time for wrap-up is over; `owed` says that it ended without the code it needs.
    """

    position: int
    origin: Origin
    agent_id: int | None = None
    seat: str | None = None
    queue: str | None = None
    offered_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ring_ms: int | None = None
    talk_ms: int | None = None
    hold_ms: int | None = None
    outcome: SegmentOutcome | None = None
    wrapped_at: datetime | None = None
    note: str | None = None
    wrap_code: str | None = None
    wrap_ends_at: datetime | None = None
    owed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionRecord:
    """One contact as it is written. `outcome` is None while it goes on; `complete` is true once its end was
    seen.

    Voice has (pbx, boot, linkedid); the other channels have none of the three. `aliases` are linkedids that
    were merged into this call. `verdict` and the steps of `ivr_path` are JSON.
    """

    channel: Channel = "voice"
    direction: Direction = "inbound"
    pbx: str | None = None
    boot: int | None = None
    linkedid: str | None = None
    customer_id: int | None = None
    match_standing: MatchStanding | None = None
    ani_raw: str | None = None
    ani_e164: str | None = None
    ani_name: str | None = None
    dnis: str | None = None
    line_id: int | None = None
    queue: str | None = None
    ivr_path: Sequence[dict[str, Any]] = ()
    language: str | None = None
    verdict: dict[str, Any] | None = None
    started_at: datetime
    queued_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    wait_ms: int | None = None
    ring_ms: int | None = None
    talk_ms: int | None = None
    hold_ms: int | None = None
    ended_by: EndedBy | None = None
    outcome: Outcome | None = None
    complete: bool = False
    aliases: tuple[str, ...] = ()
    segments: tuple[SegmentRecord, ...] = ()

    @property
    def key(self) -> CallKey:
        if self.pbx is None or self.boot is None or self.linkedid is None:
            raise ValueError("only a call of a PBX has a key")
        return self.pbx, self.boot, self.linkedid


_WRITTEN = [f.name for f in fields(InteractionRecord) if f.name not in ("aliases", "segments")]
_SEGMENT = [f.name for f in fields(SegmentRecord)]
_KEY = ("pbx", "boot", "linkedid")
# What else names a contact, and goes with it when it becomes part of another.
_OF_INTERACTIONS = [sa.table(name, sa.column("interaction_id", Id)) for name in ("promises", "help_requests")]


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
    changes: dict[str, Any] = {name: new[name] for name in _WRITTEN if name not in _KEY}
    for name in ("customer_id", "match_standing"):
        changes[name] = sa.case((kept, interactions.c[name]), else_=new[name])
    return statement.on_conflict_do_update(index_elements=list(_KEY), set_=changes).returning(
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
        await _fold(conn, cast("dict[CallKey, int]", merged))
    return ids


async def identify(conn: Connection, key: CallKey, who: CallerIdentified) -> None:
    """Write what a lookup found that came after its call was over, unless a customer is named already.

    Changes nothing when the call has no row. A customer or line deleted since the lookup is left out.
    """
    own = sa.and_(*(interactions.c[name] == value for name, value in zip(_KEY, key, strict=True)))
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


async def _fold(conn: Connection, merged: dict[CallKey, int]) -> None:
    """Make the keys aliases of the calls they merged into, and their own rows, if there are any, part of
    those.
    """
    statement = upsert(conn.dialect.name, aliases)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=list(_KEY), set_={"interaction_id": statement.excluded.interaction_id}
        ),
        [dict(zip(_KEY, key, strict=True), interaction_id=target) for key, target in merged.items()],
    )
    own_key = sa.tuple_(*(interactions.c[name] for name in _KEY))
    query = sa.select(interactions.c.id, *(interactions.c[name] for name in _KEY), interactions.c.note)
    found = [row for keys in chunks(merged) for row in await conn.execute(query.where(own_key.in_(keys)))]
    for row in found:
        target = merged[(row.pbx, row.boot, row.linkedid)]
        if row.note:
            await _append_note(conn, target, row.note)
        await _move_written(conn, row.id, target)
        for table in _OF_INTERACTIONS:
            of_it = sa.update(table).where(table.c.interaction_id == row.id)
            await conn.execute(of_it.values(interaction_id=target))
        await conn.execute(
            sa.update(aliases).where(aliases.c.interaction_id == row.id).values(interaction_id=target)
        )
        await conn.execute(sa.delete(interactions).where(interactions.c.id == row.id))


async def _append_note(conn: Connection, interaction_id: int, text: str) -> None:
    both = sa.func.coalesce(interactions.c.note + "\n", "") + text
    await conn.execute(sa.update(interactions).where(interactions.c.id == interaction_id).values(note=both))


async def _move_written(conn: Connection, source: int, target: int) -> None:
    """What agents wrote of their part in the one goes to their part in the other; nothing is lost."""
    c = segments.c
    wrote = sa.or_(*(c[name].is_not(None) for name in ("note", "wrap_code", "follow_up", "finished_at")))
    written = sa.select(segments).where(c.interaction_id == source, wrote).order_by(c.position)
    for row in (await conn.execute(written)).all():
        theirs = (
            sa.select(segments)
            .where(c.interaction_id == target, c.agent_id == row.agent_id)
            .order_by(c.answered_at.is_(None), c.position.desc())
            .limit(1)
        )
        part = (await conn.execute(theirs)).one_or_none()
        if part is not None:
            await conn.execute(sa.update(segments).where(c.id == part.id).values(_both(part, row)))
        elif row.note:
            await _append_note(conn, target, row.note)


def _both(part: Any, row: Any) -> dict[str, Any]:
    """What stands in `part` when `row`, of the same agent in a call that merged into this one, comes to it."""
    values = {
        "note": "\n".join(dict.fromkeys(text for text in (part.note, row.note) if text)) or None,
        "wrap_code": part.wrap_code or row.wrap_code,
    }
    if row.finished_at is None:
        if part.finished_at is None:
            return values | {"follow_up": part.follow_up or row.follow_up}
        # Finished here, but not what was to follow there: there is something to do again.
        return values if row.follow_up is None else values | {"follow_up": row.follow_up, "finished_at": None}
    if part.finished_at is None and part.follow_up is None and part.outcome is not None:
        done = {"finished_at": row.finished_at, "wrapped_at": part.wrapped_at or row.wrapped_at, "owed": False}
        return values | done | {"follow_up": row.follow_up}
    return values  # what followed there is made already


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
