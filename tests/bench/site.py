"""A whole call center to measure: the big PBX, the server as a process of its own, desktops signed in to it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from cti_server.api.access.passwords import hash_password
from cti_server.demo.ports import free_ports
from cti_server.demo.seed import seed
from cti_server.demo.seed_data import DEMO_PASSWORD
from cti_server.record import migrate
from cti_server.record.center import agents
from cti_server.record.center import queues as queue_table
from cti_server.record.center.queues import Queue
from cti_server.record.database import Database
from tests.live.center import Center

from .floorplan import EXTENSIONS, BigPbx, phones, queues
from .stamps import AmiTap, Desktop, Stamps

PBX = "bench"
SUPERVISOR = "susan"
AT_ONCE = 4  # sign-ins; each costs the server 30 ms of argon2


@asynccontextmanager
async def site(database_url: str, folder: Path, stamps: Stamps) -> AsyncIterator[tuple[Center, AmiTap]]:
    """Everything up and the server ready. `database_url` is of an empty or a migrated database."""
    with free_ports(2) as (fastagi_port, http_port):
        pass
    await migrate.upgrade(database_url)
    async with Database(database_url) as database:
        await seed(database, PBX, datetime.now(UTC))
        await _people(database)
    async with AsyncExitStack() as stack:
        pbx = BigPbx(PBX, f"127.0.0.1:{fastagi_port}")
        await asyncio.to_thread(pbx.__enter__)
        stack.push_async_callback(asyncio.to_thread, pbx.__exit__, None, None, None)
        stack.enter_context(phones(pbx))
        tap = await stack.enter_async_context(AmiTap(pbx.config.ami_port, stamps).listening())
        changes = {"CTI_AMI_PORT": str(tap.port)}
        center = Center(pbx, database_url, http_port, fastagi_port, folder / "server.log", changes)
        stack.push_async_callback(center.stop, signal.SIGTERM)
        await center.start()
        yield center, tap


async def _people(database: Database) -> None:
    """An agent at each phone, and what the record says of their queues."""
    hashed = hash_password(DEMO_PASSWORD)
    async with database.begin() as conn:
        for one in EXTENSIONS:
            await agents.add(
                conn,
                login=f"agent{one}",
                name=f"Agent {one}",
                password_hash=hashed,
                seat=f"PJSIP/{one}",
                extension=one,
                pbx=PBX,
            )
        for name in queues():
            await queue_table.save(conn, Queue(0, PBX, name, name.title(), name))


@asynccontextmanager
async def another(center: Center) -> AsyncIterator[Center]:
    """A second process beside this one, on the same record."""
    with free_ports(2) as (fastagi_port, http_port):
        log = center.log.with_name("second.log")
        made = replace(center, fastagi_port=fastagi_port, http_port=http_port, log=log, process=None)
    await made.start()
    try:
        yield made
    finally:
        await made.stop(signal.SIGTERM)


@asynccontextmanager
async def desktops(stamps: Stamps, *centers: Center) -> AsyncIterator[list[Desktop]]:
    """All agents, spread over these processes, and a supervisor at the last who sees the floor; all watch."""
    people = [
        Desktop(centers[n % len(centers)].url, f"agent{one}", DEMO_PASSWORD, f"PJSIP/{one}", stamps)
        for n, one in enumerate(EXTENSIONS)
    ]
    people.append(Desktop(centers[-1].url, SUPERVISOR, DEMO_PASSWORD, None, stamps))
    slots = asyncio.Semaphore(AT_ONCE)

    async def enter(person: Desktop) -> asyncio.Task[None]:
        async with slots:
            await person.sign_in()
            ready = asyncio.Event()
            task = asyncio.get_running_loop().create_task(person.watch(ready), name=f"desktop {person.agent}")
            await asyncio.wait({task, asyncio.ensure_future(ready.wait())}, return_when=asyncio.FIRST_COMPLETED)
            return task

    watching = await asyncio.gather(*(enter(person) for person in people))
    try:
        yield people
        failed = [task.exception() for task in watching if task.done()]
        assert not failed, f"desktops were cut off: {failed[:3]}"
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, *(person.close() for person in people), return_exceptions=True)


async def recorded(database_url: str) -> dict[str, int]:
    """What the record has of this PBX's calls: how many, how many complete, how many open, and outcomes."""
    query = sa.text(
        "SELECT outcome, complete, ended_at IS NULL, count(*) FROM interactions WHERE pbx = :pbx GROUP BY 1, 2, 3"
    )
    counts = {"calls": 0, "complete": 0, "open": 0}
    async with Database(database_url) as database, database.read() as conn:
        for outcome, complete, is_open, count in await conn.execute(query, {"pbx": PBX}):
            counts["calls"] += count
            counts["complete"] += count if complete else 0
            counts["open"] += count if is_open else 0
            counts[str(outcome)] = counts.get(str(outcome), 0) + count
    return counts


async def unfinished(database_url: str) -> list[str]:
    """The calls whose end the record does not have."""
    query = sa.text(
        "SELECT linkedid, outcome, started_at, queued_at, answered_at, ended_at FROM interactions"
        " WHERE pbx = :pbx AND (NOT complete OR ended_at IS NULL) ORDER BY id LIMIT 5"
    )
    async with Database(database_url) as database, database.read() as conn:
        return [", ".join(map(str, row)) for row in await conn.execute(query, {"pbx": PBX})]


def cpu_s(pid: int) -> float:
    """Processor seconds that one process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
