"""What a person can cause, in words: an exception becomes what is wrong and what mends it.

Only what is not listed here ends in a traceback, because only that is a defect of this program.
"""

from __future__ import annotations

import getpass
import os
import pwd
from pathlib import Path
from typing import NamedTuple

from cti_server.settings import Settings
from cti_server.settings_file import ETC, NAMED_BY, FileUnreadable

MIGRATE = "cti-server migrate"


class Failure(NamedTuple):
    what: str
    remedy: str | None


def explained(failed: BaseException, settings: Settings | None = None) -> Failure | None:
    """The failure behind this exception; None where it is a defect."""
    if settings is not None and (found := _of_database(failed, settings)) is not None:
        return found
    if isinstance(failed, FileUnreadable):
        return of_settings_file(failed)
    if isinstance(failed, OSError):
        return _of_system(failed, settings)
    return None


def of_settings_file(unreadable: FileUnreadable) -> Failure:
    file = unreadable.file
    what = f"the settings in {file} cannot be read: {unreadable.why}"
    if (owner := _owner(file)) is not None and owner != _me():
        return Failure(what, f"sudo -u {owner} cti-server …   runs a command as its owner, {owner}")
    return Failure(what, f"Mend it, or name another file: {NAMED_BY}=/path/to/file cti-server …")


def of_revision(now: str | None, head: str, *, is_known: bool) -> Failure:
    """The database is at another revision than this server needs; None is a database without tables."""
    if now is None:
        return Failure("the database is empty", f"run: {MIGRATE}")
    what = f"the database is at revision {now}, this server needs {head}"
    if is_known:
        return Failure(what, f"run: {MIGRATE}")
    return Failure(what, "Install the cti-server that wrote it, or a newer one; or restore a backup.")


def _of_database(failed: BaseException, settings: Settings) -> Failure | None:
    from cti_server.record.faults import fault_of
    from cti_server.record.urls import normalise_url, shown

    fault = fault_of(failed, settings.database_url)
    if fault is None:
        return None
    setting = f"CTI_DATABASE_URL in {settings.file or ETC}"
    if fault.kind == "bad_url":
        return Failure(fault.why, f"Correct {setting}.")
    database, why = shown(settings.database_url), fault.why
    url = normalise_url(settings.database_url)
    user, name = url.username or "cti", url.database or "cti"
    match fault.kind:
        case "absent":
            return Failure(
                f"there is no database {database}",
                f"{MIGRATE}   makes it; if yours is elsewhere, name it: {setting}",
            )
        case "unknown_revision":
            return Failure(f"this cti-server does not know that revision: {why}", "cti-server migrate --list")
        case "locked":
            whose = f"fuser -v {database}   shows which" if fault.file else "Wait for it, or end it."
            return Failure(f"another process holds the database {database}: {why}", f"{whose}; then try again")
        case "not_a_database":
            return Failure(f"{database} is not an SQLite database", f"Correct {setting}, or restore a backup.")
        case "damaged":
            return Failure(f"the database {database} is damaged: {why}", "Restore a backup.")
        case "read_only" | "not_opened":
            return _not_writable(fault.file, database, why)
        case "full":
            return Failure(f"the disk of {database} is full", "Make room there; nothing was changed.")
        case "unreachable":
            return Failure(
                f"no PostgreSQL answers at {_host(url.host)}:{url.port or 5432}: {why}",
                f"systemctl start postgresql   or correct host and port: {setting}",
            )
        case "refused":
            return Failure(
                f"PostgreSQL refuses the user or password: {why}",
                f"sudo -u postgres psql -c \"ALTER ROLE {user} LOGIN PASSWORD '…'\"   and the same in {setting}",
            )
        case "no_such":
            return Failure(f"PostgreSQL has no database {name}", f"sudo -u postgres createdb -O {user} {name}")
        case "denied":
            return Failure(
                f"PostgreSQL does not let {user} do that: {why}",
                f'sudo -u postgres psql -c "ALTER DATABASE {name} OWNER TO {user}" -c "GRANT ALL ON SCHEMA public '
                f'TO {user}" {name}',
            )
        case "no_tables":
            return Failure(f"{database} is not the database of a cti-server: {why}", f"Correct {setting}.")
        case "taken":
            return Failure(f"somebody has just added the same: {why}", "Look at it with list, and try again.")
        case _:
            return Failure(f"the database {database} refuses: {why}", "cti-server doctor   looks at it")


def _host(host: str | None) -> str:
    """A host as it may be printed: behind an @ that was not written %40 in the password, it begins with a part of
    that."""
    return (host or "the local socket").rpartition("@")[2]


def _not_writable(file: Path | None, database: str, why: str) -> Failure:
    if file is None:
        return Failure(f"the database {database} can only be read: {why}", "Name its primary server.")
    me, folder = _me(), file.parent
    blocked = next((path for path in (folder, file) if path.exists() and not os.access(path, os.W_OK)), file)
    owner = _owner(blocked)
    what = f"{blocked} cannot be written by {me}: {why}"
    if owner is not None and owner != me:
        return Failure(what, f"sudo -u {owner} cti-server …   runs a command as its owner, {owner}")
    return Failure(what, f"chmod u+w {blocked}   unless its disk is mounted read-only")


def _of_system(failed: OSError, settings: Settings | None) -> Failure:
    if failed.filename is None:
        return Failure(failed.strerror or str(failed) or type(failed).__name__, None)
    path = Path(os.fsdecode(failed.filename))
    what = f"{path}: {failed.strerror or failed}"
    if isinstance(failed, PermissionError):
        nearest = next((p for p in (path, *path.parents) if _owner(p) is not None), path)
        owner = _owner(nearest) or "root"
        remedy = f"{nearest} belongs to {owner}: sudo -u {owner} cti-server …"
        if settings is not None and _is_of_database(path, settings):
            remedy += f"   or name another place: CTI_DATABASE_URL in {settings.file or ETC}, or in ./.env"
        return Failure(what, remedy)
    return Failure(what, None)


def _is_of_database(path: Path, settings: Settings) -> bool:
    from cti_server.record.urls import normalise_url, sqlite_file

    file = sqlite_file(normalise_url(settings.database_url))
    return file is not None and (path == file or path in file.parents)


def _owner(path: Path) -> str | None:
    """The name of a file's owner; None where that cannot be seen."""
    try:
        uid = path.stat().st_uid
    except OSError:
        return None
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _me() -> str:
    try:
        return getpass.getuser() if os.geteuid() != 0 else "root"
    except (KeyError, OSError):
        return str(os.geteuid())
