"""Whatever number a command takes, it knows its limits: none reaches a database that cannot hold it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from cti_server.cli import cli
from cti_server.cli.given import MAX_NUMBER


def numbers(group: typer.Typer) -> Iterator[tuple[str, Any]]:
    """(command and parameter, typer's description) of each parameter that is a number."""
    for command in group.registered_commands:
        for name, hint in get_type_hints(command.callback, include_extras=True).items():
            if get_origin(hint) is Annotated and {int, float} & {get_args(hint)[0], *get_args(get_args(hint)[0])}:
                yield f"{command.callback.__name__} {name}", get_args(hint)[1]  # type: ignore[union-attr]
    for child in group.registered_groups:
        assert child.typer_instance is not None
        yield from numbers(child.typer_instance)


def test_every_number_has_limits() -> None:
    found = dict(numbers(cli))
    assert {"forget number", "add_level rank", "set_queue wrap_up_time", "import_customers show"} <= set(found)
    endless = [name for name, one in found.items() if one.min is None or one.max is None or one.max > MAX_NUMBER]
    assert endless == []
