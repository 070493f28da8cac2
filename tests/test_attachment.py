"""What a desktop that connects while the server starts waits for: the floor as it was before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cti_server import attachment as attachment_module
from cti_server.attachment import Attachment
from cti_server.demo.ports import free_ports
from cti_server.floor.signals import LinkState
from cti_server.lookup.identify import Lookup
from cti_server.push.hub import Hub
from cti_server.record import leases
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.database import Database
from cti_server.settings import PbxSettings, Settings
from tests.control.site import NOW, account
from tests.record.builders import call
from tests.streams import stream_of


def _attachment(pbx: PbxSettings, database: Database) -> Attachment:
    stream = stream_of("demo", Hub(limit=100), database)
    return Attachment(pbx, database, Lookup(database), stream, Settings(_env_file=None))


@asynccontextmanager
async def attached(database: Database) -> AsyncIterator[Attachment]:
    """A server that begins, with one call in its record; nobody listens where its PBX should be."""
    async with database.begin() as conn:
        await save_calls(conn, [call("a")])
    with free_ports(1) as (port,):
        pass
    accounts = {role: account(role) for role in ("events", "agent", "call", "originate")}
    pbx = PbxSettings(name="demo", host="127.0.0.1", port=port, **accounts)
    made = _attachment(pbx, database)
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_calls_of_before_are_known_though_the_pbx_is_away(database: Database) -> None:
    async with attached(database) as made:
        assert not made.pipeline.books.calls
        async with asyncio.timeout(attachment_module.KNOWN_WITHIN_S - 1):
            await made.known()
        assert [one.linkedid for one in made.pipeline.books.calls.values()] == ["a"]
        assert made.pipeline.books.link is not LinkState.CONNECTING


async def test_a_process_that_waits_for_the_pbx_keeps_nobody_waiting(postgres_url: str) -> None:
    async with (
        Database(postgres_url) as one,
        Database(postgres_url) as two,
        leases.hold(one, "demo", "another", NOW),
        attached(two) as made,
    ):
        async with asyncio.timeout(attachment_module.KNOWN_WITHIN_S - 1):
            await made.known()
        assert not made.owner


async def test_nobody_waits_for_ever(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachment_module, "KNOWN_WITHIN_S", 0.1)
    silent = _attachment(PbxSettings(name="demo"), database)
    await silent.known()  # it never begins
