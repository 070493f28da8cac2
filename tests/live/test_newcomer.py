"""A fresh installation against a real Asterisk: nothing but `migrate`, `user add` and `queue add`; and what is
changed by the commands while the server runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from cti_server.attachment import READ_AGAIN_EVERY_S
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import free_ports
from cti_server.demo.seed_data import DEMO_PASSWORD
from tests.cli.commands import Record
from tests.live.center import Center, until
from tests.live.test_shift import Desk, desk, member

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

SOON_S = READ_AGAIN_EVERY_S * 3


@asynccontextmanager
async def fresh(record: Record, folder: Path) -> AsyncIterator[Center]:
    """A PBX and a server whose record has only what the commands have put there."""
    with free_ports(2) as (fastagi_port, http_port):
        pass
    machine = DemoPbx(free_config(fastagi=f"127.0.0.1:{fastagi_port}"))
    await asyncio.to_thread(machine.__enter__)
    made = Center(machine, record.url, http_port, fastagi_port, folder / "server.log", forked=True)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
        await asyncio.to_thread(machine.__exit__, None, None, None)


async def hears(alice: Desk, kind: str) -> None:
    """Wait until the desktop is told this."""
    async with asyncio.timeout(SOON_S):
        while json.loads(await alice.socket.recv()).get("kind") != kind:
            pass


async def test_a_new_agent_works_at_their_own_phone_and_goes_when_they_are_removed(tmp_path: Path) -> None:
    record = Record(f"sqlite:///{tmp_path}/cti.db", CTI_PBX="demo")
    record.do("migrate")

    async def do(*arguments: str) -> None:
        await asyncio.to_thread(record.do, *arguments)

    seat = ("--seat", "PJSIP/1001", "--password", DEMO_PASSWORD)

    async with fresh(record, tmp_path) as site:
        await do("user", "add", "alice", "--name", "Alice", *seat)
        await do("queue", "add", "night")
        await do("user", "serves", "alice", "night")

        async with desk(site) as alice:
            await alice.begin("1001")
            await alice.becomes("not_ready", "signed_in")
            assert "dynamic" in member(site, "night")
            await alice.ready()
            await alice.becomes("ready")
            done = await alice.ask("POST", "/api/me/state", {"state": "not_ready", "reason": "lunch"})
            assert done["ok"], done
            await alice.becomes("not_ready", "lunch")

            await do("reason", "add", "prayer", "--title", "Prayer")
            await hears(alice, "reasons.changed")
            assert (await alice.api.get("/api/reasons")).json()[-1]["code"] == "prayer"
            await do("code", "add", "delivery")
            await hears(alice, "codes.changed")

            await do("user", "remove", "alice")
            assert (await alice.api.get("/api/me")).status_code == 401

            async def left() -> bool:
                return member(site, "night") == ""

            await until(left, "the removed agent to be out of the queue", SOON_S)
        async with site.client() as stranger:
            assert await sign_in(stranger) == 401
            await do("user", "set", "alice", "--active")
            assert await sign_in(stranger) == 200


async def sign_in(api: httpx.AsyncClient) -> int:
    body = {"login": "alice", "password": DEMO_PASSWORD}
    return (await api.post("/api/session", json=body)).status_code
