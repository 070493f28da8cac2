"""Desk work: writes a person's change and the journal rows about it in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog

from cti_server.floor.topics import customer as customer_topic
from cti_server.record import journal
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from cti_server.record.journal import Entry, NewEntry
from cti_server.record.processes import requests

STREAM: Final = "desk"
TELL_TRIES = 4  # how often a result is written before it is given up: the database may be away for a moment
TELL_AGAIN_S = 0.5  # before the second try; longer before each further one
TELL_S = 5.0  # for one try

log = structlog.get_logger()

Publish = Callable[[Sequence[Entry]], None]
"""Hands committed journal rows to the stream (`push/stream.py`)."""


def audience(
    *agents: int | None,
    topics: Iterable[str] = (),
    supervisors: bool = False,
    of: Iterable[int | None] = (),
    everyone: bool = False,
) -> dict[str, Any]:
    """The audience of an event: these agents, whoever opened one of these topics, supervisors, or everyone.

    None among the agents is left out. With `of`, only the supervisors of these agents.
    """
    named = {agent for agent in agents if agent is not None}
    theirs = sorted({agent for agent in of if agent is not None})
    return {
        "agents": sorted(named),
        "topics": sorted(topics),
        "everyone": everyone,
        "supervisors": supervisors,
        **({"about": {"agents": theirs, "queues": []}} if theirs else {}),
    }


def only(*agents: int) -> dict[str, Any]:
    """The audience of these agents and nobody else, not even supervisors."""
    return audience(*agents)


def of_customer(customer: int | None, *agents: int | None) -> dict[str, Any]:
    """The audience of a change to a customer's record: whoever opened the customer, and these agents."""
    return audience(*agents, topics=[] if customer is None else [customer_topic(customer)])


@dataclass(slots=True)
class Change:
    """An open transaction: write with `conn`, and `tell` desktops of it; they get the events after the commit."""

    conn: Connection
    at: datetime
    entries: list[NewEntry] = field(default_factory=list)

    def tell(self, kind: str, body: dict[str, Any], to: dict[str, Any] | None = None) -> None:
        """Add an event. `to` is an `audience`; None is everyone, for settings of the whole center only."""
        self.entries.append(NewEntry(self.at, kind, body, to))


class Desk:
    """Begins changes. Events are published after the commit, so nobody gets one that was rolled back."""

    def __init__(self, database: Database, publish: Publish, now: Callable[[], datetime]) -> None:
        self._database = database
        self._publish = publish
        self._now = now

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection that only reads."""
        async with self._database.read() as conn:
            yield conn

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """A change that is committed at the end; an exception rolls it back with its journal rows."""
        async with self._database.begin() as conn:
            made = Change(conn, self._now())
            yield made
            # Last, because the stream's row stays locked until the commit: numbers are committed in order.
            numbers = await journal.append(conn, STREAM, made.entries)
        self._publish([journal.entry(STREAM, seq, row) for seq, row in zip(numbers, made.entries, strict=True)])

    async def tell(
        self, kind: str, body: dict[str, Any], to: dict[str, Any] | None = None, *, once: str | None = None
    ) -> None:
        """Send one event. Tries again while the database is away, and logs an event that it gives up.

        With `once`, the result of that request: it is not sent where another process has told one.
        """
        for attempt in range(1, TELL_TRIES + 1):
            try:
                async with asyncio.timeout(TELL_S), self.change() as change:
                    if once is None or await requests.finish(change.conn, once, change.at):
                        change.tell(kind, body, to)
                return
            except Exception as cause:
                log.error("desk.not_told", kind=kind, cause=f"{type(cause).__name__}: {cause}", tries=attempt)
                await asyncio.sleep(TELL_AGAIN_S * attempt)
