"""Skills and penalties: which of a queue's agents is offered a call first."""

from __future__ import annotations

from typing import Final

BEST: Final = 10
"""The best skill level; the lowest is 1."""


def penalty(given: int | None, level: int | None) -> int:
    """A member's penalty for app_queue: the lowest is offered a call first.

    It is the record's own penalty (`given`), else the distance of the skill `level` from the best, else 0.
    """
    if given is not None:
        return max(0, given)
    return 0 if level is None else BEST - max(1, min(BEST, level))
