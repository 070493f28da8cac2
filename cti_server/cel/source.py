"""The site's CEL, wherever it is: rows between two times, in batches, in the order in which they were written."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from cti_server.settings import PbxSettings
from cti_server.wire.cel import Columns, Row
from cti_server.wire.cel_place import Place
from cti_server.wire.cel_times import Times

from .csv_file import CsvFile
from .look import EARLY_S, Look, Reader
from .mysql import MysqlTable
from .postgres import PostgresTable
from .sqlite import SqliteTable
from .taken import Taken

READERS: dict[str, type[Reader]] = {
    "csv": CsvFile,
    "sqlite": SqliteTable,
    "postgresql": PostgresTable,
    "mysql": MysqlTable,
}


def look_of(pbx: PbxSettings) -> Look | None:
    """How this PBX's CEL is to be read; None where the settings name none."""
    text = pbx.cel.get_secret_value()
    if not text:
        return None
    columns = Columns.parse(pbx.cel_columns) if pbx.cel_columns else None
    return Look(Place.parse(text), Times.of(pbx.cel_zone, pbx.cel_dateformat), columns, pbx.encodings)


async def rows(look: Look, since: float, until: float) -> AsyncGenerator[list[Row]]:
    """The rows from `since` to `until` (epoch seconds by the PBX's clock), in batches. Raises CelUnreadable.

    A row that cannot be read is left out; where all are like that, the columns or times are others than the
    settings say, and nothing is read.
    """
    taken = Taken(look)
    async with aclosing(READERS[look.place.kind](look).values(since, until)) as batches:
        async for batch in batches:
            found = taken.rows(batch)
            if wanted := [row for row in found if since <= row.at <= until]:
                yield wanted
            if found and found[0].at > until + EARLY_S:
                return
