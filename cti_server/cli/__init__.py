"""`cti-server`: attach, serve, doctor and what else an administrator does; list, show, add, set, remove."""

from __future__ import annotations

import io
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from . import (
    attaching,
    auditing,
    backing_up,
    demo,
    detaching,
    importing,
    keys,
    maintaining,
    migrating,
    moving,
    serving,
)
from .common import refuse
from .failures import explained
from .things import (
    api_keys,
    codes,
    contracts,
    dialling,
    levels,
    lines,
    phones,
    queues,
    reasons,
    serving_queues,
    teams,
    users,
    ways_in,
)

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
for command in (
    attaching.attach,
    detaching.detach,
    serving.serve,
    serving.doctor,
    migrating.migrate,
    moving.move,
    maintaining.maintain,
    backing_up.backup,
    backing_up.verify_backup,
    backing_up.restore,
    keys.key,
    demo.demo,
    demo.call,
):
    cli.command()(command)
for with_queues in (
    serving_queues.serves,
    serving_queues.unserves,
    serving_queues.skill,
    serving_queues.unskill,
):
    users.user.command()(with_queues)
for name, way_in in (
    ("second-factor", ways_in.second_factor),
    ("link", ways_in.link_user),
    ("unlink", ways_in.unlink_user),
):
    users.user.command(name)(way_in)
for name, group in (
    ("user", users.user),
    ("team", teams.team),
    ("phone", phones.phone),
    ("line", lines.line),
    ("queue", queues.queue),
    ("level", levels.level),
    ("contract", contracts.contract),
    ("reason", reasons.reason),
    ("code", codes.code),
    ("dialling", dialling.dialling),
    ("import", importing.imports),
    ("api-key", api_keys.api_key),
    ("audit", auditing.audit),
):
    cli.add_typer(group, name=name)


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"cti-server {version('cti-server')}")
        except PackageNotFoundError:  # a checkout that is not installed
            typer.echo("cti-server, from a checkout")
        raise typer.Exit


@cli.callback()
def _options(
    wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


def _have_three_streams() -> None:
    """In place of a closed stdin, stdout or stderr, which Python has as None: the next file that is opened would
    get its number, and uvloop aborts over such a one."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(opened, True)
    os.close(opened)
    sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115


def main() -> None:
    """The console script."""
    _have_three_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ✓ and 王 still has the rest
    try:
        cli()
    except Exception as failed:
        failure = explained(failed)
        if failure is None:
            raise
        try:
            refuse(failure)
        except typer.Exit as ended:
            raise SystemExit(ended.exit_code) from None
