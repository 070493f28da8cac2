"""Records to back up, with what must be copied with care, and looks at what came of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, new_key
from cti_server.record.tables import metadata

NOW = datetime.now(UTC)
HOSTILE = "王\U0001f600 \\u0000 \"'; DROP TABLE \\. \t\r\n"
KEY = new_key()
SEALER = Sealer([KEY])

Target = Callable[[], str]


async def all_rows(url: str) -> dict[str, list[str]]:
    async with Database(url) as database, database.read() as conn:
        return {
            table.name: sorted(repr(tuple(row)) for row in await conn.execute(sa.select(table)))
            for table in metadata.sorted_tables
        }


async def execute(url: str, *statements: str) -> None:
    async with Database(url) as database, database.engine.begin() as conn:
        for statement in statements:
            await conn.execute(sa.text(statement))


def left_beside(file: Path) -> list[str]:
    return sorted(one.name for one in file.parent.iterdir() if one.name.startswith((file.name, f".{file.name}")))
