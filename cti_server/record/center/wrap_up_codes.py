"""Wrap-up codes: what became of a call, in the words of this center. A tree, for all queues or for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, metadata, upsert

wrap_up_codes = sa.Table(
    "wrap_up_codes",
    metadata,
    sa.Column("code", CleanText, primary_key=True),
    sa.Column("parent", CleanText),
    sa.Column("queue", CleanText),
    sa.Column("title_en", CleanText, nullable=False),
    sa.Column("title_zh", CleanText, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpCode:
    """A code such as `billing/refund`, whose parent is `billing`. `queue` None means for all queues.

    One that is not `active` is kept, because past contacts have it.
    """

    code: str
    title_en: str
    title_zh: str
    queue: str | None = None
    position: int = 0
    active: bool = True

    @property
    def parent(self) -> str | None:
        """The code without its last step; None at the top. A code is a path, so the tree can have no circle."""
        return self.code.rpartition("/")[0] or None


async def all_codes(conn: Connection, queue: str | None = None) -> list[WrapUpCode]:
    """Every code in order, parents before their children; with `queue`, those for it and those for all queues."""
    c = wrap_up_codes.c
    query = sa.select(c.code, c.title_en, c.title_zh, c.queue, c.position, c.active).order_by(c.position, c.code)
    if queue is not None:
        query = query.where(sa.or_(c.queue.is_(None), c.queue == queue))
    found = [WrapUpCode(**row._mapping) for row in await conn.execute(query)]
    return sorted(found, key=lambda code: code.code.count("/"))


async def save(conn: Connection, code: WrapUpCode) -> None:
    """Add the code, or change the one with the same path."""
    statement = upsert(conn.dialect.name, wrap_up_codes).values({**asdict(code), "parent": code.parent})
    changed = {name: statement.excluded[name] for name in ("queue", "title_en", "title_zh", "position", "active")}
    await conn.execute(statement.on_conflict_do_update(index_elements=["code"], set_=changed))


async def replace(conn: Connection, wanted: Sequence[WrapUpCode]) -> None:
    """These are the codes from now on; others are kept but cannot be chosen."""
    codes = [code.code for code in wanted]
    await conn.execute(sa.update(wrap_up_codes).where(wrap_up_codes.c.code.not_in(codes)).values(active=False))
    if wanted:
        statement = upsert(conn.dialect.name, wrap_up_codes)
        names = ("parent", "queue", "title_en", "title_zh", "position", "active")
        await conn.execute(
            statement.on_conflict_do_update(
                index_elements=["code"], set_={name: statement.excluded[name] for name in names}
            ),
            [{**asdict(code), "parent": code.parent} for code in wanted],
        )
