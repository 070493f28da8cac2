"""import: bring in data from another system."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cti_server.settings import Settings

from .common import err, fail, opened, out, read_settings, run

imports = typer.Typer(no_args_is_help=True, help="Bring in what another system knows.")


@imports.command("customers")
def import_customers(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX.")],
    region: Annotated[str | None, typer.Option(help="Whose numbers they are, e.g. CN; else the default.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="What a CSV is in, e.g. windows-1252, big5; else it is found out.")
    ] = None,
    show: Annotated[int, typer.Option(help="How many bad rows to list.")] = 50,
) -> None:
    """Import customers. Good rows are kept, bad ones named by line and reason; twice changes nothing."""
    settings = read_settings()
    run(_import(settings, file, region, encoding, show), settings)


async def _import(settings: Settings, file: Path, region: str | None, encoding: str | None, show: int) -> None:
    from cti_server.imports.columns import WrongFile
    from cti_server.imports.customers import bad_lines, import_customers

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with opened(settings) as database:
        with Progress(*columns, console=err) as progress:
            task = progress.add_task(file.name, total=None)
            try:
                report = await import_customers(
                    database,
                    file,
                    region=region or settings.default_region,
                    at=datetime.now(UTC),
                    encoding=encoding,
                    progress=lambda done, total: progress.update(task, completed=done, total=total),
                )
            except WrongFile as wrong:
                fail(str(wrong), "docs/import-example.csv shows the columns")
    for line in bad_lines(report, show):
        err.print(line, highlight=False, markup=False)
    counts = f"{report.created} added, {report.updated} changed, {report.unchanged} unchanged"
    if encoding is None and report.encoding not in (None, "utf-8", "utf-8-sig"):
        out.print(f"read as {report.encoding}; if names look wrong, say with --encoding what it is")
    out.print(f"{counts}, {len(report.bad)} left out")
    if report.bad:
        sys.exit(1)
