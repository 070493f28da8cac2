"""A visit: one wait of a call in one queue, from joining it to leaving it. It ends in one of these ways:

answered    an agent of the queue took the caller        picked     an agent took the caller out of the queue
abandoned   the caller gave up                           timed_out  the queue's own time limit was reached
moved_on    the dialplan or a transfer took the caller   ended      the call ended, and nobody gave up
            elsewhere                                    unseen     nobody saw how it ended
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """How a visit ended."""

    ANSWERED = "answered"
    PICKED = "picked"
    ABANDONED = "abandoned"
    TIMED_OUT = "timed_out"
    MOVED_ON = "moved_on"
    ENDED = "ended"
    UNSEEN = "unseen"


@dataclass(slots=True)
class Visit:
    """`place` is the position at joining; `agent` and `seat` name who answered. `left` is None while the visit
    lasts, and stays None when nobody saw its end."""

    queue: str
    joined: float
    place: int | None = None
    left: float | None = None
    how: How | None = None
    agent: int | None = None
    seat: str | None = None

    @property
    def waiting(self) -> bool:
        return self.how is None

    @property
    def wait_s(self) -> float | None:
        """None while the visit lasts, and when nobody saw its end."""
        return max(0.0, self.left - self.joined) if self.left is not None else None

    def end(self, at: float | None, how: How) -> None:
        """Only the first end counts."""
        if self.how is None:
            self.left, self.how = at, how

    def was_answered(self, at: float, agent: int | None, seat: str) -> None:
        """An agent took the caller. This may come after `moved_on`, for the PBX reports first that the caller left
        the queue and then who answered; a snapshot in between shows the wait as over, and not how."""
        if self.how in (None, How.MOVED_ON, How.UNSEEN):
            self.left = at if self.left is None else self.left
            self.how, self.agent, self.seat = How.ANSWERED, agent, seat
