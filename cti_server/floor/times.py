"""The floor's seconds in the form in which views carry them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


# Every view of a call repeats its earlier times, so nine times out of ten the text is in the cache.
@lru_cache(maxsize=16_384)
def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso(at: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 with milliseconds; None stays None."""
    return None if at is None else _iso(at)


def ms(seconds: float) -> int:
    """Whole milliseconds; 0 for a negative span, which a step of the PBX's clock can make."""
    return max(0, round(seconds * 1000))
