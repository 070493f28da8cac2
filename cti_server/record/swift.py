"""Runs a statement on PostgreSQL's driver itself, in a connection's transaction: for those on which calls wait.

SQLAlchemy builds the statement, once, and PostgreSQL prepares it, once. What is left out is what SQLAlchemy does
for each execution: a greenlet, a context and a wrapped cursor, which cost several times what the statement costs.
On SQLite, and before a transaction has begun, the statement is executed as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from cti_server.record.engines import Connection, as_sqlalchemy_says

Row = Mapping[str, Any]
Statement = sa.UpdateBase | sa.Select[Any]
FEW = 4  # rows that are fetched one after the other; more of them SQLAlchemy puts into one statement


async def run(conn: Connection, statement: Statement, rows: Sequence[Row]) -> list[Any]:
    """Execute the statement with each of these rows; returns what it returns as tuples, in their order. All rows
    have the same names. The statement is compiled for good, so it must be one that is kept.

    Raises what executing it raises.
    """
    driver = _driver(conn)
    compiled = _compiled(conn, statement, tuple(rows[0])) if driver is not None else None
    if compiled is None or (compiled.returns and len(rows) > FEW):
        done = await conn.execute(statement, list(rows) if len(rows) > 1 else rows[0])
        return list(done) if done.returns_rows else []
    arguments = [compiled.arguments(row) for row in rows]
    try:
        if compiled.returns:
            return [row for given in arguments for row in await driver.fetch(compiled.text, *given)]
        await driver.executemany(compiled.text, arguments)
        return []
    except Exception as cause:
        raise as_sqlalchemy_says(cause) from cause


class _Compiled:
    """A statement as the driver takes it: its text, and its arguments in the order of their numbers."""

    def __init__(self, statement: Statement, dialect: sa.Dialect, names: tuple[str, ...]) -> None:
        is_select = isinstance(statement, sa.Select)
        kept: dict[str, Any] = {} if is_select else {"column_keys": list(names), "for_executemany": True}
        made: Any = statement.compile(dialect=dialect, **kept)
        self.text: str = made.string
        self.returns = is_select or bool(made.effective_returning)
        self._fixed: dict[str, Any] = made.params
        self._arguments: list[tuple[str, Callable[[Any], Any] | None]] = []
        for name in made.positiontup:
            kind = made.binds[name].type.dialect_impl(dialect)
            self._arguments.append((name, kind.bind_processor(dialect)))

    def arguments(self, row: Row) -> list[Any]:
        values = {**self._fixed, **row}
        return [values[name] if as_sent is None else as_sent(values[name]) for name, as_sent in self._arguments]


_kept: dict[tuple[Statement, tuple[str, ...]], _Compiled] = {}


def _compiled(conn: Connection, statement: Statement, names: tuple[str, ...]) -> _Compiled:
    if (found := _kept.get((statement, names))) is None:
        found = _kept[statement, names] = _Compiled(statement, conn.dialect, names)
    return found


def _driver(conn: Connection) -> Any:
    """asyncpg's connection, once it is in a transaction; None on SQLite, and before."""
    if conn.dialect.driver != "asyncpg" or conn.sync_connection is None:
        return None
    driver = conn.sync_connection.connection.driver_connection
    return driver if driver is not None and driver.is_in_transaction() else None
