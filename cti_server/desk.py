"""Desk work: what a person changed, in one transaction with the journal rows that tell of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog

from cti_server.floor.topics import customer as customer_topic
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


def audience(
    *agents: int | None, topics: Iterable[str] = (), supervisors: bool = False, everyone: bool = False
) -> dict[str, Any]:
    """Who is told: these agents, whoever opened one of these topics, whoever supervises, or everyone."""
    known = {agent for agent in agents if agent is not None}
    return {
        "agents": sorted(known),
        "topics": sorted(topics),
        "everyone": everyone,
        "supervisors": supervisors,
    }


def only(*agents: int) -> dict[str, Any]:
    """The audience of what is told to these agents and to nobody else, supervisors neither."""
    return audience(*agents)


def of_customer(customer: int | None, *agents: int | None) -> dict[str, Any]:
    """The audience of a change of a customer's record: whoever opened the customer, and these agents."""
    return audience(*agents, topics=[] if customer is None else [customer_topic(customer)])


@dataclass(slots=True)
class Change:
    """A transaction under way: write with `conn`, `tell` what desktops should know once committed."""

    conn: Connection
    at: datetime
    entries: list[NewEntry] = field(default_factory=list)

    def tell(self, kind: str, body: dict[str, Any], to: dict[str, Any] | None = None) -> None:
        """`to` is an `audience`; None for everyone, which only settings of the whole center are for."""
        self.entries.append(NewEntry(self.at, kind, body, to))


class Desk:
    """Begins changes. Rows are published after the commit, so nobody is told of what was rolled back."""

    def __init__(self, database: Database, publish: Publish, now: Callable[[], datetime]) -> None:
        self._database = database
        self._publish = publish
        self._now = now
        self._telling = asyncio.Lock()  # from the numbering of events until they are handed out

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A look, without changing anything."""
        async with self._database.read() as conn:
            yield conn

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """Commits at the end; an exception rolls everything back, the journal rows too."""
        async with AsyncExitStack() as until_told:
            async with self._database.begin() as conn:
                made = Change(conn, self._now())
                yield made
                if made.entries:
                    await until_told.enter_async_context(self._telling)
                # Last: the row of the stream stays locked from here to the commit, so numbers are committed in
                # order.
                numbers = await journal.append(conn, STREAM, made.entries)
            self._publish(
                [
                    Entry(STREAM, seq, entry.at, entry.kind, entry.body, entry.audience)
                    for seq, entry in zip(numbers, made.entries, strict=True)
                ]
            )

    @asynccontextmanager
    async def settled(self) -> AsyncIterator[Connection]:
        """A look while no event is between the record and the desktops: what is read belongs to the hub's position
        of `STREAM`, which stays as it is meanwhile.
        """
        # The connection first: those who wait for the lock hold one each.
        async with self._database.read() as conn, self._telling:
            yield conn

    async def tell(self, kind: str, body: dict[str, Any], to: dict[str, Any] | None = None) -> None:
        """Once, however often the database has to be asked; given up only when it stays away."""
        for again in range(1, TELL_TRIES + 1):
            try:
                async with asyncio.timeout(TELL_S), self.change() as change:
                    change.tell(kind, body, to)
                return
            except Exception as cause:
                log.error("desk.not_told", kind=kind, cause=f"{type(cause).__name__}: {cause}", tries=again)
                await asyncio.sleep(TELL_AGAIN_S * again)
