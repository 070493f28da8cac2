"""Which kind of fault made a use of the database fail, for those who word it: the command line.

Drivers and SQLAlchemy wrap each other's exceptions, so the whole chain of causes is looked through.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import sqlalchemy as sa

from cti_server.record.engines import DatabaseAbsent
from cti_server.record.migrate import UnknownRevision
from cti_server.record.urls import BadUrl, normalise_url, sqlite_file

Kind = Literal[
    "absent",  # no such SQLite file
    "bad_url",
    "unknown_revision",
    "locked",
    "not_a_database",
    "damaged",
    "read_only",
    "not_opened",
    "full",
    "unreachable",  # no server answers
    "refused",  # wrong user or password
    "no_such",  # the server has no such database
    "denied",  # the user may not do that
    "no_tables",
    "taken",  # somebody else has just added the same
    "failed",  # anything else that the database says
]


@dataclass(frozen=True, slots=True)
class Fault:
    """`why` is the driver's first line, `file` the SQLite file."""

    kind: Kind
    why: str
    file: Path | None = None


_SQLITE: Final[tuple[tuple[str, Kind], ...]] = (
    ("SQLITE_BUSY", "locked"),
    ("SQLITE_LOCKED", "locked"),
    ("SQLITE_NOTADB", "not_a_database"),
    ("SQLITE_CORRUPT", "damaged"),
    ("SQLITE_READONLY", "read_only"),
    ("SQLITE_CANTOPEN", "not_opened"),
    ("SQLITE_PERM", "not_opened"),
    ("SQLITE_AUTH", "not_opened"),
    ("SQLITE_FULL", "full"),
    ("SQLITE_CONSTRAINT", "taken"),
)
_POSTGRESQL: Final[dict[str, Kind]] = {
    "InvalidPasswordError": "refused",
    "InvalidAuthorizationSpecificationError": "refused",
    "InvalidCatalogNameError": "no_such",
    "InsufficientPrivilegeError": "denied",
    "UndefinedTableError": "no_tables",
    "UniqueViolationError": "taken",
    "ReadOnlySQLTransactionError": "read_only",
    "DiskFullError": "full",
    "LockNotAvailableError": "locked",
}


def fault_of(failed: BaseException, url: str) -> Fault | None:
    """The fault behind this exception of a use of the database at `url`; None when it is none of a
    database."""
    try:
        file = sqlite_file(normalise_url(url))
    except BadUrl as bad:
        return Fault("bad_url", str(bad))
    causes = list(_causes(failed))
    for cause in causes:
        if (kind := _kind(cause, is_file=file is not None)) is not None:
            return Fault(kind, _first_line(cause), file)
    if any(isinstance(cause, sa.exc.SQLAlchemyError | sqlite3.Error) for cause in causes):
        return Fault("failed", _first_line(causes[-1]), file)
    return None


def _kind(cause: BaseException, *, is_file: bool) -> Kind | None:
    match cause:
        case DatabaseAbsent():
            return "absent"
        case UnknownRevision():
            return "unknown_revision"
        case sqlite3.Error():
            name = getattr(cause, "sqlite_errorname", "")
            if re.match("no such (table|column)", str(cause)):
                return "no_tables"
            return next((kind for start, kind in _SQLITE if name.startswith(start)), None)
        case OSError() if not is_file and cause.filename is None:  # one with a name is about a file
            return "unreachable"
    if type(cause).__module__.startswith("asyncpg"):
        return _POSTGRESQL.get(type(cause).__name__, "failed")
    return None


def _first_line(cause: BaseException) -> str:
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


def _causes(failed: BaseException) -> Iterator[BaseException]:
    """The exception, and what it came from, a group's first members included."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [failed]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            waiting.extend(cause.exceptions)
        waiting += [cause.__cause__, None if cause.__suppress_context__ else cause.__context__]
