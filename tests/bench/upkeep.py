"""What upkeep, backups and the upgrade to partitions cost those who write and read meanwhile, on both engines.

One task appends as the pipeline does, fifty times a second; another reads what is new, as a process that follows
the journal does. Both are timed while nothing else happens, and while the work goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from cti_server.record import journal, migrate
from cti_server.record.backup.restore import restore
from cti_server.record.database import Database
from cti_server.record.journal import NewEntry
from cti_server.record.upkeep import partitions
from cti_server.record.upkeep import run as upkeep
from cti_server.record.upkeep.run import Kept

from .figures import Figure, percentile, show, spread
from .postgres import durable_postgres

ROWS = 300_000
EACH_S = 0.02
IDLE_S = 5.0
KEPT = Kept(timedelta(days=3), timedelta(days=90))
BODY = {
    "call": "pbx:demo:1700000000.42",
    "name": "王小明",
    "state": "talking",
    "since": "2026-11-29T10:00:00Z",
    "x": "x" * 300,
}
STREAM = "pbx:bench"


@dataclass
class Waits:
    """Milliseconds."""

    writes: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)


@asynccontextmanager
async def others(url: str, ahead: timedelta) -> AsyncIterator[Waits]:
    """Somebody writes and somebody reads, each with a server's own connections; entries are dated `ahead` of
    now."""
    waits, stop = Waits(), asyncio.Event()

    async def write(database: Database) -> None:
        while not stop.is_set():
            began = time.perf_counter()
            async with database.begin() as conn:
                at = datetime.now(UTC) + ahead
                await journal.append(conn, STREAM, [NewEntry(at, "call.changed", BODY)] * 5)
            waits.writes.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(EACH_S)

    async def read(database: Database) -> None:
        async with database.read() as conn:
            seq = (await journal.positions(conn)).get(STREAM, 0)
        while not stop.is_set():
            began = time.perf_counter()
            async with database.read() as conn:
                rows = await journal.read_after(conn, STREAM, seq)
            waits.reads.append((time.perf_counter() - began) * 1000)
            seq = rows[-1].seq if rows else seq
            await asyncio.sleep(EACH_S)

    async with Database(url) as database:
        tasks = [asyncio.create_task(write(database)), asyncio.create_task(read(database))]
        try:
            yield waits
        finally:
            stop.set()
            await asyncio.gather(*tasks)


async def filled(url: str, first_at: datetime, step: timedelta) -> None:
    """ROWS entries, `step` apart."""
    async with Database(url) as database:
        top = 0
        for at in range(0, ROWS, 5000):
            async with database.begin() as conn:
                entries = [NewEntry(first_at + (at + n) * step, "call.changed", BODY) for n in range(5000)]
                top = (await journal.append(conn, STREAM, entries))[-1]
        assert top >= ROWS


async def timed(
    url: str, what: str, work: Callable[[], Awaitable[object]], ahead: timedelta = timedelta()
) -> list[Figure]:
    async with others(url, ahead) as waits:
        await asyncio.sleep(0.3)
        began = time.perf_counter()
        await work()
        took = time.perf_counter() - began
    most = percentile(waits.writes, 100)
    return [
        Figure(what, f"{took:.2f} s"),
        Figure("   a write meanwhile", spread(waits.writes), "max 100 ms", most <= 100),
        Figure("   a read meanwhile", spread(waits.reads)),
    ]


async def command(url: str, *words: str) -> None:
    """In a process of its own, as an administrator runs it."""
    environment = os.environ | {"CTI_DATABASE_URL": url, "CTI_CONFIG": os.devnull}
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cti_server", *words, env=environment, stdout=null
    )
    assert await process.wait() == 0


async def of_engine(url: str, folder: Path, empty: Callable[[], str]) -> list[Figure]:
    is_sqlite = url.startswith("sqlite")
    now = datetime.now(UTC)
    await migrate.upgrade(url, "0015")
    await filled(url, now - timedelta(days=6), timedelta(days=6) / ROWS)
    figures = await timed(url, f"nothing else, {ROWS:,} entries, one table", lambda: asyncio.sleep(IDLE_S))
    figures += await timed(url, "upgrade to partitions", lambda: migrate.upgrade(url))
    figures += await timed(
        url, "nothing else, by months" if not is_sqlite else "nothing else", lambda: asyncio.sleep(IDLE_S)
    )
    backup = folder / "record.zip"
    figures += await timed(url, "backup", lambda: command(url, "backup", str(backup)))
    figures.append(Figure("   its size", f"{backup.stat().st_size / 1e6:.1f} MB"))
    figures += await timed(url, "its proof", lambda: command(url, "verify-backup", str(backup)))
    began = time.perf_counter()
    await restore(backup, empty())
    figures.append(Figure("restore", f"{time.perf_counter() - began:.2f} s"))
    later = now if is_sqlite else partitions.after(partitions.month_of(now)) + timedelta(days=3)
    async with Database(url) as database:
        cut = "half of the entries cut in batches" if is_sqlite else "all of a month cut, one made"
        figures += await timed(url, cut, lambda: upkeep.run(database, KEPT, lambda: later), later - now)
    return figures


async def tail_reads(url: str) -> list[Figure]:
    """What somebody pays who follows the journal, by the number of months that are kept."""
    figures: list[Figure] = []
    this = partitions.month_of(datetime.now(UTC))
    async with Database(url, pool_size=1) as database:
        for months in (0, 9, 20):
            async with database.engine.begin() as conn:
                for n in range(months):
                    month = partitions.after(this, partitions.AHEAD + 1 + n)
                    for statement in partitions._made(month):
                        with contextlib.suppress(sa.exc.DBAPIError):
                            async with conn.begin_nested():
                                await conn.execute(sa.text(statement))
            async with database.read() as conn:
                top = (await journal.positions(conn))[STREAM]
                for _ in range(20):
                    await journal.read_after(conn, STREAM, top - 5)
                began = time.perf_counter()
                for _ in range(500):
                    await journal.read_after(conn, STREAM, top - 5)
                each = (time.perf_counter() - began) / 500 * 1000
            count = 1 + partitions.AHEAD + 1 + months
            figures.append(Figure(f"the last five entries, {count} partitions", f"{each:.2f} ms"))
    return figures


async def run() -> None:
    with tempfile.TemporaryDirectory(prefix="cti-bench-") as name:
        folder = Path(name)
        (folder / "sqlite").mkdir()
        url = f"sqlite:///{folder}/sqlite/cti.db"
        show(
            "Upkeep and backup, SQLite",
            await of_engine(url, folder / "sqlite", lambda: f"sqlite:///{folder}/back.db"),
        )
        with durable_postgres() as server, contextlib.ExitStack() as stack:
            url = stack.enter_context(server.database())
            (folder / "postgresql").mkdir()
            figures = await of_engine(url, folder / "postgresql", lambda: stack.enter_context(server.database()))
            other = stack.enter_context(server.database())
            await migrate.upgrade(other)
            await filled(other, datetime.now(UTC), timedelta(microseconds=1))
            show("Upkeep and backup, PostgreSQL", [*figures, *await tail_reads(other)])
