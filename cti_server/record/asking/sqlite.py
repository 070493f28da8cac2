"""Questions to SQLite: on a thread of their own, which has a connection of its own and only reads."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import sqlalchemy as sa

from cti_server.record.asking.question import Lists, Question, Statement, Values

BUSY_TIMEOUT_S: Final = 5.0
PRAGMAS: Final = ("query_only = ON", "cache_size = -16384")


class SqliteAsker:
    """Asks questions of the file that `uri` names, one after the other. `close` it at the end."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="asks SQLite")
        self._conn: sqlite3.Connection | None = None

    async def ask(self, question: Question, values: Values, *, soon: bool = True) -> Lists:
        """The lists of a question. Raises sqlalchemy.exc.OperationalError, as asking by SQLAlchemy does."""
        statement = question.statement("sqlite")
        arguments = dict(zip(statement.names, statement.arguments(values), strict=True))
        loop = asyncio.get_running_loop()
        return question.read(await loop.run_in_executor(self._thread, self._row, statement, arguments))

    async def close(self) -> None:
        if self._conn is not None:  # it may only be closed on its own thread
            await asyncio.get_running_loop().run_in_executor(self._thread, self._part)
        self._thread.shutdown(wait=False)

    # --- on the thread ---------------------------------------------------------------------------------

    def _row(self, statement: Statement, arguments: dict[str, Any]) -> Sequence[str | None]:
        try:
            if self._conn is None:
                self._conn = self._connected()
            row: Sequence[str | None] = self._conn.execute(statement.text, arguments).fetchone()
        except sqlite3.Error as cause:
            self._part()
            raise sa.exc.OperationalError(None, None, cause, hide_parameters=True) from cause
        return row

    def _connected(self) -> sqlite3.Connection:
        conn = sqlite3.connect(self._uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        for pragma in PRAGMAS:
            conn.execute(f"PRAGMA {pragma}")
        return conn

    def _part(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()
