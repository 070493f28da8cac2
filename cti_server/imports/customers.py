"""Import customers from a file: good rows are written, bad ones reported, and a second import changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from cti_server.imports import dates, mapping
from cti_server.imports.columns import DATES, NAME_PARTS, WrongFile
from cti_server.imports.dates import Order
from cti_server.imports.files import Source, open_rows
from cti_server.imports.headings import plain
from cti_server.imports.layout import HEAD_ROWS, Customers, Row, head
from cti_server.imports.mapping import Columns, HeadingMap
from cti_server.imports.report import BadFile, BadLine, Report, bad_file
from cti_server.imports.report import reasons as bad_lines
from cti_server.imports.rows import BadRow, Known, draft
from cti_server.record.center import agents
from cti_server.record.crm import bulk, contracts, import_mappings
from cti_server.record.crm.customer_values import Author
from cti_server.record.crm.drafts import CustomerDraft, Flaw, Refused
from cti_server.record.crm.import_mappings import ImportMapping
from cti_server.record.crm.rehearsal import rehearsal
from cti_server.record.database import Database

__all__ = ["BadLine", "Options", "Report", "WrongFile", "bad_lines", "import_customers"]

BATCH = 100
"""Rows in one transaction. On SQLite the writing of calls waits for one batch: some tens of milliseconds."""

Save = Callable[[Sequence[CustomerDraft]], Awaitable[list[bulk.Outcome | Refused]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a file is to be imported.

    `region` is whose telephone numbers they are. `encoding` is that of a CSV, such as `windows-1252`, `sheet` the
    one of an XLSX; without them they are found out. `maps` are headings explained, `Their heading=our column`, and
    `order` the order of day, month and year. A `dry_run` writes nothing; `bad` is a file for the rows left out.
    """

    region: str
    encoding: str | None = None
    sheet: str | None = None
    maps: Sequence[str] = ()
    order: Order | None = None
    dry_run: bool = False
    bad: Path | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """A file as it was understood."""

    source: Source
    customers: Customers
    headings: HeadingMap
    remembered: ImportMapping | None

    def rows(self) -> Iterator[Row]:
        return self.customers.rows(self.source.rows())


