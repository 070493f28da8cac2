"""Wrap-up in the record: each agent's draft in their segment, what they have finished, and what they still owe.

The floor decides when wrap-up ends. What agents type is kept here, so that it survives a crash, and the call too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa

from cti_server.record.center import wrap_up_codes
from cti_server.record.center.agents import agents
from cti_server.record.center.queues import queues
from cti_server.record.contacts.history import SELECT, Interaction, Segment, read, segment_of
from cti_server.record.contacts.tables import interactions, segments
from cti_server.record.engines import Connection

s = segments.c
MAX_OWED = 200


async def mine(conn: Connection, interaction_id: int, agent_id: int) -> Segment | None:
    """The agent's segment of a contact; of several, the one that `that_counts` chooses. None when the contact was
    never offered to them."""
    query = (
        sa.select(segments, agents.c.name.label("agent_name"))
        .join_from(segments, agents, agents.c.id == s.agent_id)
        .where(s.interaction_id == interaction_id, s.agent_id == agent_id)
    )
    return that_counts([segment_of(row) for row in await conn.execute(query)])


def that_counts(parts: Iterable[Segment]) -> Segment | None:
    """Of one agent's segments of one contact, the one that their draft belongs to; None of none.

    Answered segments come first, then unfinished ones, then those with something written: a call that comes back
    to an agent goes on with the same draft. Among equals the last one is chosen.
    """

    def rank(part: Segment) -> tuple[bool, bool, bool, int]:
        written = part.note is not None or part.wrap_code is not None or part.follow_up is not None
        return part.answered_at is not None, part.finished_at is None, written, part.position

    return max(parts, key=rank, default=None)


async def set_note(conn: Connection, segment_id: int, text: str | None) -> None:
    """Replace the agent's note on their part of a contact, finished or not."""
    await conn.execute(sa.update(segments).where(s.id == segment_id).values(note=text or None))


ANY: Final = object()


async def save_draft(
    conn: Connection, segment_id: int, changes: dict[str, Any], base: str | object | None = ANY
) -> bool:
    """Save `note`, `wrap_code`, `follow_up` as typed. With `base`, only if the stored note is still `base`.

    False, with nothing saved, when the agent has finished the part in the meantime, or has typed another note in
    another window.
    """
    wanted = [s.id == segment_id, s.finished_at.is_(None)]
    if base is not ANY and "note" in changes:
        same = s.note.is_not_distinct_from(base or None)
        wanted.append(sa.or_(same, s.note.is_not_distinct_from(changes["note"])))
    return (await conn.execute(sa.update(segments).where(*wanted).values(changes))).rowcount == 1


async def finish(
    conn: Connection,
    segment_id: int,
    at: datetime,
    *,
    note: str | None,
    wrap_code: str | None,
    follow_up: dict[str, Any] | None,
    wrapped_at: datetime | None = None,
) -> bool:
    """Finish the part: write the agent's note, code and follow-up, and that nothing is owed.

    `wrapped_at` is used where the record does not know when wrap-up ended; it defaults to `at`. False when the
    part is already finished, so of two concurrent callers only one gets True.
    """
    unfinished = sa.and_(s.id == segment_id, s.finished_at.is_(None))
    values = {
        "note": note or None,
        "wrap_code": wrap_code,
        "follow_up": follow_up,
        "owed": False,
        "finished_at": at,
        "wrapped_at": sa.func.coalesce(s.wrapped_at, wrapped_at or at),
    }
    return (await conn.execute(sa.update(segments).where(unfinished).values(values))).rowcount == 1


async def finish_others(conn: Connection, part: Segment, at: datetime) -> None:
    """Finish the agent's other parts of the same contact, if they answered them and they are over.

    Call it after `finish`: an agent whom one call reached twice wraps it up once. A part with a follow-up in its
    draft stays unfinished, because that follow-up has not been made yet.
    """
    theirs = (s.interaction_id == part.interaction_id, s.agent_id == part.agent_id, s.id != part.id)
    over = (s.finished_at.is_(None), s.answered_at.is_not(None), s.outcome.is_not(None), s.follow_up.is_(None))
    values = {"owed": False, "finished_at": at, "wrapped_at": sa.func.coalesce(s.wrapped_at, s.ended_at, at)}
    await conn.execute(sa.update(segments).where(*theirs, *over).values(values))


async def keep_follow_up(conn: Connection, segment_id: int, follow_up: dict[str, Any]) -> None:
    """Replace the follow-up once it has been made, with the id of its promise or case in it."""
    await conn.execute(sa.update(segments).where(s.id == segment_id).values(follow_up=follow_up))


async def need_code(conn: Connection) -> frozenset[tuple[str, str]]:
    """The queues whose calls need a code, as (pbx, queue)."""
    rows = await conn.execute(sa.select(queues.c.pbx, queues.c.name).where(queues.c.wrap_up_code_required))
    return frozenset((row.pbx, row.name) for row in rows)


async def may_use(conn: Connection, code: str, of: Collection[str]) -> bool:
    """Whether this code can be chosen for a call of these queues: it is in use, and not the parent of others."""
    codes = await wrap_up_codes.all_codes(conn)
    usable = [entry for entry in codes if entry.active and (entry.queue is None or entry.queue in of)]
    return any(entry.code == code for entry in usable) and all(entry.parent != code for entry in usable)


async def owed(conn: Connection, agent_id: int, live: Collection[int] = ()) -> list[Interaction]:
    """The contacts that the agent owes, the oldest first. `live` are interactions still on the floor, which do not
    count."""
    query = SELECT.where(interactions.c.id.in_(_owed(agent_id, live))).order_by(
        interactions.c.started_at, interactions.c.id
    )
    return await read(conn, query.limit(MAX_OWED))


async def count_owed(conn: Connection, agent_id: int, live: Collection[int] = ()) -> int:
    query = sa.select(sa.func.count(sa.distinct(s.interaction_id))).where(*_unfinished(agent_id, live))
    return cast(int, await conn.scalar(query))


async def unfinished(conn: Connection, agent_ids: Collection[int]) -> dict[int, set[int]]:
    """For each agent, the contacts that they answered but have not finished, those still on the floor included."""
    query = sa.select(s.agent_id, s.interaction_id).where(s.agent_id.in_(agent_ids), *_open_ends())
    found: dict[int, set[int]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.agent_id, set()).add(row.interaction_id)
    return found


def _owed(agent_id: int, live: Collection[int]) -> Any:
    return sa.select(s.interaction_id).where(*_unfinished(agent_id, live))


def _unfinished(agent_id: int, live: Collection[int]) -> list[sa.ColumnElement[bool]]:
    """The conditions for an owed part: answered and over, with a code, a follow-up or wrap-up still open.

    `live` are interactions that are still on the floor: nothing is owed of those yet.
    """
    return [s.agent_id == agent_id, *_open_ends(), s.interaction_id.not_in(list(live))]


def _open_ends() -> list[sa.ColumnElement[bool]]:
    open_ends = sa.or_(s.owed, s.follow_up.is_not(None), s.wrapped_at.is_(None))
    return [s.finished_at.is_(None), s.answered_at.is_not(None), s.outcome.is_not(None), open_ends]


def is_owed(part: Segment) -> bool:
    """Whether this part is owed: the conditions of `_unfinished`, applied to a segment that was read."""
    missing = part.owed or part.follow_up is not None or part.wrapped_at is None
    return part.answered_at is not None and part.outcome is not None and part.finished_at is None and missing
