"""The site's CEL, wherever it is: rows between two times, in batches, in the order in which they were written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from cti_server.settings import PbxSettings
from cti_server.wire.cel import BadRow, Columns, Row, Values, read
from cti_server.wire.cel_place import Place
from cti_server.wire.cel_times import BadTime, Times, off_by

from .csv_file import CsvFile
from .look import EARLY_S, CelUnreadable, Look, Reader
from .mysql import MysqlTable
from .postgres import PostgresTable
from .sqlite import SqliteTable

BAD_TRIES = 20  # rows that cannot be read, before any that can: the columns are others
CHECKED = 50  # of the channels that began last, by which the zone is checked
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


class Taken:
    """Values → rows: it knows the time of the row before, and notices when the settings do not fit the rows."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._last: float | None = None
        self._bad = 0
        self._began: list[tuple[str, float]] = []

    def rows(self, batch: Sequence[Values]) -> list[Row]:
        """The rows of a batch that can be read. Raises CelUnreadable."""
        found = []
        for values in batch:
            try:
                row = read(values, self._look.times, self._last)
            except BadTime as cause:
                raise CelUnreadable(f"{self._look.place}: {cause}") from None
            except BadRow as cause:
                self._bad += 1
                if self._bad >= BAD_TRIES and self._last is None:
                    raise CelUnreadable(f"{self._look.place}: {cause}") from None
                continue
            self._last = row.at
            if row.kind == "CHAN_START":
                self._began.append((row.leg, row.at))
            found.append(row)
        self._check_zone()
        return found

    def _check_zone(self) -> None:
        if (off := off_by(self._began)) is not None:
            how = f"{abs(off) / 3600:g} hours too {'late' if off > 0 else 'early'}"
            raise CelUnreadable(
                f"{self._look.place}: its times are {how}, as the channels' own ids show. Set CTI_CEL_ZONE to the "
                "zone in which Asterisk writes them; UTC where usegmtime = yes"
            )
        del self._began[:-CHECKED]
