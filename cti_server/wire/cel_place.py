"""Where a site's CEL is, as CTI_CEL says it: a file, or a table of a database.

/var/log/asterisk/cel-custom/cti.csv                        what cel_custom writes
sqlite:////var/log/asterisk/master.db?table=cel             what cel_sqlite3_custom writes
postgresql://reader:secret@host:5432/asterisk?table=cel     what cel_pgsql, or cel_odbc, writes
mysql://reader:secret@host:3306/asteriskcdrdb?table=cel     what FreePBX keeps, by cel_odbc
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

TABLE: Final = "cel"
PORTS: Final = {"postgresql": 5432, "mysql": 3306}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
_LIKE: Final = (
    "/var/log/asterisk/cel-custom/cti.csv, sqlite:////var/log/asterisk/master.db, "
    "postgresql://user:secret@host/database or mysql://user:secret@host/asteriskcdrdb"
)


@dataclass(frozen=True, slots=True)
class Place:
    """`kind` is csv, sqlite, postgresql or mysql. `path` is of a file; the others are of a database server."""

    kind: str
    path: str = ""
    host: str = ""
    port: int = 0
    database: str = ""
    user: str = ""
    secret: str = field(default="", repr=False)
    table: str = TABLE
    schema: str = ""

    @classmethod
    def parse(cls, text: str) -> Place:
        """Raises ValueError, which says what is wrong and never has the password."""
        text = text.strip()
        if text.startswith("/"):
            return cls("csv", text)
        scheme = text.partition(":")[0].partition("+")[0].lower()
        kind = {"postgres": "postgresql", "mariadb": "mysql"}.get(scheme, scheme)
        if kind not in ("sqlite", *PORTS):
            raise ValueError(
                f"CTI_CEL begins with {scheme[:20]!r}: it is an absolute path or an address, as {_LIKE}"
            )
        try:
            url = urlsplit(text)
            asked, port = parse_qs(url.query, strict_parsing=bool(url.query)), url.port
        except ValueError as wrong:
            raise ValueError(f"CTI_CEL is no address that can be read ({wrong}); it is like {_LIKE}") from None
        if unknown := sorted(set(asked) - {"table", "schema"}):
            raise ValueError(f"CTI_CEL has ?{unknown[0]}=: only table and schema may stand there")
        table, schema = (asked.get(name, [default])[0] for name, default in (("table", TABLE), ("schema", "")))
        if not all(_NAME.fullmatch(name) for name in (table, schema) if name):
            raise ValueError("CTI_CEL names a table or schema that is not made of letters, digits and _")
        if kind == "sqlite":
            path = unquote(url.path)
            if url.netloc or not path.startswith("//"):
                raise ValueError("CTI_CEL has a relative path; an absolute one has four strokes: sqlite:////var/…")
            return cls(kind, path[1:], table=table)
        database = unquote(url.path).strip("/")
        if not url.hostname or not database:
            raise ValueError(f"CTI_CEL lacks the host or the database; it is like {_LIKE}")
        user, secret = unquote(url.username or ""), unquote(url.password or "")
        return cls(kind, "", url.hostname, port or PORTS[kind], database, user, secret, table, schema)

    def __str__(self) -> str:
        """For people: without the password."""
        if self.kind == "csv":
            return self.path
        where = self.path or f"{self.host}:{self.port}/{self.database}"
        return f"{self.kind} {where}, table {self.schema + '.' if self.schema else ''}{self.table}"
