"""Where a number belongs, as far as its digits tell: "Beijing". Names nothing until it is warmed.

The tables of places in phonenumbers take 95 MB once imported, half of what this server may use. So a child process
imports them and hands over 290,000 prefixes as two arrays (3 MB) and a list of names, which takes about a second.
"""

from __future__ import annotations

import json
import subprocess
import sys
from array import array
from bisect import bisect_left
from typing import Any, BinaryIO, Final, Protocol

_LONGEST: Final = 10  # digits of a prefix; E.164 country code and area, rarely more
_CHILD_MAY_TAKE: Final = 60.0  # seconds


class Places(Protocol):
    """The name of a place for a number in E.164, in a language; None when it is not known, or not known yet."""

    def of(self, e164: str, language: str) -> str | None: ...


class NoPlaces:
    """Knows no places."""

    def of(self, e164: str, language: str) -> str | None:
        return None


class PrefixPlaces:
    """The places of phonenumbers' geocoder. Run `warm` once, in a thread; until then `of` returns None."""

    def __init__(self) -> None:
        self._prefixes = array("Q")
        self._indexes = array("L")
        self._names: list[dict[str, str]] = []

    def warm(self) -> None:
        """Read the tables from a child process; blocks for a second or two. Raises OSError, SubprocessError."""
        done = subprocess.run(
            [sys.executable, "-m", "cti_server.lookup.places"],
            capture_output=True,
            check=True,
            timeout=_CHILD_MAY_TAKE,
        )
        header, _, body = done.stdout.partition(b"\n")
        names = json.loads(header)
        prefixes, indexes = array("Q"), array("L")
        half = len(body) * prefixes.itemsize // (prefixes.itemsize + indexes.itemsize)
        prefixes.frombytes(body[:half])
        indexes.frombytes(body[half:])
        self._prefixes, self._indexes, self._names = prefixes, indexes, names

    def of(self, e164: str, language: str) -> str | None:
        digits = e164.removeprefix("+")
        for length in range(min(_LONGEST, len(digits)), 0, -1):
            prefix = int(digits[:length])
            at = bisect_left(self._prefixes, prefix)
            if at < len(self._prefixes) and self._prefixes[at] == prefix:
                named = self._names[self._indexes[at]]
                return named.get(language) or named.get("en")
        return None


def _write(out: BinaryIO) -> None:
    """In the child: write the names as a line of JSON, the sorted prefixes, and for each the index of its name."""
    from phonenumbers.geodata import GEOCODE_DATA  # 95 MB: imported in the child only

    names: dict[tuple[str | None, ...], int] = {}
    table: list[tuple[int, int]] = []
    data: dict[str, dict[str, Any]] = GEOCODE_DATA
    for prefix, places in data.items():
        if len(prefix) <= _LONGEST:
            named = (places.get("en"), places.get("zh"))
            table.append((int(prefix), names.setdefault(named, len(names))))
    table.sort()
    listed = [{k: v for k, v in zip(("en", "zh"), named, strict=True) if v} for named in names]
    out.write(json.dumps(listed).encode() + b"\n")
    out.write(array("Q", (prefix for prefix, _ in table)).tobytes())
    out.write(array("L", (index for _, index in table)).tobytes())


if __name__ == "__main__":
    _write(sys.stdout.buffer)
