"""What somebody wrote as a setting and nothing reads: CTI_ names that there are not, and lines of the settings
file that set nothing. Left out in silence, they make a server do other than its administrator believes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from dotenv.parser import parse_stream

from .settings import Settings
from .settings_file import ENCODING, NAMED_BY

PREFIX: Final = "CTI_"
OF_THE_DEMO: Final = frozenset({"CTI_ASTERISK", "CTI_ASTERISK_ROOT", "CTI_DEBIAN_MIRROR", "CTI_DEMO_DIR"})


class LeftOut(NamedTuple):
    """A name (`what`) that no setting has, or a line of the file that sets nothing; `where` it stands."""

    is_name: bool
    what: str
    where: str
    remedy: str


def known() -> frozenset[str]:
    """The name of every variable that this server or its demo reads."""
    return OF_THE_DEMO | {NAMED_BY} | {PREFIX + name.upper() for name in Settings.model_fields}


def given(environ: Mapping[str, str], file: Path | None) -> dict[str, str]:
    """Every variable that begins with CTI_, and where it is set: `environment` or the file."""
    found = {name: str(file) for _, name, _ in _lines(file) if name is not None and _is_ours(name)}
    return found | {name: "environment" for name in environ if _is_ours(name)}


def left_out(environ: Mapping[str, str], file: Path | None) -> list[LeftOut]:
    """The names in alphabetical order, then the lines of the file. Other programs' variables are theirs."""
    names = known()
    unread = [
        LeftOut(True, name, where, _nearest(name, names))
        for name, where in sorted(given(environ, file).items())
        if name.upper() not in names
    ]
    lines = [(number, text) for number, name, text in _lines(file) if name is None]
    how = "Write NAME=value, with its quotes closed; # begins a comment."
    return unread + [LeftOut(False, text, f"line {number} of {file}", how) for number, text in lines]


def _lines(file: Path | None) -> Iterator[tuple[int, str | None, str]]:
    """(line, name, text) of each setting of the file; name None where the line sets nothing. Of the text only the
    first word is told: what follows may be a secret."""
    if file is None or not file.is_file():
        return
    with file.open(encoding=ENCODING) as text:
        for binding in parse_stream(text):
            text_of = binding.original.string
            number = binding.original.line + text_of[: len(text_of) - len(text_of.lstrip())].count("\n")
            if binding.key is not None and binding.value is not None:
                yield number, binding.key, ""
            elif binding.key is not None or binding.error:
                yield number, None, text_of.split("=")[0].split()[0] + " …"


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX)


def _nearest(name: str, names: frozenset[str]) -> str:
    near = difflib.get_close_matches(name.upper(), sorted(names), n=1, cutoff=0.6)
    return f"Write {near[0]}" if near else "Remove it."
