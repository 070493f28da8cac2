"""The rows of a stream that were handed out last. All desktops of a server that is gone come to another one in the
same moment: each asking the journal for the same rows would take the connections that calls are written by.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from cti_server.record.journal import Entry

from .frames import Frame, of_entry

KEPT = 2_000  # rows, about five kilobytes each in memory: seven seconds at ten calls a second


class Row:
    """A row of the journal, and its frame: made once for all who missed it, and without a card."""

    __slots__ = ("_frame", "entry")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._frame: Frame | None = None

    @property
    def frame(self) -> Frame:
        if self._frame is None:
            self._frame = of_entry(self.entry, self.entry.body)
        return self._frame


class Recent:
    """The last rows of one stream, without a gap."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._rows: deque[Row] = deque()
        self._before: int | None = None  # the number before the first row; None while nothing is known

    def begin(self, seq: int) -> None:
        """Forget all: the next row is the one after this number, or is another stream's."""
        self._rows.clear()
        self._before = seq

    def add(self, entries: Sequence[Entry]) -> None:
        """Rows that were handed out, in order."""
        if not entries:
            return
        if self._before is None or entries[0].seq != self._before + len(self._rows) + 1:
            self.begin(entries[0].seq - 1)
        self._rows.extend(map(Row, entries))
        while len(self._rows) > self._kept:
            self._rows.popleft()
            self._before = self._rows[0].entry.seq - 1

    def add_before(self, rows: Sequence[Row]) -> None:
        """Rows that were read since, from before the first one; as many as there is room for are kept."""
        room = self._kept - len(self._rows)
        for row in reversed(rows):
            if row.entry.seq == self._before and room > 0:
                self._rows.appendleft(row)
                self._before -= 1
                room -= 1

    def after(self, seq: int, to: int) -> Sequence[Row] | None:
        """The rows after this number, up to and with `to`; None where they are not all here."""
        if self._before is None or not self._before <= seq <= self._before + len(self._rows):
            return None
        return list(islice(self._rows, seq - self._before, max(to - self._before, seq - self._before)))
