"""The wire that chaos cuts: what it holds back, resets and notes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.wire import Wire, wire

SOON_S, NOT_YET_S = 2.0, 0.15


@asynccontextmanager
async def echo() -> AsyncIterator[Wire]:
    """A wire to somebody who says everything back."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as server,
        wire(server.sockets[0].getsockname()[1]) as made,
    ):
        yield made


async def said_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit_s: float = SOON_S) -> bytes:
    writer.write(b"word\n")
    async with asyncio.timeout(limit_s):
        return await reader.readline()


async def test_what_is_held_back_comes_later() -> None:
    async with echo() as made:
        old = await asyncio.open_connection("127.0.0.1", made.port)
        assert await said_back(*old) == b"word\n"
        made.hold()
        with pytest.raises(TimeoutError):
            await said_back(*old, NOT_YET_S)
        new = await asyncio.open_connection("127.0.0.1", made.port)
        with pytest.raises(TimeoutError):
            await said_back(*new, NOT_YET_S)
        made.mend()
        for reader, _ in (old, new):
            async with asyncio.timeout(SOON_S):
                assert await reader.readline() == b"word\n"


async def test_a_deaf_connection_stays_deaf_and_a_new_one_works() -> None:
    async with echo() as made:
        old = await asyncio.open_connection("127.0.0.1", made.port)
        assert await said_back(*old) == b"word\n"
        made.deafen()
        made.mend()
        with pytest.raises(TimeoutError):
            await said_back(*old, NOT_YET_S)
        assert await said_back(*await asyncio.open_connection("127.0.0.1", made.port)) == b"word\n"
        assert len(made.opened) == 2


async def test_reset_and_refused() -> None:
    async with echo() as made:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        assert await said_back(reader, writer) == b"word\n"
        made.refuse()
        with pytest.raises(ConnectionError):
            assert await reader.read(), "closed, and not reset"
        again, _ = await asyncio.open_connection("127.0.0.1", made.port)
        with pytest.raises(ConnectionError):
            assert await again.read(), "closed, and not reset"
        made.mend()
        assert await said_back(*await asyncio.open_connection("127.0.0.1", made.port)) == b"word\n"


async def test_slow() -> None:
    async with echo() as made:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        made.slow(20_000)
        began = time.monotonic()
        writer.write(b"x" * 10_000)
        await reader.readexactly(10_000)
        assert time.monotonic() - began >= 0.4


async def test_orders_are_noted_and_questions_are_none() -> None:
    async with echo() as made:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        began = time.time()
        writer.write(b"Action: Ping\r\nActionID: 1\r\n\r\nAction: QueuePause\r\nActionID: 2\r\n\r\n")
        await reader.readuntil(b"2\r\n\r\n")
        assert [one.action for one in made.asked] == ["Ping", "QueuePause"]
        assert [one.action for one in made.orders(began)] == ["QueuePause"]
        assert made.orders(time.time() + 1) == []
