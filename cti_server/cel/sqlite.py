"""CEL in an SQLite file, as cel_sqlite3_custom writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from cti_server.wire.text import to_text

from .look import CelUnreadable, in_thread
from .table import Table

BUSY_S = 10.0  # Asterisk writes a row in less


class SqliteTable(Table):
    """Rows are numbered by SQLite itself. The file is opened for reading only."""

    _db: sqlite3.Connection | None = None

    async def _open(self) -> Sequence[str]:
        self._number = "rowid"
        path, table = self._look.place.path, self._look.place.table

        def opened() -> sqlite3.Connection:
            uri = f"file:{quote(path)}?mode=ro"
            db = sqlite3.connect(uri, uri=True, timeout=BUSY_S, check_same_thread=False)
            db.text_factory = bytes
            return db

        try:
            self._db = await in_thread(self._look, opened)
            columns = await self._ask(f"PRAGMA table_info({self._quoted(table)})")
        except sqlite3.Error as cause:
            raise CelUnreadable(f"{self._look.place}: {cause}") from cause
        if not columns:
            raise CelUnreadable(f"{self._look.place}: there is no such table; ?table= names another")
        return [str(column[1]) for column in columns]

    async def _ask(self, sql: str, *values: object) -> Sequence[Sequence[Any]]:
        db = self._db
        assert db is not None
        try:
            rows = await in_thread(self._look, lambda: db.execute(sql.replace("{}", "?"), values).fetchall())
        except sqlite3.Error as cause:
            raise CelUnreadable(f"{self._look.place}: {cause}") from cause
        return [[self._text(value) for value in row] for row in rows]

    def _text(self, value: object) -> object:
        return to_text(value, self._look.encodings.everywhere) if isinstance(value, bytes) else value

    async def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _quoted(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'
