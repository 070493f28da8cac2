"""How the floor's seconds are shown to others."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(at: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 with milliseconds; None stays None."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ms(seconds: float) -> int:
    """Whole milliseconds; a stamp that went backwards by a clock step counts as nothing."""
    return max(0, round(seconds * 1000))
