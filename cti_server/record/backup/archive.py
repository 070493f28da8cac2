"""The file of a backup: a ZIP with the engine's own copy of the record, and a manifest, which is written last.

    record.db or record.dump     as sqlite3 or pg_restore take it
    manifest.json                what was copied, when, by whom, and the sums of each table

A ZIP has its directory at its end, and a sum for each member: half a file is none, and a bit that fell over is
seen.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

Engine = Literal["sqlite", "postgresql"]

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MEMBERS: Final[Mapping[Engine, str]] = {"sqlite": "record.db", "postgresql": "record.dump"}
CHUNK: Final = 1 << 20
_LIKE: Final = ((b"SQLite format 3\0", "an SQLite database"), (b"PGDMP", "a dump of pg_dump"))


class CannotBackUp(Exception):
    """Why nothing was backed up, proven or restored, and `remedy`, what helps."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Sum:
    """Of a table: how many rows, and a sum of their digests (hex), which does not depend on their order."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the copied record is: `version` is its engine's, `revision` its schema's. `keys` has how many secrets
    each key of CTI_SECRET_KEY has sealed in it, by the key's name."""

    engine: Engine
    version: str
    revision: str
    tables: Mapping[str, Sum]
    keys: Mapping[str, int]

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.tables.values())


@dataclass(frozen=True, slots=True)
class Manifest:
    """`made_by` is the version of the cti-server that made the backup."""

    made_at: datetime
    made_by: str
    facts: Facts


# --- writing -----------------------------------------------------------------------------------------------


@contextmanager
def written(file: Path) -> Iterator[zipfile.ZipFile]:
    """Write a backup, which gets its name when it is whole; only its owner may read it. Raises CannotBackUp."""
    if file.exists():
        raise CannotBackUp(f"{file} is there already", "Name another file: no backup is ever overwritten.")
    partial = file.with_name(f".{file.name}.partial")
    with full_disk_named(partial), removed_at_last(partial):
        try:
            private(partial)
        except FileNotFoundError:
            raise CannotBackUp(f"there is no folder {file.parent}", f"mkdir -p {file.parent}") from None
        except PermissionError as denied:
            raise CannotBackUp(
                f"{file.parent} cannot be written: {denied.strerror}", "Name a file in another folder."
            ) from None
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            yield archive
        put(partial, file)


def put_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    values = {"format": FORMAT, **asdict(manifest), "made_at": manifest.made_at.isoformat()}
    archive.writestr(MANIFEST, json.dumps(values, indent=1, sort_keys=True), zipfile.ZIP_DEFLATED)


def private(file: Path) -> None:
    """Make an empty file that only its owner may read. One that a killed run left behind is made anew."""
    file.unlink(missing_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def put(partial: Path, file: Path) -> None:
    """Give a whole file its name, on disk before this returns. Raises FileExistsError where the name is taken."""
    with partial.open("rb") as whole:
        os.fsync(whole.fileno())
    try:
        os.link(partial, file)
        partial.unlink()
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, as of a share or a stick
        if file.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file)) from None
        partial.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some shares cannot
            os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def removed_at_last(file: Path) -> Iterator[None]:
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def full_disk_named(place: Path) -> Iterator[None]:
    """A full disk as CannotBackUp, with the place that is full."""
    try:
        yield
    except OSError as failed:
        if failed.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise CannotBackUp(
            f"the disk of {place.parent} is full", f"Make room:  df -h {place.parent}   Nothing was changed."
        ) from None


# --- reading -----------------------------------------------------------------------------------------------


@contextmanager
def opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A backup to read. Raises CannotBackUp for what is none, or not whole."""
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError:
        raise CannotBackUp(f"there is no file {file}", "ls   shows what there is.") from None
    except (IsADirectoryError, PermissionError) as cause:
        raise CannotBackUp(f"{file} cannot be read: {cause.strerror}", f"ls -ld {file}") from None
    except zipfile.BadZipFile as cause:
        raise _no_backup(file, str(cause)) from None
    with archive:
        try:
            yield archive, _manifest(file, archive)
        except (zipfile.BadZipFile, EOFError, zlib.error) as cause:  # a member that is not what it was
            raise _no_backup(file, str(cause)) from None


def _manifest(file: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        values: dict[str, Any] = json.loads(archive.read(MANIFEST))
        if values["format"] > FORMAT:
            raise CannotBackUp(
                f"{file} was made by a newer cti-server ({values['made_by']})", "Install that one, or a newer one."
            )
        facts = values["facts"]
        tables = {name: Sum(one["rows"], one["digest"]) for name, one in facts["tables"].items()}
        archive.getinfo(MEMBERS[facts["engine"]])
        return Manifest(
            datetime.fromisoformat(values["made_at"]),
            values["made_by"],
            Facts(facts["engine"], facts["version"], facts["revision"], tables, facts["keys"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise CannotBackUp(f"{file} is a ZIP, and no backup of cti-server", "Name another file.") from None


def _no_backup(file: Path, why: str) -> CannotBackUp:
    with file.open("rb") as read:
        start = read.read(16)
    for begins, what in _LIKE:
        if start.startswith(begins):
            return CannotBackUp(
                f"{file} is {what}, and no backup of cti-server",
                "docs/operations.md says how such a file is restored by hand.",
            )
    if start.startswith(b"PK"):
        return CannotBackUp(
            f"{file} is damaged, or only a part of a backup: {why}", "Use another backup, or copy it again."
        )
    return CannotBackUp(f"{file} is no backup of cti-server", "Name a file that  cti-server backup  has made.")


def sealing_keys(counted: Mapping[str, int]) -> dict[str, int]:
    """Only those that a sealed text can name: eight hex digits."""
    return {name: count for name, count in counted.items() if len(name) == 8}
