"""Reading a CSV or XLSX file as rows of text, each with the line that it begins on."""

from __future__ import annotations

import csv
import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Final, TextIO

from python_calamine import CalamineError, CalamineWorkbook

from cti_server.imports import encodings
from cti_server.imports.columns import WrongFile

CHUNK = 1 << 20
MAX_FIELD = 100_000
EXACT = 10**15  # a spreadsheet keeps fifteen digits of a number, and makes zeros of the others
#: Excel's own first line, `sep=;`. A program that saved the file again may have quoted it or filled its cells up.
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(\\t|.)"?[,;\t|]*', re.IGNORECASE)


_SHEET: Final = re.compile(rb"<sheet\s[^>]*>")
_LINK: Final = re.compile(rb"<Relationship\s[^>]*>")
_ERROR_CELL: Final = re.compile(rb"(<c\s[^>]*\st=[\"']e[\"'][^>]*>)(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?<v>([^<]+)</v>")
_PLACE: Final = re.compile(r"([A-Z]+)([0-9]+)")


@dataclass(frozen=True, slots=True)
class Row:
    """A row's cells as text, or the reason why it could not be read."""

    line: int
    cells: tuple[str, ...]
    problem: str | None = None


@contextmanager
def open_rows(
    path: Path, region: str, encoding: str | None = None
) -> Iterator[tuple[Iterator[Row], int, str | None]]:
    """The rows of the file, the header first; roughly how many there are; the codec that its text was read by.

    `encoding` is what a person says a CSV is in; without it, it is found out, and `region` says what is usual. An
    XLSX has none to ask for. Raises WrongFile, OSError.
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
        yield *_xlsx(path), None
        return
    codec = encodings.declared(path.name, start, encoding) if encoding else encodings.detect(path, region)
    with path.open(encoding=codec, errors="replace", newline="") as text:
        yield _csv(text), _lines(path), codec


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b"")) + 1


def _csv(text: TextIO) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD)
    head = text.readline()
    if (named := _SEPARATOR_LINE.fullmatch(head.rstrip("\r\n"))) is not None:
        delimiter, before = named[1].replace("\\t", "\t"), 1
    else:
        text.seek(0)
        delimiter, before = max(",;\t|", key=head.count), 0
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
            if "field larger" in why or "end of data" in why or last > line:
                why = f"a quote is opened and not closed, so the lines up to {last} were taken for one"
            elif "expected after" in why:
                why = 'a cell has a quote inside its quotes: write it twice, as "a ""big"" one"'
            yield Row(line, (), f"not readable as CSV: {why}")
            continue
        damaged = any("\ufffd" in cell or "\x1b" in cell for cell in cells)  # ESC: ISO-2022 shifts by it
        yield Row(line, tuple(cells), "has bytes that are not text in the file's encoding" if damaged else None)


def _xlsx(path: Path) -> tuple[Iterator[Row], int]:
    try:
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    except (CalamineError, zipfile.BadZipFile, OSError, IndexError) as error:
        raise WrongFile(f"{path.name} is not a readable XLSX file: {error}") from error
    top, left = sheet.start or (0, 0)
    errors = _errors(path)
    rows = (
        Row(line, tuple(errors.get((line, column)) or _text(cell) for column, cell in enumerate(cells, left + 1)))
        for line, cells in enumerate(sheet.to_python(skip_empty_area=True), top + 1)
    )
    return rows, sheet.height


def _errors(path: Path) -> dict[tuple[int, int], str]:
    """The cells of the first sheet that show an error, `#N/A` say, by row and column from 1: the reader takes them
    for empty ones."""
    with suppress(KeyError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        book, links = archive.read("xl/workbook.xml"), archive.read("xl/_rels/workbook.xml.rels")
        targets = {_attribute(link, "Id"): _attribute(link, "Target") for link in _LINK.findall(links)}
        target = next((targets.get(_attribute(sheet, "r:id")) for sheet in _SHEET.findall(book)), None) or "?"
        cells = archive.read(target.lstrip("/") if target.startswith("/") else f"xl/{target}")
        found = {}
        for cell, error in _ERROR_CELL.findall(cells):
            letters, row = _PLACE.findall(_attribute(cell, "r"))[0]
            found[int(row), _column(letters)] = error.decode()
        return found
    return {}


def _attribute(tag: bytes, name: str) -> str:
    """The value of an attribute in the text of an XML tag; empty where it has none."""
    found = re.search(rb"\s" + name.encode() + rb"=[\"']([^\"']*)[\"']", tag)
    return found[1].decode() if found is not None else ""


def _column(letters: str) -> int:
    """The number of a column: 1 for A, 27 for AA."""
    return reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters, 0)


def _text(cell: object) -> str:
    """A cell as a person would type it: 13800138000, not 1.38E+10 and not 13800138000.0.

    A number whose last digits are lost stays as a spreadsheet shows it, 1.10101199003071E+17: where each digit
    matters it is refused.
    """
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | float) and abs(cell) >= EXACT:
        return f"{cell:.14E}"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)
