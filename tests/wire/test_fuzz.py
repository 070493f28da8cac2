"""A short run of `make fuzz`, the same in each run of the tests: real bytes, mutated, against what must hold."""

from __future__ import annotations

import pytest

from cti_server.wire import agi, ami
from tests.fuzz.__main__ import NAMES
from tests.fuzz.corpus import mutated, seeds
from tests.fuzz.properties import TARGETS, small_limits

EXECUTIONS = 400


@pytest.mark.parametrize("part", NAMES)
@pytest.mark.parametrize("small", [False, True])
def test_what_must_hold_does_for_mutated_bytes(part: str, small: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (ami, agi):
        for limit in (name for name in vars(module) if name.startswith("MAX_")):
            monkeypatch.setattr(module, limit, getattr(module, limit))  # to be put back
    if small:
        small_limits()
    begin = seeds()
    assert len(begin) > 100
    for data in [*begin, *mutated(begin, EXECUTIONS, 1 + small)]:
        TARGETS[part](data)


def test_each_part_of_the_wire_is_run() -> None:
    assert set(NAMES) == set(TARGETS)
