"""How `list` and `show` print: for a person in columns, for a pipe with tabs, for a program as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.cells import cell_len

Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
Row = Mapping[str, Any]


def show_all(columns: Sequence[str], rows: Sequence[Row], as_json: bool) -> None:
    """A table of these columns; as JSON all that the rows have."""
    if as_json:
        typer.echo(json.dumps([dict(row) for row in rows], ensure_ascii=False, indent=2, default=str))
        return
    lines = [[column.replace("_", " ") for column in columns]]
    lines += [[_text(row.get(column)) for column in columns] for row in rows]
    if not sys.stdout.isatty():
        typer.echo("\n".join("\t".join(line) for line in lines))
        return
    widths = [max(cell_len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def show_one(row: Row, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(dict(row), ensure_ascii=False, indent=2, default=str))
        return
    width = max(len(name) for name in row)
    for name, value in row.items():
        typer.echo(f"{name.replace('_', ' '):<{width}}  {_text(value)}".rstrip())


def _text(value: Any) -> str:
    """A value in one line: control characters in a name must not break the table."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list() | tuple():
            return ", ".join(map(_text, value)) or "-"
        case dict():
            return ", ".join(f"{name} {_text(one)}" for name, one in value.items()) or "-"
    return "".join(c if c.isprintable() else " " for c in str(value)) or "-"
