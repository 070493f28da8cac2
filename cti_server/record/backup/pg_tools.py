"""Runs pg_dump and pg_restore: finds the right version, tells them where the database is, and words what they say.

They must be no older than the server that they read, and no newer than the one that they write to: each pg_dump
writes settings into its dump that an older server does not know.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote

import sqlalchemy as sa

from cti_server.record.engines import Connection

from .archive import CHUNK, CannotBackUp

CLUSTERS: Final = Path("/usr/lib/postgresql")
_SAID_BY: Final = re.compile(r"pg_(dump|restore): (error: |warning: )?")


def environment(url: sa.URL) -> dict[str, str]:
    """What libpq takes in place of a URL: a password on the command line could be seen by everybody."""
    query = dict(url.query)
    place = query.get("host", url.host)
    several = [name.rpartition(":") for name in place] if isinstance(place, tuple) else []
    host = ",".join(name for name, _, _ in several) if several else unquote(str(place or ""))
    port = ",".join(number for _, _, number in several) if several else str(url.port or "")
    if host.startswith("/") and (found := re.fullmatch(r"(.*):(\d+)", host)) is not None:
        host, port = found[1], found[2]
    values = {
        "PGHOST": host,
        "PGPORT": port or str(query.get("port", "")),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGDATABASE": url.database or "",
        "PGTARGETSESSIONATTRS": str(query.get("target_session_attrs", "primary" if several else "")),
        "PGSSLMODE": str(query.get("ssl", "")).replace("true", "require"),
        "PGAPPNAME": "cti-server backup",
        "PGCONNECT_TIMEOUT": "10",
        "LC_MESSAGES": "C",
    }
    return {**os.environ, **{name: value for name, value in values.items() if value}}


async def tool(name: str, conn: Connection) -> str:
    """Where pg_dump or pg_restore of the server's own version is; a newer pg_dump where that one is not."""
    server = int(await conn.scalar(sa.text("SHOW server_version_num")) or 0) // 10_000
    found = dict(sorted(_installed(name)))
    fits = [major for major in found if major >= server]
    if not fits:
        has = f"; here is {name} {max(found)}" if found else ""
        raise CannotBackUp(
            f"PostgreSQL is version {server}, and needs the {name} of that version{has}",
            f"apt-get install postgresql-client-{server}",
        )
    return found[fits[0]]


def _installed(name: str) -> Iterator[tuple[int, str]]:
    """The tools by their major version: those of Debian's folders, and what PATH has."""
    for path in CLUSTERS.glob(f"*/bin/{name}"):
        if path.parts[-3].isdecimal():
            yield int(path.parts[-3]), str(path)
    if (path_has := shutil.which(name)) is not None:
        told = subprocess.run([path_has, "--version"], capture_output=True, text=True, check=False).stdout
        if (found := re.search(r"(\d+)(\.\d+)?\b", told)) is not None:
            yield int(found[1]), path_has


async def run(
    command: Sequence[str], env: Mapping[str, str], source: IO[bytes] | None, to: IO[bytes] | None
) -> None:
    """Run a tool that is fed from `source`, or writes to `to`. Raises CannotBackUp with what it complains of."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=env,
        stdin=asyncio.subprocess.PIPE if source is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if to is not None else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        complained = asyncio.create_task(_all_of(process.stderr), name="what it complains of")
        if source is not None:
            await _feed(process.stdin, source)
        if to is not None and process.stdout is not None:
            while data := await process.stdout.read(CHUNK):
                to.write(data)
        status = await process.wait()
        said = await complained
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status:
        name = Path(command[0]).name
        lines = [_SAID_BY.sub("", line) for line in said.splitlines()] or [f"{name} ended with {status}"]
        raise CannotBackUp(f"{name}: {lines[0]}", _remedy(said))


async def _feed(pipe: asyncio.StreamWriter | None, source: IO[bytes]) -> None:
    assert pipe is not None
    try:
        while data := source.read(CHUNK):
            pipe.write(data)
            await pipe.drain()
        pipe.close()
        await pipe.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        return  # it has ended, and says why


async def _all_of(pipe: Any) -> str:
    return (await pipe.read()).decode("utf-8", "replace") if pipe is not None else ""


def _remedy(said: str) -> str:
    for part, remedy in (
        ("No space left", "Make room on the disk of PostgreSQL:  df -h   Nothing was changed."),
        ("extension", "Install it on the server of the target:  apt-get install postgresql-contrib"),
        (
            "unrecognized configuration parameter",
            "The backup is of a newer PostgreSQL: restore it into one as new.",
        ),
        (
            "unsupported version",
            "The backup was made by a newer pg_dump: install that version's postgresql-client.",
        ),
        ("permission denied", "Give the role of CTI_DATABASE_URL that right, or let the owner do it."),
    ):
        if part in said:
            return remedy
    return "cti-server doctor   looks at the database; nothing was changed"
