"""Rows for any revision of the schema, made from its own tables: of each table four, with what is hard to keep.

    0  every column has a value, hostile where it may be      2  as long, as large and as late as it may be
    1  what may be NULL is NULL                               3  plain, and still open: calls, wrap-ups, promises

A secret is sealed as the record seals it; texts have no NUL, which no version ever stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from cti_server.record.sealing import Sealer

ROWS = 4
FIRST = 101  # ids; some tables have rows to begin with
NOW = datetime.now(UTC).replace(microsecond=654321)
LONG_AGO = datetime(1999, 12, 31, 23, 59, 59, 1, UTC)
HOSTILE = (
    "王小明 O'Neil \"; DROP TABLE agents; -- \\u0000 \\x00 %s {} \t\r\n\N{ZERO WIDTH JOINER}\U0001f600é\u0301 Ω"
)
LONG = "长" * 5_000 + "x" * 5_000
SEALER = Sealer(["A" * 43])
KEYS = (sa.PrimaryKeyConstraint, sa.UniqueConstraint)
NOT_FILLED = ("alembic_version", "customers_search", "interactions_search", "segments_search", "upkeep_claims")

#: what a column has where any text would not do: the code, or a migration, decides by it
WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("agents", "role"): ("agent", "supervisor", "administrator", "agent"),
    ("customers", "kind"): ("person", "company", "person", "company"),
    ("contact_points", "kind"): ("phone", "phone", "email", "phone"),
    ("interactions", "channel"): ("call",) * ROWS,
    ("interactions", "direction"): ("in", "out", "internal", "in"),
    ("promises", "state"): ("kept", "open", "broken", "open"),
    ("help_requests", "state"): ("done", "asked", "taken", "asked"),
    ("phones", "kind"): ("browser", "desk", "browser", "desk"),
    ("messages", "to_kind"): ("agent", "team", "supervisors", "agent"),
    ("audit", "day"): ("2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"),
    ("audit", "detail"): ("{}",) * ROWS,
    ("audit_seals", "day"): ("2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04"),
    ("audit_seals", "heads"): ("{}",) * ROWS,
}
#: what must be NULL for a row to be what it says: the last one is still open
OPEN: Mapping[str, tuple[str, ...]] = {
    "interactions": ("ended_at", "outcome", "ended_by", "talk_ms"),
    "segments": ("wrapped_at", "finished_at", "wrap_code"),
    "visits": ("left_at", "how"),
    "promises": ("settled_at", "settled_by", "broken_at", "raised_at"),
    "help_requests": ("done_at", "taken_at"),
    "cases": ("closed_at",),
}


def fill(
    conn: sa.Connection, metadata: sa.MetaData | None = None, *, only_required: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """Fill every table that there is, or those of `metadata`; returns the rows by table."""
    if metadata is None:
        metadata = sa.MetaData()
        metadata.reflect(conn, only=lambda name, _: is_ours(name))
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in metadata.sorted_tables:
        if not is_ours(table.name):
            continue
        unique = {column.name for key in table.constraints if isinstance(key, KEYS) for column in key.columns}
        unique |= {column.name for index in table.indexes if index.unique for column in index.columns}
        made = rows[table.name] = [_row(conn, table, n, unique, rows) for n in range(ROWS)]
        if only_required:
            for row in made:
                for column in table.columns:
                    if (column.nullable or column.server_default is not None) and not column.primary_key:
                        del row[column.name]
        conn.execute(sa.insert(table), made)
        if conn.dialect.name == "postgresql" and table.primary_key.columns.keys() == ["id"]:
            counter = f"pg_get_serial_sequence('{table.name}', 'id')"
            conn.execute(sa.text(f"SELECT setval({counter}, {FIRST + ROWS})"))
    if not only_required:
        conn.execute(sa.text(f"UPDATE customers SET company_id = {FIRST + 1} WHERE id = {FIRST}"))
        rows["customers"][0]["company_id"] = FIRST + 1
    return rows


def is_ours(name: str) -> bool:
    is_partition = name.startswith("journal_") and name != "journal_streams"
    return not is_partition and not name.startswith(NOT_FILLED)


def _row(
    conn: sa.Connection, table: sa.Table, n: int, unique: set[str], rows: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for column in table.columns:
        name = column.name
        if column.primary_key and name == "id":
            made[name] = FIRST + n
        elif (words := WORDS.get((table.name, name))) is not None:
            made[name] = words[n]
        elif column.foreign_keys:
            key = next(iter(column.foreign_keys)).column
            of_itself = key.table.name == table.name
            made[name] = None if of_itself or (n == 1 and column.nullable) else rows[key.table.name][n][key.name]
        elif column.nullable and (n == 1 or (n == ROWS - 1 and name in OPEN.get(table.name, ()))):
            made[name] = None
        else:
            made[name] = _value(conn, table.name, column, n, is_unique=name in unique)
    if table.name == "segments" and n == ROWS - 1:
        made["ended_at"] = _time(conn, NOW - timedelta(minutes=1))
    return made


def _value(conn: sa.Connection, table: str, column: sa.Column[Any], n: int, *, is_unique: bool) -> Any:
    name = column.name
    match column.type:
        case sa.Boolean():
            return n % 2 == 0
        case sa.JSON():
            body = {"name": HOSTILE, "list": [n, None, 1.5, {"deep": [LONG[: 10 ** (n + 1)]]}], "big": 2**53 - 1}
            return body if n != 2 else {}
        case sa.DateTime():
            times = [NOW - timedelta(days=1), NOW - timedelta(days=400), LONG_AGO, NOW]
            if table == "journal":  # that of a clock that was wrong
                times[0] = NOW + timedelta(days=800)
            return _time(conn, times[n])
        case sa.Date():
            return date(2026, 2, 28) + timedelta(days=n * 400)
        case sa.BigInteger():
            return n + 1 if is_unique else (2**53 - 1, 0, 2**62, 5)[n]
        case sa.Integer():
            return n + 1 if is_unique else (2**31 - 1, 0, -1, 5)[n]
        case sa.Text() | sa.String():
            if (table, name) in (("phones", "sip_password"), ("second_factors", "secret")):
                return SEALER.seal("s3cret 王", f"{table}/{n}")
            text = (HOSTILE, "plain", LONG, "")[n]
            if is_unique:  # PostgreSQL's indexes take 2,700 bytes
                return f"{HOSTILE if n == 0 else 'plain'}{n}"
            return text if n != 3 else "x"
    raise TypeError(f"{table}.{name}: no value of {column.type!r}")


def _time(conn: sa.Connection, at: datetime) -> datetime:
    return at.replace(tzinfo=None) if conn.dialect.name == "sqlite" else at


# --- what is there -----------------------------------------------------------------------------------------

Shape = dict[str, dict[str, object]]
"""Table → columns, keys and indexes, by their names."""


def _index(one: Any) -> str:
    """With the condition of a partial one in words."""
    options = {name: str(value) for name, value in one.get("dialect_options", {}).items()}
    return f"{one['name']} {one['column_names']} {one['unique']} {options}"


def shape(conn: sa.Connection) -> Shape:
    inspector = sa.inspect(conn)
    return {
        name: {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(name)
            },
            "primary key": inspector.get_pk_constraint(name),
            "unique": sorted(map(str, inspector.get_unique_constraints(name))),
            "foreign keys": sorted(map(str, inspector.get_foreign_keys(name))),
            "indexes": sorted(map(_index, inspector.get_indexes(name))),
        }
        for name in inspector.get_table_names()
    }


Rows = dict[str, dict[tuple[str, ...], dict[str, str | None]]]
"""Table → primary key → column → its value as text."""


def read(conn: sa.Connection) -> Rows:
    found: Rows = {}
    inspector = sa.inspect(conn)
    for name in inspector.get_table_names():
        if not is_ours(name):
            continue
        columns = {column["name"]: column["type"] for column in inspector.get_columns(name)}
        # A partitioned table has none; its rows are told apart by that of its partitions.
        key = inspector.get_pk_constraint(name)["constrained_columns"] or ["stream", "seq"]
        texts = ", ".join(f'CAST("{column}" AS TEXT)' for column in columns)
        found[name] = {}
        for row in conn.execute(sa.text(f'SELECT {texts} FROM "{name}"')):
            values = {column: _told(value, columns[column]) for column, value in zip(columns, row, strict=True)}
            found[name][tuple(str(values[column]) for column in key)] = values
    return found


def _told(value: str | None, kind: Any) -> str | None:
    """JSON by what it says: how it is written is the engine's."""
    return (
        json.dumps(json.loads(value), sort_keys=True) if value is not None and isinstance(kind, sa.JSON) else value
    )
