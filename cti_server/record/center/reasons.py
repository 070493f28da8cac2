"""Reasons: why an agent is not ready, in the words of this center."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, metadata, upsert

reasons = sa.Table(
    "reasons",
    metadata,
    sa.Column("code", CleanText, primary_key=True),
    sa.Column("title_en", CleanText, nullable=False),
    sa.Column("title_zh", CleanText, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCode:
    """A reason to choose from. One that is not `active` is kept, because past days name it."""

    code: str
    title_en: str
    title_zh: str
    position: int = 0
    active: bool = True


async def all_reasons(conn: Connection) -> list[ReasonCode]:
    """Every reason in order, including those no longer in use."""
    query = sa.select(reasons).order_by(reasons.c.position, reasons.c.code)
    return [ReasonCode(**row._mapping) for row in await conn.execute(query)]


async def find(conn: Connection, code: str) -> ReasonCode | None:
    row = (await conn.execute(sa.select(reasons).where(reasons.c.code == code))).one_or_none()
    return None if row is None else ReasonCode(**row._mapping)


async def save(conn: Connection, reason: ReasonCode) -> None:
    """Add the reason, or change the one with the same code."""
    statement = upsert(conn.dialect.name, reasons).values(asdict(reason))
    changed = {name: statement.excluded[name] for name in ("title_en", "title_zh", "position", "active")}
    await conn.execute(statement.on_conflict_do_update(index_elements=["code"], set_=changed))


async def replace(conn: Connection, wanted: Sequence[ReasonCode]) -> None:
    """These are the reasons from now on, in order of `position`; others are kept but no longer in use."""
    codes = [reason.code for reason in wanted]
    await conn.execute(sa.update(reasons).where(reasons.c.code.not_in(codes)).values(active=False))
    if wanted:
        statement = upsert(conn.dialect.name, reasons)
        changed = {name: statement.excluded[name] for name in ("title_en", "title_zh", "position", "active")}
        await conn.execute(
            statement.on_conflict_do_update(index_elements=["code"], set_=changed),
            [asdict(reason) for reason in wanted],
        )
