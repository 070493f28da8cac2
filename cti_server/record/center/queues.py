"""Queues: what the record knows about a PBX's queue and the PBX does not: titles, thresholds, wrap-up, skill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, id_column, metadata

queues = sa.Table(
    "queues",
    metadata,
    id_column(),
    sa.Column("pbx", CleanText, nullable=False),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("title_en", CleanText, nullable=False),
    sa.Column("title_zh", CleanText, nullable=False),
    sa.Column("short_abandon_ms", sa.Integer, nullable=False),
    sa.Column("service_level_ms", sa.Integer, nullable=False),
    sa.Column("wrap_up_ms", sa.Integer, nullable=False),
    sa.Column("wrap_up_mode", CleanText, nullable=False, server_default="mandatory"),
    sa.Column("wrap_up_code_required", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("wrap_up_extensions", sa.Integer, nullable=False, server_default="2"),
    sa.Column("skill", CleanText),
    sa.UniqueConstraint("pbx", "name"),
)


WrapUpMode = Literal["optional", "mandatory", "forced"]
"""After a call: no wrap-up unless the agent asks; until the agent ends it; until `wrap_up_ms` is over at most."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue. An abandon before `short_abandon_ms` is counted apart; `service_level_ms` is the X of service level
    formulas. `wrap_up_extensions` is how often an agent may add `wrap_up_ms` again. `skill` is the one that its
    agents need; their level decides whom it rings first, see `rules.skills`.
    """

    id: int
    pbx: str
    name: str
    title_en: str
    title_zh: str
    short_abandon_ms: int = 5000
    service_level_ms: int = 20000
    wrap_up_ms: int = 30000
    wrap_up_mode: WrapUpMode = "mandatory"
    wrap_up_code_required: bool = False
    wrap_up_extensions: int = 2
    skill: str | None = None


POLICY = "*"
"""The name of the row that is no queue: what counts for those that the record does not name, and what a new one
begins with. Its PBX has the same name."""


async def all_queues(conn: Connection, pbx: str | None = None) -> list[Queue]:
    """Every queue, or those of one PBX, by name."""
    query = sa.select(queues).where(queues.c.name != POLICY).order_by(queues.c.pbx, queues.c.name)
    if pbx is not None:
        query = query.where(queues.c.pbx == pbx)
    return [Queue(**row._mapping) for row in await conn.execute(query)]


async def find(conn: Connection, pbx: str, name: str) -> Queue | None:
    same = sa.and_(queues.c.pbx == pbx, queues.c.name == name)
    row = (await conn.execute(sa.select(queues).where(same))).one_or_none()
    return None if row is None else Queue(**row._mapping)


async def policy(conn: Connection) -> Queue:
    """What counts for queues that the record does not name."""
    return await find(conn, POLICY, POLICY) or Queue(0, POLICY, POLICY, "", "")


async def remove(conn: Connection, queue_id: int) -> None:
    """Delete a queue; nobody serves it any more. Contacts that it had keep its name."""
    await conn.execute(sa.delete(queues).where(queues.c.id == queue_id))


async def save(conn: Connection, queue: Queue) -> int:
    """Add the queue, or change the one with the same PBX and name; returns its id. `queue.id` is ignored."""
    values = {
        "pbx": queue.pbx,
        "name": queue.name,
        "title_en": queue.title_en,
        "title_zh": queue.title_zh,
        "short_abandon_ms": queue.short_abandon_ms,
        "service_level_ms": queue.service_level_ms,
        "wrap_up_ms": queue.wrap_up_ms,
        "wrap_up_mode": queue.wrap_up_mode,
        "wrap_up_code_required": queue.wrap_up_code_required,
        "wrap_up_extensions": queue.wrap_up_extensions,
        "skill": queue.skill,
    }
    same = sa.and_(queues.c.pbx == queue.pbx, queues.c.name == queue.name)
    if (
        existing := await conn.scalar(sa.update(queues).where(same).values(values).returning(queues.c.id))
    ) is not None:
        return cast(int, existing)
    return cast(int, await conn.scalar(sa.insert(queues).values(values).returning(queues.c.id)))
