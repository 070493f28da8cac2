"""Reads configuration files as Asterisk does: sections, lines, and what they include."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEEPEST = 8  # files that include each other

_SECTION = re.compile(r"^\s*\[([^\]]+)\](?:\(([^)]*)\))?")
_INCLUDE = re.compile(r"""^\s*#(?:try)?include\s+["<]?([^"<>;]+?)[">]?\s*(?:;.*)?$""")
_COMMENT = re.compile(r"(?<!\\);.*$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that means something: its place (`number` from 1), its section and the section's templates."""

    file: Path
    number: int
    section: str
    inherits: tuple[str, ...]
    text: str


def lines(file: Path, folder: Path, depth: int = 0) -> Iterator[Line]:
    """The lines of a file and of those that it includes, comments left out. A file that is not there has none."""
    section, inherits = "", tuple[str, ...]()
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    away = False  # in a comment of several lines: ;-- … --;
    for number, raw in enumerate(text.splitlines(), 1):
        if away or raw.lstrip().startswith(";--"):
            away = "--;" not in raw
            continue
        if (included := _INCLUDE.match(raw)) is not None and depth < DEEPEST:
            named = included[1].strip()
            root, pattern = (Path("/"), named.lstrip("/")) if named.startswith("/") else (folder, named)
            for other in sorted(root.glob(pattern)):
                yield from lines(other, folder, depth + 1)
            continue
        said = _COMMENT.sub("", raw).strip()
        if (begun := _SECTION.match(said)) is not None:
            section = begun[1]
            inherits = tuple(part.strip() for part in (begun[2] or "").split(",") if part.strip())
            yield Line(file, number, section, inherits, "")
        elif said:
            yield Line(file, number, section, inherits, said)


def value(text: str) -> tuple[str, str] | None:
    """(name, value) of `name = value` or `name => value`; None for another line."""
    name, sign, rest = text.partition("=")
    return (name.strip(), rest.removeprefix(">").strip()) if sign else None
