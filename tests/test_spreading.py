"""Four PBXs and several processes: each has its share, and what one that ends had is taken by those that go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from cti_server.attachment import Attachment
from cti_server.demo.ports import free_ports
from cti_server.live import spreading
from cti_server.live.presence import Presence
from cti_server.live.spreading import Spreading
from cti_server.lookup.identify import Lookup
from cti_server.push.hub import Hub
from cti_server.record.database import Database
from cti_server.record.processes.notices import Notices
from cti_server.settings import PbxSettings, Settings
from tests.control.site import account
from tests.streams import stream_of

NAMES = ("east", "north", "south", "west")


@dataclass
class Process:
    attachments: list[Attachment]

    @property
    def has(self) -> set[str]:
        return {one.pbx.name for one in self.attachments if one.owner}


@asynccontextmanager
async def process(url: str, name: str) -> AsyncIterator[Process]:
    """A process of the server, as far as having PBXs goes; nobody listens where they should be."""
    async with Database(url) as database:
        with free_ports(1) as (port,):
            pass
        accounts = {role: account(role) for role in ("events", "agent", "call", "originate")}
        hub = Hub()
        made = []
        for pbx in NAMES:
            settings = PbxSettings(name=pbx, host="127.0.0.1", port=port, **accounts)
            stream = stream_of(pbx, hub, database)
            made.append(Attachment(settings, database, Lookup(database), stream, Settings(_env_file=None)))
        notices = Notices(database)
        here = Presence(database, notices, name, hub)
        duties = [attachment.run() for attachment in made]
        duties += [here.run(), Spreading(database, made, lambda: False).run()]
        running = [asyncio.create_task(duty) for duty in duties]
        try:
            yield Process(made)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreading, "CALM_S", 0.5)
    monkeypatch.setattr(spreading, "LOOK_EVERY_S", 0.3)


async def until(shows: Callable[[], bool], what: Callable[[], object]) -> None:
    try:
        async with asyncio.timeout(60):
            while not shows():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(what()) from None


async def test_each_process_has_its_share_and_nobody_has_a_pbx_twice(postgres_url: str) -> None:
    everything = set(NAMES)
    async with process(postgres_url, "one") as one:
        await until(lambda: one.has == everything, lambda: one.has)
        async with process(postgres_url, "two") as two:
            await until(lambda: len(one.has) == len(two.has) == 2, lambda: (one.has, two.has))
            assert one.has | two.has == everything
            kept = one.has
            # Nothing moves any more: who has its share is left in peace.
            for _ in range(20):
                await asyncio.sleep(0.1)
                assert (one.has, two.has) == (kept, everything - kept)
        await until(lambda: one.has == everything, lambda: one.has)
