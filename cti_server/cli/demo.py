"""demo and call: a whole call center on this machine, and a real call into it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr
from rich.table import Table

from cti_server import log
from cti_server.settings import Account, PbxSettings, Settings

from .common import fail, out, read_settings, run

DemoFolder = Annotated[Path, typer.Option(envvar="CTI_DEMO_DIR", help="Where the demo keeps its state.")]


def demo(folder: DemoFolder = Path("var/demo")) -> None:
    """A whole call center on this machine: a real Asterisk 22, phones, seeded customers, and the server."""
    from cti_server.demo.asterisk_root import DemoUnavailable
    from cti_server.demo.stage import only_one

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with only_one(folder), contextlib.suppress(KeyboardInterrupt):
            run(_demo(folder.resolve()))
    except DemoUnavailable as cause:
        fail(str(cause))


async def _demo(folder: Path) -> None:
    from cti_server.app import serve as serve_app
    from cti_server.demo import stage
    from cti_server.demo.seed import seed
    from cti_server.record import migrate as migrations
    from cti_server.record.database import Database

    # An installed server's settings are not the demo's, and neither is a database that some file names.
    given = read_settings(of_the_machine=False, quiet=True)
    fastagi_port = stage.port_or_free(given.fastagi_port)
    pbx = stage.config(fastagi_port)
    own_key = SecretStr(stage.secret_key(folder))
    settings = read_settings(
        of_the_machine=False,
        database_url=os.environ.get("CTI_DATABASE_URL") or f"sqlite:///{folder}/demo.db",
        http_port=_demo_port(given),
        fastagi_port=fastagi_port,
        softphone_url=given.softphone_url or f"ws://127.0.0.1:{pbx.http_port}/ws",
        pbxs=(demo_pbx(pbx.name, pbx.ami_port, pbx.secrets),),
        secret_key=(own_key, *(key for key in given.secret_key if key != own_key)),
    )
    log.configure("error")  # log lines would disturb the spinner while it starts
    with out.status("preparing the database"):
        await migrations.upgrade(settings.database_url)
        async with Database(settings.database_url) as database:
            await seed(database, pbx.name, datetime.now(UTC), settings.sealer())
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
    """The configured port; if it is only the default and taken, a free one, which is printed."""
    from cti_server.demo.stage import port_or_free

    port = port_or_free(given.http_port)
    if port != given.http_port and "http_port" in given.model_fields_set:
        fail(f"port {given.http_port} is taken", "end what listens there, or set another CTI_HTTP_PORT")
    if port != given.http_port:
        out.print(f"port {given.http_port} is taken; this demo takes {port}")
    return port


def demo_pbx(name: str, port: int, secrets: Any) -> PbxSettings:
    """The settings by which the server reaches the demo PBX: one account per role, as in a real installation."""

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
    """Print what a person needs to know once the demo runs."""
    from cti_server.demo.seed_data import DEMO_PASSWORD, LOGINS

    table = Table("login", "name", "role", "phone", title="demo sign-ins", title_justify="left")
    for person in LOGINS:
        table.add_row(person.login, person.name, person.role, person.extension or "")
    out.print()
    out.print(table)
    out.print(f"password of each: [bold]{DEMO_PASSWORD}[/]", highlight=False)
    out.print(f"\nopen  [bold]http://127.0.0.1:{settings.http_port}[/]  and sign in as alice", highlight=False)
    out.print("press R there to be ready; with 1101 in the phone field the browser is her phone", highlight=False)
    out.print("then, in another terminal:  [bold]make call[/]    Ctrl-C here ends everything", highlight=False)


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
    from cti_server.demo.asterisk_root import DemoUnavailable
    from cti_server.demo.stage import ring_in

    try:
        with out.status("on the line; Ctrl-C hangs up"):
            done = ring_in(folder.resolve(), None if withheld else customer, line, stay, name)
    except (DemoUnavailable, LookupError) as cause:
        fail(str(cause.args[0] if cause.args else cause))
    except KeyboardInterrupt:
        done = "hung up"
    out.print(done)
