"""The engines of both kinds, as this server sets them up, and PostgreSQL's transactions by its driver.

All have `hide_parameters`: failures are logged, and the values of a failed statement may include the password of a
phone, or words of a customer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from cti_server.record.schema import to_json
from cti_server.record.urls import sqlite_file

SAFE_SQLITE = (3, 51, 3)
"""The first SQLite without the bug by which a WAL that is reset while being read can lose a page."""
BUSY_TIMEOUT_MS = 5000
PATIENCE_MS = 600_000  # of a migration: one of a large file, by another process, takes minutes
READ_ONLY = "25006"  # PostgreSQL's code for it
ROLLBACK_S = 1.0  # after it the connection is given up, which PostgreSQL rolls back as well

# jit off: a lookup takes a few milliseconds at most; compiling it would take longer than running it.
SESSION = {"jit": "off", "application_name": "cti-server"}

Connection = AsyncConnection
"""What the functions of this package take; other packages import it under this name."""


class DatabaseAbsent(Exception):
    """There is no such SQLite file. Only a migration makes one: elsewhere it would hide that the path is wrong."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"there is no database {file}")
        self.file = file


@asynccontextmanager
async def on_the_driver(conn: Connection) -> AsyncIterator[None]:
    """A transaction by PostgreSQL's driver, about a connection on which SQLAlchemy begins none: its own way costs
    a greenlet each for beginning and ending it, and a call is written in several.

    Whoever gives up in the middle gives up the connection: a statement may be under way, and a PostgreSQL that
    does not answer would not answer a rollback either. A connection that was left in a transaction would make the
    next one a part of it, whose commit does nothing.
    """
    driver: Any = (await conn.get_raw_connection()).driver_connection
    transaction = driver.transaction()
    async with _or_given_up(conn, driver):
        await transaction.start()
    try:
        yield
    except asyncio.CancelledError:
        await _give_up(conn, driver)
        raise
    except BaseException as cause:
        if writes_nothing(cause):
            await _give_up(conn, driver)
            raise
        try:
            async with asyncio.timeout(ROLLBACK_S):
                await transaction.rollback()
        except Exception:
            await _give_up(conn, driver)
        raise
    async with _or_given_up(conn, driver):
        await transaction.commit()


@asynccontextmanager
async def _or_given_up(conn: Connection, driver: Any) -> AsyncIterator[None]:
    try:
        yield
    except Exception as cause:
        await _give_up(conn, driver)
        raise as_sqlalchemy_says(cause) from cause
    except BaseException:
        await _give_up(conn, driver)
        raise


async def _give_up(conn: Connection, driver: Any) -> None:
    driver.terminate()
    await conn.invalidate()


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
        return sqlite(url, 0, foreign_keys=False, busy_timeout_ms=PATIENCE_MS if patient else None)
    return create_async_engine(
        url, json_serializer=to_json, hide_parameters=True, poolclass=NullPool, connect_args=_to_primary(url)
    )


def postgresql(url: sa.URL, pool_size: int, idle_s: float | None) -> AsyncEngine:
    idle = {"idle_in_transaction_session_timeout": str(int(idle_s * 1000))} if idle_s is not None else {}
    engine = create_async_engine(
        url,
        json_serializer=to_json,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=5,
        pool_pre_ping=True,  # a PostgreSQL that was restarted costs a reconnect, not somebody's request
        connect_args={"server_settings": {**SESSION, **idle}, "timeout": 5, **_to_primary(url)},
    )

    @sa.event.listens_for(engine.sync_engine, "handle_error")
    def failed(context: sa.ExceptionContext) -> None:
        # The server that this connection leads to was the primary, and goes on as a standby.
        context.is_disconnect = context.is_disconnect or writes_nothing(context.original_exception)

    return engine


def _to_primary(url: sa.URL) -> dict[str, str]:
    """After a switchover a name, or an address, may lead to the old primary for a while: whoever connects then
    would read there for as long as the connection lasts, and write nothing."""
    return {} if "target_session_attrs" in url.query else {"target_session_attrs": "primary"}


def writes_nothing(cause: BaseException | None) -> bool:
    """Whether PostgreSQL refused to write because this server of it, or this session, only reads."""
    original = getattr(cause, "orig", None) or cause
    return str(getattr(original, "sqlstate", None) or "") == READ_ONLY


def connect_args(engine: AsyncEngine) -> dict[str, Any]:
    """What the driver connects with where SQLAlchemy does not: the same."""
    _, given = engine.dialect.create_connect_args(engine.url)
    of_sqlalchemy = ("prepared_statement_cache_size", "prepared_statement_name_func", "async_creator_fn")
    plain = {name: value for name, value in given.items() if name not in of_sqlalchemy}
    return {**plain, **_to_primary(engine.url), "server_settings": SESSION | {"TimeZone": "UTC"}, "timeout": 5}


def sqlite(
    url: sa.URL, pool_size: int, *, foreign_keys: bool = True, busy_timeout_ms: int | None = None
) -> AsyncEngine:
    waits_ms = BUSY_TIMEOUT_MS if busy_timeout_ms is None else busy_timeout_ms
    file = Path(url.database or "").absolute()
    if not file.exists():
        raise DatabaseAbsent(file)
    uri, _, mode = sqlite_uri(url).partition("?mode=")
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


def sqlite_uri(url: sa.URL) -> str:
    # mode=rw: a file that is moved away while the server runs is missed, and not made anew.
    return f"file:{quote(str(sqlite_file(url)))}?mode=rw"


def unsafe_sqlite() -> str | None:
    """The version of this Python's SQLite, where that can corrupt a database; None for a safe one."""
    return sqlite3.sqlite_version if sqlite3.sqlite_version_info < SAFE_SQLITE else None
