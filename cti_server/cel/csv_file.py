"""CEL in a file, as cel_custom writes it: values between commas, or JSON, one event a line.

A file grows for years, so the place from which on rows are wanted is searched for by halves. What logrotate has
put aside (Master.csv.1, Master.csv-20260301, .gz) is read before it. A caller's name may have the end of a line in
it: then the event goes on in the next."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO

from cti_server.wire.cel import KINDS, BadRow, Columns, Values, is_header, kind_of
from cti_server.wire.cel import SAMPLE as CUSTOM
from cti_server.wire.cel_times import BadTime
from cti_server.wire.text import to_text

from .look import BATCH, EARLY_S, SAMPLE, CelUnreadable, Look, in_thread
from .taken import Taken

NEAR = 65_536  # bytes; within so much the search ends, and rows are read one by one
TRIED = 50  # lines that may be tried from a place in the middle of the file, to find one that begins an event
MAX_ASIDE = 60  # files put aside that are looked at
LINE = 131_072  # bytes of one event; Asterisk's own buffers are smaller

csv.field_size_limit(max(csv.field_size_limit(), LINE))


class CsvFile:
    def __init__(self, look: Look) -> None:
        self._look = look
        self._columns = look.columns
        self._is_json = False

    async def values(self, since: float, until: float) -> AsyncGenerator[Sequence[Values]]:
        """As `Reader.values`."""
        rows = self._all(since - EARLY_S)
        try:
            while batch := await in_thread(self._look, lambda: list(islice(rows, BATCH))):
                yield batch
        finally:
            await in_thread(self._look, rows.close)

    # --- in a thread -----------------------------------------------------------------------------------

    def _all(self, since: float) -> Generator[Values]:
        path = Path(self._look.place.path)
        if not path.exists():
            raise CelUnreadable(
                f"{path}: there is no such file. Asterisk makes it with the first call once cel.conf has enable = "
                "yes and cel_custom.conf names it; from another machine it must be shared (docs/install.md)"
            )
        for file in (*_aside(path, since), path):
            with suppress(FileNotFoundError), _open(file) as stream:  # one that logrotate takes away meanwhile
                self._begin(stream)
                if file == path:
                    self._check(stream)
                stream.seek(0 if isinstance(stream, gzip.GzipFile) else self._place(stream, since))
                yield from self._read(stream)

    def _begin(self, stream: IO[bytes]) -> None:
        """Find out by the first line what the file is, and its columns where a header names them."""
        first = stream.readline(LINE)
        stream.seek(0)
        self._is_json = first.lstrip().startswith(b"{")
        header = [] if self._is_json else next(csv.reader([first.decode("latin-1")]), [])
        if is_header(header):
            try:
                self._columns = Columns.of(header)
            except ValueError as lacking:
                raise CelUnreadable(f"{self._look.place}: {lacking}") from None
        elif self._columns is None:
            self._columns = Columns.parse(CUSTOM)

    def _check(self, stream: IO[bytes]) -> None:
        """The last lines tell whether columns and zone are what the settings say. The first may be older than the
        present cel_custom.conf; and by times of another zone, nothing would be found where everything is."""
        stream.seek(max(0, stream.seek(0, 2) - LINE))
        lines = [line for line in stream.read().split(b"\n") if line.strip()]
        found = [values for line in lines[-SAMPLE:] if (values := self._one(line)) is not None]
        if found or self._is_json or not lines or self._columns is None:
            Taken(self._look).rows(found)
            return
        has, wanted = len(next(csv.reader([lines[-1].decode("latin-1")]), [])), len(self._columns.names)
        whose = "CTI_CEL_COLUMNS" if self._look.columns else "the sample"
        raise CelUnreadable(
            f"{self._look.place}: it has {has} columns, not the {wanted} of {whose}. Set CTI_CEL_COLUMNS to their "
            "names, in the order of cel_custom.conf: eventtype,eventtime,…"
        )

    def _read(self, stream: IO[bytes]) -> Iterator[Values]:
        if self._is_json:
            for line in stream:
                if (found := self._json(line)) is not None:
                    yield found
            return
        # latin-1 keeps every byte: which encoding a value is in is known once its channel is.
        for row in csv.reader(line.decode("latin-1") for line in stream):
            if row and not is_header(row):
                with suppress(BadRow):
                    yield self._values(row)

    def _values(self, row: Sequence[str]) -> Values:
        assert self._columns is not None
        found = self._columns.values(row)
        return self._decoded({name: str(value).encode("latin-1") for name, value in found.items()})

    def _decoded(self, raw: dict[str, bytes]) -> Values:
        encodings = self._look.encodings
        channel = to_text(raw.get("channame", b""))
        return {name: to_text(value, encodings.of(channel)) for name, value in raw.items()}

    def _json(self, line: bytes) -> Values | None:
        try:
            found = json.loads(line.decode("utf-8", "replace"))
            columns = Columns.of(list(found))
        except ValueError:
            return None
        return columns.values([_plain(value) for value in found.values()])

    # --- the place in the file -------------------------------------------------------------------------

    def _place(self, stream: IO[bytes], since: float) -> int:
        """A byte at or before the first event later than `since`, at which a line begins."""
        low, high = 0, stream.seek(0, 2)
        while high - low > NEAR:
            middle = (low + high) // 2
            at = self._time_after(stream, middle, high)
            if at is not None and at < since:
                low = middle
            else:
                high = middle
        if low == 0:
            return 0
        stream.seek(low)
        stream.readline()
        return self._begins(stream, stream.tell()) or 0

    def _time_after(self, stream: IO[bytes], place: int, end: int) -> float | None:
        """The time of the first event that begins after this byte; None where none does before `end`."""
        stream.seek(place)
        stream.readline()
        begins = self._begins(stream, stream.tell())
        if begins is None or begins >= end:
            return None
        stream.seek(begins)
        values = self._one(stream.readline(LINE))
        try:
            return self._look.times.read(values["eventtime"]) if values is not None else None
        except BadTime as cause:
            raise CelUnreadable(f"{self._look.place}: {cause}") from None

    def _begins(self, stream: IO[bytes], place: int) -> int | None:
        """The first byte from here on at which a line is an event; a name with an end of line in it has lines that
        are none."""
        stream.seek(place)
        for _ in range(TRIED):
            here = stream.tell()
            line = stream.readline(LINE)
            if not line:
                return None
            if self._one(line) is not None:
                return here
        return None

    def _one(self, line: bytes) -> Values | None:
        if self._is_json:
            values = self._json(line)
        else:
            try:
                row = next(csv.reader([line.decode("latin-1")], strict=True), [])
                values = self._values(row)
            except (csv.Error, BadRow):
                return None
        return values if values is not None and kind_of(values.get("eventtype")) in KINDS else None


def _plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value


def _aside(path: Path, since: float) -> list[Path]:
    """What was put aside since then, the oldest first."""
    found = [file for file in path.parent.glob(f"{path.name}[.-]*") if file.is_file()]
    dated = sorted((file.stat().st_mtime, file) for file in found[:MAX_ASIDE])
    return [file for written, file in dated if written >= since]


def _open(file: Path) -> IO[bytes]:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")  # type: ignore[return-value]
