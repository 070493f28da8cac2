"""When two calls turn out to be one: what the record has of the younger moves to the older; nothing is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from cti_server.record.contacts.records import CallKey
from cti_server.record.contacts.tables import KEY, aliases, interactions, segments, visits
from cti_server.record.engines import Connection
from cti_server.record.schema import chunks, metadata, upsert

REWRITTEN = (segments, visits)
"""Tables whose rows are not moved: the surviving call has them all among its own, and writes them itself."""


def names_an_interaction() -> list[sa.Column[Any]]:
    """Every column, in any table, that names an interaction and must be moved to the surviving one.

    Such a table may have any number of rows for one interaction. A table that allows only one must be moved by
    hand, as `_move_written` does with what agents wrote in their segments.
    """
    return [
        key.parent
        for table in metadata.sorted_tables
        if table not in REWRITTEN
        for key in table.foreign_keys
        if key.column is interactions.c.id
    ]


async def fold(conn: Connection, merged: Mapping[CallKey, int]) -> None:
    """Make each key an alias of the interaction that its call was merged into.

    The key's own interaction, if there is one, is deleted, after what people wrote in it and every row that names
    it have been moved. Its segments and visits are not moved: by now the surviving call has them among its own.
    """
    statement = upsert(conn.dialect.name, aliases)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=list(KEY), set_={"interaction_id": statement.excluded.interaction_id}
        ),
        [dict(zip(KEY, key, strict=True), interaction_id=target) for key, target in merged.items()],
    )
    own_key = sa.tuple_(*(interactions.c[name] for name in KEY))
    query = sa.select(interactions.c.id, *(interactions.c[name] for name in KEY), interactions.c.note)
    found = [row for keys in chunks(merged) for row in await conn.execute(query.where(own_key.in_(keys)))]
    for row in found:
        target = merged[(row.pbx, row.boot, row.linkedid)]
        if row.note:
            await _append_note(conn, target, row.note)
        await _move_written(conn, row.id, target)
        for column in names_an_interaction():
            await conn.execute(sa.update(column.table).where(column == row.id).values({column: target}))
        await conn.execute(sa.delete(interactions).where(interactions.c.id == row.id))


async def _append_note(conn: Connection, interaction_id: int, text: str) -> None:
    both = sa.func.coalesce(interactions.c.note + "\n", "") + text
    await conn.execute(sa.update(interactions).where(interactions.c.id == interaction_id).values(note=both))


async def _move_written(conn: Connection, source: int, target: int) -> None:
    """Move what agents wrote in their segments to their segments of the target; without one, to its note."""
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
    """The new values of `part` when `row`, the same agent's segment in a call that was merged, is added to it."""
    values = {
        "note": "\n".join(dict.fromkeys(text for text in (part.note, row.note) if text)) or None,
        "wrap_code": part.wrap_code or row.wrap_code,
    }
    if row.finished_at is None:
        if part.finished_at is None:
            return values | {"follow_up": part.follow_up or row.follow_up}
        # This one is finished, but the other's follow-up has not been made: there is something to do again.
        return values if row.follow_up is None else values | {"follow_up": row.follow_up, "finished_at": None}
    if part.finished_at is None and part.follow_up is None and part.outcome is not None:
        done = {"finished_at": row.finished_at, "wrapped_at": part.wrapped_at or row.wrapped_at, "owed": False}
        return values | done | {"follow_up": row.follow_up}
    return values  # the other's follow-up has been made already
