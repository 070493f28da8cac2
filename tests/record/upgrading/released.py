"""The tables of the last version that was released, as its code spoke of them: what a server of it still asks and
writes while the next one has brought the schema up.

    python -m tests.record.upgrading.released >released.json      at each release, to stand here afterwards
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

FILE = Path(__file__).with_name("released.json")
KINDS: dict[str, Any] = {
    "BIGINT": sa.BigInteger,
    "INTEGER": sa.Integer,
    "TEXT": sa.Text,
    "BOOLEAN": sa.Boolean,
    "DATE": sa.Date,
    "DATETIME": sa.DateTime,
    "JSON": sa.JSON,
}


def described() -> dict[str, Any]:
    """This version's revision and tables: each column in words, and the keys that ON CONFLICT may name."""
    from cti_server.record import migrate
    from cti_server.record.tables import metadata

    tables = {
        table.name: {
            "columns": {column.name: _words(column) for column in table.columns},
            "keys": [
                ",".join(table.primary_key.columns.keys()),
                *sorted(",".join(one.columns.keys()) for one in table.constraints if _is_unique(one)),
            ],
        }
        for table in metadata.sorted_tables
    }
    return {"revision": migrate.head(), "tables": tables}


def _is_unique(constraint: sa.Constraint) -> bool:
    return isinstance(constraint, sa.UniqueConstraint)


def _words(column: sa.Column[Any]) -> str:
    """`BIGINT required of agents.id`: each insert has to name it. `optional`: it may be NULL; `by itself`: it has
    a default."""
    kind: Any = column.type
    while isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl_instance
    by_itself = column.server_default is not None or column is column.table.autoincrement_column
    name = next(name for name, of in KINDS.items() if isinstance(kind, of))
    need = "by itself" if by_itself else "optional" if column.nullable else "required"
    return " ".join([name, need, *(f"of {key.target_fullname}" for key in column.foreign_keys)])


def tables() -> sa.MetaData:
    """What the file says, as tables."""
    made = sa.MetaData()
    for name, told in json.loads(FILE.read_text())["tables"].items():
        primary = told["keys"][0].split(",")
        columns = [_column(column, words.split(), primary) for column, words in told["columns"].items()]
        sa.Table(name, made, *columns, *(sa.UniqueConstraint(*key.split(",")) for key in told["keys"][1:]))
    return made


def _column(name: str, words: list[str], primary: list[str]) -> sa.Column[Any]:
    kind = sa.DateTime(timezone=True) if words[0] == "DATETIME" else KINDS[words[0]]()
    keys = [sa.ForeignKey(words[-1])] if "of" in words else []
    default = sa.text("''") if "itself" in words and name not in primary else None
    return sa.Column(
        name, kind, *keys, nullable="optional" in words, primary_key=name in primary, server_default=default
    )


if __name__ == "__main__":
    print(json.dumps(described(), indent=1))
