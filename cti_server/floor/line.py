"""The callers of one queue in the order of their places, which a priority may have put before others."""

from __future__ import annotations

from bisect import bisect_left


class Line:
    """Legs by place. Finding a leg costs the logarithm of the line's length."""

    def __init__(self) -> None:
        self._legs: list[str] = []
        self._keys: list[float] = []  # ascending, one for each leg
        self._key_of: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._legs)

    def first(self, count: int, start: int = 0) -> list[str]:
        """The legs with the places `start` + 1 to `count`."""
        return self._legs[start:count]

    def join(self, leg: str, place: int | None) -> int:
        """Put the leg at this place, from 1; at the end, where the PBX named none. Returns its index."""
        self.leave(leg)
        index = len(self._legs) if place is None else min(max(place - 1, 0), len(self._legs))
        if index == len(self._keys):
            key = self._keys[-1] + 1.0 if self._keys else 0.0
        else:
            before = self._keys[index - 1] if index else self._keys[0] - 1.0
            key = (before + self._keys[index]) / 2
            if key in (before, self._keys[index]):  # fifty callers have been put into the same gap
                self._number_anew()
                return self.join(leg, place)
        self._legs.insert(index, leg)
        self._keys.insert(index, key)
        self._key_of[leg] = key
        return index

    def leave(self, leg: str) -> int | None:
        """Take the leg out; returns the index that it had, None when it was not there."""
        key = self._key_of.pop(leg, None)
        if key is None:
            return None
        index = bisect_left(self._keys, key)
        del self._legs[index], self._keys[index]
        return index

    def _number_anew(self) -> None:
        self._keys = [float(number) for number in range(len(self._legs))]
        self._key_of = dict(zip(self._legs, self._keys, strict=True))
