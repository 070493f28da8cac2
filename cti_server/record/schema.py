"""The metadata that all tables share, and the column types that make both engines store the same."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""SQLite assigns ids by itself only when the type of the key is INTEGER."""

_NOTHING_BY_ITSELF = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # the escape of NUL, not a backslash before the letters u0000
MAX_IN = 1000
"""Values in one `IN (…)`. PostgreSQL takes at most 32,767 parameters in a statement, and has to plan for each."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    """The text in a form that both engines can store: PostgreSQL refuses NUL, and UTF-8 has no lone surrogates."""
    if "\0" in text:
        text = text.replace("\0", REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return text


class CleanText(sa.types.TypeDecorator[str]):
    """Text of any length from anywhere, a hostile caller name included."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else clean(value)


class Words(sa.types.TypeDecorator[frozenset[str]]):
    """A set of words without spaces, stored as one text in their order."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[str] | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else " ".join(sorted(value))

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> frozenset[str] | None:
        return None if value is None else frozenset(value.split())


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A point in time. Refuses a naive datetime, stores UTC, returns aware UTC."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; times are stored in UTC")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def to_json(value: Any) -> str:
    """JSON as it is stored and sent: readable Chinese, and nothing that an engine or a UTF-8 encoder would refuse.

    Raises TypeError for what JSON cannot express, such as a date.
    """
    try:
        text = orjson.dumps(value, option=_NOTHING_BY_ITSELF).decode()
    except TypeError:  # a lone surrogate, a number over 64 bits, a key that is a number: rare, but allowed
        text = clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return _NUL.sub(rf"\1{REPLACEMENT}", text) if "\\u0000" in text else text


def id_column() -> sa.Column[int]:
    return sa.Column("id", Id, primary_key=True)


def customer_column(*, nullable: bool = False, index: bool = True, on_delete: str = "CASCADE") -> sa.Column[Any]:
    return sa.Column(
        "customer_id", Id, sa.ForeignKey("customers.id", ondelete=on_delete), nullable=nullable, index=index
    )


def chunks(values: Iterable[T], size: int = MAX_IN) -> Iterator[list[T]]:
    """The values in lists short enough for an `IN (…)`. Use it where the number of values has no bound."""
    rest = iter(values)
    while some := list(itertools.islice(rest, size)):
        yield some


def upsert(engine: str, table: sa.Table) -> Any:
    """An insert that allows `on_conflict_do_update`; each engine has its own class for it."""
    return (sqlite if engine == "sqlite" else postgresql).insert(table)


# What the pipeline writes was true when the floor learnt it. By the time it is written, somebody may have deleted
# the customer, line or agent that it names, and one such row must not prevent a whole batch of calls from being
# written. So every foreign key that the pipeline writes goes through one of these two functions.


def if_there(table: str, row_id: int | sa.BindParameter[int] | None) -> sa.ScalarSelect[Any]:
    """The value for a foreign key to `table`: the id, or NULL when that row is gone."""
    named = sa.table(table, sa.column("id", Id))
    wanted = row_id if isinstance(row_id, sa.BindParameter) else sa.bindparam(None, row_id, type_=Id)
    return sa.select(named.c.id).where(named.c.id == wanted).scalar_subquery()


def insert_if_there(engine: str, table: sa.Table, column: str, parent: str, names: Iterable[str]) -> Any:
    """An insert of these columns that adds nothing when the row of `parent` that `column` names is gone.

    Execute it with a dict that has these `names`, or with a list of such. It allows `on_conflict_do_update`.
    """
    columns = [table.c[name] for name in names]
    given = {c.name: sa.bindparam(c.name, type_=c.type) for c in columns}
    parents = sa.table(parent, sa.column("id", Id))
    row = sa.select(*given.values()).where(sa.exists().where(parents.c.id == given[column]))
    return upsert(engine, table).from_select(list(given), row)
