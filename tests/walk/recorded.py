"""The record at the end, compared with what CEL says of who was bridged with whom."""

from __future__ import annotations

from .walk import Walk


async def compare_record(walk: Walk) -> None:
    """Adds what is found to the walk's log."""
