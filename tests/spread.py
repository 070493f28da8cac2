"""How the tests are spread over the workers of pytest-xdist: what stays together, and what begins first.

A file's tests share what it has set up (a PBX, browsers, a server), so they stay together, in their order. A file
that would keep one worker busy long after the others have nothing left is cut into pieces, each of which sets up
its own. The longest pieces begin first, so that all workers end at about the same time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import groupby
from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

PIECE_S: Final = 40.0
#: Seconds of a file whose tests take more than a few, measured with one worker on an idle machine. They decide the
#: order and the pieces and nothing else: what is missing here or out of date costs time, no test.
SECONDS: Final[dict[str, float]] = {}
#: Files with a setup that costs as much as several of their tests.
WHOLE: Final[frozenset[str]] = frozenset()


def file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def pieces(collected: Iterable[str]) -> dict[str, str]:
    """The piece of each test: its file, or its file and a number where the file is cut."""
    found: dict[str, str] = {}
    for file, tests in groupby(collected, key=file_of):
        names = list(tests)
        count = 1 if file in WHOLE else max(1, min(len(names), math.ceil(SECONDS.get(file, 0) / PIECE_S)))
        for n, name in enumerate(names):
            found[name] = file if count == 1 else f"{file} {n * count // len(names) + 1}/{count}"
    return found


def longest_first(items: list[pytest.Item]) -> None:
    """Sorts by the time of a piece; a file's tests keep their order."""

    def piece_s(item: pytest.Item) -> float:
        seconds = SECONDS.get(file_of(item.nodeid), 0.0)
        return seconds if file_of(item.nodeid) in WHOLE else min(seconds, PIECE_S)

    items.sort(key=piece_s, reverse=True)


class Spread(LoadScopeScheduling):
    """Hands out pieces in the order in which their first tests were collected."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        config.option.loadscopereorder = False  # by the number of tests, which says little about their time
        super().__init__(config, log)  # type: ignore[arg-type]
        self._each = config.getoption("times", 1) > 1  # tests.repeat: each turn of a test goes to whoever is free
        self._pieces: dict[str, str] = {}

    def _split_scope(self, nodeid: str) -> str:
        if self._each:
            return nodeid
        if not self._pieces:
            self._pieces = pieces(self.collection or ())
        return self._pieces[nodeid]
