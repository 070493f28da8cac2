"""A visit: one call's wait in one queue, from when it came in to how it left."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Visit:
    """Times are seconds of the epoch; `left` and `how` are None while the call waits.

    `agent` and `seat` are who answered it. `place` is its position in the queue when it came in, from 1.
    """

    queue: str
    joined: float
    left: float | None = None
    how: str | None = None
    agent: int | None = None
    seat: str | None = None
    place: int | None = None
