"""What became of the rows of a file: how many of each kind, and why some were left out, each reason once."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cti_server.imports.columns import WrongFile
from cti_server.imports.dates import Habit
from cti_server.imports.layout import Row
from cti_server.record.crm.drafts import Flaw

WHY: Final = "why left out"
"""The column that a file of bad rows has more than the file that they come from."""
# What a spreadsheet would make a number, a date or a formula of: an apostrophe before it keeps it as text.
_SPOILT: Final = re.compile(r"[=+\-@\t].*|0\d+|\d{12,}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BadLine:
    """A row that was left out."""

    line: int
    flaws: tuple[Flaw, ...]

    @property
    def reason(self) -> str:
        return "; ".join(map(str, self.flaws))


@dataclass(slots=True)
class Report:
    """What became of the rows, and how the file was read."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: list[BadLine] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    """Rows that are no customers, by kind: titles, totals, notes."""
    encoding: str | None = None
    """The codec that a CSV was read by; None of an XLSX."""
    dates: Mapping[str, Habit] = field(default_factory=dict)
    """How the dates were read of each column in which that was a question."""
    told: list[str] = field(default_factory=list)
    """What else was decided about the file: its sheet, its headings, what was remembered."""

    @property
    def rows(self) -> int:
        return self.created + self.updated + self.unchanged + len(self.bad)

    @property
    def good(self) -> int:
        return self.rows - len(self.bad)


def reasons(report: Report, show: int) -> Iterator[str]:
    """Why rows were left out, the commonest reason first, each with its first `show` lines and what is there."""
    groups: dict[str, list[tuple[int, Flaw]]] = {}
    for bad in report.bad:
        for flaw in bad.flaws:
            groups.setdefault(flaw.form, []).append((bad.line, flaw))
    for form, found in sorted(groups.items(), key=lambda group: (-len(group[1]), group[1][0][0])):
        if len(found) == 1:
            yield f"line {found[0][0]}: {found[0][1]}"
            continue
        first = ", ".join(" ".join((str(line), *flaw.values)) for line, flaw in found[:show])
        lines = f"; lines {first}{' …' if len(found) > show else ''}" if show else ""
        yield f"{len({line for line, _ in found}):,} rows: {form.replace('{}', '…')}{lines}"


class BadFile:
    """The rows that were left out as a CSV, each with its reason: mended, it can be imported in its turn."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.headings: Sequence[str] = ()
        self._writer: Any = None
        self._file: Any = None

    def write(self, row: Row, bad: BadLine) -> None:
        """Add a row. The file is made with the first of them."""
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8-sig", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow([WHY, *self.headings])
        # It stands first, because a row may have too many cells.
        self._writer.writerow([f"line {bad.line}: {bad.reason}", *map(_kept, row.cells)])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


@contextmanager
def bad_file(path: Path | None, source: Path) -> Iterator[BadFile | None]:
    """The file for bad rows, open; None where nobody wants one. Raises WrongFile where it is the file itself."""
    if path is not None and path.exists() and path.samefile(source):
        raise WrongFile(f"--bad names {path.name}, which is the file to import; name another one")
    file = BadFile(path) if path is not None else None
    try:
        yield file
    finally:
        if file is not None:
            file.close()


def _kept(cell: str) -> str:
    return f"'{cell}" if _SPOILT.fullmatch(cell) else cell
