"""The metadata that all tables share, and the column types that make both engines store the same."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

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
"""SQLite numbers a row by itself only when the key is called INTEGER."""

_NOTHING_BY_ITSELF = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")  # the escape of NUL, not a backslash before the letters u0000
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    """Text that both engines can store: PostgreSQL refuses NUL, and UTF-8 has no lone surrogates."""
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


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment. Refuses a naive datetime, stores UTC, answers aware UTC."""

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

    Raises TypeError for what JSON has no form for, a date for one.
    """
    try:
        text = orjson.dumps(value, option=_NOTHING_BY_ITSELF).decode()
    except TypeError:  # a lone surrogate, a number beyond 64 bits, a key that is a number: rare, but no error here
        text = clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return _NUL.sub(rf"\1{REPLACEMENT}", text) if "\\u0000" in text else text


def id_column() -> sa.Column[int]:
    return sa.Column("id", Id, primary_key=True)


def customer_column(*, nullable: bool = False, index: bool = True, on_delete: str = "CASCADE") -> sa.Column[Any]:
    return sa.Column(
        "customer_id", Id, sa.ForeignKey("customers.id", ondelete=on_delete), nullable=nullable, index=index
    )


def upsert(engine: str, table: sa.Table) -> Any:
    """An insert that may be given `on_conflict_do_update`; both engines have it, each in a class of its own."""
    return (sqlite if engine == "sqlite" else postgresql).insert(table)


def if_there(column: str, table: str) -> dict[str, Any]:
    """The value for a foreign key given by that name: NULL when the row it names is gone.

    One customer who was deleted must not keep a whole batch of calls from being written.
    """
    named = sa.table(table, sa.column("id", Id))
    return {column: sa.select(named.c.id).where(named.c.id == sa.bindparam(column, type_=Id)).scalar_subquery()}
