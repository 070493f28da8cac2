"""A table of CEL in any database: found from a time on by its running number, and read in pages.

The tables of the back-ends have no index by time, so a search by time would read a busy PBX's table from its first
row on. Rows are numbered as they are written, and numbers have an index: a dozen questions find the place.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from cti_server.wire.cel import Columns, Values
from cti_server.wire.cel_times import BadTime

from .look import BATCH, EARLY_S, SAMPLE, CelUnreadable, Look
from .taken import Taken


class Table(ABC):
    """`_number` is the column with the running number, as SQL."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._number = "id"

    @abstractmethod
    async def _open(self) -> Sequence[str]:
        """Connect, for reading only, and set `_number`; the names of the table's columns."""

    @abstractmethod
    async def _ask(self, sql: str, *values: object) -> Sequence[Sequence[Any]]:
        """The rows of a question with {} for each value."""

    @abstractmethod
    async def _close(self) -> None: ...

    @abstractmethod
    def _quoted(self, name: str) -> str: ...

    @property
    def _table(self) -> str:
        place = self._look.place
        return ".".join(self._quoted(name) for name in (place.schema, place.table) if name)

    def _without_number(self, kind: str) -> CelUnreadable:
        table = self._look.place.table
        return CelUnreadable(
            f"{self._look.place}: no column id numbers its rows, so their order is not known. Asterisk fills it "
            f"by itself:  ALTER TABLE {table} ADD COLUMN id {kind}"
        )

    async def values(self, since: float, until: float) -> AsyncGenerator[Sequence[Values]]:
        try:
            names = await self._open()
            try:
                columns = Columns.of(names)
            except ValueError as lacking:
                raise CelUnreadable(f"{self._look.place}: {lacking}") from None
            wanted = ", ".join(self._quoted(name) for name in names)
            number = self._number
            last = f"SELECT {wanted} FROM {self._table} ORDER BY {number} DESC LIMIT {SAMPLE}"  # noqa: S608
            # First of all: by times of another zone, nothing would be found where everything is.
            Taken(self._look).rows([columns.values(row) for row in reversed(await self._ask(last))])
            next_ = await self._first(since - EARLY_S, names)
            sql = f"SELECT {number}, {wanted} FROM {self._table} WHERE {number} >= {{}}"  # noqa: S608
            while next_ is not None:
                page = await self._ask(f"{sql} ORDER BY {number} LIMIT {BATCH}", next_)
                if page:
                    yield [columns.values(row[1:]) for row in page]
                next_ = page[-1][0] + 1 if len(page) == BATCH else None
        finally:
            await self._close()

    async def _first(self, since: float, names: Sequence[str]) -> int | None:
        """The number of a row from which on all are later than `since`; None for an empty table."""
        columns = Columns.of(names)
        time = self._quoted(names[columns.names.index("eventtime")])
        number = self._number
        ((lowest, highest),) = await self._ask(f"SELECT min({number}), max({number}) FROM {self._table}")  # noqa: S608
        if lowest is None:
            return None
        low, high = int(lowest), int(highest) + 1
        while low < high:
            middle = (low + high) // 2
            sql = f"SELECT {number}, {time} FROM {self._table} WHERE {number} >= {{}} ORDER BY {number} LIMIT 1"  # noqa: S608
            (found,) = await self._ask(sql, middle)
            if self._at(found[1]) < since:
                low = int(found[0]) + 1
            else:
                high = middle
        return low

    def _at(self, value: object) -> float:
        try:
            return self._look.times.read(value)
        except BadTime as cause:
            raise CelUnreadable(f"{self._look.place}: {cause}") from None
