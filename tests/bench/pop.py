"""From the AgentCalled on the AMI socket to the card at the ringing agent's websocket, at 10 calls a second.

Nothing is faked: SIPp calls a real Asterisk, a hundred phones ring and answer, a hundred desktops are signed in,
agents finish their wrap-up. The stamps are taken in this process, so its own delays count against the server.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from tests.live.center import Center

from .figures import Figure, out, percentile, rss_mb, show, spread
from .floorplan import Callers, plan
from .postgres import durable_postgres
from .site import another, cpu_s, desktops, recorded, site, unfinished
from .stamps import AmiTap, Desktop, Stamps, sampled

RATE = 10.0
SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))
GOALS_MS = {"on the desktop": 20.0, "at the owner": 20.0, "at the other process": 40.0}
GOAL_MB = 200.0
AFTER_S = 3.0  # for the last wrap-ups


async def run() -> None:
    with tempfile.TemporaryDirectory(prefix="cti-bench-") as folder:
        await measure("SQLite", f"sqlite+aiosqlite:///{folder}/pop.db", Path(folder))
        with durable_postgres() as server, server.database() as url:
            await measure("PostgreSQL", url, Path(folder))
        with durable_postgres() as server, server.database() as url:
            await measure("PostgreSQL, two processes", url, Path(folder), two=True)


async def measure(engine: str, database_url: str, folder: Path, *, two: bool = False) -> None:
    """With `two`, half of the desktops are at a second process, which does not have the PBX."""
    stamps = Stamps()
    calls = round(RATE * SECONDS)
    async with AsyncExitStack() as stack:
        center, tap = await stack.enter_async_context(site(database_url, folder, stamps))
        centers = [center, *([await stack.enter_async_context(another(center))] if two else ())]
        people = await stack.enter_async_context(desktops(stamps, *centers))
        assert center.process is not None
        pid = center.process.pid
        callers = Callers(center.pbx, plan(), rate=RATE, calls=calls)
        begun, cpu = time.perf_counter(), cpu_s(pid)
        try:
            with sampled(lambda: rss_mb(pid)) as memory:
                async with asyncio.timeout(SECONDS + 90):
                    while callers.running:
                        await asyncio.sleep(0.2)
                await asyncio.sleep(AFTER_S)
        finally:
            unexpected = callers.errors()
            callers.close()
        cpu = (cpu_s(pid) - cpu) / (time.perf_counter() - begun)
        title = f"pop, {engine}: {calls} calls at {RATE:g}/s, {len(people)} desktops"
        which = ("at the owner", "at the other process") if two else ("on the desktop",)
        where = dict(zip((one.url for one in centers), which, strict=True))
        record = await _record(center, people, calls)
        show(title, [*_pops(stamps, where), *record, *_server(tap, stamps, cpu, memory)])
        for call in await unfinished(database_url):
            out.print(f"unfinished: {call}")
        if unexpected:
            out.print(f"SIPp: {unexpected[:400]}", style="dim")


def _pops(stamps: Stamps, where: Mapping[str, str]) -> list[Figure]:
    """`where` says which process is at which address."""
    lost = stamps.lost()
    pops = []
    for url, which in where.items():
        taken = stamps.latencies_ms(url)
        assert taken, "no card came"
        goal, p95 = GOALS_MS[which], percentile(taken, 95)
        pops.append(Figure(f"AgentCalled → card {which}", spread(taken), f"p95 {goal:g} ms", p95 <= goal))
    return [
        *pops,
        Figure("offers, and those without a card", f"{len(stamps.called)}, {lost}", "none without", lost == 0),
        Figure("cards that named the customer", f"{len(stamps.with_customer)}"),
    ]


async def _record(center: Center, people: list[Desktop], calls: int) -> list[Figure]:
    rows = await recorded(center.database_url)
    whole = rows["calls"] == rows["complete"] == calls
    return [
        Figure("calls in the record, complete", f"{rows['calls']}, {rows['complete']}", f"{calls}", whole),
        Figure("answered; wrap-ups finished", f"{rows.get('answered', 0)}; {sum(one.wrapped for one in people)}"),
    ]


def _server(tap: AmiTap, stamps: Stamps, cpu: float, memory: list[float]) -> list[Figure]:
    return [
        Figure("AMI events", f"{tap.events:,} ({tap.bytes / 1e6:.1f} MB)"),
        Figure("frames to desktops", f"{stamps.frames:,} ({stamps.characters / 1e6:.0f} MB)"),
        Figure("server CPU", f"{cpu * 100:.0f} % of a core"),
        Figure(
            "server memory, first and most",
            f"{memory[0]:.0f}, {max(memory):.0f} MB",
            f"{GOAL_MB:g} MB",
            max(memory) < GOAL_MB,
        ),
    ]
