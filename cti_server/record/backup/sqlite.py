"""An SQLite record: copied by SQLite's online backup from one snapshot, while the server writes.

The snapshot is held by a read transaction. Without one SQLite begins the copy anew whenever somebody writes, and
beside a busy server never ends; in write-ahead mode it keeps nobody waiting.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from .archive import (
    CHUNK,
    MEMBERS,
    CannotBackUp,
    Facts,
    Sum,
    full_disk_named,
    private,
    removed_at_last,
    sealing_keys,
)

SECRETS: Final = (("phones", "sip_password"), ("second_factors", "secret"))
"""Where the record has what `record.sealing` has sealed."""
BUSY_S: Final = 5.0
BESIDE: Final = ("-wal", "-shm", "-journal")


def copy(file: Path, archive: zipfile.ZipFile, beside: Path) -> Facts:
    """Copy the database into the archive; `beside` is a file that it may use meanwhile. Blocks.

    Raises CannotBackUp, and what sqlite3 raises.
    """
    with closing(_connect(file)) as source, removed_at_last(beside):
        source.execute("BEGIN")
        facts = facts_of(source)  # the first read: from here on all comes from one snapshot
        private(beside)
        with full_disk_named(beside), _full(beside):
            with closing(sqlite3.connect(beside, isolation_level=None)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            archive.write(beside, MEMBERS["sqlite"], zipfile.ZIP_DEFLATED, 1)
    return facts


def unpack(archive: zipfile.ZipFile, to: Path) -> None:
    """Write the database of the archive to a new file, and look whether SQLite finds it whole. Blocks.

    Raises CannotBackUp.
    """
    private(to)
    with full_disk_named(to), archive.open(MEMBERS["sqlite"]) as packed, to.open("wb") as file:
        shutil.copyfileobj(packed, file, CHUNK)
    try:
        with closing(_connect(to)) as conn:
            found = [str(row[0]) for row in conn.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as broken:
        found = [str(broken)]
    if found != ["ok"]:
        raise CannotBackUp(f"the database in it is damaged: {'; '.join(found)}", "Use another backup.")


def as_one_file(file: Path) -> None:
    """What stands in a write-ahead log beside it goes into the file. Blocks."""
    with closing(_connect(file)) as conn:
        conn.execute("PRAGMA journal_mode = DELETE")


def facts_in(file: Path) -> Facts:
    with closing(_connect(file)) as conn:
        conn.execute("BEGIN")
        return facts_of(conn)


def facts_of(conn: sqlite3.Connection) -> Facts:
    tables = dict(_sums(conn))
    revision = (
        conn.execute("SELECT version_num FROM alembic_version").fetchone() if "alembic_version" in tables else None
    )
    if revision is None:
        raise CannotBackUp("the database is empty", "cti-server migrate   makes its tables")
    keys: dict[str, int] = {}
    for table, column in SECRETS:
        if table in tables:
            query = f"SELECT substr({column}, 4, 8), count(*) FROM {table} WHERE {column} LIKE 'v1:%' GROUP BY 1"
            for name, count in conn.execute(query):
                keys[name] = keys.get(name, 0) + count
    return Facts("sqlite", sqlite3.sqlite_version, revision[0], tables, sealing_keys(keys))


def _sums(conn: sqlite3.Connection) -> Iterator[tuple[str, Sum]]:
    """Of each table that stores rows, the search index's own ones and SQLite's counters among them."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL %' "
        "AND name NOT LIKE 'sqlite_stat%' ORDER BY name"
    )
    for (name,) in conn.execute(query).fetchall():
        table = name.replace('"', '""')
        columns = [row[1].replace('"', '""') for row in conn.execute(f'PRAGMA table_info("{table}")')]
        # As SQL literals, so that 1, '1' and 1.0 are three things.
        row = " || ',' || ".join(f'quote("{column}")' for column in columns)
        rows = total = 0
        for (text,) in conn.execute(f'SELECT {row} FROM "{table}"'):
            rows += 1
            total += int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        yield name, Sum(rows, f"{total % 2**64:016x}")


def _connect(file: Path) -> sqlite3.Connection:
    # rw: SQLite has to make the shared memory beside a write-ahead log, also to read.
    conn = sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, isolation_level=None, timeout=BUSY_S)
    conn.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return conn


@contextmanager
def _full(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as failed:
        if getattr(failed, "sqlite_errorname", "") != "SQLITE_FULL":
            raise
        raise CannotBackUp(
            f"the disk of {file.parent} is full", f"Make room:  df -h {file.parent}   Nothing was changed."
        ) from None
