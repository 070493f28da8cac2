"""`cti-server`: serve, demo, call, migrate, user add, import customers, doctor."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import SecretStr, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from . import log
from .settings import Account, PbxSettings, Settings

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
user = typer.Typer(no_args_is_help=True, help="People who sign in at a desktop.")
imports = typer.Typer(no_args_is_help=True, help="Bring in what another system knows.")
line = typer.Typer(no_args_is_help=True, help="Numbers that are dialled: their region, language and queue.")
queue_app = typer.Typer(no_args_is_help=True, help="Queues of the PBX: titles and limits.")
cli.add_typer(user, name="user")
cli.add_typer(line, name="line")
cli.add_typer(queue_app, name="queue")
cli.add_typer(imports, name="import")

out = Console()
err = Console(stderr=True)


def main() -> None:
    """The console script."""
    cli()


def fail(what: str, remedy: str | None = None) -> NoReturn:
    """Say what is wrong and what mends it; exit 1."""
    err.print(f"[bold red]{what}[/]", highlight=False)
    if remedy is not None:
        err.print(remedy, highlight=False)
    raise typer.Exit(1)


def read_settings(**changes: Any) -> Settings:
    try:
        return Settings(**changes)
    except ValidationError as bad:
        for error in bad.errors():
            name = "CTI_" + "_".join(str(part) for part in error["loc"]).upper()
            err.print(f"[bold red]{name}[/]: {error['msg']}", highlight=False)
        raise typer.Exit(2) from None


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end or to Ctrl-C, on uvloop where there is one."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work)


# --- serving ---------------------------------------------------------------------------------------------


@cli.command()
def serve() -> None:
    """Attach to the PBX that the settings name, and serve the desktop."""
    from .app import serve as serve_app

    settings = read_settings()
    log.configure(settings.log_level, settings.log_json)
    run(_serve_migrated(settings, serve_app))


async def _serve_migrated(settings: Settings, serve_app: Callable[..., Coroutine[Any, Any, None]]) -> None:
    from .record import migrate

    head = migrate.head()
    if (now := await migrate.current(settings.database_url)) != head:
        state = "is empty" if now is None else f"is at revision {now}, this server needs {head}"
        fail(f"the database {state}", "run: cti-server migrate")
    await serve_app(settings)


@cli.command()
def migrate(
    revision: Annotated[str, typer.Argument(help="A revision, or base to undo everything.")] = "head",
    down: Annotated[bool, typer.Option("--down", help="Go down to the revision instead of up.")] = False,
) -> None:
    """Bring the database to a revision: the newest unless one is named."""
    from .record import migrate as migrations

    settings = read_settings()
    step = migrations.downgrade if down else migrations.upgrade
    run(step(settings.database_url, revision))
    out.print(f"database at [bold]{asyncio.run(migrations.current(settings.database_url)) or 'base'}[/]")


@cli.command()
def doctor() -> None:
    """Find what stands between the PBX and a card on the screen, and name the line that mends it."""
    from .doctor import main as examine

    raise typer.Exit(examine(read_settings()))


# --- the demo --------------------------------------------------------------------------------------------

DemoFolder = Annotated[Path, typer.Option(envvar="CTI_DEMO_DIR", help="Where the demo keeps its state.")]


@cli.command()
def demo(folder: DemoFolder = Path("var/demo")) -> None:
    """A whole call center on this machine: a real Asterisk 22, phones, seeded customers, and the server."""
    from .demo.asterisk_root import DemoUnavailable
    from .demo.stage import only_one

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with only_one(folder):
            run(_demo(folder.resolve()))
    except DemoUnavailable as cause:
        fail(str(cause))


async def _demo(folder: Path) -> None:
    from .app import serve as serve_app
    from .demo import stage
    from .demo.seed import seed
    from .record import migrate as migrations
    from .record.database import Database

    given = read_settings()
    fastagi_port = stage.port_or_free(given.fastagi_port)
    pbx = stage.config(fastagi_port)
    settings = read_settings(
        database_url=f"sqlite+aiosqlite:///{folder}/demo.db"
        if "database_url" not in given.model_fields_set
        else given.database_url,
        http_port=_demo_port(given),
        fastagi_port=fastagi_port,
        pbxs=(demo_pbx(pbx.name, pbx.ami_port, pbx.secrets),),
    )
    log.configure("error")  # what is said while it starts belongs to the spinner
    with out.status("preparing the database"):
        await migrations.upgrade(settings.database_url)
        async with Database(settings.database_url) as database:
            await seed(database, pbx.name, datetime.now(UTC))
    show = out.status("starting Asterisk (the first time it is built: about a minute)")
    show.start()
    staged = stage.stage(pbx, folder)
    try:
        await asyncio.to_thread(staged.__enter__)
        show.stop()
        log.configure("warning" if given.log_level == "info" else given.log_level, given.log_json)
        await serve_app(settings, lambda server: welcome(settings))
    finally:
        show.stop()
        out.print("\nending the demo …")
        await asyncio.to_thread(staged.__exit__, None, None, None)


def _demo_port(given: Settings) -> int:
    """The wanted port; another one, said aloud, when it is taken and nobody insisted on it."""
    from .demo.stage import port_or_free

    port = port_or_free(given.http_port)
    if port != given.http_port and "http_port" in given.model_fields_set:
        fail(f"port {given.http_port} is taken", "end what listens there, or set another CTI_HTTP_PORT")
    if port != given.http_port:
        out.print(f"port {given.http_port} is taken; this demo takes {port}")
    return port


def demo_pbx(name: str, port: int, secrets: Any) -> PbxSettings:
    """How the server reaches the demo PBX: one account a role, as an administrator would set it up."""

    def account(role: str) -> Account:
        return Account(user=role, secret=SecretStr(secrets[role]))

    return PbxSettings(
        name=name,
        port=port,
        events=account("cti-events"),
        agent=account("cti-agent"),
        call=account("cti-call"),
        originate=account("cti-originate"),
    )


def welcome(settings: Settings) -> None:
    """What a person needs to know once the demo runs."""
    from .demo.seed_data import DEMO_PASSWORD, LOGINS

    table = Table("login", "name", "role", "phone", title="demo sign-ins", title_justify="left")
    for person in LOGINS:
        table.add_row(person.login, person.name, person.role, person.extension or "")
    out.print()
    out.print(table)
    out.print(f"password of each: [bold]{DEMO_PASSWORD}[/]", highlight=False)
    out.print(f"\nopen  [bold]http://127.0.0.1:{settings.http_port}[/]  and sign in as alice", highlight=False)
    out.print("then, in another terminal:  [bold]make call[/]    Ctrl-C here ends everything", highlight=False)


@cli.command()
def call(
    customer: Annotated[
        str, typer.Option(help="covered, expired, shared … (--customer ? lists them), or any number.")
    ] = "covered",
    line: Annotated[str, typer.Option(help="support, sales, vip … or a DID.")] = "vip",
    stay: Annotated[float, typer.Option(help="Seconds to stay on the line.", min=1, max=300)] = 45.0,
    name: Annotated[str | None, typer.Option(help="The caller's display name.")] = None,
    withheld: Annotated[bool, typer.Option("--withheld", help="Withhold the number.")] = False,
    folder: DemoFolder = Path("var/demo"),
) -> None:
    """Place a real SIP call into the running demo."""
    from .demo.asterisk_root import DemoUnavailable
    from .demo.stage import ring_in

    try:
        with out.status("on the line; Ctrl-C hangs up"):
            done = ring_in(folder.resolve(), None if withheld else customer, line, stay, name)
    except (DemoUnavailable, LookupError) as cause:
        fail(str(cause.args[0] if cause.args else cause))
    except KeyboardInterrupt:
        done = "hung up"
    out.print(done)


# --- lines and queues ------------------------------------------------------------------------------------


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
    from .rules.facts import Line
    from .rules.numbers import normalise

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


@queue_app.command("add")
def queue_add(
    name: Annotated[str, typer.Argument(help="Its name in queues.conf.")],
    title: Annotated[str, typer.Option(help="Its name in English.")] = "",
    title_zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
    pbx: Annotated[str | None, typer.Option(help="Its PBX; the first one unless named.")] = None,
    short_abandon: Annotated[float, typer.Option(help="Seconds below which an abandon counts apart.")] = 5.0,
    service_level: Annotated[float, typer.Option(help="Seconds within which calls should be answered.")] = 20.0,
) -> None:
    """Add a queue, or change the one with this name."""
    from .record.queues import Queue

    settings = read_settings()
    owner = pbx or settings.attached()[0].name
    limits = {"short_abandon_ms": round(short_abandon * 1000), "service_level_ms": round(service_level * 1000)}
    run(_save(settings, "queues", Queue(0, owner, name, title or name, title_zh or title or name, **limits)))
    out.print(f"queue [bold]{name}[/] of {owner}; a running server knows it after a restart")


async def _save(settings: Settings, table: str, row: Any) -> None:
    from .record import lines, queues
    from .record.database import Database

    save: Any = {"lines": lines.save, "queues": queues.save}[table]
    async with Database(settings.database_url) as database, database.begin() as conn:
        await save(conn, row)


# --- people and customers --------------------------------------------------------------------------------


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
    from .api.passwords import hash_password

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
    from .record import agents
    from .record.database import Database

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
    from .imports.columns import WrongFile
    from .imports.customers import bad_lines, import_customers
    from .record.database import Database

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
