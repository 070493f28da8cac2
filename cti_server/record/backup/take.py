"""Takes a backup of the record beside running servers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cti_server.record.engines import DatabaseAbsent
from cti_server.record.urls import normalise_url, sqlite_file

from . import archive, postgresql, sqlite
from .archive import Manifest


def this_version() -> str:
    try:
        return version("cti-server")
    except PackageNotFoundError:  # a checkout that is not installed
        return "of a checkout"


async def take(url: str, file: Path) -> Manifest:
    """Write the record into a new file, as it is at one moment.

    Raises CannotBackUp, DatabaseAbsent, and what the drivers raise.
    """
    source = normalise_url(url)
    record = sqlite_file(source)
    if record is not None and not record.exists():
        raise DatabaseAbsent(record)
    at = datetime.now(UTC)
    with archive.written(file) as packed:
        if record is not None:
            beside = file.with_name(f".{file.name}.copy")
            facts = await asyncio.to_thread(sqlite.copy, record, packed, beside)
        else:
            facts = await postgresql.copy(source, packed)
        made = Manifest(at, this_version(), facts)
        archive.put_manifest(packed, made)
    return made
