"""Import mappings: what somebody once said that the headings of a customer file mean, by the file's shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, UtcDateTime, id_column, metadata, upsert

import_mappings = sa.Table(
    "import_mappings",
    metadata,
    id_column(),
    sa.Column("shape", CleanText, nullable=False, unique=True),
    sa.Column("headings", sa.JSON, nullable=False),
    sa.Column("meanings", sa.JSON, nullable=False),
    sa.Column("dates", CleanText),
    sa.Column("file", CleanText, nullable=False),
    sa.Column("used_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportMapping:
    """What is remembered of files of one shape.

    `shape` tells files with the same headings from others, whatever their order. `meanings` has, for each heading
    that somebody had to explain, our columns; none for one left out. `dates` is the order of day, month and
    year that was given, `dmy` say. `file` is the last file that it was used for, at `used_at`.
    """

    id: int = 0
    shape: str
    headings: Sequence[str]
    meanings: Mapping[str, Sequence[str]]
    dates: str | None
    file: str
    used_at: datetime


async def of_shape(conn: Connection, shape: str) -> ImportMapping | None:
    query = sa.select(import_mappings).where(import_mappings.c.shape == shape)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else ImportMapping(**row._mapping)


async def everything(conn: Connection) -> list[ImportMapping]:
    """Every mapping, the one used last first."""
    query = sa.select(import_mappings).order_by(import_mappings.c.used_at.desc(), import_mappings.c.id.desc())
    return [ImportMapping(**row._mapping) for row in await conn.execute(query)]


async def remember(conn: Connection, given: ImportMapping) -> None:
    """Add the mapping, or put it in the place of what is remembered of its shape. `given.id` is ignored."""
    values = {
        "headings": list(given.headings),
        "meanings": {heading: list(columns) for heading, columns in given.meanings.items()},
        "dates": given.dates,
        "file": given.file,
        "used_at": given.used_at,
    }
    statement = upsert(conn.dialect.name, import_mappings).values(shape=given.shape, **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["shape"], set_=values))


async def forget(conn: Connection, mapping_id: int) -> bool:
    """Whether there was such a mapping; it is gone now."""
    gone = await conn.execute(sa.delete(import_mappings).where(import_mappings.c.id == mapping_id))
    return gone.rowcount > 0
