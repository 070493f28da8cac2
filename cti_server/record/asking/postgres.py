"""Questions to PostgreSQL by the driver itself. The only file that names asyncpg.

SQLAlchemy's own path costs a greenlet, a check of the connection and a wrapped cursor for each statement: several
times what the statement costs. Here a question is one message each way on a connection that has it prepared.

What others met on this way, and what is done about it:

- A restarted PostgreSQL leaves dead connections behind. Nothing is checked beforehand, for that is a round trip; a
  question that meets a dead connection is asked once more on a new one, and the other old ones are closed.
- A pooler in transaction mode (pgbouncer before 1.21, or without `max_prepared_statements`) gives each statement
  another server connection, which has not prepared it. From the first such error on nothing is prepared any more.
- A migration invalidates what is prepared. The driver prepares anew by itself, because no transaction is open, and
  the types of the result are the same whatever the tables become: JSON.
- The driver forgets what it has prepared after five minutes, and prepares nothing longer than 15 kB, unless it is
  told otherwise.
- A question that was given up leaves an answer on its way: its connection is not used again, and the driver's own
  attempt to cancel it, which would wait for a PostgreSQL that does not answer, ends with it.
- After a failover the address may lead elsewhere, and whoever only reads does not notice. No connection grows
  older than MAX_AGE_S.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
import structlog

from cti_server.record.asking.question import Lists, Question, Values

SIZE: Final = 6
"""Connections. A question takes PostgreSQL a millisecond: more at once would only wait there instead of here."""
LATER: Final = 3
"""Connections that questions may have for which nobody waits on the line."""
MAX_AGE_S: Final = 300.0
OPEN_AGAIN_S: Final = 10.0  # after PostgreSQL, or a pooler, has refused one more connection
CLOSE_S: Final = 1.0

LOST: Final = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
"""What a connection ends with that was well when it was last used."""
NOT_PREPARED: Final = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Link:
    conn: Any
    since: float

    @property
    def is_usable(self) -> bool:
        return not self.conn.is_closed() and time.monotonic() - self.since < MAX_AGE_S

    def end(self) -> None:
        self.conn.terminate()

    async def closed(self) -> None:
        with suppress(*LOST, asyncpg.PostgresError):
            await self.conn.close(timeout=CLOSE_S)


class PostgresAsker:
    """Asks on connections of its own, which it opens when they are first needed. `close` it at the end.

    Whoever finds them all in use waits for one; a question fails only where there is no connection at all.
    """

    def __init__(self, connect_args: Mapping[str, Any]) -> None:
        """`connect_args` are those of `asyncpg.connect`."""
        self._connect_args = connect_args
        self._idle: list[_Link] = []  # the one that was used last is used next
        self._all: set[_Link] = set()
        self._first: asyncio.Lock = asyncio.Lock()  # held while the first connection is opened
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._later = asyncio.Semaphore(LATER)
        self._prepares = True
        self._opening: asyncio.Task[None] | None = None
        self._open_more_at = 0.0

    async def ask(self, question: Question, values: Values, *, soon: bool = True) -> Lists:
        """The lists of a question. Not `soon`, it leaves connections for those on which somebody waits.

        Raises sqlalchemy.exc.OperationalError, as asking by SQLAlchemy does.
        """
        statement = question.statement("postgresql")
        arguments = statement.arguments(values)
        try:
            if soon:
                row = await self._row(statement.text, arguments)
            else:
                async with self._later:
                    row = await self._row(statement.text, arguments)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as cause:
            raise sa.exc.OperationalError(None, None, cause, hide_parameters=True) from cause
        return question.read(row)

    async def close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        await asyncio.gather(*(link.closed() for link in self._all))
        self._part(*self._all)

    # --- inside ----------------------------------------------------------------------------------------

    async def _row(self, text: str, arguments: Sequence[Any]) -> Sequence[str | None]:
        link = await self._taken()
        try:
            return await self._asked(link, text, arguments)
        except asyncpg.QueryCanceledError:
            raise  # it took too long, and would again
        except LOST:
            self._part(*self._idle)  # those are as old
        except NOT_PREPARED as cause:
            self._prepare_no_more(cause)
        return await self._asked(await self._taken(), text, arguments)

    async def _asked(self, link: _Link, text: str, arguments: Sequence[Any]) -> Sequence[str | None]:
        try:
            rows: Sequence[Sequence[str | None]] = await link.conn.fetch(text, *arguments)
        except BaseException:
            self._part(link)
            raise
        self._give_back(link)
        return rows[0]

    async def _taken(self) -> _Link:
        while True:
            while self._idle:
                link = self._idle.pop()
                if link.is_usable:
                    return link
                self._part(link)
            if not self._all:
                async with self._first:
                    if not self._all:
                        return await self._connected()
                continue
            self._grow()
            waits: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waits)
            try:
                await waits
            except asyncio.CancelledError:
                if waits.done() and not waits.cancelled():
                    self._wake()  # somebody else, for what this one was woken for
                raise

    def _give_back(self, link: _Link) -> None:
        self._idle.append(link)
        self._wake()
        self._grow()

    def _wake(self) -> None:
        while self._waiting:
            waits = self._waiting.popleft()
            if not waits.done():
                waits.set_result(None)
                return

    async def _connected(self) -> _Link:
        caching = {"statement_cache_size": 100 if self._prepares else 0}
        unlimited = {"max_cached_statement_lifetime": 0, "max_cacheable_statement_size": 0}
        try:
            conn = await asyncpg.connect(**self._connect_args, **caching, **unlimited)
        except BaseException:
            self._wake()  # whoever waits finds out by themselves
            raise
        link = _Link(conn, time.monotonic())
        self._all.add(link)
        return link

    def _grow(self) -> None:
        """Have the other connections opened beside the work: callers in the same instant should find them open."""
        if len(self._all) < SIZE and self._opening is None and time.monotonic() >= self._open_more_at:
            self._opening = asyncio.create_task(self._open_more(), name="connections for questions")

    async def _open_more(self) -> None:
        try:
            while len(self._all) < SIZE:
                self._idle.insert(0, await self._connected())
                self._wake()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            self._open_more_at = time.monotonic() + OPEN_AGAIN_S  # as many as there are must do
        finally:
            self._opening = None

    def _part(self, *links: _Link) -> None:
        for link in links:
            link.end()
        self._all.difference_update(links)
        self._idle[:] = [link for link in self._idle if link not in links]
        if not self._all:
            self._wake()  # nobody will give one back

    def _prepare_no_more(self, cause: Exception) -> None:
        self._part(*self._idle)
        if self._prepares:
            self._prepares = False
            log.warning(
                "questions.not_prepared",
                cause=str(cause).splitlines()[0],
                remedy="pgbouncer: max_prepared_statements = 200 (from 1.21 on), or pool_mode = session",
            )
