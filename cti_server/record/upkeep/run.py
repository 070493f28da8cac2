"""One upkeep: each step by itself, so that one that fails keeps no other from its work.

On SQLite rows are deleted a few hundred at a time, each time in a transaction of its own, with a pause in which
whoever waits to write gets their turn. On PostgreSQL the journal loses whole months (`partitions.py`).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cti_server.record import journal
from cti_server.record.center import sessions
from cti_server.record.database import Database, failure
from cti_server.record.desk import messages
from cti_server.record.engines import Connection
from cti_server.record.processes import asked, handovers, requests

from . import claims, partitions

BATCH: Final = 200  # rows; a few milliseconds
PAUSE_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Kept:
    """How long things are kept. On PostgreSQL the journal is kept up to a month longer."""

    journal: timedelta
    messages: timedelta


@dataclass(slots=True)
class Done:
    """What one upkeep did: rows that were cut by table, partitions that were made and cut, by step what it failed
    for, and how long it took."""

    at: datetime
    rows: dict[str, int] = field(default_factory=dict)
    partitions: partitions.Changed = field(default_factory=partitions.Changed)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


async def run(
    database: Database,
    kept: Kept,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    pause_s: float = PAUSE_S,
) -> Done | None:
    """Do all of it once. None: another process does it now.

    Raises what the database raises where it cannot be used at all.
    """
    holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    began = time.monotonic()
    async with database.begin() as conn:
        claim = await claims.take(conn, holder, now())
    if claim is None:
        return None
    done = Done(now())
    work = _Work(database, kept, now, claim, done, pause_s)
    ended = False
    try:
        for step, do in work.steps().items():
            try:
                await do()
            except Exception as cause:
                done.failures[step] = failure(cause)
        ended = True
    finally:
        done.seconds = time.monotonic() - began
        async with database.begin() as conn:
            await claim.release(conn, now(), done=ended and not done.failures)
    return done


@dataclass(frozen=True, slots=True)
class _Work:
    database: Database
    kept: Kept
    now: Callable[[], datetime]
    claim: claims.Claim
    done: Done
    pause_s: float

    def steps(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        by_month = {} if self.database.is_sqlite else {"partitions": self._partitions}
        return {
            **by_month,
            "journal": self._journal,
            "sessions": self._sessions,
            "messages": self._messages,
            "processes": self._processes,
        }

    async def _partitions(self) -> None:
        now = self.now()
        await partitions.change(self.database, now - self.kept.journal, now, self.done.partitions)

    async def _journal(self) -> None:
        before = self.now() - self.kept.journal
        name = "journal" if self.database.is_sqlite else partitions.REST
        await self._in_batches("journal", lambda conn: journal.cut(conn, before, BATCH, name))

    async def _sessions(self) -> None:
        async with self.database.begin() as conn:
            await self.claim.renew(conn, self.now())
            self.done.rows["sessions"] = await sessions.purge(conn, self.now())

    async def _messages(self) -> None:
        before = self.now() - self.kept.messages
        await self._in_batches("messages", lambda conn: messages.prune(conn, before, BATCH))

    async def _processes(self) -> None:
        """What processes asked of each other, and was answered long ago."""
        async with self.database.begin() as conn:
            await self.claim.renew(conn, self.now())
            self.done.rows["asked"] = await asked.prune(conn, self.now())
            self.done.rows["requests"] = await requests.prune(conn, self.now())
            self.done.rows["handovers"] = await handovers.prune(conn, self.now())

    async def _in_batches(self, table: str, cut: Callable[[Connection], Awaitable[int]]) -> None:
        self.done.rows[table] = 0
        while True:
            async with self.database.begin() as conn:
                await self.claim.renew(conn, self.now())
                gone = await cut(conn)
            self.done.rows[table] += gone
            if gone < BATCH:
                return
            await asyncio.sleep(self.pause_s)
