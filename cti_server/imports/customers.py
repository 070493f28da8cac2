"""Import customers from a file: good rows are written, bad ones reported, and a second import changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from cti_server.imports.columns import WrongFile, columns
from cti_server.imports.files import Row, open_rows
from cti_server.imports.rows import BadRow, Known, draft
from cti_server.record.center import agents
from cti_server.record.crm import bulk, contracts
from cti_server.record.crm.drafts import CustomerDraft, Refused
from cti_server.record.database import Database

BATCH = 100
"""Rows in one transaction. On SQLite the writing of calls waits for one batch: some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A row that was left out."""

    line: int
    reason: str


@dataclass(slots=True)
class Report:
    """What became of the rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    bad: list[BadLine] = field(default_factory=list)
    encoding: str | None = None
    """The codec that a CSV was read by; None of an XLSX."""

    @property
    def rows(self) -> int:
        return self.created + self.updated + self.unchanged + len(self.bad)


async def import_customers(
    database: Database,
    path: Path,
    *,
    region: str,
    at: datetime,
    encoding: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Import the file; `progress` is called with (rows done, rows in all, approximately) after each batch.

    `encoding` is that of a CSV, such as `windows-1252`; without it, it is found out. Raises WrongFile when the
    file as a whole cannot be read, as where its encoding is not certain; nothing has been written then.
    """
    report = Report()
    with open_rows(path, region, encoding) as (rows, total, report.encoding):
        header = next(rows, None)
        if header is None or header.problem:
            raise WrongFile(f"{path.name}: the header is not readable" + (f": {header.problem}" if header else ""))
        places = columns(header.cells)
        reader = _Reader(places, await _known(database, region), report)
        while batch := list(islice(rows, BATCH)):
            drafts = reader.read(batch)
            async with database.begin() as conn:
                outcomes = await bulk.save(conn, list(drafts.values()), at)
            for line, outcome in zip(drafts, outcomes, strict=True):
                if isinstance(outcome, Refused):
                    report.bad.append(BadLine(line, outcome.reason))
                else:
                    setattr(report, outcome, getattr(report, outcome) + 1)
            progress(min(report.rows, total), total)
    report.bad.sort(key=lambda bad: bad.line)
    return report


class _Reader:
    """Turns rows into drafts. It remembers earlier rows, because rows of a file must not contradict each other."""

    def __init__(self, places: list[str | None], known: Known, report: Report) -> None:
        self.places = places
        self.known = known
        self.report = report
        self.first_rows: dict[str, tuple[int, int]] = {}  # external_ref → its first line, a hash of the content
        self.contracts: dict[str, str] = {}  # contract number → external_ref of its owner

    def read(self, rows: list[Row]) -> dict[int, CustomerDraft]:
        found: dict[int, CustomerDraft] = {}
        for row in rows:
            if not row.problem and not any(cell.strip() for cell in row.cells):
                continue
            try:
                found[row.line] = self._draft(row)
            except BadRow as bad:
                self.report.bad.append(BadLine(row.line, str(bad)))
        return found

    def _draft(self, row: Row) -> CustomerDraft:
        if row.problem:
            raise BadRow(row.problem)
        if any(cell.strip() for cell in row.cells[len(self.places) :]):
            raise BadRow(f"has {len(row.cells)} cells, the header {len(self.places)}: is a comma not quoted?")
        cells = {place: cell for place, cell in zip(self.places, row.cells, strict=False) if place}
        made = draft(cells, self.known)
        content = hash(repr(replace(made, points=(), contract=None)))
        line, first_content = self.first_rows.setdefault(made.external_ref, (row.line, content))
        if first_content != content:
            raise BadRow(f"line {line} says otherwise about {made.external_ref}; correct one of the two")
        if made.contract:
            owner = self.contracts.setdefault(made.contract.number, made.external_ref)
            if owner != made.external_ref:
                raise BadRow(f"contract {made.contract.number} is given to {owner} in a row before")
        return made


async def _known(database: Database, region: str) -> Known:
    async with database.read() as conn:
        levels = await contracts.all_service_levels(conn)
        names = {agent.login: agent.id for agent in await agents.all_active(conn)}
    codes = {
        name.casefold(): level.code
        for level in levels
        for name in (level.code, level.name_en, level.name_zh)
        if name
    }
    return Known(region=region, agents=names, service_levels=codes)


def bad_lines(report: Report, limit: int) -> Iterator[str]:
    """The first bad lines as text, and how many more there are."""
    for bad in report.bad[:limit]:
        yield f"line {bad.line}: {bad.reason}"
    if len(report.bad) > limit:
        yield f"and {len(report.bad) - limit} more"
