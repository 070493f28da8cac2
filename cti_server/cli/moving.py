"""move: the record from its SQLite file into PostgreSQL."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cti_server.settings import Settings

from .common import err, fail, out, read_settings, run


def move(
    to: Annotated[str, typer.Option(help="An empty PostgreSQL database, e.g. postgresql:///cti")],
) -> None:
    """Move the record from its SQLite file to PostgreSQL; the server must be stopped. The file stays as it is."""
    run(_move(read_settings(), to))


async def _move(settings: Settings, to: str) -> None:
    from cti_server.record.database import failure
    from cti_server.record.move import CannotMove, move

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("rows", total=None)
        try:
            moved = await move(
                settings.database_url, to, lambda done, of: progress.update(task, completed=done, total=of)
            )
        except CannotMove as cannot:
            fail(str(cannot), cannot.remedy)
        except ValueError as wrong:
            fail(str(wrong))
        except Exception as failed:
            fail(f"nothing was moved: {failure(failed)}", "docs/operations.md has the lines for role and database")
    if await _has_sealed(to):
        out.print("SIP passwords in it are encrypted: the server there needs the same CTI_SECRET_KEY")
    filled = sum(1 for rows in moved.values() if rows)
    out.print(f"{sum(moved.values())} rows in {filled} tables, each read back and compared")
    out.print(
        f"now set  [bold]CTI_DATABASE_URL={to}[/]  and start the server; the file is as it was", highlight=False
    )


async def _has_sealed(url: str) -> bool:
    from cti_server.record.center import phones
    from cti_server.record.database import Database
    from cti_server.record.sealing import is_sealed

    async with Database(url, pool_size=1) as database, database.read() as conn:
        return any(is_sealed(phone.sip_password or "") for phone in await phones.all_phones(conn))
