"""When the bytes of an AgentCalled pass on their way to the server, and when its card is at a desktop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import cast

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from cti_server.wire.ami import AmiDecoder

WRAP_UP_S = 1.0

Pop = tuple[str, str]  # (linkedid, seat)


@dataclass
class Stamps:
    """Seconds of time.perf_counter, all taken in this process."""

    called: dict[Pop, float] = field(default_factory=dict)
    shown: dict[Pop, float] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)
    """By seat, the address of the process at which its agent's desktop is."""
    with_customer: set[Pop] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    """Linkedids that a channel of its own began."""
    frames: int = 0
    characters: int = 0

    def latencies_ms(self, url: str | None = None) -> list[float]:
        """Of each offer whose card came, in their order; with `url`, at the desktops of that process only."""
        shown = [pop for pop in self.called if pop in self.shown]
        return [(self.shown[pop] - self.called[pop]) * 1000 for pop in shown if url in (None, self.at.get(pop[1]))]

    def lost(self) -> int:
        return sum(pop not in self.shown for pop in self.called)


class AmiTap:
    """A TCP proxy in front of AMI. It passes bytes on before it looks at them."""

    def __init__(self, ami_port: int, stamps: Stamps) -> None:
        self._ami_port = ami_port
        self._stamps = stamps
        self.port = 0
        self.bytes = self.events = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[AmiTap]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Near(self), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


class _Near(asyncio.Protocol):
    """The server's side of one connection."""

    def __init__(self, tap: AmiTap) -> None:
        self._tap = tap
        self._far: asyncio.Transport | None = None
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._opening = asyncio.get_running_loop().create_task(self._open(), name="ami tap")

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        far, _ = await loop.create_connection(
            lambda: _Far(self._tap, self.transport), "127.0.0.1", self._tap._ami_port
        )
        self._far = far
        self._far.write(self._early)

    def data_received(self, data: bytes) -> None:
        if self._far is None:
            self._early += data
        else:
            self._far.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._far is not None:
            self._far.close()


class _Far(asyncio.Protocol):
    """Asterisk's side: what it says is passed on at once, then read for AgentCalled."""

    def __init__(self, tap: AmiTap, near: asyncio.Transport) -> None:
        self._tap, self._near = tap, near
        self._decoder = AmiDecoder()

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._near.write(data)
        self._tap.bytes += len(data)
        for message in self._decoder.feed(data):
            self._tap.events += message.event is not None
            if message.event == "AgentCalled":
                self._tap._stamps.called.setdefault((message["Linkedid"], message["Interface"]), now)
            elif message.event == "Newchannel" and message["Linkedid"] == message["Uniqueid"]:
                self._tap._stamps.calls.add(message["Linkedid"])

    def connection_lost(self, exc: Exception | None) -> None:
        self._near.close()


class Desktop:
    """One signed-in agent: stamps the card of each call that rings at their seat, and finishes the wrap-up."""

    def __init__(self, url: str, login: str, password: str, seat: str | None, stamps: Stamps) -> None:
        self._login, self._password, self._seat, self._stamps = login, password, seat, stamps
        self._url = url
        if seat is not None:
            stamps.at[seat] = url
        self.api = httpx.AsyncClient(base_url=url, timeout=20)
        self.agent = 0
        self.wrapped = 0
        self._wrapping: set[asyncio.Task[None]] = set()

    async def sign_in(self) -> None:
        answer = await self.api.post("/api/session", json={"login": self._login, "password": self._password})
        answer.raise_for_status()
        self.agent = answer.json()["id"]

    async def watch(self, ready: asyncio.Event) -> None:
        """Until cancelled. `ready` is set with the first welcome."""
        ticket = (await self.api.post("/api/session/ticket")).json()["ticket"]
        async with connect(self._url.replace("http", "ws", 1) + "/ws", compression=None, max_size=None) as socket:
            await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
            await socket.recv()
            ready.set()
            try:
                async for frame in socket:
                    self._take(cast(str, frame), time.perf_counter())
            except ConnectionClosed as closed:
                raise RuntimeError(f"{self._login}: {closed}") from closed

    def _take(self, frame: str, now: float) -> None:
        self._stamps.frames += 1
        self._stamps.characters += len(frame)
        if self._seat is None:
            return
        if '"kind":"part.changed"' not in frame and '"kind":"card.changed"' not in frame:
            return
        body = json.loads(frame)["body"]
        if body["card"] is not None:
            pop = body["call"].split(":", 2)[2], self._seat
            self._stamps.shown.setdefault(pop, now)
            if body["card"]["customer"] is not None:
                self._stamps.with_customer.add(pop)
        if body.get("agent") == self.agent and body["part"]["state"] == "wrap_up":
            self._wrap_up(body["call"])

    def _wrap_up(self, call: str) -> None:
        if any(task.get_name() == call for task in self._wrapping):
            return
        task = asyncio.get_running_loop().create_task(self._finish(call), name=call)
        self._wrapping.add(task)
        task.add_done_callback(self._wrapping.discard)

    async def _finish(self, call: str) -> None:
        await asyncio.sleep(WRAP_UP_S)
        answer = await self.api.post(f"/api/calls/{call}/wrap-up", json={"note": None})
        self.wrapped += answer.is_success

    async def close(self) -> None:
        for task in self._wrapping:
            task.cancel()
        await asyncio.gather(*self._wrapping, return_exceptions=True)
        await self.api.aclose()


@contextmanager
def sampled(read: Callable[[], float], every_s: float = 0.5) -> Iterator[list[float]]:
    """What `read()` says, again and again while the block runs."""
    values: list[float] = []

    async def sample() -> None:
        while True:
            values.append(read())
            await asyncio.sleep(every_s)

    task = asyncio.get_running_loop().create_task(sample(), name="sample")
    try:
        yield values
    finally:
        task.cancel()
