"""How the rows of a site's CEL are to be read, and what each reader of them offers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cti_server.wire.cel import Columns, Values
from cti_server.wire.cel_place import Place
from cti_server.wire.cel_times import Times
from cti_server.wire.text import Encodings

BATCH = 500  # rows that are read, and worked through, at a time
SAMPLE = 200  # of the last rows, by which columns and zone are checked before any is searched for
EARLY_S = 3600.0 + 5.0  # where clocks are put back, local times of an hour come twice, and rows are out of order

T = TypeVar("T")


class CelUnreadable(Exception):
    """The site's CEL cannot be read, or not without guessing. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the rows are to be read. `columns` None: those that the table or the file's header names, and for a file
    without one, those of Asterisk's sample."""

    place: Place
    times: Times
    columns: Columns | None
    encodings: Encodings


class Reader(Protocol):
    """Reads one kind of place."""

    def __init__(self, look: Look) -> None: ...

    def values(self, since: float, until: float) -> AsyncGenerator[Sequence[Values]]:
        """The rows from about `since` on, in batches, as they were written; some that are earlier may come first.
        It may end once rows are later than `until`. Raises CelUnreadable."""
        ...


async def in_thread(look: Look, work: Callable[[], T]) -> T:
    """Do this file or socket work in a thread. Raises CelUnreadable for what the system says."""
    try:
        return await asyncio.to_thread(work)
    except OSError as cause:
        raise CelUnreadable(f"{look.place}: {cause.strerror or cause}") from cause
