"""Limits how often a password may be tried: a bounded memory of failures by login and address."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

FREE: Final = 5  # failures in a row before anybody waits
FIRST_WAIT: Final = 2.0  # seconds, doubled by each further failure
LONGEST_WAIT: Final = 300.0
KEPT: Final = 10_000  # keys; beyond it the oldest is forgotten, which lets that one guess sooner


class Attempts:
    """Failures by login and address. Times come from any monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._failed: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def wait(self, login: str, address: str, now: float) -> float:
        """Seconds until the next try is allowed; 0 when it is allowed now."""
        count, last = self._failed.get((login, address), (0, now))
        if count < FREE:
            return 0.0
        return max(0.0, last + min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(count - FREE, 30)) - now)

    def failed(self, login: str, address: str, now: float) -> None:
        key = (login, address)
        count, _ = self._failed.pop(key, (0, now))
        self._failed[key] = (count + 1, now)
        if len(self._failed) > KEPT:
            self._failed.popitem(last=False)

    def succeeded(self, login: str, address: str) -> None:
        self._failed.pop((login, address), None)
