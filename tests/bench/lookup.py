"""What it costs to say who is calling among a million customers in PostgreSQL, and how long callers wait for it.

The clients are sockets that speak as res_agi does. The time is from the connect to the last variable set. The
manager is a socket as well: it names the channel of each question first, so the call is on the floor while it is
asked about, and ends after it. No number is asked about twice. With BENCH_BEFORE, the folder of another checkout,
its server is measured beside this one's in the same run.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cti_server.demo.pbx import free_config
from cti_server.demo.ports import free_ports
from cti_server.demo.seed_data import LINES
from cti_server.record import migrate
from cti_server.record.center import lines
from cti_server.record.database import Database
from tests.live.center import Center

from . import one_lookup
from .askers import PBX, Asker, numbers, switchboard
from .figures import Figure, out, percentile, rss_mb, show, spread
from .many_customers import fill
from .postgres import durable_postgres
from .site import cpu_s
from .stamps import sampled

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000000"))
BEFORE = os.path.abspath(os.environ["BENCH_BEFORE"]) if os.environ.get("BENCH_BEFORE") else None
HERE = str(Path(__file__).resolve().parents[2])
SEQUENTIAL = 400  # lookups of a measurement at RATE
RATE = 20.0
TOGETHER, EACH = 10, 150  # clients that ask at once; lookups of each when there is no pause
ROUNDS, OF_A_ROUND = 5, 300  # of what one lookup costs
FILL_LIMIT_S = 300
SETTLE_S = 3.0  # for cards, which are read after the answer, and for what the record writes

GOAL_COST_MS = 1.0
GOAL_STEADY_MS = 5.0
GOAL_BURST_MS = 20.0
GOAL_RATE = 500.0
GOAL_MB = 200.0


@dataclass
class Measured:
    """What one version did. Times in milliseconds."""

    name: str
    tree: str | None
    identify: list[float] = field(default_factory=list)
    both: list[float] = field(default_factory=list)
    steady: list[float] = field(default_factory=list)
    bursts: list[float] = field(default_factory=list)
    saturated: list[float] = field(default_factory=list)
    rate: float = 0.0
    cost_of_call: float = 0.0
    memory: list[float] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """For a process that is to have this version's `cti_server`, whatever its folder is."""
        return {"PYTHONPATH": self.tree, "PYTHONSAFEPATH": "1"} if self.tree else {}


async def run() -> None:
    now, before = Measured("now", None), Measured("before", BEFORE) if BEFORE else None
    callers = numbers(CUSTOMERS, seed=7)
    with durable_postgres() as server, server.database() as url, tempfile.TemporaryDirectory() as folder:
        if before is not None:  # its server wants the schema that it knows
            await _python("-m", "cti_server", "migrate", of=before, CTI_DATABASE_URL=url, CTI_CONFIG=os.devnull)
        else:
            await migrate.upgrade(url)
        await _filled(url)
        if before is not None:
            await _served(url, Path(folder), before, callers)
            await migrate.upgrade(url)
        versions = [now] if before is None else [before, now]
        await _costs(url, versions)
        await _served(url, Path(folder), now, callers)
        empty = await _empty(callers)
    for one in versions:
        show(f"lookup, {one.name}: PostgreSQL, {CUSTOMERS:,} customers", _figures(one, empty))
    if before is not None:
        show("before : now", _compared(before, now))


async def _filled(url: str) -> None:
    begun = time.monotonic()
    async with asyncio.timeout(FILL_LIMIT_S):
        await fill(url, CUSTOMERS)
    async with Database(url) as database, database.begin() as conn:
        for line in LINES:
            await lines.save(conn, line)
    out.print(f"{CUSTOMERS:,} customers made in {time.monotonic() - begun:.0f} s")


# --- measuring --------------------------------------------------------------------------------------------


async def _costs(url: str, versions: list[Measured]) -> None:
    """In turns: what else the machine does meets all alike."""
    for turn in range(ROUNDS):
        for at, one in enumerate(versions):
            first = (turn * len(versions) + at) * one_lookup.asked(OF_A_ROUND)
            said = await _python(one_lookup.__file__, url, *map(str, (CUSTOMERS, first, OF_A_ROUND)), of=one)
            found = json.loads(said.splitlines()[-1])
            one.identify.append(found["identify"])
            one.both.append(found["both"])


