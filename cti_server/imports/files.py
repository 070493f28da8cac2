"""Reading a CSV or XLSX file as rows of text, each with the line that it begins on."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from cti_server.imports import encodings
from cti_server.imports.columns import WrongFile
from cti_server.imports.layout import HEAD_ROWS, Row, worth
from cti_server.imports.workbooks import Sheet, read_sheet

CHUNK = 1 << 20
MAX_FIELD = 100_000
DELIMITERS: Final = ",;\t|"
#: Excel's own first line, `sep=;`. A program that saved the file again may have quoted it or filled its cells up.
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(\\t|.)"?[,;\t|]*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is open: `rows` reads all of its rows, from the first line on each time that it is called.

    `total` is roughly how many there are. `encoding` is the codec of a CSV, `sheet` what was read of an XLSX.
    """

    rows: Callable[[], Iterator[Row]]
    total: int
    encoding: str | None = None
    sheet: Sheet | None = None


@contextmanager
def open_rows(
    path: Path,
    region: str,
    encoding: str | None = None,
    sheet: str | None = None,
    explained: Collection[str] = (),
) -> Iterator[Source]:
    """The file, open. Raises WrongFile, OSError.

    `encoding` is what a person says a CSV is in; without it, it is found out, and `region` says what is usual. An
    XLSX has none to ask for, but may have several sheets. `explained` are headings that somebody has explained.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise WrongFile(f"{path.name} is empty")
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise WrongFile(
            f"{path.name} is an old Excel file or has a password; save it as .xlsx or .csv without one"
        )
    if start.startswith(b"PK"):
        chosen = read_sheet(path, sheet, explained)
        yield Source(lambda: iter(chosen.rows), len(chosen.rows), sheet=chosen)
        return
    if sheet:
        raise WrongFile(f"{path.name} is a CSV file, so it has no sheets: leave --sheet out")
    codec = encodings.declared(path.name, start, encoding) if encoding else encodings.detect(path, region)
    with path.open(encoding=codec, errors="replace", newline="") as text:
        delimiter, before = _delimiter(text, explained)
        yield Source(lambda: _csv(text, delimiter, before), _lines(path), codec)


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b"")) + 1


def _delimiter(text: TextIO, explained: Collection[str]) -> tuple[str, int]:
    """What stands between cells, and how many lines stand before the table: one, where it says so itself.

    Titles above the headings have no delimiters, so it is the one by which a line names most columns.
    """
    first = text.readline()
    if (named := _SEPARATOR_LINE.fullmatch(first.rstrip("\r\n"))) is not None:
        return named[1].replace("\\t", "\t"), 1
    lines = [first, *islice(text, HEAD_ROWS - 1)]

    def found(delimiter: str) -> tuple[int, int]:
        named = max(worth((cell.strip('" \r\n') for cell in line.split(delimiter)), explained) for line in lines)
        return named, max(line.count(delimiter) for line in lines[:1])

    return max(DELIMITERS, key=found), 0


def _csv(text: TextIO, delimiter: str, before: int) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD)
    text.seek(0)
    for _ in range(before):
        text.readline()
    # Strict: a quote that is not closed, or stands inside a quoted cell, is refused instead of guessed about.
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        line = before + rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            why = str(error)
            last = before + rows.line_num
            if "field larger" in why and last == line:
                why = f"a cell has more than {MAX_FIELD:,} characters"
            elif "field larger" in why or "end of data" in why or last > line:
                why = f"a quote is opened and not closed, so the lines up to {last} were taken for one"
            elif "expected after" in why:
                why = 'a cell has a quote inside its quotes: write it twice, as "a ""big"" one"'
            yield Row(line, (), f"not readable as CSV: {why}")
            continue
        damaged = any("\ufffd" in cell or "\x1b" in cell for cell in cells)  # ESC: ISO-2022 shifts by it
        yield Row(line, tuple(cells), "has bytes that are not text in the file's encoding" if damaged else None)
