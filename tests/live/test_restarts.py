"""The server is killed and comes back while calls go on: what was held, parked or shared is so still, and the
record says what happened."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets

from tests.live.asterisk_says import TRUNK
from tests.live.center import Center, center, until
from tests.live.test_control import ALICE, BOB, CHEN, Agent, Shop, to

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture
def phones() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@asynccontextmanager
async def desks(site: Center, phones: ExitStack) -> AsyncIterator[Shop]:
    """The people at their desks, signed in anew: the drift check is too rare here to mend anything."""
    async with AsyncExitStack() as stack:
        made = Shop(site, phones, {})
        for login in ("alice", "bob", "chenjing", "susan"):
            api = await stack.enter_async_context(site.signed_in(login))
            agent = made.agents[login] = Agent(api, (await api.get("/api/me")).json()["id"])
            ticket = (await api.post("/api/session/ticket")).json()["ticket"]
            socket = await stack.enter_async_context(websockets.connect(f"ws://127.0.0.1:{site.http_port}/ws"))
            await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
            assert json.loads(await socket.recv())["type"] == "welcome"
            listening = asyncio.create_task(agent.listen(socket))
            stack.callback(listening.cancel)
        yield made


@pytest.fixture
async def site(sqlite_url: str, tmp_path: Path, phones: ExitStack) -> AsyncIterator[Center]:
    async with center(sqlite_url, tmp_path, CTI_SNAPSHOT_EVERY_S="600") as made:
        await made.start()
        yield made
        phones.close()


async def restart(site: Center) -> None:
    await site.stop(signal.SIGKILL)
    await site.start()


async def test_hold_a_room_and_a_space_outlive_the_server(site: Center, phones: ExitStack) -> None:
    async with desks(site, phones) as shop:
        alice, call = await shop.alice_talks()
        for extension in ("1002", "1003"):
            await shop.phone(extension)
        await alice.do(call, "hold")
        before = await alice.call(mine="hold")
    await restart(site)

    async with desks(site, phones) as shop:
        alice, bob, chen = (shop.agents[login] for login in ("alice", "bob", "chenjing"))
        held = await alice.call(mine="hold")
        for name in ("since", "why", "leg", "talk_ms", "hold_ms", "standing", "can"):
            assert alice.part(held)[name] == alice.part(before)[name], name
        await alice.do(call, "retrieve")
        await alice.do(call, "conference", to(bob))
        await shop.says.are_together([ALICE, BOB, TRUNK])
        await alice.call(state="conference")
    await restart(site)

    async with desks(site, phones) as shop:
        alice, bob, chen = (shop.agents[login] for login in ("alice", "bob", "chenjing"))
        await alice.call(state="conference")
        await alice.do(call, "conference", to(chen))
        await shop.says.are_together([ALICE, BOB, CHEN, TRUNK])

        async def all_four() -> bool:
            return len((await alice.call(state="conference"))["people"]) == 4

        await until(all_four, "four people in one call")
        assert [c["call"] for c in (await shop.agents["susan"].api.get("/api/calls")).json()["items"]] == [call]
        for agent in (bob, chen):
            view = await alice.call(state="conference")
            leg = next(p["leg"] for p in view["people"] if p["agent"] == agent.id)
            await alice.do(call, "drop", {"leg": leg})
        await shop.says.are_together([ALICE, TRUNK])


async def test_a_parked_call_is_fetched_after_a_restart(site: Center, phones: ExitStack) -> None:
    async with desks(site, phones) as shop:
        alice, call = await shop.alice_talks()
        await shop.phone("1002")
        await alice.do(call, "park")
        parked = await alice.call(mine="wrap_up", state="parked")
        assert parked["park_space"]
    await restart(site)

    async with desks(site, phones) as shop:
        alice, bob = shop.agents["alice"], shop.agents["bob"]
        again = await alice.call(mine="wrap_up", state="parked")
        assert again["park_space"] == parked["park_space"]
        assert alice.part(again) == alice.part(parked)
        await bob.do(call, "pick-up")
        await shop.says.are_together([BOB, TRUNK])
        assert bob.part(await bob.call(mine="talking"))["why"]["kind"] == "pickup"


async def test_a_call_parked_while_the_server_is_away_is_fetched_too(site: Center, phones: ExitStack) -> None:
    """Nobody told us the space: it is asked for, on the account that may."""
    async with desks(site, phones) as shop:
        _, call = await shop.alice_talks()
        await shop.phone("1002")
    await site.stop(signal.SIGKILL)
    says = Shop(site, phones, {}).says
    (trunk,) = [one.name for one in await says.channels() if "trunk" in one.name]
    await says.cli(f"channel redirect {trunk} cti-park,park,1")
    await until(lambda: asyncio.to_thread(_is_parked, site), "the caller to be parked")
    await site.start()

    async with desks(site, phones) as shop:
        bob, susan = shop.agents["bob"], shop.agents["susan"]
        view = await susan.call(state="parked")
        assert (view["call"], view["park_space"]) == (call, "701")
        await bob.do(call, "pick-up")
        await shop.says.are_together([BOB, TRUNK])


def _is_parked(site: Center) -> bool:
    return "701" in site.pbx.cli("parking show default")


async def test_a_call_that_ends_while_the_server_is_away_has_lasted(site: Center, phones: ExitStack) -> None:
    async with desks(site, phones) as shop:
        _, call = await shop.alice_talks()
        await asyncio.sleep(7)  # longer than the server takes to write that it hears the PBX
    await site.stop(signal.SIGKILL)
    phones.close()
    await Shop(site, phones, {}).says.nobody()
    await site.start()

    async def over() -> dict[str, Any] | None:
        return next((row for row in await site.interactions() if row["call"] == call and row["outcome"]), None)

    row = await until(over, "the end in the record")
    assert (row["outcome"], row["complete"], row["ended_at"]) == ("answered", False, None)
    assert row["talk_ms"] >= 1000
