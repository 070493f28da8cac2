"""import: bring in data from another system, and what is remembered of how its files are read."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cti_server.settings import Settings

from .common import err, fail, opened, out, read_settings, run
from .given import MAX_NUMBER, region_of

if TYPE_CHECKING:
    from cti_server.imports.customers import Options
    from cti_server.imports.report import Report

imports = typer.Typer(no_args_is_help=True, help="Bring in what another system knows.")


@imports.command("customers")
def import_customers(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX.")],
    region: Annotated[str | None, typer.Option(help="Whose numbers they are, e.g. CN; else the default.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="What a CSV is in, e.g. windows-1252, big5; else it is found out.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="The sheet of an XLSX; else the one with customers.")] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map", help="'Their heading=our column', or =ignore; as often as needed. It is remembered."
        ),
    ] = None,
    dates: Annotated[
        str | None, typer.Option(help="dmy, mdy or ymd: how 01/03/2025 is read, where the file does not tell.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of it, and write nothing.")
    ] = False,
    show: Annotated[int, typer.Option(min=0, max=1000, help="How many lines to name for each reason.")] = 5,
    bad: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A CSV to write the rows to that are left out, with why.")
    ] = None,
) -> None:
    """Import customers. Good rows are kept, bad ones counted by reason; twice changes nothing."""
    from cti_server.imports.customers import Options
    from cti_server.imports.dates import ORDERS

    if dates is not None and dates not in ORDERS:
        fail(f"--dates is one of {', '.join(ORDERS)}: the order of day, month and year")
    settings = read_settings()
    options = Options(
        region=region_of(region) if region is not None else settings.default_region,
        encoding=encoding,
        sheet=sheet,
        maps=maps or (),
        order=dates,
        dry_run=dry_run,
        bad=bad,
    )
    run(_import(settings, file, options, show), settings)


async def _import(settings: Settings, file: Path, options: Options, show: int) -> None:
    from cti_server.imports.columns import WrongFile
    from cti_server.imports.customers import import_customers

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with opened(settings) as database:
        with Progress(*columns, console=err, transient=True) as progress:
            task = progress.add_task(file.name, total=None)
            try:
                report = await import_customers(
                    database,
                    file,
                    options,
                    at=datetime.now(UTC),
                    progress=lambda done, total: progress.update(task, completed=done, total=total),
                )
            except WrongFile as wrong:
                progress.stop()
                err.print(str(wrong), style="bold red", highlight=False, markup=False, soft_wrap=True)
                err.print("docs/import.md shows the columns", highlight=False)
                raise typer.Exit(1) from None
    _tell(report, options, show)
    if report.bad:
        sys.exit(1)


def _tell(report: Report, options: Options, show: int) -> None:
    from cti_server.imports import dates
    from cti_server.imports.report import reasons

    for line in reasons(report, show):
        err.print(line, highlight=False, markup=False, soft_wrap=True)
    told = [*report.told, *dates.said(report.dates)]
    if options.encoding is None and report.encoding not in (None, "utf-8", "utf-8-sig"):
        told.append(f"read as {report.encoding}; if names look wrong, say with --encoding what it is")
    if report.others:
        told.append("no customers: " + ", ".join(f"{kind}: {count}" for kind, count in report.others.items()))
    for line in told:
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if report.bad and options.bad is not None:
        out.print(f"the rows left out are in {options.bad}", highlight=False, markup=False)
    counts = f"{report.created} added, {report.updated} changed, {report.unchanged} unchanged"
    out.print(f"{counts}, {len(report.bad)} left out" + ("; nothing was written" if options.dry_run else ""))


@imports.command("mappings")
def mappings() -> None:
    """List what is remembered of the headings that somebody explained with --map."""
    run(_mappings(read_settings()))


async def _mappings(settings: Settings) -> None:
    from cti_server.record.crm import import_mappings

    async with opened(settings) as database, database.read() as conn:
        every = await import_mappings.everything(conn)
    for known in every:
        said = [f"{heading}={'+'.join(columns) or 'ignore'}" for heading, columns in known.meanings.items()]
        said += [f"dates {known.dates}"] if known.dates else []
        text = f"{known.id}  {', '.join(said)}  (last for {known.file}, {known.used_at:%Y-%m-%d})"
        out.print(text, highlight=False, markup=False, soft_wrap=True)
    if not every:
        out.print("nothing is remembered")


@imports.command("forget")
def forget(
    number: Annotated[int, typer.Argument(min=1, max=MAX_NUMBER, help="Its number in `import mappings`.")],
) -> None:
    """Forget what a heading was said to mean."""
    run(_forget(read_settings(), number))


async def _forget(settings: Settings, number: int) -> None:
    from cti_server.record.crm import import_mappings

    async with opened(settings) as database, database.begin() as conn:
        gone = await import_mappings.forget(conn, number)
    if not gone:
        fail(f"there is no mapping {number}", "cti-server import mappings lists them")
    out.print(f"mapping {number} is forgotten")
