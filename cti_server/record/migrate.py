"""Bring a database up or down to a revision of the schema, from code. The revisions are in `migrations/`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from cti_server.record.engines import Connection, DatabaseAbsent, lone_engine
from cti_server.record.leases import lock_key
from cti_server.record.urls import normalise_url, sqlite_file

T = TypeVar("T")

_PACKAGE = Path(__file__).resolve().parent.parent
# In the wheel `migrations/` lies inside the package, in a checkout beside it.
SCRIPTS = next(p for p in (_PACKAGE / "migrations", _PACKAGE.parent / "migrations") if (p / "env.py").is_file())


BASE = "base"
"""The name of the state without any table."""


LOCK_WAIT_S = 5
"""How long a migration waits for whoever has a table, before it gives up and has changed nothing."""
_BESIDE = re.compile(
    r"(customers|interactions|segments)_search|ix_contact_points_digits|ix_(interactions|segments)_grams"
    r"|journal_(rest|\d{4}_\d{2}|cut_)|ix_journal_at"
)


class UnknownRevision(ValueError):
    """A revision that this version of the server does not have."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One step of the schema. `about` is what it brings, in a line."""

    number: str
    about: str


def in_metadata(name: str | None, kind: str, parents: Any) -> bool:
    """Whether Alembic should compare this object with the metadata. What each engine has in its own form is not in
    the metadata: the indexes of searches, and by what the journal is cut."""
    return _BESIDE.match(name or "") is None


def config(connection: sa.Connection | None = None) -> Config:
    """The configuration for Alembic."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def head() -> str:
    """The revision that this version of the server works with."""
    found = ScriptDirectory.from_config(config()).get_current_head()
    assert found is not None
    return found


def revisions() -> list[Revision]:
    """Every revision, the oldest first."""
    scripts = ScriptDirectory.from_config(config()).walk_revisions()
    return [Revision(script.revision, (script.doc or "").splitlines()[0]) for script in scripts][::-1]


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database up to a revision; an SQLite file that is not there is made. Raises UnknownRevision.

    Several processes may call this at once: one works, the others wait.
    """
    if (file := sqlite_file(normalise_url(url))) is not None:
        _make(file)
    await _locked(url, lambda conn: command.upgrade(config(conn), revision))


async def upgrade_on(conn: Connection) -> None:
    """Bring the database of this connection up to date, as part of its transaction; the caller holds the lock."""
    await conn.run_sync(lambda sync: command.upgrade(config(sync), "head"))


async def downgrade(url: str, revision: str) -> None:
    """Bring the database down to a revision, `base` for an empty one. What the dropped tables held is lost.

    Raises UnknownRevision.
    """
    await _locked(url, lambda conn: command.downgrade(config(conn), revision))


async def current(url: str) -> str | None:
    """The revision that the database is at, None when it has no schema yet."""
    try:
        engine = lone_engine(normalise_url(url))
    except DatabaseAbsent:
        return None
    try:
        async with engine.connect() as conn:
            return await revision_of(conn)
    finally:
        await engine.dispose()


async def revision_of(conn: Connection) -> str | None:
    """The revision that this connection's database is at."""
    return await conn.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def _make(file: Path) -> None:
    """Make an empty file for SQLite. It has passwords of phones in it, so it is nobody else's to read; one that
    was made before is closed to strangers.

    Root hands it to the owner of the folder, as whom the server runs; what SQLite puts beside it follows the file.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if os.geteuid() == 0:
            folder = file.parent.stat()
            os.chown(file, folder.st_uid, folder.st_gid)
    for one in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        with suppress(FileNotFoundError, PermissionError):  # not ours: the doctor says so
            one.chmod(one.stat().st_mode & 0o770)


async def _locked(url: str, work: Callable[[sa.Connection], T]) -> T:
    """Do the work in one transaction, while no other migration can run.

    On SQLite foreign keys are off for that time: copying a table drops the old one, and that would cascade.
    """
    engine = lone_engine(normalise_url(url), patient=True)
    try:
        async with engine.connect() as conn:
            await conn.execution_options(cti_write=True)
            async with conn.begin():
                if conn.dialect.name == "postgresql":
                    await conn.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_key("migrate"))))
                    # Whoever comes later waits behind a lock that is waited for: callers, too, for as long.
                    await conn.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'"))
                try:
                    done = await conn.run_sync(work)
                except CommandError as unknown:
                    raise UnknownRevision(str(unknown)) from unknown
                if conn.dialect.name == "sqlite":
                    broken = (await conn.exec_driver_sql("PRAGMA foreign_key_check")).all()
                    if broken:
                        raise sa.exc.IntegrityError("foreign_key_check", None, ValueError(str(broken[:5])))
                return done
    finally:
        await engine.dispose()
