"""Who of a queue's agents is asked first."""

from __future__ import annotations

import pytest

from cti_server.rules.skills import penalty


@pytest.mark.parametrize(
    ("given", "level", "expected"),
    [
        (None, None, 0),
        (None, 10, 0),
        (None, 7, 3),
        (None, 1, 9),
        (None, 99, 0),
        (None, -3, 9),
        (4, 10, 4),
        (-1, 2, 0),
    ],
)
def test_penalty(given: int | None, level: int | None, expected: int) -> None:
    assert penalty(given, level) == expected
