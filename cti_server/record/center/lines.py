"""Lines: the numbers that customers dial, and what dialling each one means."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, id_column, metadata
from cti_server.rules.facts import Line

lines = sa.Table(
    "lines",
    metadata,
    id_column(),
    sa.Column("did_e164", CleanText, unique=True),
    sa.Column("did_raw", CleanText, nullable=False, unique=True),
    sa.Column("region", CleanText, nullable=False),
    sa.Column("title_en", CleanText, nullable=False),
    sa.Column("title_zh", CleanText, nullable=False),
    sa.Column("language", CleanText),
    sa.Column("queue", CleanText),
    sa.Column("switchboard", sa.Boolean, nullable=False),
)


def _line(row: Any) -> Line:
    return Line(
        id=row.id,
        e164=row.did_e164,
        raw=row.did_raw,
        region=row.region,
        title_en=row.title_en,
        title_zh=row.title_zh,
        language=row.language,
        queue=row.queue,
        switchboard=row.switchboard,
    )


async def all_lines(conn: Connection) -> list[Line]:
    """Every line. There are few, so a process may keep them and read them again from time to time."""
    return [_line(row) for row in await conn.execute(sa.select(lines).order_by(lines.c.id))]


async def by_number(conn: Connection, number: str) -> Line | None:
    """The line with this number, in E.164 or as the PBX writes it."""
    matches = sa.or_(lines.c.did_e164 == number, lines.c.did_raw == number)
    row = (await conn.execute(sa.select(lines).where(matches).order_by(lines.c.id).limit(1))).one_or_none()
    return None if row is None else _line(row)


async def save(conn: Connection, line: Line) -> int:
    """Add the line, or change the one with the same raw number; returns its id. `line.id` is ignored."""
    values = {
        "did_e164": line.e164,
        "did_raw": line.raw,
        "region": line.region,
        "title_en": line.title_en,
        "title_zh": line.title_zh,
        "language": line.language,
        "queue": line.queue,
        "switchboard": line.switchboard,
    }
    changed = sa.update(lines).where(lines.c.did_raw == line.raw).values(values).returning(lines.c.id)
    if (existing := await conn.scalar(changed)) is not None:
        return cast(int, existing)
    return cast(int, await conn.scalar(sa.insert(lines).values(values).returning(lines.c.id)))


async def remove(conn: Connection, line_id: int) -> None:
    await conn.execute(sa.delete(lines).where(lines.c.id == line_id))
