"""Each peer of the server × each way in which a peer can misbehave: it is ended in time and costs little memory,
and a well-behaved peer of each kind is served meanwhile.

The server is a process of its own with 1,700 descriptors, so that 2,000 connections are more than it may have. One
of its two PBXs is well-behaved, the other is whatever the row says. A pair without a row fails the first test.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import websockets

from cti_server.demo.ports import free_ports
from cti_server.demo.seed import seed
from cti_server.demo.seed_data import DEMO_PASSWORD
from cti_server.record import migrate
from cti_server.record.database import Database
from tests.asterisk.test_link_refused import Manager
from tests.asterisk.test_session import BANNER, lines, logged_in, pbx
from tests.live.center import until
from tests.lookup.seed import NOW

pytestmark = [pytest.mark.live, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]

DESCRIPTORS = 1700
MANY = 2000
ENDED_WITHIN_S = 30.0
COSTS_AT_MOST_MB = 96
SECONDS_EACH = {"CTI_HTTP_HEADERS_S": "2", "CTI_HTTP_BODY_S": "2", "CTI_HTTP_STALLED_S": "2"}

PEERS = ("fastagi", "manager", "http", "websocket")
MISBEHAVIOURS = (
    "says_nothing",
    "a_byte_a_second",
    "half_a_line",
    "endless_line",
    "endless_headers",
    "endless_body",
    "never_reads",
    "many_connections",
    "rubbish",
    "closes_in_mid_word",
    "answers_before_it_is_asked",
)

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter


@dataclass
class Server:
    """The server under test. `bad` is what the second PBX does with each connection; `ended` counts those that the
    server has ended."""

    pid: int
    http: int
    fastagi: int
    log: Path
    api: httpx.AsyncClient
    bad: Callable[[Reader, Writer], Awaitable[None]] | None = None
    ended: int = 0
    connections: set[Writer] = field(default_factory=set)

    def memory_mb(self) -> float:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    folder = tmp_path_factory.mktemp("peers")
    url = f"sqlite:///{folder / 'cti.db'}"
    await migrate.upgrade(url)
    async with Database(url) as database:
        await seed(database, "good", NOW)
    with free_ports(2) as (http_port, fastagi_port):
        pass
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # this process has as many connections as the server
    made: Server | None = None

    async def misbehaves(reader: Reader, writer: Writer) -> None:
        if made is None or made.bad is None:
            writer.close()
            return
        made.connections.add(writer)
        behaving = asyncio.ensure_future(made.bad(reader, writer))
        with suppress(ConnectionError):
            await asyncio.wait([behaving])
            if not behaving.cancelled() and behaving.exception() is None:
                while await reader.read(65536):
                    pass
        made.ended += 1
        made.connections.discard(writer)
        writer.transport.abort()

    bad = await asyncio.start_server(misbehaves, "127.0.0.1", 0)
    async with pbx(Manager(refusals=0)) as good_port:
        user = {"user": "cti-events", "secret": "s"}
        pbxs = [
            {"name": "good", "port": good_port, "events": user},
            {"name": "bad", "port": bad.sockets[0].getsockname()[1], "events": user},
        ]
        settings = {
            "CTI_CONFIG": os.devnull,
            "CTI_DATABASE_URL": url,
            "CTI_HTTP_PORT": str(http_port),
            "CTI_FASTAGI_PORT": str(fastagi_port),
            "CTI_PBXS": json.dumps(pbxs),
        }
        with (folder / "server.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cti_server", "serve"],
                env=os.environ | settings | SECONDS_EACH,
                stdout=log,
                stderr=log,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, DESCRIPTORS)),
            )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{http_port}", timeout=10) as api:
                made = Server(process.pid, http_port, fastagi_port, folder / "server.log", api)
                await until(lambda: good_manager(made), "the server to be attached", 60)
                yield made
                assert process.poll() is None, made.log.read_text()[-4000:]
                assert "Traceback" not in made.log.read_text()
        finally:
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 30)
            bad.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- well-behaved peers ----------------------------------------------------------------------------------


async def good_manager(server: Server) -> bool:
    try:
        async with httpx.AsyncClient(timeout=10) as api:
            metrics = (await api.get(f"http://127.0.0.1:{server.http}/metrics")).text
    except httpx.TransportError:
        return False
    return 'cti_link_live{pbx="good"} 1.0' in metrics


async def good_http(server: Server) -> bool:
    async with httpx.AsyncClient(timeout=10) as api:
        return (await api.get(f"http://127.0.0.1:{server.http}/healthz")).status_code == 200


ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: identify?pbx=good\nagi_uniqueid: good-1.1\nagi_callerid: 100\n\n"
)


async def good_fastagi(server: Server) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.fastagi)
    writer.write(ENVIRONMENT)
    async with asyncio.timeout(10):
        said = await reader.readline()
        writer.write(b"200 result=1\n")
        assert await reader.read() == b""
    writer.close()
    return b"CTI_STATUS" in said


async def ticket(server: Server) -> str:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.http}", timeout=20) as api:
        api.cookies = server.api.cookies
        if not api.cookies:
            body = {"login": "alice", "password": DEMO_PASSWORD}
            (await api.post("/api/session", json=body)).raise_for_status()
            server.api.cookies = api.cookies
        return str((await api.post("/api/session/ticket")).raise_for_status().json()["ticket"])


async def good_websocket(server: Server) -> bool:
    hello = json.dumps({"type": "hello", "ticket": await ticket(server)})
    async with websockets.connect(f"ws://127.0.0.1:{server.http}/ws", open_timeout=10) as desktop:
        await desktop.send(hello)
        async with asyncio.timeout(10):
            return bool(json.loads(await desktop.recv())["type"] == "welcome")


async def all_are_served(server: Server) -> None:
    for peer in (good_http, good_fastagi, good_websocket, good_manager):
        assert await peer(server), peer.__name__


# --- what they do ----------------------------------------------------------------------------------------


def port_of(server: Server, peer: str) -> int:
    return server.fastagi if peer == "fastagi" else server.http


async def until_ended(reader: Reader) -> bytes:
    said = b""
    with suppress(ConnectionError):
        while chunk := await reader.read(65536):
            said = (said + chunk)[-65536:]
    return said


async def a_byte_a_second(writer: Writer, text: bytes) -> None:
    with suppress(ConnectionError):
        for byte in text:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)


async def without_end(writer: Writer, again: bytes) -> None:
    """Write until the other end closes, or 64 MB."""
    block = again * (65536 // len(again))
    with suppress(ConnectionError):
        for _ in range(1024):
            writer.write(block)
            await writer.drain()


Work = Callable[[Writer], Awaitable[None]]
Does = Callable[[Server, str], Awaitable[None]]


def connects(work: Work, opening: Callable[[str], bytes] = lambda peer: b"") -> Does:
    """A peer that connects to the server, says `opening`, and does `work` until it is ended."""

    async def does(server: Server, peer: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server, peer))
        try:
            if opening(peer):
                writer.write(opening(peer))
            working = asyncio.ensure_future(work(writer))
            await until_ended(reader)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        finally:
            writer.transport.abort()

    return does


def says(text: bytes) -> Work:
    async def work(writer: Writer) -> None:
        writer.write(text)

    return work


def slowly(text: bytes) -> Work:
    return lambda writer: a_byte_a_second(writer, text)


def endlessly(text: bytes) -> Work:
    return lambda writer: without_end(writer, text)


async def closes(writer: Writer) -> None:
    await writer.drain()
    writer.close()


def many(opening: bytes) -> Does:
    """MANY connections that say so much and wait; each is ended."""

    async def does(server: Server, peer: str) -> None:
        opened: list[tuple[Reader, Writer]] = []
        for _ in range(MANY // 100):
            tried = await asyncio.gather(
                *(asyncio.open_connection("127.0.0.1", port_of(server, peer)) for _ in range(100)),
                return_exceptions=True,
            )
            for one in tried:
                if not isinstance(one, BaseException):
                    one[1].write(opening)
                    opened.append(one)
            assert server.descriptors() < DESCRIPTORS - 64
        await asyncio.gather(*(until_ended(reader) for reader, _ in opened))
        for _, writer in opened:
            writer.transport.abort()

    return does


def never_reads(opening: bytes, work: Work) -> Does:
    """Asks for much, with the smallest buffer, and reads none of it; over when the server has let go of it."""

    async def does(server: Server, peer: str) -> None:
        before = server.descriptors()
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server, peer), limit=1024)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(opening)
        working = asyncio.ensure_future(work(writer))
        await asyncio.sleep(1)
        try:
            while server.descriptors() > before + 4:  # of others that come and go
                await asyncio.sleep(0.2)
            async with asyncio.timeout(ENDED_WITHIN_S):
                while not working.done():
                    await asyncio.sleep(0.1)
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            writer.transport.abort()
        assert reader is not None

    return does


# --- a PBX that misbehaves -------------------------------------------------------------------------------


def manager(behaviour: Callable[[Reader, Writer], Awaitable[None]]) -> Does:
    """The second PBX does this with the next connection; over when the server has ended one and begun another."""

    async def does(server: Server, peer: str) -> None:
        server.ended, server.bad = 0, behaviour
        try:
            while server.ended < 1:
                await asyncio.sleep(0.05)
        finally:
            server.bad = None
            for writer in list(server.connections):
                writer.transport.abort()

    return does


async def greets(reader: Reader, writer: Writer) -> None:
    writer.write(BANNER)


def greets_and(work: Work) -> Callable[[Reader, Writer], Awaitable[None]]:
    async def behaves(reader: Reader, writer: Writer) -> None:
        writer.write(BANNER)
        await work(writer)

    return behaves


def is_attached_and(work: Work) -> Callable[[Reader, Writer], Awaitable[None]]:
    """Behaves until the server is attached, and then no more."""

    async def behaves(reader: Reader, writer: Writer) -> None:
        answers = Manager(refusals=0)
        writer.write(BANNER)
        pinged = 0
        while pinged < 2:
            action = (await reader.readuntil(b"\r\n\r\n")).decode()
            name, own = (re.search(rf"{key}: (\w+)", action) for key in ("Action", "ActionID"))
            assert name is not None
            assert own is not None
            pinged += name[1] == "Ping"
            writer.write(answers(name[1], own[1].encode()))
        await work(writer)

    return behaves


def unasked(writer: Writer) -> Awaitable[None]:
    """Answers and rows of lists that nobody asked for."""
    return without_end(writer, logged_in(lambda name, own: b"")("Login", b"0" * 32) + lines(b"Event: Status"))


# --- the table -------------------------------------------------------------------------------------------

HTTP_HEAD = b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
PING = b"\x89\xfd\0\0\0\0" + b"p" * 125
BITS = bytes(range(256)) * 4


async def nothing(writer: Writer) -> None:
    """Waits."""


def upgraded(peer: str) -> bytes:
    return UPGRADE


TABLE: dict[tuple[str, str], Does | str] = {
    ("fastagi", "says_nothing"): connects(nothing),
    ("fastagi", "a_byte_a_second"): connects(slowly(ENVIRONMENT)),
    ("fastagi", "half_a_line"): connects(says(b"agi_network: y")),
    ("fastagi", "endless_line"): connects(endlessly(b"x")),
    ("fastagi", "endless_headers"): connects(endlessly(b"agi_x: 1\n")),
    ("fastagi", "endless_body"): "AGI has no body: what follows the environment are replies, of one line each",
    ("fastagi", "never_reads"): never_reads(ENVIRONMENT, nothing),
    ("fastagi", "many_connections"): many(b"agi_network: y"),
    ("fastagi", "rubbish"): connects(endlessly(BITS)),
    ("fastagi", "closes_in_mid_word"): connects(closes, lambda peer: b"agi_netw"),
    ("fastagi", "answers_before_it_is_asked"): connects(endlessly(b"200 result=1\n"), lambda peer: ENVIRONMENT),
    ("manager", "says_nothing"): manager(lambda reader, writer: nothing(writer)),
    ("manager", "a_byte_a_second"): manager(lambda reader, writer: a_byte_a_second(writer, BANNER)),
    ("manager", "half_a_line"): manager(greets_and(says(b"Response: Succ"))),
    ("manager", "endless_line"): manager(lambda reader, writer: without_end(writer, b"x")),
    ("manager", "endless_headers"): manager(is_attached_and(endlessly(b"Event: X\r\nY: z\r\n"))),
    ("manager", "endless_body"): "an AMI message has no body: it is its headers",
    ("manager", "never_reads"): manager(is_attached_and(nothing)),
    ("manager", "many_connections"): "the server connects to the PBX, and not the PBX to the server",
    ("manager", "rubbish"): manager(greets_and(endlessly(BITS + b"\r\n\r\n"))),
    ("manager", "closes_in_mid_word"): manager(is_attached_and(closes)),
    ("manager", "answers_before_it_is_asked"): manager(greets_and(unasked)),
    ("http", "says_nothing"): connects(nothing),
    ("http", "a_byte_a_second"): connects(slowly(HTTP_HEAD)),
    ("http", "half_a_line"): connects(says(b"GET / HT")),
    ("http", "endless_line"): connects(endlessly(b"x"), lambda peer: b"GET /"),
    ("http", "endless_headers"): connects(endlessly(b"X: y\r\n"), lambda peer: HTTP_HEAD),
    ("http", "endless_body"): connects(
        endlessly(b"100\r\n" + b"x" * 256 + b"\r\n"),
        lambda peer: HTTP_HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
    ),
    ("http", "never_reads"): never_reads(b"", endlessly(b"GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")),
    ("http", "many_connections"): many(HTTP_HEAD),
    ("http", "rubbish"): connects(endlessly(BITS)),
    ("http", "closes_in_mid_word"): connects(closes, lambda peer: HTTP_HEAD + b"Content-Length: 10\r\n\r\n{"),
    ("http", "answers_before_it_is_asked"): "a client asks; that it asks ahead is the row of never_reads",
    ("websocket", "says_nothing"): connects(nothing, upgraded),
    ("websocket", "a_byte_a_second"): connects(slowly(b"\x81\xfe\x01\x00\0\0\0\0" + b"{" * 256), upgraded),
    ("websocket", "half_a_line"): connects(says(b"\x81\xfe\x01"), upgraded),
    ("websocket", "endless_line"): connects(endlessly(b"x"), lambda peer: UPGRADE + b"\x81\xff\x7f" + b"\xff" * 7),
    ("websocket", "endless_headers"): connects(endlessly(b"X: y\r\n"), lambda peer: UPGRADE[:-2]),
    ("websocket", "endless_body"): connects(
        endlessly(b"\x00\x80\0\0\0\0"), lambda peer: UPGRADE + b"\x01\x80\0\0\0\0"
    ),
    ("websocket", "never_reads"): never_reads(UPGRADE, endlessly(PING)),
    ("websocket", "many_connections"): many(UPGRADE),
    ("websocket", "rubbish"): connects(endlessly(BITS), upgraded),
    ("websocket", "closes_in_mid_word"): connects(closes, lambda peer: UPGRADE + b"\x81\xfe\x01"),
    ("websocket", "answers_before_it_is_asked"): connects(endlessly(b"\x8a\x80\0\0\0\0"), upgraded),
}


async def test_each_peer_has_a_row_for_each_misbehaviour() -> None:
    assert set(TABLE) == set(product(PEERS, MISBEHAVIOURS))
    assert {peer for peer, _ in TABLE} == set(PEERS)


ROWS = [(*pair, does) for pair, does in TABLE.items() if not isinstance(does, str)]


@pytest.mark.parametrize(
    ("peer", "misbehaviour", "does"), ROWS, ids=[f"{peer}-{misbehaviour}" for peer, misbehaviour, _ in ROWS]
)
async def test_it_is_ended_and_others_are_served(server: Server, peer: str, misbehaviour: str, does: Does) -> None:
    before, most = server.memory_mb(), 0.0
    misbehaving = asyncio.ensure_future(does(server, peer))
    try:
        async with asyncio.timeout(ENDED_WITHIN_S):
            await asyncio.sleep(1.0 if misbehaviour == "many_connections" else 0.1)
            await all_are_served(server)
            while not misbehaving.done():
                most = max(most, server.memory_mb())
                await asyncio.wait([misbehaving], timeout=0.1)
            await misbehaving
    finally:
        misbehaving.cancel()
        await asyncio.gather(misbehaving, return_exceptions=True)
    await all_are_served(server)
    assert most - before < COSTS_AT_MOST_MB
