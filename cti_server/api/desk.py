"""Desk work: what a person changed, in one transaction with the journal rows that tell of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from cti_server.record import journal
from cti_server.record.database import Connection, Database
from cti_server.record.journal import Entry, NewEntry

STREAM: Final = "desk"

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
