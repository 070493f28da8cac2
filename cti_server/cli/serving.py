"""serve, migrate, doctor: what an administrator runs beside a PBX."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer

from cti_server import log
from cti_server.settings import Settings

from .common import fail, out, read_settings, run


def serve() -> None:
    """Attach to the PBX that the settings name, and serve the desktop."""
    from cti_server.app import serve as serve_app

    settings = read_settings()
    log.configure(settings.log_level, settings.log_json)
    run(_serve_migrated(settings, serve_app))


async def _serve_migrated(settings: Settings, serve_app: Callable[..., Coroutine[Any, Any, None]]) -> None:
    from cti_server.record import migrate

    head = migrate.head()
    if (now := await migrate.current(settings.database_url)) != head:
        state = "is empty" if now is None else f"is at revision {now}, this server needs {head}"
        fail(f"the database {state}", "run: cti-server migrate")
    await serve_app(settings)


def migrate(
    revision: Annotated[str, typer.Argument(help="A revision, or base to undo everything.")] = "head",
    down: Annotated[bool, typer.Option("--down", help="Go down to the revision instead of up.")] = False,
) -> None:
    """Bring the database to a revision: the newest unless one is named."""
    from cti_server.record import migrate as migrations

    settings = read_settings()
    step = migrations.downgrade if down else migrations.upgrade
    run(step(settings.database_url, revision))
    out.print(f"database at [bold]{asyncio.run(migrations.current(settings.database_url)) or 'base'}[/]")


def doctor() -> None:
    """Find what stands between the PBX and a card on the screen, and name the line that mends it."""
    from cti_server.doctor import main as examine

    raise typer.Exit(examine(read_settings()))
