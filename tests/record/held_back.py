"""A way to PostgreSQL that holds one message back: the server does not get it, or its answer does not come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import sqlalchemy as sa


class HeldBack:
    """What a client sends is passed on, but for the next message with this word: `hold` one, then set `free`."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._word: bytes | None = None
        self._answer_only = False
        self.held = asyncio.Event()
        self.free = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []

    def hold(self, word: bytes, *, answer_only: bool = False) -> None:
        """`answer_only`: the server gets the message, and the client no answer."""
        self._word, self._answer_only = word, answer_only

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, on = await asyncio.open_connection("127.0.0.1", self._to)
        waits = False

        async def there() -> None:
            nonlocal waits
            while data := await near.read(65536):
                if self._word is not None and self._word in data:
                    self._word, waits = None, True
                    self.held.set()
                    if not self._answer_only:
                        await self.free.wait()
                on.write(data)
                await on.drain()
            on.close()

        async def home() -> None:
            while data := await far.read(65536):
                if waits:
                    await self.free.wait()
                back.write(data)
                await back.drain()
            back.close()

        ways: tuple[Callable[[], Awaitable[None]], ...] = (there, home)
        self.tasks += [asyncio.ensure_future(way()) for way in ways]  # type: ignore[misc]


@asynccontextmanager
async def held_back(url: str) -> AsyncIterator[tuple[HeldBack, str]]:
    """The way, and the URL that leads over it."""
    there = sa.make_url(url)
    assert there.port is not None
    way = HeldBack(there.port)
    server = await asyncio.start_server(way.serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            yield way, there.set(port=port).render_as_string(hide_password=False)
        finally:
            way.free.set()
            for task in way.tasks:
                task.cancel()
            await asyncio.gather(*way.tasks, return_exceptions=True)
