"""How many desktops a second come in when a shift, or a server that was restarted, brings them all at once.

Each asks for a ticket, opens its websocket, says hello and has its welcome with a snapshot; all five hundred begin
in the same moment. They are signed in before: a password costs 30 ms by intent, and a restart asks for none.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from websockets.asyncio.client import connect

from cti_server.api.principal import COOKIE, digest
from cti_server.demo import stage
from cti_server.demo.seed import seed
from cti_server.record import migrate
from cti_server.record.center import agents, sessions
from cti_server.record.database import Database

from .figures import Figure, rss_mb, show, spread
from .postgres import durable_postgres
from .site import cpu_s

DESKTOPS = int(os.environ.get("BENCH_DESKTOPS", "500"))
ROUNDS = 3  # the best counts: the first warms the server up, and the machine has other work too
GOAL_PER_S = 200.0
READY_S = 30.0
PBX = "bench"


async def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        await _measure("SQLite", f"sqlite:///{folder}/bench.db", Path(folder))
        with durable_postgres() as server, server.database() as url:
            await _measure("PostgreSQL", url, Path(folder))


async def _measure(engine: str, url: str, folder: Path) -> None:
    await migrate.upgrade(url)
    cookies = await signed_in(url)
    async with serving(url, folder / f"{engine}.log") as (port, process):
        cpu = cpu_s(process.pid)
        rounds = [await _all_at_once(port, cookies) for _ in range(ROUNDS)]
        cpu = (cpu_s(process.pid) - cpu) / ROUNDS / len(cookies)
        memory = rss_mb(process.pid)
    whole_s, each_ms, characters = min(rounds)
    per_s = len(cookies) / whole_s
    show(
        f"connect, {engine}: {len(cookies)} desktops at once",
        [
            Figure("desktops that came in", f"{per_s:.0f}/s", f"{GOAL_PER_S:g}/s", per_s >= GOAL_PER_S),
            Figure("from asking for a ticket to the welcome", spread(each_ms)),
            Figure("a welcome", f"{characters:,} characters"),
            Figure("every round", ", ".join(f"{len(cookies) / took:.0f}/s" for took, _, _ in rounds)),
            Figure("server CPU for one", f"{cpu * 1000:.2f} ms"),
            Figure("server memory then", f"{memory:.0f} MB"),
        ],
    )


async def signed_in(url: str) -> list[str]:
    """The session cookies of so many agents."""
    now = datetime.now(UTC)
    cookies = [secrets.token_urlsafe(32) for _ in range(DESKTOPS)]
    async with Database(url) as database:
        await seed(database, PBX, now)
        async with database.begin() as conn:
            for number, cookie in enumerate(cookies):
                seat, extension = f"PJSIP/{20_000 + number}", str(20_000 + number)
                login, name = f"agent{number}", f"Agent {number}"
                agent = await agents.add(conn, login=login, name=name, seat=seat, extension=extension, pbx=PBX)
                session = sessions.Session(
                    token_hash=digest(cookie), agent_id=agent, created_at=now, expires_at=now + timedelta(hours=1)
                )
                await sessions.open_session(conn, session)
    return cookies


@asynccontextmanager
async def serving(url: str, log: Path, **beside: str) -> AsyncIterator[tuple[int, subprocess.Popen[bytes]]]:
    """The server as a process of its own. Its PBX is not there: what comes in does not depend on it."""
    port, ami_port, fastagi_port = (stage.port_or_free(0) for _ in range(3))
    environment = os.environ | {
        "CTI_CONFIG": os.devnull,
        "CTI_DATABASE_URL": url,
        "CTI_HTTP_PORT": str(port),
        "CTI_FASTAGI_PORT": str(fastagi_port),
        "CTI_PBX": PBX,
        "CTI_AMI_PORT": str(ami_port),
        "CTI_AMI_EVENTS_SECRET": "none",
        **beside,
    }
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cti_server", "serve"], env=environment, stdout=out, stderr=out
        )
    try:
        async with asyncio.timeout(READY_S), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as api:
            while True:
                assert process.poll() is None, f"the server ended; its log is {log}"
                try:
                    if (await api.get("/healthz")).is_success:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
        yield port, process
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 15)


async def _all_at_once(port: int, cookies: list[str]) -> tuple[float, list[float], int]:
    """Seconds until the last has its welcome, milliseconds of each, and how long the longest welcome is.

    All stay connected until then, and leave together.
    """
    in_all = asyncio.Event()
    welcomed: list[tuple[float, int]] = []
    begun = time.perf_counter()

    async def desktop(cookie: str) -> None:
        ticket = await _ticket(port, cookie)
        async with connect(f"ws://127.0.0.1:{port}/ws", compression=None, max_size=None) as socket:
            await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
            welcome = await socket.recv()
            assert isinstance(welcome, str)
            assert welcome.startswith('{"type":"welcome"'), welcome[:200]
            welcomed.append((time.perf_counter() - begun, len(welcome)))
            if len(welcomed) == len(cookies):
                in_all.set()
            await in_all.wait()

    await asyncio.gather(*(desktop(cookie) for cookie in cookies))
    return max(at for at, _ in welcomed), [at * 1000 for at, _ in welcomed], max(size for _, size in welcomed)


async def _ticket(port: int, cookie: str) -> str:
    """Asked for over a bare connection: what a client costs must not be most of what is measured."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            f"POST /api/session/ticket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {COOKIE}={cookie}\r\n"
            "Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0], head
    ticket: str = json.loads(body)["ticket"]
    return ticket
