"""migrate: bring the database to a revision of the schema. Only it makes a database."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cti_server.settings import Settings

from .common import confirm, err, fail, read_settings, run, say
from .tables import show_all


def migrate(
    revision: Annotated[
        str | None, typer.Argument(help="A revision; the newest unless named. Going down, `base` undoes all.")
    ] = None,
    down: Annotated[bool, typer.Option("--down", help="Go down to the revision instead of up.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before going down.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Only list the revisions that there are.")] = False,
) -> None:
    """Make the database, or bring it to a revision: the newest unless one is named."""
    from cti_server.record import migrate as migrations

    if listed:
        rows = [{"revision": one.number, "brings": one.about} for one in migrations.revisions()]
        show_all(("revision", "brings"), rows, as_json=False)
        return
    settings = read_settings()
    if down:
        _go_down(settings, revision, yes)
    elif revision == migrations.BASE:
        fail("base is down", f"cti-server migrate --down {migrations.BASE}")
    else:
        numbers = [one.number for one in migrations.revisions()]
        if revision is not None and revision not in (*numbers, "head"):
            fail(f"this cti-server does not know that revision: {revision}", "cti-server migrate --list")
        if (
            revision in numbers
            and (at := run(_current(settings), settings)) in numbers[numbers.index(revision) + 1 :]
        ):
            fail(
                f"the database is at {at}, above {revision}",
                f"cti-server migrate --down {revision}   goes down to it",
            )
        run(migrations.upgrade(settings.database_url, revision or "head"), settings)
    now = run(migrations.current(settings.database_url), settings)
    say(f"database at {now or migrations.BASE}")


def _go_down(settings: Settings, revision: str | None, yes: bool) -> None:
    from cti_server.record import migrate as migrations

    numbers = [one.number for one in migrations.revisions()]
    if revision is None:
        fail("name the revision to go down to", "cti-server migrate --list   names them; base is before all")
    if revision not in (migrations.BASE, *numbers):
        fail(f"there is no revision {revision}", "cti-server migrate --list")
    now = run(_current(settings), settings)
    if now is None:
        fail("the database is empty", "There is nothing to undo.")
    if now not in numbers:
        fail(f"the database is at revision {now}, which this version does not know", "Use the newer cti-server.")
    kept = 0 if revision == migrations.BASE else numbers.index(revision) + 1
    undone = migrations.revisions()[kept : numbers.index(now) + 1]
    if not undone:
        fail(f"the database is at revision {now}, which is not above {revision}", "cti-server migrate --list")
    err.print(f"going down from {now} to {revision} loses what these have stored:", highlight=False)
    for one in undone[::-1]:
        err.print(f"  {one.number}  {one.about}", highlight=False, markup=False, soft_wrap=True)
    for line in run(_lost(settings, everything=kept == 0), settings):
        err.print(f"  {line}", highlight=False, markup=False)
    if not yes:
        confirm("Nothing brings it back but a backup. Go down?")
    run(migrations.downgrade(settings.database_url, revision), settings)


async def _current(settings: Settings) -> str | None:
    from cti_server.record import migrate as migrations
    from cti_server.record.database import Database

    async with Database(settings.database_url) as database, database.read() as conn:
        return await migrations.revision_of(conn)


async def _lost(settings: Settings, *, everything: bool) -> list[str]:
    """What all of the record is, in numbers, when all of it goes."""
    from cti_server.record import amounts
    from cti_server.record.database import Database

    if not everything:
        return []
    async with Database(settings.database_url) as database, database.read() as conn:
        counted: dict[str, Any] = await amounts.of_record(conn)
    return [f"{count} {what}" for what, count in counted.items() if count]
