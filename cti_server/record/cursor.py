"""Pages by keyset: an opaque cursor says after which row the next page begins, whatever has been added since."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

T = TypeVar("T")
MAX_LIMIT = 200
EARLIEST, LATEST = 1900, 2200  # years; near the first and last of the calendar a time has no other zones


class BadCursor(ValueError):
    """The cursor was not made by this server, or was made for another list."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page, and the cursor of the next one, None on the last."""

    items: tuple[T, ...]
    next: str | None


def encode(*parts: datetime | int | str) -> str:
    """The cursor for a row with these sort keys."""
    text = json.dumps([p.isoformat() if isinstance(p, datetime) else p for p in parts], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


def decode(cursor: str, *types: type) -> list[Any]:
    """The sort keys in a cursor, checked against these types. Raises BadCursor."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(
            base64.b64decode(padded, altchars=b"-_", validate=True).decode("utf-8", "surrogatepass")
        )
        if not isinstance(parts, list) or len(parts) != len(types):
            raise BadCursor(cursor[:80])
        return [_part(part, kind) for part, kind in zip(parts, types, strict=True)]
    except (binascii.Error, ValueError, RecursionError) as error:
        raise BadCursor(f"not a cursor of this list: {cursor[:80]!r}") from error


def _part(part: object, kind: type) -> object:
    if kind is datetime:
        moment = datetime.fromisoformat(str(part))
        if moment.tzinfo is None:
            raise BadCursor("a time without a zone")
        if not EARLIEST <= moment.year <= LATEST:
            raise BadCursor("a time that no row has")
        return moment
    if type(part) is not kind or (kind is int and not -(2**63) <= int(str(part)) < 2**63):
        raise BadCursor(f"{part!r} is not of type {kind.__name__}")
    return part


def bounded(limit: int) -> int:
    return max(1, min(limit, MAX_LIMIT))


def cut(items: Sequence[T], limit: int, *keys: Any) -> Page[T]:
    """A page of `limit` items. `items` are up to `limit` + 1 that were read; each of `keys` gives a sort key of an
    item."""
    kept = tuple(items[:limit])
    return Page(kept, encode(*(key(kept[-1]) for key in keys)) if len(items) > limit else None)
