"""How long an event is on its way: to its one reader, to the fifty who watch a thing, and to all of ten thousand
desktops, from the request that causes it to the bytes at each of them.

Server and clients share this machine's cores, and the clients are thin: they look for the event's name in what
comes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import resource
import secrets
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx

from cti_server.api.principal import COOKIE, digest
from cti_server.record import migrate
from cti_server.record.center import agents, sessions
from cti_server.record.crm import customers
from cti_server.record.database import Database
from cti_server.rules.facts import Role

from .connect import serving, signed_in
from .figures import Figure, percentile, rss_mb, show, spread
from .postgres import durable_postgres
from .site import cpu_s

DESKTOPS = int(os.environ.get("BENCH_DESKTOPS", "10000"))
WATCHERS = 50
AT_ONCE = 100  # desktops that come in beside each other
LIMIT_S = 60.0
OVERHEAD = 200  # descriptors beside the desktops'


class Desktop(asyncio.Protocol):
    """A websocket that says hello, and stamps what comes."""

    def __init__(self, port: int, ticket: str) -> None:
        self._port, self._ticket = port, ticket
        self.welcomed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.awaited = b""
        self.came_at = 0.0
        self._upgraded = False
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self.transport.write(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self._upgraded:
            assert b" 101 " in data.splitlines()[0], data[:200]
            self._upgraded = True
            self.say({"type": "hello", "ticket": self._ticket})
        elif not self.welcomed.done():
            if b'"type":"welcome"' in data:
                self.welcomed.set_result(None)
        elif self.awaited:
            self._tail = (self._tail + data)[-4096:]
            if self.awaited in self._tail:
                self.came_at, self.awaited, self._tail = time.perf_counter(), b"", b""

    def say(self, message: dict[str, Any]) -> None:
        """A frame of a client is masked; with zeros it stays readable."""
        body = json.dumps(message).encode()
        size = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2, "big")
        self.transport.write(b"\x81" + size + b"\0\0\0\0" + body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.welcomed.done():
            self.welcomed.set_exception(ConnectionError("the server closed it before the welcome"))


async def run() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, DESKTOPS * 2), hard))
    with tempfile.TemporaryDirectory() as folder, durable_postgres() as server, server.database() as url:
        await migrate.upgrade(url)
        cookies = await signed_in(url)
        admin, one, number = await _others(url)
        beside = {
            "CTI_HTTP_CONNECTIONS": str(DESKTOPS + OVERHEAD),
            "CTI_HTTP_PER_ADDRESS": str(DESKTOPS + OVERHEAD),
        }
        async with (
            serving(url, Path(folder) / "server.log", **beside) as (port, process),
            _desktops(url, port, cookies, one) as desktops,
        ):
            await _measure(port, process, admin, one, number, desktops)


async def _others(url: str) -> tuple[str, str, int]:
    """The cookie of an administrator, that of an agent with one desktop, and a customer to change."""
    now = datetime.now(UTC)
    async with Database(url) as database, database.begin() as conn:
        cookies = []
        roles: tuple[tuple[str, Role], ...] = (("fan-admin", "administrator"), ("fan-one", "agent"))
        for login, role in roles:
            agent = await agents.add(conn, login=login, name=login, role=role)
            cookies.append(cookie := secrets.token_urlsafe(32))
            held = sessions.Session(
                token_hash=digest(cookie), agent_id=agent, created_at=now, expires_at=now + timedelta(hours=1)
            )
            await sessions.open_session(conn, held)
        customer = await customers.create(conn, kind="person", name="Fan Out", at=now)
    return cookies[0], cookies[1], customer.id


@asynccontextmanager
async def _desktops(url: str, port: int, cookies: Sequence[str], one: str) -> AsyncIterator[list[Desktop]]:
    """All of them welcomed; the first is the only one of its agent, the next `WATCHERS` watch the customer."""
    loop = asyncio.get_running_loop()
    slots = asyncio.Semaphore(AT_ONCE)
    made: list[Desktop] = []

    async def enter(cookie: str) -> None:
        async with slots:
            made.append(desktop := Desktop(port, await _ticket(database, cookie)))
            await loop.create_connection(lambda: desktop, "127.0.0.1", port)
            await desktop.welcomed

    try:
        async with Database(url) as database:
            await enter(one)
            await asyncio.gather(*(enter(cookies[n % len(cookies)]) for n in range(DESKTOPS - 1)))
        yield made
    finally:
        for desktop in made:
            desktop.transport.abort()


async def _ticket(database: Database, cookie: str) -> str:
    """Put into the record: what is measured begins later."""
    ticket, now = secrets.token_urlsafe(32), datetime.now(UTC)
    async with database.begin() as conn:
        holder = (await sessions.holders(conn, {digest(cookie)}, now))[digest(cookie)]
        await sessions.issue_tickets(conn, {digest(ticket): holder.agent.id}, now + timedelta(seconds=30))
    return ticket


async def _measure(
    port: int, process: subprocess.Popen[bytes], admin: str, one: str, customer: int, desktops: list[Desktop]
) -> None:
    own, watchers = desktops[:1], desktops[1 : 1 + WATCHERS]
    async with _api(port, admin) as api, _api(port, one) as hers:
        for desktop in watchers:
            desktop.say({"type": "watch", "open": [f"customer:{customer}"]})
        codes = [
            {name: code[name] for name in ("code", "title_en", "title_zh", "queue", "position", "active")}
            for code in (await api.get("/api/wrap-up-codes")).raise_for_status().json()
        ]
        found = (await api.get(f"/api/customers/{customer}")).raise_for_status().json()

        async def to_one(number: int) -> httpx.Response:
            return await hers.patch("/api/me", json={"auto_answer": number % 2 == 0})

        async def to_fifty(number: int) -> httpx.Response:
            change = {"version": found["version"] + number, "name": f"Fan Out {number}"}
            return await api.patch(f"/api/customers/{customer}", json=change)

        async def to_all(number: int) -> httpx.Response:
            return await api.put("/api/wrap-up-codes", json=codes)

        cpu = cpu_s(process.pid)
        figures = []
        for who, goal_ms, readers, kind, cause, rounds in (
            ("its one reader", 20.0, own, "settings.changed", to_one, 200),
            (f"the {WATCHERS} who watch it", 50.0, watchers, "customer.changed", to_fifty, 100),
            (f"all of {len(desktops):,}", 1000.0, desktops, "codes.changed", to_all, 10),
        ):
            taken = [ms for n in range(rounds) for ms in await _once(readers, kind, cause(n))]
            p99 = percentile(taken, 99)
            figures.append(Figure(f"one event to {who}", spread(taken), f"p99 {goal_ms:g} ms", p99 <= goal_ms))
        figures.append(Figure("server CPU for all of it", f"{cpu_s(process.pid) - cpu:.1f} s"))
        figures.append(Figure("server memory", f"{rss_mb(process.pid):.0f} MB"))
    show(f"fanout, PostgreSQL: {len(desktops):,} desktops", figures)


async def _once(readers: Sequence[Desktop], kind: str, cause: Coroutine[Any, Any, httpx.Response]) -> list[float]:
    """Milliseconds from this request to each of the readers."""
    for reader in readers:
        reader.awaited, reader.came_at = f'"kind":"{kind}"'.encode(), 0.0
    begun = time.perf_counter()
    (await cause).raise_for_status()
    async with asyncio.timeout(LIMIT_S):
        while not all(reader.came_at for reader in readers):
            await asyncio.sleep(0.01)
    return [(reader.came_at - begun) * 1000 for reader in readers]


def _api(port: int, cookie: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", cookies={COOKIE: cookie}, timeout=LIMIT_S)
