"""Desk work: what a person changed, in one transaction with the journal rows that tell of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog

from cti_server.record import journal
from cti_server.record.database import Connection, Database
from cti_server.record.journal import Entry, NewEntry

STREAM: Final = "desk"
TELL_TRIES = 4  # the database may be away for a moment; the result of a request waits that long for it
TELL_AGAIN_S = 0.5
TELL_S = 5.0

log = structlog.get_logger()

Publish = Callable[[Sequence[Entry]], None]
"""Hands committed journal rows to the hub, in order."""


def only(*agents: int) -> dict[str, Any]:
    """The audience of what is told to these agents and to nobody else, supervisors neither."""
    return {"agents": sorted(set(agents)), "everyone": False, "floor": False}


@dataclass(slots=True)
class Change:
    """A transaction under way: write with `conn`, `tell` what desktops should know once committed."""

    conn: Connection
    at: datetime
    entries: list[NewEntry] = field(default_factory=list)

    def tell(self, kind: str, body: dict[str, Any], audience: Any = None) -> None:
        self.entries.append(NewEntry(self.at, kind, body, audience))


class Desk:
    """Begins changes. Rows are published after the commit, so nobody is told of what was rolled back."""

    def __init__(self, database: Database, publish: Publish, now: Callable[[], datetime]) -> None:
        self._database = database
        self._publish = publish
        self._now = now

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A look, without changing anything."""
        async with self._database.read() as conn:
            yield conn

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """Commits at the end; an exception rolls everything back, the journal rows too."""
        async with self._database.begin() as conn:
            made = Change(conn, self._now())
            yield made
            # Last: the row of the stream stays locked from here to the commit, so numbers are committed in
            # order.
            numbers = await journal.append(conn, STREAM, made.entries)
        self._publish(
            [
                Entry(STREAM, seq, entry.at, entry.kind, entry.body, entry.audience)
                for seq, entry in zip(numbers, made.entries, strict=True)
            ]
        )

    async def tell(self, kind: str, body: dict[str, Any], audience: Any = None) -> None:
        """Once, however often the database has to be asked; given up only when it stays away."""
        for again in range(1, TELL_TRIES + 1):
            try:
                async with asyncio.timeout(TELL_S), self.change() as change:
                    change.tell(kind, body, audience)
                return
            except Exception as cause:
                log.error("desk.not_told", kind=kind, cause=f"{type(cause).__name__}: {cause}", tries=again)
                await asyncio.sleep(TELL_AGAIN_S * again)
