"""PostgreSQL is stopped under calls, with two servers and a real Asterisk: agents go on, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.conftest import PostgresServer
from tests.live.center import Center, center, until
from tests.live.pair import a_pair, attached
from tests.live.test_any_process import at_desk, of_call, told_state
from tests.live.test_control import Agent, Shop
from tests.live.workplace import CUSTOMER

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

AWAY_S = 5.0  # more than two terms of a lease


@pytest.fixture
def phones() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def frames(agent: Agent, kind: str) -> list[dict[str, Any]]:
    return [frame for frame in agent.told if frame["type"] == kind]


async def at_work(shop: Shop, name: str, extension: str) -> Agent:
    await shop.phone(extension)
    agent = shop.agents[name]
    assert (await agent.ask("/api/me/shift", {"phone": None}))["ok"]
    assert (await agent.ask("/api/me/state", {"state": "ready"}))["ok"]
    await until(lambda: told_state(agent, "ready"), f"{name} to be ready")
    return agent


async def test_calls_go_on_while_postgresql_is_away_and_are_in_the_record_afterwards(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path, phones: ExitStack
) -> None:
    async with (
        a_pair(postgres_url, tmp_path) as pair,
        at_desk(pair.owner, "bob") as bob,
        at_desk(pair.owner, "susan") as susan,
        at_desk(pair.other, "alice") as alice,
    ):
        shop = Shop(pair.owner, phones, {"bob": bob, "susan": susan, "alice": alice})
        await at_work(shop, "bob", "1002")
        with postgres_server.away():
            gone = time.monotonic()
            caller = await shop.caller()
            call = (await bob.call(mine="talking"))["call"]
            offered = of_call(bob, call, "offered")
            assert offered is not None
            assert offered["provisional"] is True
            # A desktop whose connection breaks comes back, and shows what the others show.
            async with again(pair.owner, bob) as welcome:
                assert welcome["provisional"] == ["pbx:demo"]
                assert [view["call"] for view in welcome["snapshot"]["calls"]] == [call]
            assert (await bob.api.post(f"/api/calls/{call}/hold", json={})).status_code == 503
            await asyncio.to_thread(caller.hang_up)
            await until(lambda: told_state(bob, "wrap_up"), "Bob to wrap up")
            await asyncio.sleep(max(0.0, gone + AWAY_S - time.monotonic()))
            for agent, stale in ((bob, []), (susan, []), (alice, ["pbx:demo"])):
                (said,) = frames(agent, "record")
                assert said["away_since"] is not None
                assert said["stale"] == stale
            assert not frames(bob, "confirmed")
        last = max(frame["seq"] for frame in bob.told if frame.get("provisional"))
        await until(lambda: [f for f in frames(bob, "confirmed") if f["seq"] >= last], "it to be in the record")
        await until(lambda: frames(alice, "record")[-1]["away_since"] is None, "Alice to hear of it")
        assert not attached(pair.other), "the other process took the PBX, and with it what had to be written"
        row = await until(lambda: named(pair.owner), "the caller to be named")
        assert (row["outcome"], row["customer"]["name"]) == ("answered", CUSTOMER)
        assert [part["agent"]["id"] for part in row["segments"]] == [bob.id]
        # Nobody was cut off, and the other process shows the same.
        told = [
            frame["seq"] for frame in bob.told if frame.get("stream") == "pbx:demo" and frame["type"] == "event"
        ]
        assert told == sorted(set(told))
        assert not frames(bob, "reset") + frames(susan, "reset") + frames(alice, "reset")
        async with pair.other.signed_in("susan") as elsewhere:
            assert (await elsewhere.get("/api/queues")).json() == (await susan.api.get("/api/queues")).json()


async def named(site: Center) -> dict[str, Any] | None:
    """The one contact of the record, once it is known whose it is."""
    (row,) = await site.interactions()
    return row if row["customer"] is not None else None


@asynccontextmanager
async def again(site: Center, agent: Agent) -> AsyncIterator[dict[str, Any]]:
    """Another window of the same person, and its welcome."""
    ticket = (await agent.api.post("/api/session/ticket")).raise_for_status().json()["ticket"]
    async with websockets.connect(f"ws://127.0.0.1:{site.http_port}/ws") as socket:
        await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
        yield json.loads(await socket.recv())


async def test_the_server_is_killed_while_postgresql_is_away(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path, phones: ExitStack
) -> None:
    """What only it knew is lost with it, but not the call: it goes on, and is known exactly, and once."""
    async with center(postgres_url, tmp_path, CTI_SNAPSHOT_EVERY_S="600") as site:
        await site.start()
        async with at_desk(site, "bob") as bob, at_desk(site, "susan") as susan:
            shop = Shop(site, phones, {"bob": bob, "susan": susan})
            await at_work(shop, "bob", "1002")
            with postgres_server.away():
                caller = await shop.caller()
                call = (await bob.call(mine="talking"))["call"]
                await site.stop(signal.SIGKILL)
            await site.start()
        async with at_desk(site, "bob") as bob:
            assert (await bob.call(mine="talking"))["call"] == call
            await asyncio.to_thread(caller.hang_up)
            await until(lambda: told_state(bob, "wrap_up") or told_state(bob, "ready"), "the call to be over")
        (row,) = await site.interactions()
        assert (row["outcome"], len(row["segments"])) == ("answered", 1)
