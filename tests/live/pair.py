"""Two servers on one PostgreSQL and one Asterisk, and what stands in front of them for a browser."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cti_server.demo.ports import free_ports
from tests.live.center import Center, center


@dataclass
class Pair:
    """The process that has the PBX, and the other one."""

    owner: Center
    other: Center

    def swap(self) -> None:
        self.owner, self.other = self.other, self.owner


@asynccontextmanager
async def a_pair(url: str, folder: Path, **given: Any) -> AsyncIterator[Pair]:
    """Both run; `given` is for `center`."""
    async with center(url, folder, CTI_SNAPSHOT_EVERY_S="600", **given) as one:
        await one.start()
        with free_ports(2) as (fastagi_port, http_port):
            two = replace(one, fastagi_port=fastagi_port, http_port=http_port, process=None)
        two.log = folder / "two.log"
        await two.start()
        try:
            yield Pair(one, two)
        finally:
            await two.stop(signal.SIGKILL)


def attached(site: Center) -> bool:
    """It has the PBX, and has heard it."""
    text = site.log.read_text()
    return "pbx.attached" in text and "link.live" in text.partition("pbx.attached")[2]


async def goes_on(site: Center) -> bool:
    """It has the PBX, and its floor is what the PBX said: it takes commands."""
    if not attached(site):
        return False
    async with site.client() as api:
        return (await api.get("/readyz")).status_code == 200


@asynccontextmanager
async def way_to(*sites: Center) -> AsyncIterator[Center]:
    """As a balancer without stickiness: each connection goes to the first of these servers that takes it. What it
    returns stands for that address; it has no process of its own."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for site in sites:
            with suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", site.http_port)
                break
        else:
            writer.close()
            return
        both = [asyncio.create_task(_carry(reader, there[1])), asyncio.create_task(_carry(there[0], writer))]
        await asyncio.wait(both)

    listening = await asyncio.start_server(served, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield replace(sites[0], http_port=port, process=None)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either side is gone; then neither has the other."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()