async def import_customers(
    database: Database,
    path: Path,
    options: Options | None = None,
    *,
    at: datetime,
    region: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Import the file as the `options` say, or as one of this `region` about which nothing else is known.

    `progress` is called with (rows done, rows in all, approximately) after each batch.

    Raises WrongFile when the file as a whole cannot be read, as where its encoding or a heading is not certain;
    nothing has been written then.
    """
    if options is None:
        if region is None:
            raise TypeError("import_customers needs options, or the region of the numbers")
        options = Options(region=region)
    given = mapping.parse(options.maps)
    async with database.read() as conn:
        every = await import_mappings.everything(conn)
    explained = {plain(heading) for heading in given} | {plain(h) for known in every for h in known.meanings}
    with (
        open_rows(path, options.region, options.encoding, options.sheet, explained) as source,
        bad_file(options.bad, path) as bad,
    ):
        try:
            table = _understood(path, source, given, every, explained)
        except WrongFile as wrong:
            if (sheet := source.sheet) is None or not sheet.others:
                raise
            others = ", ".join(map(repr, sheet.others))
            raise WrongFile(
                f"sheet {sheet.name!r}: {wrong}\nOr is it another sheet, --sheet: {others}?"
            ) from wrong
        report = Report(encoding=source.encoding, told=[*_told(table, given)])
        report.dates = _habits(table, options.order)
        if bad is not None:
            bad.headings = table.customers.head.headings
        reader = _Reader(table.headings.places, await _known(database, options.region, report), report)
        rows = table.rows()
        async with _writing(database, at, Author("import", path.name), options.dry_run) as save:
            while batch := list(islice(rows, BATCH)):
                await _import(batch, reader, save, bad)
                progress(min(report.rows, source.total), source.total)
        report.others = table.customers.others
    report.bad.sort(key=lambda found: found.line)
    if not options.dry_run and report.good and (table.headings.explained or options.order or table.remembered):
        await _remember(database, path.name, table, options.order, at)
    return report


def _understood(
    path: Path,
    source: Source,
    given: dict[str, Columns],
    every: Sequence[ImportMapping],
    explained: set[str],
) -> _Table:
    """What the headings are, and what they mean. Raises WrongFile."""
    first = list(islice(source.rows(), HEAD_ROWS))
    found = head(first, explained)
    if found is None:
        problem = next((row.problem for row in first if row.problem), None)
        raise WrongFile(f"{path.name}: the header is not readable" + (f": {problem}" if problem else ""))
    shape = mapping.shape(found.headings)
    remembered = next((known for known in every if known.shape == shape), None)
    before = {heading: tuple(columns) for heading, columns in remembered.meanings.items()} if remembered else {}
    headings = mapping.map_headings(found.headings, given, before)
    refs = tuple(at for at, columns in enumerate(headings.places) if "external_ref" in columns)
    names = tuple(at for at, columns in enumerate(headings.places) if {"name", *NAME_PARTS} & {*columns})
    return _Table(source, Customers(found, refs, names), headings, remembered)


def _told(table: _Table, given: dict[str, Columns]) -> Iterator[str]:
    if (sheet := table.source.sheet) is not None and (sheet.others or sheet.hidden):
        left = [*map(repr, sheet.others), *(f"{name!r} (hidden)" for name in sheet.hidden)]
        yield f"sheet {sheet.name!r} is read, not {', '.join(left)}"
    if (known := table.remembered) is not None and known.meanings:
        again = [f"{h}={'+'.join(c) or mapping.IGNORE}" for h, c in known.meanings.items() if h not in given]
        yield f"as remembered: {', '.join(again)}" if again else "what was remembered of such files is replaced"
    yield from mapping.said(table.headings)


def _habits(table: _Table, order: Order | None) -> dict[str, dates.Habit]:
    """How the dates of each column are read. It reads the whole file, if there are such columns."""
    places = [
        (at, column) for at, columns in enumerate(table.headings.places) for column in columns if column in DATES
    ]
    if not places:
        return {}
    before = table.remembered.dates if table.remembered else None
    cells = (
        (row.line, column, row.cells[at])
        for row in table.rows()
        for at, column in places
        if at < len(row.cells) and row.cells[at]
    )
    return dates.habits(cells, order, before)  # type: ignore[arg-type]  # written by us


async def _import(batch: list[Row], reader: _Reader, save: Save, bad: BadFile | None) -> None:
    drafts, refused = reader.read(batch)
    for line, outcome in zip(drafts, await save(list(drafts.values())), strict=True):
        if isinstance(outcome, Refused):
            refused[line] = BadLine(line, (outcome.flaw,))
        else:
            setattr(reader.report, outcome, getattr(reader.report, outcome) + 1)
    reader.report.bad += refused.values()
    if bad is not None:
        for row in batch:
            if row.line in refused:
                bad.write(row, refused[row.line])


@asynccontextmanager
async def _writing(database: Database, at: datetime, by: Author, dry_run: bool) -> AsyncIterator[Save]:
    """How a batch is saved: each in a transaction of its own, or all of them in a rehearsal."""
    if dry_run:
        async with rehearsal(database) as conn:
            yield lambda drafts: bulk.save(conn, drafts, at, by, searchable=False)
        return

    async def save(drafts: Sequence[CustomerDraft]) -> list[bulk.Outcome | Refused]:
        async with database.begin() as conn:
            return await bulk.save(conn, drafts, at, by)

    yield save


async def _remember(database: Database, file: str, table: _Table, order: Order | None, at: datetime) -> None:
    headings = table.customers.head.headings
    known = ImportMapping(
        shape=mapping.shape(headings),
        headings=[heading.strip() for heading in headings if heading.strip()],
        meanings=table.headings.explained,
        dates=order or (table.remembered.dates if table.remembered else None),
        file=file,
        used_at=at,
    )
    async with database.begin() as conn:
        await import_mappings.remember(conn, known)


class _Reader:
    """Turns rows into drafts. It remembers earlier rows, because rows of a file must not contradict each other."""

    def __init__(self, places: Sequence[Columns], known: Known, report: Report) -> None:
        self.width = len(places)
        self.places = [(at, column) for at, columns in enumerate(places) for column in columns]
        self.known = known
        self.report = report
        self.first_rows: dict[str, tuple[int, int]] = {}  # external_ref → its first line, a hash of the content
        self.contracts: dict[str, str] = {}  # contract number → external_ref of its owner

    def read(self, rows: list[Row]) -> tuple[dict[int, CustomerDraft], dict[int, BadLine]]:
        found: dict[int, CustomerDraft] = {}
        refused: dict[int, BadLine] = {}
        for row in rows:
            try:
                found[row.line] = self._draft(row)
            except BadRow as bad:
                refused[row.line] = BadLine(row.line, bad.flaws)
        return found, refused

    def _draft(self, row: Row) -> CustomerDraft:
        if row.problem:
            raise BadRow(Flaw(row.problem))
        if any(cell.strip() for cell in row.cells[self.width :]):
            form = f"has {{}} cells, the header {self.width}: is a comma not quoted?"
            raise BadRow(Flaw(form, (str(len(row.cells)),)))
        made = draft(self._cells(row), self.known)
        content = hash(repr(replace(made, points=(), contract=None)))
        line, first_content = self.first_rows.setdefault(made.external_ref, (row.line, content))
        if first_content != content:
            form = "line {} says otherwise about {}; correct one of the two"
            raise BadRow(Flaw(form, (str(line), made.external_ref)))
        if made.contract:
            number = made.contract.number
            owner = self.contracts.setdefault(number, made.external_ref)
            if owner != made.external_ref:
                raise BadRow(Flaw("contract {} is given to {} in a row before", (number, owner)))
        return made

    def _cells(self, row: Row) -> dict[str, str]:
        """The text of each column. Several headings may mean a column that takes several values."""
        cells: dict[str, str] = {}
        last = len(row.cells)
        for at, column in self.places:
            if at < last:
                cell = row.cells[at]
                cells[column] = (
                    f"{cells[column]}\n{cell}" if cells.get(column) and cell else cell or cells.get(column, "")
                )
        return cells


async def _known(database: Database, region: str, report: Report) -> Known:
    async with database.read() as conn:
        levels = await contracts.all_service_levels(conn)
        names = {agent.login: agent.id for agent in await agents.all_active(conn)}
    codes = {
        name.casefold(): level.code
        for level in levels
        for name in (level.code, level.name_en, level.name_zh)
        if name
    }
    return Known(region=region, agents=names, service_levels=codes, dates=report.dates)
