"""An HTTP listener with its limits on a real socket, and peers that are programs of few lines."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from cti_server.api.websocket import WRITE_NOW, as_sent
from cti_server.listener.connections import NotOfPeers, limited
from cti_server.listener.gate import Gate
from cti_server.listener.limits import Limits

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers a request with the length of its body; `/large` with 8 MB; echoes what a websocket says."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            if message["text"] == "flood":
                write = scope["extensions"][WRITE_NOW]["write"]
                taken = next(n for n in itertools.count() if not write(as_sent("x" * 1000)))
                message["text"] = f"{taken} were taken"
            await send({"type": "websocket.send", "text": message["text"]})
        return
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    body = b"x" * (8 << 20) if scope["path"] == "/large" else str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Listening:
    gate: Gate
    port: int

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def get(self) -> bytes:
        """A request as a good browser makes it; its whole answer."""
        reader, writer = await self.connect()
        writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = await until_closed(reader)
        writer.close()
        return answer


async def until_closed(reader: asyncio.StreamReader, limit_s: float = 20) -> bytes:
    """What comes before the server closes; TCP says it by a reset where bytes of ours were unread."""
    answer = b""
    with suppress(ConnectionError):
        async with asyncio.timeout(limit_s):
            while chunk := await reader.read(65536):
                answer += chunk
    return answer


Listen = Callable[[Limits], AbstractAsyncContextManager[Listening]]


@pytest.fixture
def listen() -> Listen:
    @asynccontextmanager
    async def listening(limits: Limits) -> AsyncIterator[Listening]:
        gate = Gate(limits, asyncio.get_running_loop().time)
        connection, websocket = limited(gate)
        logging.getLogger("uvicorn.error").addFilter(NotOfPeers())
        config = uvicorn.Config(
            app, "127.0.0.1", 0, lifespan="off", http=connection, ws=websocket, ws_max_size=16384, log_config=None
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(), name="uvicorn")
        watching = asyncio.create_task(gate.run(), name="gate")
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield Listening(gate, server.servers[0].sockets[0].getsockname()[1])
        finally:
            watching.cancel()
            server.should_exit = True
            await serving

    return listening
