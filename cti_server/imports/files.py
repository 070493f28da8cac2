"""Reading a CSV (UTF-8 or GB18030) or XLSX file as rows of text, each with the line that it begins on."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from python_calamine import CalamineError, CalamineWorkbook

from cti_server.imports.columns import WrongFile

CHUNK = 1 << 20
MAX_FIELD = 100_000
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells as text, or the reason why it could not be read."""

    line: int
    cells: tuple[str, ...]
    problem: str | None = None


@contextmanager
def open_rows(path: Path) -> Iterator[tuple[Iterator[Row], int]]:
    """The rows of the file, the header first, and roughly how many there are. Raises WrongFile, OSError."""
    with path.open("rb") as file:
        start = file.read(8)
    if not start:
        raise WrongFile(f"{path.name} is empty")
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise WrongFile(
            f"{path.name} is an old Excel file or has a password; save it as .xlsx or .csv without one"
        )
    if start.startswith(b"PK"):
        yield _xlsx(path)
        return
    encoding, lines = _encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as text:
        yield _csv(text, path.name), lines


def _encoding(path: Path) -> tuple[str, int]:
    """(encoding, number of lines). Decodes the whole file, because a part of it could be valid in either."""
    with path.open("rb") as file:
        start = file.read(4)
        if (named := next((name for bom, name in _BOMS if start.startswith(bom)), None)) is not None:
            with path.open(encoding=named, errors="replace") as text:
                return named, sum(1 for _ in text)
        file.seek(0)
        utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        lines = beyond_ascii = wrong = 0
        while chunk := file.read(CHUNK):
            lines += chunk.count(b"\n")
            if chunk.isascii() and not utf8.getstate()[0]:
                continue
            decoded = utf8.decode(chunk)
            wrong += decoded.count("\ufffd")
            beyond_ascii += sum(1 for c in decoded if c > "\x7f")
    # A UTF-8 file with a damaged byte here or there is still UTF-8; as GB18030 all its names would be rubbish.
    return "utf-8" if wrong * 10 <= beyond_ascii else "gb18030", lines + 1


def _csv(text: TextIO, name: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD)
    head = text.readline()
    text.seek(0)
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(text, delimiter=delimiter)
    while True:
        line = rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            why = str(error)
            if "field larger" in why:
                why = f"a quote is opened and not closed, so the lines up to {rows.line_num} were taken for one"
            yield Row(line, (), f"not readable as CSV: {why}")
            continue
        damaged = any("\ufffd" in cell for cell in cells)
        yield Row(line, tuple(cells), "has bytes that are not text in the file's encoding" if damaged else None)


def _xlsx(path: Path) -> tuple[Iterator[Row], int]:
    try:
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    except (CalamineError, zipfile.BadZipFile, OSError, IndexError) as error:
        raise WrongFile(f"{path.name} is not a readable XLSX file: {error}") from error
    first = (sheet.start or (0, 0))[0] + 1
    rows = (
        Row(line, tuple(_text(cell) for cell in cells))
        for line, cells in enumerate(sheet.to_python(skip_empty_area=True), first)
    )
    return rows, sheet.height


def _text(cell: object) -> str:
    """A cell as a person would type it: 13800138000, not 1.38E+10 and not 13800138000.0."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)
