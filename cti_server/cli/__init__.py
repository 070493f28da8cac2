"""`cti-server`: serve, demo, call, migrate, doctor, user, line, queue, import."""

from __future__ import annotations

import typer

from . import demo, records, serving

cli = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
for command in (serving.serve, serving.migrate, serving.doctor, demo.demo, demo.call):
    cli.command()(command)
for name, group in (
    ("user", records.user),
    ("line", records.line),
    ("queue", records.queue),
    ("import", records.imports),
):
    cli.add_typer(group, name=name)


def main() -> None:
    """The console script."""
    cli()
