"""What an administrator is told to paste, read out of the Markdown itself: a test runs those very lines."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def blocks(name: str, language: str, under: str = "") -> list[str]:
    """The fenced blocks of a language in docs/`name`; `under` is the heading of the section to look in."""
    text = (DOCS / name).read_text(encoding="utf-8")
    if under:
        _, found, rest = text.partition(f"\n{under}\n")
        assert found, f"docs/{name} has no heading {under!r}"
        level = len(under) - len(under.lstrip("#"))
        text = re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.M)[0]
    return re.findall(rf"^[ ]*```{re.escape(language)}\n(.*?)^[ ]*```$", text, flags=re.M | re.S)


def block(name: str, language: str, under: str = "") -> str:
    """The one such block."""
    found = blocks(name, language, under)
    assert len(found) == 1, f"docs/{name} {under} has {len(found)} blocks of {language}"
    return found[0]


def replaced(text: str, changes: dict[str, str]) -> str:
    """The text on this machine: each of these words must be in it, so that a document that changed is noticed."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in:\n{text}"
        text = text.replace(old, new)
    return text
