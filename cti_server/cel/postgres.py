"""CEL in PostgreSQL, as cel_pgsql writes it, and cel_odbc may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from .look import CelUnreadable
from .table import Table

CONNECT_S = 10.0
ANSWER_S = 60.0
INTEGERS = ("int2", "int4", "int8")


class PostgresTable(Table):
    """Its session may only read."""

    _db: asyncpg.Connection | None = None

    async def _open(self) -> Sequence[str]:
        place = self._look.place
        try:
            self._db = await asyncpg.connect(
                host=place.host,
                port=place.port,
                user=place.user or None,
                password=place.secret or None,
                database=place.database,
                timeout=CONNECT_S,
                command_timeout=ANSWER_S,
                server_settings={"application_name": "cti-server", "default_transaction_read_only": "on"},
            )
            statement = await self._db.prepare(f"SELECT * FROM {self._table} LIMIT 0")  # noqa: S608 - quoted
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as cause:
            raise CelUnreadable(f"{place}: {cause or type(cause).__name__}") from cause
        found = statement.get_attributes()
        if not any(one.name == "id" and one.type.name in INTEGERS for one in found):
            raise self._without_number("bigserial PRIMARY KEY")
        return [one.name for one in found]

    async def _ask(self, sql: str, *values: object) -> Sequence[Sequence[Any]]:
        assert self._db is not None
        for number in range(1, len(values) + 1):
            sql = sql.replace("{}", f"${number}", 1)
        try:
            return [tuple(row) for row in await self._db.fetch(sql, *values)]
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as cause:
            raise CelUnreadable(f"{self._look.place}: {cause or type(cause).__name__}") from cause

    async def _close(self) -> None:
        if self._db is not None:
            self._db.terminate()
            self._db = None

    def _quoted(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'
