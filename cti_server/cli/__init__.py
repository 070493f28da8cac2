"""`cti-server`: serve, demo, call, migrate, doctor, user, phone, line, queue, import."""

from __future__ import annotations

import typer

from . import demo, importing, lines, moving, people, serving

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
for command in (serving.serve, serving.migrate, serving.doctor, moving.move, demo.demo, demo.call):
    cli.command()(command)
for name, group in (
    ("user", people.user),
    ("phone", people.phone),
    ("line", lines.line),
    ("queue", lines.queue),
    ("import", importing.imports),
):
    cli.add_typer(group, name=name)


def main() -> None:
    """The console script."""
    cli()