async def _python(*arguments: str, of: Measured, **given: str) -> bytes:
    """What a program says that has this version's `cti_server`. Raises CalledProcessError."""
    here = {"PYTHONPATH": HERE, "PYTHONSAFEPATH": "1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=os.environ | here | of.environment() | given,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return said


async def _served(url: str, folder: Path, one: Measured, callers: Iterator[str]) -> None:
    with free_ports(2) as (fastagi_port, http_port):
        pass
    async with switchboard() as manager:
        pbx: Any = SimpleNamespace(config=free_config(PBX, ami_port=manager.port))
        log = folder / f"server-{one.name}.log"
        center = Center(pbx, url, http_port, fastagi_port, log, extra=one.environment())
        try:
            await center.start()
            assert center.process is not None
            await _asked(Asker(fastagi_port, callers, manager), center.process.pid, one)
        finally:
            await center.stop()


async def _asked(asker: Asker, pid: int, one: Measured) -> None:
    with sampled(lambda: rss_mb(pid)) as one.memory:
        for _ in range(TOGETHER):  # the pools' connections are opened once
            await asyncio.gather(*(asker.ask() for _ in range(TOGETHER)))
        await asyncio.sleep(SETTLE_S)
        began = cpu_s(pid)
        one.steady = await _steady(asker)
        await asyncio.sleep(SETTLE_S)
        one.cost_of_call = (cpu_s(pid) - began) / SEQUENTIAL * 1000
        one.bursts = await _bursts(asker)
        await asyncio.sleep(SETTLE_S)
        one.saturated, one.rate = await _saturated(asker)
        await asyncio.sleep(SETTLE_S)
    one.statuses = dict(asker.statuses)


@asynccontextmanager
async def _panoramisk() -> AsyncIterator[int]:
    with free_ports(1) as (port,):
        pass
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"{__package__}.empty_handler", str(port), env=dict(os.environ)
    )
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    # It reads on for ever from whoever closes without asking, so this one asks.
                    writer.write(b"agi_network_script: none\n\n")
                    writer.close()
                    break
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _empty(callers: Iterator[str]) -> tuple[list[float], float]:
    """What the clients get out of a handler that does nothing."""
    async with _panoramisk() as port:
        return await _saturated(Asker(port, callers, None))


async def _steady(asker: Asker) -> list[float]:
    """One after the other, begun at a fixed rate."""
    loop, taken = asyncio.get_running_loop(), list[float]()
    begun = loop.time()
    for n in range(SEQUENTIAL):
        due = begun + n / RATE
        await asyncio.sleep(max(0.0, due - loop.time()))
        taken.append(await asker.ask())
    return taken


async def _bursts(asker: Asker) -> list[float]:
    """TOGETHER callers in the same instant, and the next ones so much later that the rate is the same."""
    loop, taken = asyncio.get_running_loop(), list[float]()
    begun = loop.time()
    for n in range(SEQUENTIAL // TOGETHER):
        await asyncio.sleep(max(0.0, begun + n * TOGETHER / RATE - loop.time()))
        taken += await asyncio.gather(*(asker.ask() for _ in range(TOGETHER)))
    return taken


async def _saturated(asker: Asker) -> tuple[list[float], float]:
    """TOGETHER clients, each asking again as soon as it was answered: milliseconds, and lookups a second."""

    async def client() -> list[float]:
        return [await asker.ask() for _ in range(EACH)]

    begun = time.perf_counter()
    taken = [one for each in await asyncio.gather(*(client() for _ in range(TOGETHER))) for one in each]
    return taken, len(taken) / (time.perf_counter() - begun)


# --- telling ----------------------------------------------------------------------------------------------


def _figures(one: Measured, empty: tuple[list[float], float]) -> list[Figure]:
    cost, steady, burst = min(one.both), percentile(one.steady, 99), percentile(one.bursts, 99)
    late = one.statuses.get("timeout", 0) + one.statuses.get("error", 0)
    well = one.rate >= GOAL_RATE and not late
    return [
        Figure("processor time, identify + card", _best(one.both), f"{GOAL_COST_MS:g} ms", cost <= GOAL_COST_MS),
        Figure("               identify alone", _best(one.identify)),
        Figure("               a call in the server, floor and journal too", f"{one.cost_of_call:.2f} ms"),
        _waited(f"{RATE:g}/s, one by one", one.steady, GOAL_STEADY_MS, steady),
        _waited(f"{RATE:g}/s, {TOGETHER} in the same instant", one.bursts, GOAL_BURST_MS, burst),
        Figure(
            f"{TOGETHER} clients without a pause",
            f"{one.rate:.0f}/s, {spread(one.saturated)}",
            f"{GOAL_RATE:g}/s, none late",
            well,
        ),
        Figure("   panoramisk, an empty handler", f"{empty[1]:.0f}/s, {spread(empty[0])}"),
        Figure("   ratio", f"{one.rate / empty[1]:.2f}"),
        Figure("answers", ", ".join(f"{name} {n}" for name, n in sorted(one.statuses.items()))),
        Figure(
            "server memory, first and most",
            f"{one.memory[0]:.0f}, {max(one.memory):.0f} MB",
            f"{GOAL_MB:g} MB",
            max(one.memory) < GOAL_MB,
        ),
    ]


def _best(costs: list[float]) -> str:
    return f"{min(costs):.2f} ms, best of {len(costs)} ({min(costs):.2f}–{max(costs):.2f})"


def _waited(what: str, taken: list[float], goal: float, p99: float) -> Figure:
    return Figure(what, spread(taken), f"p99 {goal:g} ms", p99 <= goal)


def _compared(before: Measured, now: Measured) -> list[Figure]:
    pairs = {
        "processor time, identify + card": (min(before.both), min(now.both)),
        "processor time of a call in the server": (before.cost_of_call, now.cost_of_call),
        "one by one, p99": (percentile(before.steady, 99), percentile(now.steady, 99)),
        "in the same instant, p99": (percentile(before.bursts, 99), percentile(now.bursts, 99)),
        "without a pause, time of a lookup": (1 / before.rate, 1 / now.rate),
    }
    return [Figure(what, f"{then / here:.1f}x") for what, (then, here) in pairs.items()]
