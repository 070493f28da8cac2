"""CEL in MySQL or MariaDB, as FreePBX keeps it (`asteriskcdrdb.cel`, by cel_odbc)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .look import CelUnreadable, in_thread
from .table import Table

CONNECT_S = 10
READ_S = 60


class MysqlTable(Table):
    """It needs PyMySQL, which is an extra: `pip install 'cti-server[mysql]'`."""

    _db: Any = None

    async def _open(self) -> Sequence[str]:
        try:
            import pymysql
        except ImportError:
            raise CelUnreadable(
                f"{self._look.place}: reading MySQL needs a package:  pip install 'cti-server[mysql]'   or let "
                "Asterisk write a file beside the table (docs/install.md)"
            ) from None
        place = self._look.place

        def opened() -> Any:
            return pymysql.connect(
                host=place.host,
                port=place.port,
                user=place.user,
                password=place.secret,
                database=place.database,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=CONNECT_S,
                read_timeout=READ_S,
            )

        try:
            self._db = await in_thread(self._look, opened)
            columns = await self._ask(f"SHOW COLUMNS FROM {self._table}")
        except pymysql.MySQLError as cause:
            raise CelUnreadable(f"{self._look.place}: {cause.args[-1] if cause.args else cause}") from cause
        names = [str(column[0]) for column in columns]
        if not any(name == "id" and str(kind).startswith(("int", "bigint")) for name, kind, *_ in columns):
            raise self._without_number("BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY FIRST")
        return names

    async def _ask(self, sql: str, *values: object) -> Sequence[Sequence[Any]]:
        import pymysql

        def asked() -> Sequence[Sequence[Any]]:
            with self._db.cursor() as cursor:
                cursor.execute(sql.replace("{}", "%s"), values)
                return list(cursor.fetchall())

        try:
            return await in_thread(self._look, asked)
        except pymysql.MySQLError as cause:
            raise CelUnreadable(f"{self._look.place}: {cause.args[-1] if cause.args else cause}") from cause

    async def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def _quoted(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"
