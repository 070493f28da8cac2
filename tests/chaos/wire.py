"""A TCP proxy of our own between the server and its database or its PBX, which can be cut, made deaf and slowed.

It listens and connects on 127.0.0.1 only. What an AMI client asks is noted as it passes, with its time.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 65536
_ACTION = re.compile(rb"^Action: (\w+)\r?$", re.MULTILINE)
#: what changes something at the PBX; everything else that the server sends asks, or logs in and out
ORDERS = frozenset(
    {
        "Atxfer",
        "BlindTransfer",
        "CancelAtxfer",
        "Hangup",
        "MixMonitorMute",
        "Originate",
        "Park",
        "PlayDTMF",
        "QueueAdd",
        "QueuePause",
        "QueuePenalty",
        "QueueRemove",
        "Redirect",
        "Setvar",
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An AMI action that passed. `at` is in seconds of the epoch."""

    at: float
    action: str


@dataclass(slots=True, eq=False)
class _Pair:
    """One connection, and whether it is to be deaf for ever."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    hears: asyncio.Event = field(default_factory=asyncio.Event)

    def reset(self) -> None:
        for side in (self.near, self.far):
            _reset(side)


def _reset(side: asyncio.StreamWriter) -> None:
    """Close it with a reset instead of an end: what a machine says that knows nothing of the connection."""
    if (shared := side.get_extra_info("socket")) is not None:  # else it is closed already
        with suppress(OSError), socket.socket(fileno=os.dup(shared.fileno())) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    side.transport.abort()


@dataclass(slots=True)
class Wire:
    """`port` is where it listens, `target` where it connects to. Make it with `wire`.

    Its state is one of: whole; `hold` (packets of all connections, old and new, are held back, as behind a dead
    switch); `refuse` (connections are reset and none is accepted).
    """

    target: int
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    held_at: float = 0.0
    opened: list[float] = field(default_factory=list)
    _pairs: set[_Pair] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    _held: bool = False
    _refusing: bool = False
    _bytes_per_s: float = 0.0

    def hold(self) -> None:
        """From now on nothing comes through, and nobody is told."""
        self._held, self.held_at = True, time.time()
        for pair in self._pairs:
            pair.hears.clear()

    def deafen(self) -> None:
        """The connections that there are come to nothing for ever, without an end; new ones work."""
        self.held_at = time.time()
        for pair in self._pairs:
            pair.hears.clear()
        self._pairs = set()

    def refuse(self) -> None:
        """Reset all connections, and each new one."""
        self._refusing = True
        self.reset()

    def reset(self) -> None:
        """Reset the connections that there are; new ones work."""
        for pair in list(self._pairs):
            pair.reset()

    def slow(self, bytes_per_s: float) -> None:
        """What comes from the far side comes at this pace, in bytes a second; 0 for as fast as it can."""
        self._bytes_per_s = bytes_per_s

    def mend(self) -> None:
        """Let everything through again; what was held back comes now."""
        self._held = self._refusing = False
        self._bytes_per_s = 0.0
        for pair in self._pairs:
            pair.hears.set()

    def orders(self, since: float, until: float = float("inf")) -> list[Asked]:
        """The orders that passed between these times, in order."""
        return [one for one in self.asked if one.action in ORDERS and since <= one.at < until]

    # --- each connection -------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        try:
            await self._serve_one(reader, near)
        except asyncio.CancelledError:
            pass  # the wire is taken away; raised, asyncio's streams would log it for each connection
        finally:
            self._serving.discard(serving)

    async def _serve_one(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if self._refusing:
            _reset(near)
            return
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target, limit=CHUNK)
        except OSError:
            _reset(near)
            return
        self.opened.append(time.time())
        pair = _Pair(near, far)
        if not self._held:
            pair.hears.set()
        self._pairs.add(pair)
        pumps = [
            asyncio.create_task(self._pump(pair, reader, far, is_near=True), name="wire to the far side"),
            asyncio.create_task(self._pump(pair, far_reader, near, is_near=False), name="wire to the near side"),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._pairs.discard(pair)
            for side in (near, far):
                side.close()

    async def _pump(
        self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_near: bool
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(CHUNK if not self._bytes_per_s else 4096):
                await pair.hears.wait()
                if reader.exception() is not None:
                    return  # reset meanwhile: what was on its way is gone, as on a wire
                if is_near:
                    now = time.time()
                    self.asked += [Asked(now, found[1].decode()) for found in _ACTION.finditer(data)]
                elif self._bytes_per_s:
                    await asyncio.sleep(len(data) / self._bytes_per_s)
                writer.write(data)
                await writer.drain()
            await pair.hears.wait()  # an end is held back, too


@asynccontextmanager
async def wire(target: int) -> AsyncIterator[Wire]:
    """A proxy to this port of 127.0.0.1, for as long as the block runs."""
    made = Wire(target)
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0, limit=CHUNK)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        made.mend()
        made.reset()
        serving = list(made._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
