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

PIECE_S: Final = 60.0
#: Seconds of each file that takes more than a few, as measured beside others. They decide the order and the pieces
#: and nothing else: what is missing here or out of date costs time, no test.
SECONDS: Final[dict[str, float]] = {
    "tests/live/test_softphone.py": 240,
    "tests/live/test_control.py": 200,
    "tests/api/test_contract.py": 180,
    "tests/live/test_desk_giving.py": 105,
    "tests/live/test_desk_faults.py": 95,
    "tests/live/test_desk.py": 95,
    "tests/live/test_end_to_end.py": 90,
    "tests/live/test_desk_work.py": 80,
    "tests/live/test_moves.py": 70,
    "tests/live/test_shift.py": 65,
    "tests/live/test_no_harm.py": 120,
    "tests/live/test_attach.py": 90,
    "tests/live/test_proxy.py": 90,
    "tests/documents/test_operations.py": 60,
    "tests/cli/test_failures.py": 60,
    "tests/cli/test_commands.py": 30,
    "tests/cli/test_things.py": 30,
    "tests/live/test_newcomer.py": 20,
    "tests/live/test_softphone_documents.py": 30,
    "tests/documents/test_unit.py": 20,
    "tests/api/test_control.py": 60,
    "tests/live/test_desk_page.py": 50,
    "tests/live/test_what_is_left.py": 30,
    "tests/live/test_doctor_mends.py": 90,
    "tests/live/test_record_trouble.py": 20,
    "tests/live/test_two_servers.py": 20,
    "tests/live/test_fastagi_dropped.py": 15,
    "tests/api/test_promises.py": 25,
    "tests/packaging/test_wheel.py": 20,
    "tests/live/test_doctor.py": 20,
    "tests/api/test_live.py": 20,
    "tests/api/test_edge.py": 18,
    "tests/api/test_desk.py": 16,
    "tests/api/test_codes.py": 15,
    "tests/live/test_dialplan_faults.py": 15,
    "tests/live/test_link.py": 15,
    "tests/live/test_demo_pbx.py": 12,
    "tests/imports/test_customers.py": 12,
    "tests/live/test_agi_script.py": 8,
}
#: Files with a setup that costs as much as several of their tests: two browsers at work.
WHOLE: Final = frozenset(
    f"tests/live/test_{name}.py"
    for name in ("desk", "desk_faults", "desk_giving", "desk_page", "desk_work", "moves")
)


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
