"""What happened while the record could not be written: kept in memory, in order, until it can.

Each entry becomes one transaction, so that a record that comes back after an hour takes it in pieces. Calls are
the floor's own, so they are written as they are by then; events are as they were told.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from .memory import Batch

MAX_EVENTS = 100_000  # about 200 MB, and an hour of a call a second; beyond it signals wait in the inbox
IN_ONE = 1000  # events written in one transaction


@dataclass(slots=True)
class Spooled:
    """A batch that waits to be written. `ahead`: its events were told before that, provisionally."""

    batch: Batch
    since: float = field(default_factory=time.monotonic)
    ahead: bool = False
    begun: bool = False


class Spool:
    """The batches that are not written yet, the oldest first. In ordinary times there is one, for a moment."""

    def __init__(self, max_events: int = MAX_EVENTS) -> None:
        self.events = 0
        self._max_events = max_events
        self._waiting: deque[Spooled] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether no more may be put in for now."""
        return self.events >= self._max_events

    @property
    def since(self) -> float | None:
        """When the oldest batch was put in, on the monotonic clock; None while there is none."""
        return self._waiting[0].since if self._waiting else None

    @property
    def ahead(self) -> bool:
        """Whether desktops were told of something that is not written yet."""
        return any(spooled.ahead for spooled in self._waiting)

    def put(self, batch: Batch, *, ahead: bool = False) -> Spooled:
        """Add a batch; small ones are put together until somebody begins to write them."""
        self.events += len(batch.events)
        last = self._waiting[-1] if self._waiting else None
        if (
            last is not None
            and not last.begun
            and last.ahead is ahead
            and last.batch.whole is None
            and len(last.batch.events) + len(batch.events) <= IN_ONE
        ):
            last.batch = last.batch.then(batch)
            return last
        self._waiting.append(spooled := Spooled(batch, ahead=ahead))
        return spooled

    def first(self) -> Spooled | None:
        """The oldest batch, which is being written from now on."""
        if not self._waiting:
            return None
        self._waiting[0].begun = True
        return self._waiting[0]

    def written(self) -> None:
        """The oldest batch is in the record."""
        self.events -= len(self._waiting.popleft().batch.events)

    def holds(self, interaction: int) -> bool:
        """Whether this contact is yet to be written: what else would write it must wait."""
        return any(call.interaction == interaction for one in self._waiting for call in one.batch.calls)

    def has(self, linkedid: str) -> bool:
        """The same of a call that may have no contact yet, by any of its linkedids."""
        calls = (call for one in self._waiting for call in one.batch.calls)
        return any(linkedid == call.linkedid or linkedid in call.aliases for call in calls)

    def calls(self) -> int:
        """How many calls have changed in what waits."""
        return len({call.id for spooled in self._waiting for call in spooled.batch.calls})
