"""Skills and penalties: who of a queue's agents is asked first."""

from __future__ import annotations

from typing import Final

BEST: Final = 10
"""Levels go from 1 to this."""


def penalty(given: int | None, level: int | None) -> int:
    """The penalty that app_queue is told for a member: lower is asked first.

    What the record gives by itself, else the distance from the best level of the queue's skill, else none.
    """
    if given is not None:
        return max(0, given)
    return 0 if level is None else BEST - max(1, min(BEST, level))
