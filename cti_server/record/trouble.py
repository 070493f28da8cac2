"""What keeps the database from being used: told from errors of ours, named with its remedy, logged seldom.

A database that is away, full or not to be written fails every write of every task, several times a second. One
line says so when it begins, one each minute while it lasts, and one when it is over; who tries again needs to
say nothing.
"""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

SAY_AGAIN_S = 60.0

log = structlog.get_logger(__name__)

ALL_HOSTS = "name the primary in CTI_DATABASE_URL, or all hosts:  postgresql://{user}@host1:5432,host2:5432/{name}"
IS_STANDBY = "the PostgreSQL that answers is a standby, which takes no writes"

#: a part of what the driver says, in lower case → what mends it. {file} is SQLite's file, {user} and {name}
#: those of the URL
REMEDIES = (
    (("targetserverattribute", "match the target attribute"), ALL_HOSTS),
    (("readonly", "read-only", "read only"), "{owner}, and see that the file system is not mounted read-only"),
    (("disk is full", "no space left", "diskfull", "could not extend"), "make room:  df -h {folder}"),
    (("unable to open database file",), "{owner}"),
    (("disk i/o error",), "look at the disk:  df -h {folder}   dmesg | tail"),
    (("malformed", "not a database"), "restore the last backup of {file}"),
    (("database is locked",), "another program holds {file}:  fuser -v {file}"),
    (("no such table", "no such column", "does not exist", "undefinedtable"), "cti-server migrate"),
    (("password", "authorization"), "correct user and password of CTI_DATABASE_URL"),
    (("connection refused", "connect call failed", "cannotconnect"), "systemctl start postgresql"),
)
#: exceptions of a driver that are raised as they are, before there is a connection
WHILE_CONNECTING = "asyncpg.exceptions"


@dataclass(frozen=True, slots=True)
class Trouble:
    """`why` is what the driver says, on one line; `remedy` the line that mends it."""

    why: str
    remedy: str


def of(cause: BaseException, url: sa.URL) -> Trouble | None:
    """The trouble with the database behind an exception; None for one of another kind, such as a refused value."""
    errors = list(_chain(cause))
    # The driver's own exception stands behind SQLAlchemy's, and does not tell a refused value by its module.
    if any(isinstance(error, sa.exc.DataError | sa.exc.IntegrityError) for error in errors):
        return None
    found = next((error for error in errors if _is_the_databases(error)), None)
    if found is None:
        return None
    original = getattr(found, "orig", None) or found
    said = str(original).strip() or type(original).__name__
    why = said.splitlines()[0].rpartition(">: ")[2]  # SQLAlchemy puts the class of the driver's error before it
    why = IS_STANDBY if "match the target attribute" in why else why
    known = f"{said} {type(getattr(original, '__cause__', None) or original).__name__}".lower()
    remedy = next((line for parts, line in REMEDIES if any(part in known for part in parts)), "cti-server doctor")
    return Trouble(why, remedy.format(**_facts(url)))


def _is_the_databases(error: BaseException) -> bool:
    if isinstance(error, sa.exc.DataError | sa.exc.IntegrityError | sa.exc.ProgrammingError):
        return False
    if isinstance(error, sa.exc.DBAPIError | sa.exc.TimeoutError | OSError | TimeoutError):
        return True
    return type(error).__module__ == WHILE_CONNECTING or "match the target attribute" in str(error)


def _facts(url: sa.URL) -> dict[str, str]:
    user = getpass.getuser() if "USER" in os.environ or "LOGNAME" in os.environ else str(os.geteuid())
    if url.get_backend_name() != "sqlite":
        return {
            "file": "the database",
            "folder": "the folder of PostgreSQL",
            "owner": f"let {url.username} write to it",
            "user": url.username or user,
            "name": url.database or "cti",
        }
    file = os.path.abspath(url.database or "")
    folder = os.path.dirname(file)
    return {"file": file, "folder": folder, "owner": f"chown {user} {folder} {file}*"}


def _chain(cause: BaseException) -> Iterator[BaseException]:
    error: BaseException | None = cause
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class Troubles:
    """The trouble that a database is in now, if any. `note` each failure, and `over` each success of what
    failed."""

    def __init__(self, url: sa.URL, clock: Callable[[], float] = time.monotonic) -> None:
        self.now: Trouble | None = None
        self._url = url
        self._clock = clock
        self._failures = 0
        self._said: tuple[float, str] | None = None  # when, and which cause
        self._said_over = True

    def note(self, cause: BaseException) -> bool:
        """Whether this failure is the database's; if so it is logged, seldom, and needs no further word."""
        trouble = of(cause, self._url)
        if trouble is None:
            return False
        self.now = trouble
        self._failures += 1
        now = self._clock()
        # Also where a write has succeeded meanwhile: on a full disk some find room, and others do not.
        if self._said is None or self._said[1] != trouble.why or now - self._said[0] >= SAY_AGAIN_S:
            self._said, self._said_over = (now, trouble.why), False
            log.error("database.unusable", cause=trouble.why, remedy=trouble.remedy, failures=self._failures)
        return True

    def over(self) -> None:
        if self.now is None:
            return
        self.now = None
        if not self._said_over:
            self._said_over = True
            log.info("database.usable", failures=self._failures)
            self._failures = 0
