"""Restores a backup to where there is no record, or into a scratch database to prove that it could be."""

from __future__ import annotations

import asyncio
import os
import secrets
import tempfile
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from cti_server.record import migrate
from cti_server.record.audit import seals
from cti_server.record.center import phone_secrets, phones, second_factors
from cti_server.record.database import Database
from cti_server.record.engines import Connection, lone_engine
from cti_server.record.sealing import Sealer, SealingError, is_sealed
from cti_server.record.urls import normalise_url, sqlite_file

from . import archive, postgresql, sqlite
from .archive import CannotBackUp, Facts, Manifest

STREAMS_AHEAD: Final = 1_000_000_000
"""A desktop may have seen events that the backup does not have. Their numbers are never used again, so that it
starts over instead of taking others for them."""
EPOCHS_AHEAD: Final = 1_000_000
"""A process that was frozen before the restore must not find its own epoch again."""
SIGNED_IN: Final = ("tickets", "provider_sessions", "sessions")
"""Some of them were ended since the backup: everybody signs in again."""
OF_PROCESSES: Final = ("pbx_terms", "desktops", "processes", "asked", "requests", "whole_floors")
"""Of the processes that were there: who has a PBX, who lives, what they asked of each other; and whole floors, as
of positions that nothing follows."""


async def restore(file: Path, url: str) -> Manifest:
    """Restore the record where the URL has none, and look whether it is what was backed up.

    Raises CannotBackUp, and what the drivers raise. What was there is never touched.
    """
    target = normalise_url(url)
    with archive.opened(file) as (packed, made):
        _be_of_this_kind(made, target)
        if (record := sqlite_file(target)) is not None:
            await _to_file(packed, made, record)
        else:
            await postgresql.unpack(packed, target)
            _be_the_same(made.facts, await postgresql.facts_in(target))
            await _begin_anew(target)
    return made


async def _to_file(packed: zipfile.ZipFile, made: Manifest, record: Path) -> None:
    for there in (record, *(record.with_name(record.name + end) for end in sqlite.BESIDE)):
        if there.exists():
            raise CannotBackUp(
                f"{there} is there already: a record is only restored where there is none",
                f"Stop the server, and move it away:  mkdir {record.parent}/before && mv {record}* "
                f"{record.parent}/before/",
            )
    record.parent.mkdir(parents=True, exist_ok=True)
    partial = record.with_name(f".{record.name}.restoring")
    with archive.removed_at_last(partial):
        await asyncio.to_thread(sqlite.unpack, packed, partial)
        _be_the_same(made.facts, await asyncio.to_thread(sqlite.facts_in, partial))
        await _begin_anew(sa.URL.create("sqlite+aiosqlite", database=str(partial)))
        await asyncio.to_thread(sqlite.as_one_file, partial)
        if os.geteuid() == 0:  # whoever the folder belongs to is who the server runs as
            folder = record.parent.stat()
            os.chown(partial, folder.st_uid, folder.st_gid)
        archive.put(partial, record)


def _be_of_this_kind(made: Manifest, target: sa.URL) -> None:
    engine = target.get_backend_name()
    if engine != made.facts.engine:
        remedy = (
            "Restore it into a file, CTI_DATABASE_URL=sqlite:////path/cti-server.db, and then:  cti-server move"
            if made.facts.engine == "sqlite"
            else "Set CTI_DATABASE_URL to an empty PostgreSQL database."
        )
        raise CannotBackUp(f"this is a backup of {made.facts.engine}, and the target is {engine}", remedy)
    if made.facts.revision not in [one.number for one in migrate.revisions()]:
        raise CannotBackUp(
            f"the backup is at revision {made.facts.revision}, which this cti-server does not know",
            f"Install the cti-server that made it ({made.made_by}), or a newer one.",
        )


def _be_the_same(was: Facts, now: Facts) -> None:
    differ = sorted(
        name for name in was.tables.keys() | now.tables.keys() if was.tables.get(name) != now.tables.get(name)
    )
    if was.revision != now.revision:
        differ.insert(0, f"revision {now.revision}")
    if differ:
        raise CannotBackUp(
            f"what came back is not what was backed up: {', '.join(differ[:5])}",
            "Use another backup. Do not start a server on what was restored.",
        )


