"""How the floor's seconds are shown to others."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


# A call's moments are shown again with each of its changes: of ten, nine were shown before.
@lru_cache(maxsize=16_384)
def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso(at: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 with milliseconds; None stays None."""
    return None if at is None else _iso(at)


def ms(seconds: float) -> int:
    """Whole milliseconds; a stamp that went backwards by a clock step counts as nothing."""
    return max(0, round(seconds * 1000))
