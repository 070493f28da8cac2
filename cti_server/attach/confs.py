"""Reads configuration files as Asterisk does: sections, lines, and what they include."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEEPEST = 8  # files that include each other

_SECTION = re.compile(r"^\s*\[([^\]]+)\](?:\(([^)]*)\))?")
_INCLUDE = re.compile(r"""^\s*#(?:try)?include\s+["<]?([^"<>;]+?)[">]?\s*(?:;.*)?$""")
_COMMENT = re.compile(r"(?<!\\);(?!--(?!-)).*$")  # ;-- begins one of several lines, and ;--- one like any other
_OF_SEVERAL = re.compile(r"(?<!\\);--(?!-)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that means something: its place (`number` from 1), its section and the section's templates."""

    file: Path
    number: int
    section: str
    inherits: tuple[str, ...]
    text: str


def lines(file: Path, folder: Path) -> Iterator[Line]:
    """The lines of a file and of those that it includes, comments left out. A file that is not there has none. A
    section goes on into what is included within it, and one that begins there goes on after it."""
    yield from _lines(file, folder, 0, _Section())


@dataclass(slots=True)
class _Section:
    name: str = ""
    inherits: tuple[str, ...] = ()


def _lines(file: Path, folder: Path, depth: int, section: _Section) -> Iterator[Line]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    away = False  # in a comment of several lines: ;-- … --;
    for number, raw in enumerate(text.splitlines(), 1):
        said, away = _said(raw, away)
        if (included := _INCLUDE.match(said)) is not None and depth < DEEPEST:
            for other in _named(included[1].strip(), folder):
                yield from _lines(other, folder, depth + 1, section)
        elif (begun := _SECTION.match(said)) is not None:
            section.name = begun[1]
            section.inherits = tuple(part.strip() for part in (begun[2] or "").split(",") if part.strip())
            yield Line(file, number, section.name, section.inherits, "")
        elif said:
            yield Line(file, number, section.name, section.inherits, said)


def _said(raw: str, away: bool) -> tuple[str, bool]:
    """What a line says without its comments, and whether one of several lines goes on after it."""
    said, rest = "", raw
    while True:
        if away:
            _, end, rest = rest.partition("--;")
            if not end:
                return said.strip(), True
            away = False
        if (begun := _OF_SEVERAL.search(rest)) is None or _COMMENT.search(rest[: begun.start()]):
            return (said + _COMMENT.sub("", rest)).strip(), False
        said, rest, away = said + rest[: begun.start()], rest[begun.end() :], True


def _named(pattern: str, folder: Path) -> list[Path]:
    """The files that an #include names; none where it names no file, such as `/` or `**x`."""
    root, pattern = (Path("/"), pattern.lstrip("/")) if pattern.startswith("/") else (folder, pattern)
    try:
        return sorted(path for path in root.glob(pattern) if path.is_file())
    except ValueError:
        return []


def value(text: str) -> tuple[str, str] | None:
    """(name, value) of `name = value` or `name => value`; None for another line."""
    name, sign, rest = text.partition("=")
    return (name.strip(), rest.removeprefix(">").strip()) if sign else None
