"""user, line, queue, import: what the record must know before calls come."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cti_server.settings import Settings

from .common import err, fail, out, read_settings, run

user = typer.Typer(no_args_is_help=True, help="People who sign in at a desktop.")
line = typer.Typer(no_args_is_help=True, help="Numbers that are dialled: their region, language and queue.")
queue = typer.Typer(no_args_is_help=True, help="Queues of the PBX: titles and limits.")
imports = typer.Typer(no_args_is_help=True, help="Bring in what another system knows.")


@line.command("add")
def line_add(
    did: Annotated[str, typer.Argument(help="The number as the PBX sends it (DNIS).")],
    region: Annotated[str | None, typer.Option(help="How callers' numbers are read there, e.g. CN, GB.")] = None,
    title: Annotated[str, typer.Option(help="Its name in English.")] = "",
    title_zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
    language: Annotated[str | None, typer.Option(help="en or zh, when the caller's is not known.")] = None,
    queue: Annotated[str | None, typer.Option(help="The queue it leads to.")] = None,
) -> None:
    """Add a line, or change the one with this number."""
    from cti_server.rules.facts import Line
    from cti_server.rules.numbers import normalise

    settings = read_settings()
    where = (region or settings.default_region).upper()
    number = normalise(did, where)
    if number.e164 is None:
        fail(
            f"{did} is not a number of {where}: {number.reason}", "give it in full, e.g. +4420…, or name --region"
        )
    if language not in (None, "en", "zh"):
        fail("the language is en or zh")
    made = Line(0, number.e164, did, where, title or did, title_zh or title or did, language, queue)
    run(_save(settings, "lines", made))
    out.print(f"line [bold]{did}[/] ({number.e164}, {where}); a running server knows it within 15 s")


@queue.command("add")
def queue_add(
    name: Annotated[str, typer.Argument(help="Its name in queues.conf.")],
    title: Annotated[str, typer.Option(help="Its name in English.")] = "",
    title_zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
    pbx: Annotated[str | None, typer.Option(help="Its PBX; the first one unless named.")] = None,
    short_abandon: Annotated[float, typer.Option(help="Seconds below which an abandon counts apart.")] = 5.0,
    service_level: Annotated[float, typer.Option(help="Seconds within which calls should be answered.")] = 20.0,
) -> None:
    """Add a queue, or change the one with this name."""
    from cti_server.record.queues import Queue

    settings = read_settings()
    owner = pbx or settings.attached()[0].name
    limits = {"short_abandon_ms": round(short_abandon * 1000), "service_level_ms": round(service_level * 1000)}
    run(_save(settings, "queues", Queue(0, owner, name, title or name, title_zh or title or name, **limits)))
    out.print(f"queue [bold]{name}[/] of {owner}; a running server knows it after a restart")


async def _save(settings: Settings, table: str, row: Any) -> None:
    from cti_server.record import lines, queues
    from cti_server.record.database import Database

    save: Any = {"lines": lines.save, "queues": queues.save}[table]
    async with Database(settings.database_url) as database, database.begin() as conn:
        await save(conn, row)


@user.command("add")
def user_add(
    login: Annotated[str, typer.Argument(help="What they sign in with.")],
    name: Annotated[str, typer.Option(help="Their name, as colleagues and customers see it.")],
    role: Annotated[str, typer.Option(help="agent, supervisor or administrator.")] = "agent",
    seat: Annotated[str | None, typer.Option(help="Their phone at the PBX, e.g. PJSIP/1001.")] = None,
    pbx: Annotated[str | None, typer.Option(help="The PBX of that phone; the first one unless named.")] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    password: Annotated[str | None, typer.Option(help="Asked for when not given.")] = None,
) -> None:
    """Add somebody who signs in; or, with a login that exists, change them."""
    from cti_server.api.passwords import hash_password

    if role not in ("agent", "supervisor", "administrator") or language not in ("en", "zh"):
        fail("the role is agent, supervisor or administrator; the language en or zh")
    settings = read_settings()
    secret = password or typer.prompt("password", hide_input=True, confirmation_prompt=True)
    try:
        hashed = hash_password(secret)
    except ValueError as bad:
        fail(str(bad))
    fields = {
        "name": name,
        "role": role,
        "language": language,
        "seat": seat,
        "extension": seat.rsplit("/", 1)[-1] if seat else None,
        "pbx": (pbx or settings.attached()[0].name) if seat else None,
        "password_hash": hashed,
    }
    run(_save_user(settings, login, fields))


async def _save_user(settings: Settings, login: str, fields: dict[str, Any]) -> None:
    from cti_server.record import agents
    from cti_server.record.database import Database

    async with Database(settings.database_url) as database, database.begin() as conn:
        known = await agents.by_login(conn, login)
        if known is None:
            await agents.add(conn, login=login, **fields)
        else:
            await agents.update(conn, known.id, **fields)
    out.print(f"{'changed' if known else 'added'} [bold]{login}[/] ({fields['role']})")
    if fields["seat"]:
        out.print("a running server knows the new seat after a restart")


@imports.command("customers")
def import_customers(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV (UTF-8, GB18030) or XLSX.")],
    region: Annotated[str | None, typer.Option(help="Whose numbers they are, e.g. CN; else the default.")] = None,
    show: Annotated[int, typer.Option(help="How many bad rows to list.")] = 50,
) -> None:
    """Import customers. Good rows are kept, bad ones named by line and reason; twice changes nothing."""
    run(_import(read_settings(), file, region, show))


async def _import(settings: Settings, file: Path, region: str | None, show: int) -> None:
    from cti_server.imports.columns import WrongFile
    from cti_server.imports.customers import bad_lines, import_customers
    from cti_server.record.database import Database

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with Database(settings.database_url) as database:
        with Progress(*columns, console=err) as progress:
            task = progress.add_task(file.name, total=None)
            try:
                report = await import_customers(
                    database,
                    file,
                    region=region or settings.default_region,
                    at=datetime.now(UTC),
                    progress=lambda done, total: progress.update(task, completed=done, total=total),
                )
            except WrongFile as wrong:
                fail(str(wrong), "docs/import-example.csv shows the columns")
    for line in bad_lines(report, show):
        err.print(line, highlight=False, markup=False)
    counts = f"{report.created} added, {report.updated} changed, {report.unchanged} unchanged"
    out.print(f"{counts}, {len(report.bad)} left out")
    if report.bad:
        sys.exit(1)
