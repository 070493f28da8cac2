"""The database: whether it answers, can be written, is at the revision that is needed, and on a safe engine."""

from __future__ import annotations

import asyncio
import os
import pwd
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from alembic.script import ScriptDirectory

from cti_server.doctor.findings import Finding, say
from cti_server.record import migrate
from cti_server.record.database import Database
from cti_server.record.engines import SAFE_SQLITE
from cti_server.record.urls import normalise_url

CHECK = "database"
ANSWER_S = 10.0


async def examine(url: str) -> list[Finding]:
    """The database can be read if no finding is a problem. A missing SQLite file is not created."""
    try:
        parsed = normalise_url(url)
    except ValueError as wrong:
        return [say(CHECK, "database.url", why=wrong)]
    is_sqlite = parsed.get_backend_name() == "sqlite"
    if is_sqlite and (absent := _file(Path(parsed.database or ""))) is not None:
        return [absent]
    shown = parsed.render_as_string(hide_password=True)
    try:
        async with asyncio.timeout(ANSWER_S):
            now = await _revision(url)
    except Exception as failed:
        # Without a user in the URL PostgreSQL is asked as whoever runs this, which is also whom `peer` lets in.
        return [_failure(failed, shown, parsed.username or _runs_as(), parsed.database or "cti")]
    findings = [_at(now, shown)]
    if findings[0].code == "database.ok" and (unwritable := await _unwritable(url, shown)) is not None:
        findings = [unwritable]
    if is_sqlite and sqlite3.sqlite_version_info < SAFE_SQLITE:
        safe = ".".join(map(str, SAFE_SQLITE))
        findings.append(say(CHECK, "database.sqlite", version=sqlite3.sqlite_version, safe=safe))
    return findings


def _file(path: Path) -> Finding | None:
    folder = path.absolute().parent
    user = _runs_as()
    if folder.is_dir() and not os.access(folder, os.W_OK):
        return say(CHECK, "database.folder", folder=folder, user=user)
    if not path.exists():
        return say(CHECK, "database.absent", file=path)
    if not os.access(path, os.R_OK | os.W_OK):
        return say(CHECK, "database.folder", folder=path, user=user)
    return None


def _runs_as() -> str:
    """The name of the user who runs this program, which need not be the one who signed in."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


async def _revision(url: str) -> str | None:
    async with Database(url, pool_size=1) as database, database.read() as conn:
        return await migrate.revision_of(conn)


async def _unwritable(url: str, shown: str) -> Finding | None:
    """Why nothing can be written, found by writing what is there already."""
    async with Database(url, pool_size=1) as database:
        try:
            async with asyncio.timeout(ANSWER_S):
                await database.prove_writable()
        except Exception as failed:
            trouble = database.trouble.now
            why, remedy = (trouble.why, trouble.remedy) if trouble is not None else (failed, "cti-server migrate")
            return say(CHECK, "database.unwritable", url=shown, why=why, remedy=remedy)
    return None


def _at(now: str | None, shown: str) -> Finding:
    head = migrate.head()
    if now is None:
        return say(CHECK, "database.empty")
    if now == head:
        return say(CHECK, "database.ok", url=shown, revision=now)
    revisions = {script.revision for script in ScriptDirectory.from_config(migrate.config()).walk_revisions()}
    return say(CHECK, "database.behind" if now in revisions else "database.newer", now=now, head=head)


def _failure(failed: BaseException, url: str, user: str, name: str) -> Finding:
    """The finding for what the driver raised, whatever it is wrapped in."""
    causes = list(_chain(failed))
    for cause in causes:
        kind, why = type(cause).__name__, str(cause).splitlines()[0] if str(cause) else type(cause).__name__
        if "Peer authentication failed" in why:
            return say(CHECK, "database.peer", why=why, user=user, me=_runs_as())
        if kind == "InvalidAuthorizationSpecificationError" and "does not exist" in why:
            return say(CHECK, "database.no_role", why=why, user=user)
        if kind in ("InvalidPasswordError", "InvalidAuthorizationSpecificationError"):
            return say(CHECK, "database.password", why=why, user=user)
        if kind == "InvalidCatalogNameError":
            return say(CHECK, "database.no_such", name=name, user=user)
        if isinstance(cause, OSError | TimeoutError):
            return say(CHECK, "database.unreachable", url=url, why=why)
    return say(CHECK, "database.failed", url=url, why=str(failed).splitlines()[0] or type(failed).__name__)


def _chain(failed: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = failed
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
