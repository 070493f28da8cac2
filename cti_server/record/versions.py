"""Optimistic locking: a thing of the record has a version, and an edit of an older one is refused."""

from __future__ import annotations


class StaleVersion(Exception):
    """Somebody has changed the customer (or the `what`) in the meantime; `current` is its version now."""

    def __init__(self, current: int, what: str = "customer") -> None:
        super().__init__(f"the {what} is at version {current}")
        self.current = current
        self.what = what
