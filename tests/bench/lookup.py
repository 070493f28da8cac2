"""How long FastAGI takes to say who is calling among a million customers in PostgreSQL, and in what memory.

The client is a socket that speaks as res_agi does: connect, environment, then an answer to each command until the
server closes. The time is from the connect to the last variable set.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import free_ports
from cti_server.demo.seed_data import LINES
from cti_server.record import migrate
from cti_server.record.center import lines
from cti_server.record.database import Database
from tests.live.center import Center

from .figures import Figure, out, percentile, rss_mb, show, spread
from .many_customers import fill
from .postgres import durable_postgres
from .stamps import sampled

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000000"))
SEQUENTIAL = 400  # lookups of a measurement at RATE
RATE = 20.0
TOGETHER, EACH = 10, 80  # clients that ask at once; lookups of each when there is no pause
UNKNOWN = 10  # every tenth caller is nobody's number
GOAL_MS = 20.0
GOAL_MB = 200.0
PBX = "bench"
FILL_LIMIT_S = 300
LAST = "CTI_STATUS"


async def run() -> None:
    with durable_postgres() as server, server.database() as url, tempfile.TemporaryDirectory() as folder:
        await migrate.upgrade(url)
        begun = time.monotonic()
        async with asyncio.timeout(FILL_LIMIT_S):
            await fill(url, CUSTOMERS)
        out.print(f"{CUSTOMERS:,} customers made in {time.monotonic() - begun:.0f} s")
        async with Database(url) as database, database.begin() as conn:
            for line in LINES:
                await lines.save(conn, line)
        await _measure(url, Path(folder))


async def _measure(url: str, folder: Path) -> None:
    with free_ports(2) as (fastagi_port, http_port):
        pass
    pbx = DemoPbx(free_config(PBX, fastagi=f"127.0.0.1:{fastagi_port}"))
    center = Center(pbx, url, http_port, fastagi_port, folder / "server.log")
    await asyncio.to_thread(pbx.__enter__)
    try:
        await center.start()
        assert center.process is not None
        pid = center.process.pid
        with sampled(lambda: rss_mb(pid)) as memory:
            asker = _Asker(fastagi_port)
            await asyncio.gather(*(asker.ask() for _ in range(TOGETHER)))  # the pool's connections are opened once
            steady = await _steady(asker)
            bursts = await _bursts(asker)
            saturated, rate = await _saturated(asker)
            await asyncio.sleep(3)  # for the cards, which are read after the answer
        figures = [
            _figure(f"{RATE:g}/s, one by one", steady),
            _figure(f"{RATE:g}/s, {TOGETHER} in the same instant", bursts),
            Figure(f"{TOGETHER} clients without a pause", f"{rate:.0f}/s, {spread(saturated)}"),
            Figure("answers", ", ".join(f"{name} {n}" for name, n in sorted(asker.statuses.items()))),
            Figure(
                "server memory, first and most",
                f"{memory[0]:.0f}, {max(memory):.0f} MB",
                f"{GOAL_MB:g} MB",
                max(memory) < GOAL_MB,
            ),
        ]
        show(f"lookup, PostgreSQL, {CUSTOMERS:,} customers", figures)
    finally:
        await center.stop()
        await asyncio.to_thread(pbx.__exit__, None, None, None)


def _figure(what: str, taken: list[float]) -> Figure:
    p99 = percentile(taken, 99)
    return Figure(what, spread(taken), f"p99 {GOAL_MS:g} ms", p99 <= GOAL_MS)


async def _steady(asker: _Asker) -> list[float]:
    """One after the other, begun at a fixed rate."""
    loop, taken = asyncio.get_running_loop(), list[float]()
    begun = loop.time()
    for n in range(SEQUENTIAL):
        due = begun + n / RATE
        await asyncio.sleep(max(0.0, due - loop.time()))
        taken.append(await asker.ask())
    return taken


async def _bursts(asker: _Asker) -> list[float]:
    """TOGETHER callers in the same instant, and the next ones so much later that the rate is the same."""
    loop, taken = asyncio.get_running_loop(), list[float]()
    begun = loop.time()
    for n in range(SEQUENTIAL // TOGETHER):
        await asyncio.sleep(max(0.0, begun + n * TOGETHER / RATE - loop.time()))
        taken += await asyncio.gather(*(asker.ask() for _ in range(TOGETHER)))
    return taken


async def _saturated(asker: _Asker) -> tuple[list[float], float]:
    """TOGETHER clients, each asking again as soon as it was answered: milliseconds, and lookups a second."""

    async def client() -> list[float]:
        return [await asker.ask() for _ in range(EACH)]

    begun = time.perf_counter()
    taken = [one for each in await asyncio.gather(*(client() for _ in range(TOGETHER))) for one in each]
    return taken, len(taken) / (time.perf_counter() - begun)


class _Asker:
    """Plays Asterisk's side of `agi://…/identify`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._random = random.Random(7)
        self._calls = 0
        self._boot = int(time.time())
        self.statuses: Counter[str] = Counter()

    async def ask(self) -> float:
        """One lookup; milliseconds."""
        self._calls += 1
        customer = self._random.randint(1, CUSTOMERS)
        known = self._calls % UNKNOWN != 0
        number = f"0{13000000000 + customer}" if known else f"0{15900000000 + customer}"
        environment = self._environment(number, f"{PBX}-{self._boot}.{self._calls}")
        begun = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(environment)
        status = ""
        while line := await reader.readline():
            if line.startswith(b"SET VARIABLE"):
                name, _, value = line.decode().removeprefix("SET VARIABLE ").strip().partition(" ")
                writer.write(b"200 result=1\n")
                if name.strip('"') == LAST:
                    status = value.strip('"')
                    break
        taken = (time.perf_counter() - begun) * 1000
        writer.close()
        self.statuses[status or "none"] += 1
        return taken

    def _environment(self, number: str, uniqueid: str) -> bytes:
        url = f"agi://127.0.0.1:{self._port}/identify?pbx={PBX}"
        fields = {
            "network": "yes",
            "network_script": f"identify?pbx={PBX}",
            "request": url,
            "channel": f"PJSIP/cti-trunk-{self._calls:08x}",
            "language": "en",
            "type": "PJSIP",
            "uniqueid": uniqueid,
            "version": "22.10.1",
            "callerid": number,
            "calleridname": "unknown",
            "callingpres": "0",
            "callingani2": "0",
            "callington": "0",
            "callingtns": "0",
            "dnid": "4008002000",
            "rdnis": "unknown",
            "context": "cti-identify",
            "extension": "s",
            "priority": "15",
            "enhanced": "0.0",
            "accountcode": "",
            "threadid": "1",
        }
        return "".join(f"agi_{name}: {value}\n" for name, value in fields.items()).encode() + b"\n"
