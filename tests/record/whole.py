"""All that a database has, as whoever copies it reads it."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from cti_server.record.database import Database
from cti_server.record.schema import metadata


async def bytes_of(database: Database) -> bytes:
    """Of SQLite the files, write-ahead log included; of PostgreSQL each row of each table as text."""
    if database.is_sqlite:
        return _files(Path(database.url.database or ""))
    async with database.read() as conn:
        found = [
            str(row)
            for table in metadata.sorted_tables
            for row in await conn.execute(sa.text(f'SELECT t::text FROM "{table.name}" t'))
        ]
    return "\n".join(found).encode()


def _files(database: Path) -> bytes:
    return b"".join(one.read_bytes() for one in sorted(database.parent.glob(f"{database.name}*")))
