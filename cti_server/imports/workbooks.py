"""Reading an XLSX file: the sheet that has the customers, its cells as a person would type them."""

from __future__ import annotations

import datetime as dt
import html
import re
import zipfile
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from cti_server.imports.columns import WrongFile
from cti_server.imports.headings import meaning
from cti_server.imports.layout import HEAD_ROWS, Row, head, worth

EXACT: Final = 10**15  # a spreadsheet keeps fifteen digits of a number, and makes zeros of the others
_SHEET: Final = re.compile(rb"<sheet\s[^>]*>")
_LINK: Final = re.compile(rb"<Relationship\s[^>]*>")
_ERROR_CELL: Final = re.compile(rb"(<c\s[^>]*\st=[\"']e[\"'][^>]*>)(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?<v>([^<]+)</v>")
_PLACE: Final = re.compile(r"([A-Z]+)([0-9]+)")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of the sheet that was chosen, and the names of those that were not."""

    name: str
    rows: list[Row]
    hidden: tuple[str, ...]
    others: tuple[str, ...]


def read_sheet(path: Path, asked: str | None, explained: Collection[str] = ()) -> Sheet:
    """The sheet that is `asked` for, or else the one that has customers. Raises WrongFile where several have."""
    try:
        book = CalamineWorkbook.from_path(str(path))
        with book:
            visible, hidden = _names(book)
            name = _asked(path, book, asked) if asked else _chosen(path, book, visible or hidden, explained)
            rows = _rows(book.get_sheet_by_name(name), _errors(path, name))
    except (CalamineError, zipfile.BadZipFile, OSError) as error:
        raise WrongFile(f"{path.name} is not a readable XLSX file: {error}") from error
    others = tuple(other for other in visible if other != name)
    return Sheet(name, rows, tuple(other for other in hidden if other != name), others)


def _names(book: CalamineWorkbook) -> tuple[list[str], list[str]]:
    """The names of the sheets with cells: those that are shown, and those that are hidden."""
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    return visible, [sheet.name for sheet in sheets if sheet.name not in visible]


def _asked(path: Path, book: CalamineWorkbook, asked: str) -> str:
    for name in book.sheet_names:
        if name.strip().casefold() == asked.strip().casefold():
            return name
    raise WrongFile(f"{path.name} has no sheet {asked!r}; it has {', '.join(map(repr, book.sheet_names))}")


def _chosen(path: Path, book: CalamineWorkbook, names: list[str], explained: Collection[str]) -> str:
    if not names:
        raise WrongFile(f"{path.name} has no sheet with cells")
    if len(names) == 1:
        return names[0]
    found: dict[str, int] = {}
    complete = []
    for name in names:
        first = list(_texts(book.get_sheet_by_name(name), HEAD_ROWS))
        there = head(first, explained)
        if there is not None and len(first) > there.rows and worth(there.headings, explained) > 1:
            found[name] = worth(there.headings, explained)
            columns = {meaning(heading) for heading in there.headings}
            complete += (
                [name] if "external_ref" in columns and columns & {"name", "given_name", "family_name"} else []
            )
    likely = complete or list(found)
    if len(likely) > 1:
        named = ", ".join(map(repr, likely))
        raise WrongFile(f"{path.name} has customers on several sheets: {named}. Say which with --sheet")
    return likely[0] if likely else next(iter(names))


def _rows(sheet: CalamineSheet, errors: dict[tuple[int, int], str]) -> list[Row]:
    """All rows as text. A cell that reaches over several rows has its value in each of them."""
    rows = list(_texts(sheet, None, errors))
    top, left = sheet.start or (0, 0)
    for (first, column), (last, _) in sheet.merged_cell_ranges or ():
        at, place = first - top, column - left
        if last > first and 0 <= at < len(rows) and 0 <= place < len(rows[at].cells):
            for row in range(at + 1, min(last - top + 1, len(rows))):
                cells = list(rows[row].cells)
                cells[place] = cells[place] or rows[at].cells[place]
                rows[row] = Row(rows[row].line, tuple(cells))
    return rows


def _texts(
    sheet: CalamineSheet, most: int | None, errors: dict[tuple[int, int], str] | None = None
) -> Iterator[Row]:
    top, left = sheet.start or (0, 0)
    shown = errors or {}
    for line, cells in enumerate(sheet.to_python(skip_empty_area=True, nrows=most), top + 1):
        if shown:
            yield Row(line, tuple(shown.get((line, at)) or _text(cell) for at, cell in enumerate(cells, left + 1)))
        else:
            yield Row(line, tuple(map(_text, cells)))


def _errors(path: Path, sheet: str) -> dict[tuple[int, int], str]:
    """The cells of the sheet that show an error, `#N/A` say, by row and column from 1: the reader takes them for
    empty ones."""
    with suppress(KeyError, zipfile.BadZipFile), zipfile.ZipFile(path) as archive:
        book, links = archive.read("xl/workbook.xml"), archive.read("xl/_rels/workbook.xml.rels")
        targets = {_attribute(link, "Id"): _attribute(link, "Target") for link in _LINK.findall(links)}
        ids = {_attribute(found, "name"): _attribute(found, "r:id") for found in _SHEET.findall(book)}
        target = targets.get(ids.get(sheet, ""), "?")
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
    return html.unescape(found[1].decode()) if found is not None else ""


def _column(letters: str) -> int:
    """The number of a column: 1 for A, 27 for AA."""
    return reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters, 0)


def _text(cell: object) -> str:
    """A cell as a person would type it: 13800138000, not 1.38E+10 and not 13800138000.0.

    A number whose last digits are lost stays as a spreadsheet shows it, 1.10101199003071E+17: where each digit
    matters it is refused.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | float) and abs(cell) >= EXACT:
        return f"{cell:.14E}"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, dt.date | dt.time) else str(cell)
