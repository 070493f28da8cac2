"""The way to the database: one engine from one URL, `begin()` to write and `read()` to read."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from cti_server.record.asking.postgres import PostgresAsker
from cti_server.record.asking.question import Lists, Question, Values
from cti_server.record.asking.sqlite import SqliteAsker
from cti_server.record.audit.entries import Chain, noting
from cti_server.record.schema import to_json
from cti_server.record.trouble import Troubles

SAFE_SQLITE = (3, 51, 3)
"""The first SQLite without the bug by which a WAL that is reset while being read can lose a page."""
BUSY_TIMEOUT_MS = 5000
PATIENCE_MS = 600_000  # of a migration: one of a large file, by another process, takes minutes
POOL_SIZE = 10
ROLLBACK_S = 1.0  # after it the connection is given up, which PostgreSQL rolls back as well
LOOK_EVERY = 10_000  # steps of SQLite between two looks at the clock, about a millisecond
QUERY_CANCELED = "57014"  # of PostgreSQL
PROVE_EVERY_S = 10.0  # how long a write that succeeded proves that the next will

Connection = AsyncConnection
"""What the functions of this package take; other packages import it under this name."""


class BadUrl(ValueError):
    """The database URL names nothing that this server can use."""


class DatabaseAbsent(Exception):
    """There is no such SQLite file. Only a migration makes one: elsewhere it would hide that the path is wrong."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"there is no database {file}")
        self.file = file


class TookTooLong(Exception):
    """The engine has ended a statement at the limit of `Database.read_within`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not read in {seconds:g} s")
        self.seconds = seconds


def normalise_url(url: str) -> sa.URL:
    """The URL with the driver that this server uses. It accepts what other tools write: `postgres://…?sslmode=…`,
    and as host the folder of PostgreSQL's socket, `postgresql://%2Frun%2Fpostgresql/cti`. Without a host the
    driver finds the socket, and the user is whoever runs this program: `postgresql:///cti`.

    Raises BadUrl, also for an in-memory SQLite database, which two connections cannot share.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise BadUrl(
            "CTI_DATABASE_URL is not a database URL; write sqlite:///file.db or postgresql://user@host/name"
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise BadUrl("CTI_DATABASE_URL names no file; write sqlite:///cti-server.db")
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            query = dict(parsed.query)
            if (mode := query.pop("sslmode", None)) is not None:
                query["ssl"] = mode
            if (folder := unquote(parsed.host or "")).startswith("/"):
                user, password, port, name = parsed.username, parsed.password, parsed.port, parsed.database
                query["host"] = folder if port is None else f"{folder}:{port}"
                return sa.URL.create("postgresql+asyncpg", user, password, database=name, query=query)
            return parsed.set(drivername="postgresql+asyncpg", query=query)
        case other:
            raise BadUrl(f"CTI_DATABASE_URL names {other}; this server keeps its record in SQLite or PostgreSQL")


def shown(url: str) -> str:
    """The database as a person is told of it: the file, or the URL without its password."""
    try:
        parsed = normalise_url(url)
    except BadUrl:
        return "none that can be used"
    if (file := sqlite_file(parsed)) is not None:
        return str(file)
    query = {name: "***" if "pass" in name else value for name, value in parsed.query.items()}
    host = parsed.host
    if (
        host is not None and "@" in host
    ):  # of a password with an @ that is not written %40, the rest is taken for it
        host = f"***@{host.rpartition('@')[2]}"
    return parsed.set(drivername="postgresql", query=query, host=host).render_as_string(hide_password=True)


def sqlite_file(url: sa.URL) -> Path | None:
    """The file of an SQLite database; None for PostgreSQL."""
    return Path(url.database or "").absolute() if url.get_backend_name() == "sqlite" else None


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
        self.engine = _sqlite(self.url, pool_size) if self.is_sqlite else _postgresql(self.url, pool_size, idle_s)
        self._reader = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        )
        self._writer = asyncio.Lock()
        self._asker = SqliteAsker(_uri(self.url)) if self.is_sqlite else PostgresAsker(_connect_args(self.engine))
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
            async with self._reader.connect() as conn, _on_the_driver(conn):
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

    async def prove_writable(self) -> None:
        """Write what is there already; raises whatever prevents that. For /readyz and the doctor.

        Only a commit finds a full disk, and each costs a flush: one that succeeded counts for `PROVE_EVERY_S`.
        """
        now = time.monotonic()
        if self._wrote_at is not None and now - self._wrote_at < PROVE_EVERY_S:
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