async def _begin_anew(target: sa.URL) -> None:
    """What a restored record must not have as it was."""
    engine = lone_engine(target)
    try:
        async with engine.connect() as conn:
            await conn.execution_options(cti_write=True)
            async with conn.begin():
                there = set(await conn.run_sync(lambda sync: sa.inspect(sync).get_table_names()))
                for table in (*SIGNED_IN, *OF_PROCESSES):
                    if table in there:
                        await conn.execute(sa.text(f"DELETE FROM {table}"))
                await conn.execute(sa.text(f"UPDATE journal_streams SET seq = seq + {STREAMS_AHEAD}"))
                await conn.execute(sa.text(f"UPDATE pbx_leases SET epoch = epoch + {EPOCHS_AHEAD}"))
    finally:
        await engine.dispose()


# --- proving -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proof:
    """What was shown of a backup. `wrong` is empty for one that can be used; `upgraded` says whether it was
    brought to this version's schema, `opened` how many of its secrets the keys of the settings open."""

    manifest: Manifest
    wrong: tuple[str, ...]
    upgraded: bool
    audit: seals.Verified
    secrets: int
    opened: int


async def prove(file: Path, url: str, sealer: Sealer, into: str | None = None) -> Proof:
    """Restore a backup into a scratch database, and look at all that can be looked at.

    The scratch database of an SQLite backup is a file in TMPDIR; that of a PostgreSQL one is made beside the
    database of the URL, or is the empty one that `into` names, which keeps what was restored.
    Raises CannotBackUp for a backup that cannot be restored.
    """
    with archive.opened(file) as (packed, made):
        if into is not None:
            _be_of_this_kind(made, normalise_url(into))
        async with _scratch(made, normalise_url(into or url), named=into is not None) as target:
            _be_of_this_kind(made, target)
            if (record := sqlite_file(target)) is not None:
                await asyncio.to_thread(sqlite.unpack, packed, record)
                _be_the_same(made.facts, await asyncio.to_thread(sqlite.facts_in, record))
            else:
                await postgresql.unpack(packed, target)
                _be_the_same(made.facts, await postgresql.facts_in(target))
            upgraded = made.facts.revision != migrate.head()
            if upgraded:
                await migrate.upgrade(target.render_as_string(hide_password=False))
            return await _looked_at(made, target, sealer, upgraded=upgraded)


@asynccontextmanager
async def _scratch(made: Manifest, beside: sa.URL, *, named: bool) -> AsyncIterator[sa.URL]:
    if made.facts.engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="cti-backup-") as folder:  # 0700
            yield sa.URL.create("sqlite+aiosqlite", database=str(Path(folder) / "record.db"))
    elif named:
        yield beside
    else:
        _be_of_this_kind(made, beside)
        async with postgresql.scratch(beside, f"cti_verify_{secrets.token_hex(4)}") as made_for_it:
            yield made_for_it


async def _looked_at(made: Manifest, target: sa.URL, sealer: Sealer, *, upgraded: bool) -> Proof:
    wrong: list[str] = []
    trusted: Mapping[str, object] = dict.fromkeys(signer.public for signer in sealer.signers)
    url = target.render_as_string(hide_password=False)
    async with Database(url, pool_size=1) as database, database.read() as conn:
        if database.is_sqlite:
            broken = await conn.exec_driver_sql("PRAGMA foreign_key_check")
            named = {(row._mapping["table"], row._mapping["parent"]) for row in broken}
            wrong += [
                f"a row of {table} names one of {parent} that is not there" for table, parent in sorted(named)
            ]
        else:
            behind = await postgresql.counters_behind(conn)
            wrong += [f"the next row of {table} would get a number that is taken" for table in behind]
        log = await seals.verify(conn, made.made_at, trusted)
        wrong += [f"audit log, {one.where}: {one.detail}" for one in log.findings if one.is_tampering][:3]
        found, opened = await _secrets(conn, sealer)
    return Proof(made, tuple(wrong), upgraded, log, found, opened)


async def _secrets(conn: Connection, sealer: Sealer) -> tuple[int, int]:
    """How many sealed secrets there are, and how many of them open."""
    sealed = [(one.sip_password, phone_secrets.about(one)) for one in await phones.all_phones(conn)]
    table = second_factors.second_factors
    rows = await conn.execute(sa.select(table.c.secret, table.c.agent_id))
    sealed += [(row.secret, second_factors.about(row.agent_id)) for row in rows]
    found = opened = 0
    for text, about in sealed:
        if text is None or not is_sealed(text):
            continue
        found += 1
        try:
            sealer.open(text, about)
        except SealingError:
            continue
        opened += 1
    return found, opened
