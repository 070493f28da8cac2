"""The floor's own due times, the earliest first: ends of forced wrap-ups, and the grace of phones and desktops."""

from __future__ import annotations

from collections.abc import Hashable
from heapq import heappop, heappush
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class DueTimes(Generic[Key]):
    """One due time per key. A time that was moved or cancelled stays in the heap until it comes to the top."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Key]] = []
        self._when: dict[Key, float] = {}
        self._count = 0  # breaks ties in the heap, because keys need not be comparable

    def __len__(self) -> int:
        return len(self._when)

    def put(self, key: Key, at: float | None) -> None:
        """The key is due at `at`, instead of any time given before; None cancels it."""
        if at is None:
            self._when.pop(key, None)
        elif self._when.get(key) != at:
            self._when[key] = at
            self._count += 1
            heappush(self._heap, (at, self._count, key))

    def next(self) -> float | None:
        """When the first key is due; None when there is none."""
        while self._heap:
            at, _, key = self._heap[0]
            if self._when.get(key) == at:
                return at
            heappop(self._heap)
        return None

    def take(self, now: float) -> list[Key]:
        """Remove and return the keys that are due by `now`, the earliest first."""
        taken = []
        while (at := self.next()) is not None and at <= now:
            key = heappop(self._heap)[2]
            del self._when[key]
            taken.append(key)
        return taken
