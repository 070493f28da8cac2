"""A question: one statement that answers with several lists, made from the queries of the tables.

Each list is a query as any other, with its own order. The engine hands it over as JSON, an array of arrays, in one
column of the only row; the columns' own types say how a value is read. So a table that gets another column needs
no second edit here, and what comes back is what SQLAlchemy would have made of the same query, at a part of its
price: a statement that is always the same is prepared once, and its rows are parsed by one call.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from cti_server.record.schema import CleanText, UtcDateTime, Words

Values = Mapping[str, Any]
Lists = list[list[Any]]
"""The lists of a question in its order: of each row a named tuple, with the names of the query's columns."""

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
"""What the driver takes PostgreSQL's -infinity and infinity for, and the other way round; of days, it is the
same."""
MOST_COLUMNS: Final = 100  # arguments that a function of PostgreSQL takes; SQLite's json_array takes 127


@dataclass(frozen=True, slots=True)
class Statement:
    """A question as one engine is asked it. `names` are the parameters in the order in which they are bound, and
    `ready` makes a value what the driver takes."""

    text: str
    names: tuple[str, ...]
    ready: tuple[Callable[[Any], Any] | None, ...]

    def arguments(self, values: Values) -> list[Any]:
        """The values in the order of `names`. Raises KeyError for one that is missing."""
        return [
            values[name] if make is None else make(values[name])
            for name, make in zip(self.names, self.ready, strict=True)
        ]


class Question:
    """Ask it by `Database.ask`, or `on` the connection of a transaction whose changes it has to see.

    Its lists are selects by name; what they leave open are `bindparam`s without a value, and every other value is
    written into the statement, so that the engine plans with it.
    """

    def __init__(self, **lists: sa.Select[Any]) -> None:
        self._lists = lists

    async def on(self, conn: AsyncConnection, values: Values) -> Lists:
        """Ask on a connection of SQLAlchemy, inside its transaction."""
        statement = self.statement(conn.dialect.name)
        arguments = statement.arguments(values)
        given: Any = tuple(arguments)
        if conn.dialect.name == "sqlite":
            given = dict(zip(statement.names, arguments, strict=True))
        return self.read((await conn.exec_driver_sql(statement.text, given)).one())

    def statement(self, engine: str) -> Statement:
        return self._on_sqlite if engine == "sqlite" else self._on_postgresql

    def read(self, row: Sequence[str | None]) -> Lists:
        """The lists out of the row that the statement answered with."""
        return [read(text) if text else [] for read, text in zip(self._readers, row, strict=True)]

    # --- for each engine -------------------------------------------------------------------------------

    @cached_property
    def _on_postgresql(self) -> Statement:
        dialect: Any = PGDialect_asyncpg
        return self._made(dialect(paramstyle="numeric_dollar"), "json_agg", "json_build_array")

    @cached_property
    def _on_sqlite(self) -> Statement:
        return self._made(SQLiteDialect_pysqlite(paramstyle="named"), "json_group_array", "json_array")

    def _made(self, dialect: Any, gather: str, array: str) -> Statement:
        """An aggregate over an ordered subquery gets its rows in that order: PostgreSQL says so of any aggregate,
        and SQLite flattens no ordered subquery into a query that aggregates."""
        columns = []
        for name, query in self._lists.items():
            rows = query.subquery(f"{name}_rows")
            row = getattr(sa.func, array)(*rows.c)
            gathered = sa.cast(getattr(sa.func, gather)(row), sa.Text)  # SQLAlchemy has JSON of PostgreSQL decoded
            columns.append(sa.select(gathered).scalar_subquery().label(name))
        dialect.statement_compiler = type("Spelt", (_Spelt, dialect.statement_compiler), {})
        compiled = sa.select(*columns).compile(dialect=dialect)
        names = tuple(compiled.positiontup or compiled.binds)
        ready = (compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names)
        return Statement(compiled.string, names, tuple(ready))

    @cached_property
    def _readers(self) -> list[Callable[[str], list[Any]]]:
        return [_reader(name, query) for name, query in self._lists.items()]


class _Spelt:
    """Makes a compiler write every value into the statement that is not left open."""

    def visit_bindparam(self, bindparam: Any, literal_binds: bool = False, **how: Any) -> Any:
        spelt = literal_binds or not bindparam.required
        return super().visit_bindparam(bindparam, literal_binds=spelt, **how)  # type: ignore[misc]


# --- reading ----------------------------------------------------------------------------------------------


def _reader(name: str, query: sa.Select[Any]) -> Callable[[str], list[Any]]:
    columns = list(query.selected_columns)
    if len(columns) > MOST_COLUMNS:
        raise TypeError(f"{name} has {len(columns)} columns, and a row of a question at most {MOST_COLUMNS}")
    made = namedtuple(name, [column.name for column in columns])  # type: ignore[misc]
    read = [(at, how) for at, column in enumerate(columns) if (how := _how(name, column)) is not None]

    def rows(text: str) -> list[Any]:
        found = orjson.loads(text)
        for row in found:
            for at, how in read:
                if (value := row[at]) is not None:
                    row[at] = how(value)
        return [made._make(row) for row in found]

    return rows


def _how(name: str, column: sa.ColumnElement[Any]) -> Callable[[Any], Any] | None:
    """How a value of this column's type is read from JSON; None for what JSON has as it is."""
    match column.type:
        case UtcDateTime():
            return _moment
        case sa.Date():
            return _day
        case sa.Boolean():
            return bool
        case Words():
            return lambda words: frozenset(words.split())
        case sa.Integer() | sa.String() | CleanText():
            return None
    raise TypeError(f"{name}.{column.name} is {column.type!r}: say in {__name__} how it is read from JSON")


def _day(text: str) -> date:
    return date.fromisoformat(text) if text[-1] != "y" else date.min if text[0] == "-" else date.max


def _moment(text: str) -> datetime:
    if text[-1] == "y":
        return FIRST if text[0] == "-" else LAST
    at = datetime.fromisoformat(text)  # PostgreSQL writes the offset of its session, SQLite stores UTC without one
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at if at.tzinfo is UTC else at.astimezone(UTC)
