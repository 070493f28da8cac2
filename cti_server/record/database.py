"""The way to the database: one engine from one URL, `begin()` to write and `read()` to read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal

import sqlalchemy as sa

from cti_server.record.asking.postgres import PostgresAsker
from cti_server.record.asking.question import Lists, Question, Values
from cti_server.record.asking.sqlite import SqliteAsker
from cti_server.record.audit.entries import Chain, noting
from cti_server.record.engines import Connection, connect_args, on_the_driver, postgresql, sqlite, sqlite_uri
from cti_server.record.trouble import Troubles
from cti_server.record.urls import normalise_url

POOL_SIZE = 10
LOOK_EVERY = 10_000  # steps of SQLite between two looks at the clock, about a millisecond
QUERY_CANCELED = "57014"  # of PostgreSQL
PROVE_EVERY_S = 10.0  # how long a write that succeeded proves that the next will


class TookTooLong(Exception):
    """The engine has ended a statement at the limit of `Database.read_within`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not read in {seconds:g} s")
        self.seconds = seconds


def failure(cause: Exception) -> str:
    """What a driver complained of, in one line: without the statement, and without the values in it."""
    said = getattr(cause, "orig", None) or cause
    return (str(said).strip() or type(said).__name__).splitlines()[0]


def is_refusal(cause: Exception) -> bool:
    """Whether the database would refuse the same values again, as opposed to being full, locked or unreachable."""
    return isinstance(cause, sa.exc.DataError | sa.exc.IntegrityError | ValueError | TypeError) or (
        isinstance(cause, sa.exc.StatementError) and isinstance(cause.orig, ValueError | TypeError)
    )


DatabaseRefusal = sa.exc.DBAPIError
"""What a driver raises where the database refuses a statement, or fails."""


def _was_ended(cause: sa.exc.DBAPIError) -> bool:
    state = getattr(cause.orig, "sqlstate", None)
    return state == QUERY_CANCELED if state is not None else str(cause.orig) == "interrupted"


def refused_because(cause: Exception) -> Literal["taken", "text"] | None:
    """Why values were refused that had been looked at before: `taken` between the look and the write, by somebody
    else; `text` that PostgreSQL cannot hold. None for anything else."""
    if isinstance(cause, sa.exc.IntegrityError):
        return "taken"
    state = getattr(getattr(cause, "orig", None), "sqlstate", None)
    return "text" if state in ("22021", "22P05") else None  # not in the repertoire, not translatable


class Database:
    """An engine, and the rule of who may write.

    SQLite allows one writer: `begin()` queues writers here, in order, instead of polling the file's lock.
    PostgreSQL allows as many as the pool has connections. `read()` runs each statement by itself (autocommit),
    which saves a round trip or two per use. `ask()` is for the few questions on which a caller waits. Raises
    BadUrl, DatabaseAbsent.

    `trouble` is what keeps it from being written now, where the last write failed for it.
    """

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE, idle_s: float | None = None) -> None:
        """With `idle_s`, PostgreSQL ends a transaction that does nothing for so long: a process that is frozen, or
        cut off, must not keep locks from the others."""
        self.url = normalise_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = sqlite(self.url, pool_size) if self.is_sqlite else postgresql(self.url, pool_size, idle_s)
        self._reader = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        self._writer = asyncio.Lock()
        self._asker = (
            SqliteAsker(sqlite_uri(self.url)) if self.is_sqlite else PostgresAsker(connect_args(self.engine))
        )
        self.trouble = Troubles(self.url)
        self.chain = Chain()
        self._wrote_at: float | None = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """A transaction that commits at the end and rolls back on an exception, a cancellation included. What was
        noted for the audit log meanwhile is written with it."""
        try:
            async with AsyncExitStack() as until_committed:
                with noting() as notes:
                    async with self._transaction() as conn:
                        yield conn
                        if notes:
                            await until_committed.enter_async_context(self.chain.appended(conn, notes))
        except Exception as cause:
            if self.trouble.note(cause):
                self._wrote_at = None
            raise
        self.trouble.over()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        if not self.is_sqlite:
            async with self._reader.connect() as conn, on_the_driver(conn):
                yield conn
            return
        async with self._writer, self.engine.connect() as conn:
            await conn.execution_options(cti_write=True)
            async with conn.begin():
                yield conn

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection for reading. Each statement sees what has been committed when it runs."""
        async with self._reader.connect() as conn:
            yield conn

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Connection]:
        """A connection for reading on which every statement sees what the first one saw."""
        if self.is_sqlite:
            async with self.engine.connect() as conn:
                await conn.execution_options(cti_moment=True)
                async with conn.begin():
                    yield conn
            return
        one = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        async with one.begin() as conn:
            yield conn

    @asynccontextmanager
    async def read_within(self, seconds: float) -> AsyncIterator[Connection]:
        """A connection for reading what may take too long: the engine ends a statement after so many seconds, or
        SQLite all of them together. Raises TookTooLong."""
        try:
            async with self._limited(seconds) as conn:
                yield conn
        except DatabaseRefusal as cause:
            if _was_ended(cause):
                raise TookTooLong(seconds) from cause
            raise

    @asynccontextmanager
    async def _limited(self, seconds: float) -> AsyncIterator[Connection]:
        if not self.is_sqlite:
            async with self.engine.begin() as conn:
                limit = sa.func.set_config("statement_timeout", f"{max(1, round(seconds * 1000))}ms", True)
                await conn.execute(sa.select(limit))
                yield conn
            return
        async with self.engine.connect() as conn:
            driver: Any = (await conn.get_raw_connection()).driver_connection
            ends = time.monotonic() + seconds
            await driver.set_progress_handler(lambda: time.monotonic() > ends, LOOK_EVERY)
            try:
                yield conn
            finally:
                await driver.set_progress_handler(None, 0)

    async def ask(self, question: Question, values: Values, *, soon: bool = True) -> Lists:
        """The lists of a question, as they are committed now. Not `soon`, it lets those go first on which somebody
        waits. Raises sqlalchemy.exc.OperationalError."""
        return await self._asker.ask(question, values, soon=soon)

    async def ping(self) -> None:
        """Run a query; raises whatever prevents that. For /readyz and the doctor."""
        async with self.read() as conn:
            await conn.execute(sa.text("SELECT 1"))

    async def prove_writable(self, *, anew: bool = False) -> None:
        """Write what is there already; raises whatever prevents that. For /readyz and the doctor.

        Only a commit finds a full disk, and each costs a flush: one that succeeded counts for `PROVE_EVERY_S`,
        unless there is reason to doubt it (`anew`).
        """
        now = time.monotonic()
        if not anew and self._wrote_at is not None and now - self._wrote_at < PROVE_EVERY_S:
            return
        async with self.begin() as conn:
            await conn.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))
        self._wrote_at = now

    async def close(self) -> None:
        await self._asker.close()
        await self.engine.dispose()

    async def __aenter__(self) -> Database:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
