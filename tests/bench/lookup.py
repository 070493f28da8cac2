"""How long FastAGI takes to say who is calling among a million customers in PostgreSQL, and in what memory.

The client is a socket that speaks as res_agi does: connect, environment, then an answer to each command until the
server closes. The time is from the connect to the last variable set. The manager is a socket as well: it names the
channel of each question first, so the call is on the floor while it is asked about, and ends after it.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cti_server.demo.pbx import free_config
from cti_server.demo.ports import free_ports
from cti_server.demo.seed_data import LINES
from cti_server.record import migrate
from cti_server.record.center import lines
from cti_server.record.database import Database
from tests.asterisk.test_link_refused import Manager
from tests.asterisk.test_session import BANNER
from tests.asterisk.test_session import lines as message
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
    async with switchboard() as manager:
        pbx: Any = SimpleNamespace(config=free_config(PBX, ami_port=manager.port))
        await _measured(Center(pbx, url, http_port, fastagi_port, folder / "server.log"), fastagi_port, manager)


async def _measured(center: Center, fastagi_port: int, manager: Switchboard) -> None:
    try:
        await center.start()
        assert center.process is not None
        pid = center.process.pid
        with sampled(lambda: rss_mb(pid)) as memory:
            asker = _Asker(fastagi_port, manager)
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


class Switchboard:
    """The manager of a PBX that says of channels what the bench needs. `port` is where it listens."""

    def __init__(self) -> None:
        self.port = 0
        self._listening: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = Manager(refusals=0)
        writer.write(BANNER)
        try:
            while True:
                action = (await reader.readuntil(b"\r\n\r\n")).decode()
                name, own = (re.search(rf"^{key}: (\w+)", action, re.MULTILINE) for key in ("Action", "ActionID"))
                if name is None or own is None:
                    return
                writer.write(answers(name[1], own[1].encode()))
                if name[1] == "Login" and "Events: off" not in action:
                    self._listening.add(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._listening.discard(writer)
            writer.close()

    def say(self, event: str, channel: str, **headers: str) -> None:
        """Send an event about this channel, whose id is its linkedid too."""
        known = {"Event": event, "Uniqueid": channel, "Linkedid": channel, "Channel": f"PJSIP/cti-trunk-{channel}"}
        told = message(*(f"{name}: {value}".encode() for name, value in {**known, **headers}.items()))
        for writer in self._listening:
            writer.write(told)


@asynccontextmanager
async def switchboard() -> AsyncIterator[Switchboard]:
    made = Switchboard()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


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

    def __init__(self, port: int, manager: Switchboard) -> None:
        self._port, self._manager = port, manager
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
        channel = f"{PBX}-{self._boot}.{self._calls}"
        environment = self._environment(number, channel)
        caller = {"CallerIDNum": number, "CallerIDName": "<unknown>", "Exten": "4008002000"}
        self._manager.say("Newchannel", channel, ChannelState="4", **caller)
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
        self._manager.say("Hangup", channel, Cause="16")
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
