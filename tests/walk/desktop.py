"""A desktop without its pictures: signed in, its websocket folded, connected again as a browser does."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.live.center import Center

from .fold import Held

AGAIN_S = 0.1
LIMIT_S = 15.0


class Desktop:
    """`held` is what it shows. `follow_calls`: it opens the topic of each call that it hears of."""

    def __init__(self, site: Center, api: httpx.AsyncClient, agent: int, topics: Sequence[str]) -> None:
        self.site, self.api = site, api
        self.held = Held(agent)
        self.topics = list(topics)
        self.follow_calls = False
        self.connected = asyncio.Event()
        self.resets: list[str] = []
        self._socket: ClientConnection | None = None

    async def stay(self) -> None:
        """Connected for as long as this runs; after a break it resumes where it was."""
        while True:
            with contextlib.suppress(OSError, ConnectionClosed, InvalidHandshake, httpx.HTTPError, TimeoutError):
                async with connect(f"ws://127.0.0.1:{self.site.http_port}/ws", max_size=2**24) as socket:
                    await self._begin(socket)
                    self._socket = socket
                    async for text in socket:
                        await self._take(json.loads(text))
            self._socket = None
            self.connected.clear()
            await asyncio.sleep(AGAIN_S)

    async def _begin(self, socket: ClientConnection) -> None:
        ticket = (await self.api.post("/api/session/ticket")).raise_for_status().json()["ticket"]
        if self.held.positions:
            opened = [name for name, topic in self.held.topics.items() if topic is not None]
            first = {"type": "resume", "positions": self.held.positions, "topics": opened}
        else:
            first = {"type": "hello"}
        await socket.send(json.dumps({**first, "ticket": ticket}))
        if first["type"] == "hello":
            await self._take(json.loads(await socket.recv()))
            await self._watch(socket, self.topics)

    async def _take(self, frame: dict[str, Any]) -> None:
        self.held.take(frame)
        match frame["type"]:
            case "welcome":
                self.connected.set()
            case "reset":
                self.resets.append(frame["reason"])
        if self.follow_calls and frame["type"] == "event" and frame["kind"] == "call.started":
            call = f"call:{frame['body']['call']['call']}"
            if self._socket is not None and call not in self.held.topics:
                over = [name for name, topic in self.held.shown()["topics"].items() if topic is None]
                for name in over:
                    self.held.topics.pop(name, None)
                await self._watch(self._socket, [call], over)

    async def _watch(self, socket: ClientConnection, topics: Sequence[str], over: Sequence[str] = ()) -> None:
        for first in range(0, max(len(topics), len(over)), 50):
            some = {"open": topics[first : first + 50], "close": over[first : first + 50]}
            await socket.send(json.dumps({"type": "watch", **some}))

    async def open_again(self) -> None:
        """Opens what was refused once more, as an agent does who goes back to that page."""
        refused = [name for name in self.topics if self.held.topics.get(name) is None]
        if self._socket is not None and refused:
            await self._watch(self._socket, refused)

    async def fresh(self) -> Held:
        """What a desktop of the same viewer holds that connects now and opens the same topics."""
        opened = list(self.held.topics)
        made = Held(self.held.agent)
        ticket = (await self.api.post("/api/session/ticket")).raise_for_status().json()["ticket"]
        async with (
            asyncio.timeout(LIMIT_S),
            connect(f"ws://127.0.0.1:{self.site.http_port}/ws", max_size=2**24) as socket,
        ):
            await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
            made.take(json.loads(await socket.recv()))
            await self._watch(socket, opened)
            while set(opened) - set(made.topics):
                made.take(json.loads(await socket.recv()))
        return made

    async def result(self, request: str, limit_s: float) -> dict[str, Any] | None:
        """What became of a request; None when nothing was told within `limit_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while request not in self.held.results:
                    await asyncio.sleep(0.02)
        return self.held.results.get(request)


@asynccontextmanager
async def desktop(
    site: Center, login: str, topics: Sequence[str] = (), *, follow_calls: bool = False
) -> AsyncIterator[Desktop]:
    """A desktop that is signed in and stays connected."""
    async with site.signed_in(login) as api:
        agent = (await api.get("/api/me")).raise_for_status().json()["id"]
        made = Desktop(site, api, agent, topics)
        made.follow_calls = follow_calls
        staying = asyncio.create_task(made.stay(), name=f"desktop of {login}")
        try:
            async with asyncio.timeout(LIMIT_S):
                await made.connected.wait()
            yield made
        finally:
            staying.cancel()
            await asyncio.gather(staying, return_exceptions=True)