@asynccontextmanager
async def _on_the_driver(conn: Connection) -> AsyncIterator[None]:
    """A transaction by PostgreSQL's driver, about a connection on which SQLAlchemy begins none: its own way costs
    a greenlet each for beginning and ending it, and a call is written in several."""
    driver: Any = (await conn.get_raw_connection()).driver_connection
    transaction = driver.transaction()
    await _by_driver(transaction.start)
    try:
        yield
    except asyncio.CancelledError:
        # A statement may be under way, and a PostgreSQL that does not answer would not answer a rollback either.
        await conn.invalidate()
        driver.terminate()
        raise
    except BaseException:
        try:
            async with asyncio.timeout(ROLLBACK_S):
                await transaction.rollback()
        except Exception:
            await conn.invalidate()
            driver.terminate()
        raise
    await _by_driver(transaction.commit)


async def _by_driver(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception as cause:
        raise as_sqlalchemy_says(cause) from cause


def as_sqlalchemy_says(cause: Exception) -> Exception:
    """For an exception of PostgreSQL's driver, the one that SQLAlchemy would have raised."""
    state = str(getattr(cause, "sqlstate", None) or "")
    if isinstance(cause, ValueError | TypeError) and not state:
        return cause  # an argument that cannot be sent
    kind = {"22": sa.exc.DataError, "23": sa.exc.IntegrityError}.get(state[:2], sa.exc.OperationalError)
    return kind(None, None, cause, hide_parameters=True)


def lone_engine(url: sa.URL, *, patient: bool = False) -> AsyncEngine:
    """An engine without a pool: for migrations, and for locks that last as long as their connection. On SQLite a
    `patient` one waits for minutes for whoever writes."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, 0, foreign_keys=False, busy_timeout_ms=PATIENCE_MS if patient else None)
    return create_async_engine(url, json_serializer=to_json, hide_parameters=True, poolclass=NullPool)


# hide_parameters: failures are logged, and the values of a failed statement may include a phone's password or a
# customer's words.


def _postgresql(url: sa.URL, pool_size: int, idle_s: float | None) -> AsyncEngine:
    idle = {"idle_in_transaction_session_timeout": str(int(idle_s * 1000))} if idle_s is not None else {}
    return create_async_engine(
        url,
        json_serializer=to_json,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        pool_pre_ping=True,  # a PostgreSQL that was restarted costs a reconnect, not a caller's lookup
        connect_args={"server_settings": {**SESSION, **idle}, "timeout": 5},
    )


# jit off: a lookup takes a few milliseconds at most; compiling it would take longer than running it.
SESSION = {"jit": "off", "application_name": "cti-server"}


def _connect_args(engine: AsyncEngine) -> dict[str, Any]:
    """What the driver connects with where SQLAlchemy does not: the same."""
    _, given = engine.dialect.create_connect_args(engine.url)
    of_sqlalchemy = ("prepared_statement_cache_size", "prepared_statement_name_func", "async_creator_fn")
    plain = {name: value for name, value in given.items() if name not in of_sqlalchemy}
    return {**plain, "server_settings": SESSION | {"TimeZone": "UTC"}, "timeout": 5}


def _sqlite(
    url: sa.URL, pool_size: int, *, foreign_keys: bool = True, busy_timeout_ms: int | None = None
) -> AsyncEngine:
    waits_ms = BUSY_TIMEOUT_MS if busy_timeout_ms is None else busy_timeout_ms
    file = Path(url.database or "").absolute()
    if not file.exists():
        raise DatabaseAbsent(file)
    uri, _, mode = _uri(url).partition("?mode=")
    url = url.set(database=uri, query={**url.query, "uri": "true", "mode": mode})
    pool: dict[str, Any] = (
        {"pool_size": pool_size, "max_overflow": pool_size, "pool_timeout": 5}
        if pool_size
        else {"poolclass": NullPool}
    )
    engine = create_async_engine(url, json_serializer=to_json, hide_parameters=True, **pool)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is sent below; the driver would send it too late
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {waits_ms}",
            "journal_mode = WAL",
            "synchronous = FULL",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
            "cache_size = -16384",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # IMMEDIATE: a transaction that reads first and writes later would fail at once with "locked", whatever the
        # timeout.
        options = connection.get_execution_options()
        if options.get("cti_write"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif options.get("cti_moment"):
            connection.exec_driver_sql("BEGIN")

    return engine


def _uri(url: sa.URL) -> str:
    # mode=rw: a file that is moved away while the server runs is missed, and not made anew.
    return f"file:{quote(str(sqlite_file(url)))}?mode=rw"


def unsafe_sqlite() -> str | None:
    """The version of this Python's SQLite, where that can corrupt a database; None for a safe one."""
    return sqlite3.sqlite_version if sqlite3.sqlite_version_info < SAFE_SQLITE else None
