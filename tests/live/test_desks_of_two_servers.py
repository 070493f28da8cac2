"""Alice and Bob in a browser each, signed in at different servers, give a call to each other, and the server that
has the PBX is killed between."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import expect

from cti_server.demo.calls import place_call
from tests.live.asterisk_says import TRUNK, AsteriskSays
from tests.live.center import until
from tests.live.pair import a_pair, goes_on, way_to
from tests.live.two_browsers import Agent, office
from tests.live.workplace import ANI, CONFIG, CUSTOMER, NIGHT

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


async def is_live(agent: Agent) -> None:
    await expect(agent.get("link-state")).to_have_attribute("data-state", "live", timeout=30_000)


async def test_a_call_goes_there_and_back_while_the_owner_is_killed(postgres_url: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        pair = await stack.enter_async_context(a_pair(postgres_url, tmp_path, config=CONFIG))
        hers = await stack.enter_async_context(way_to(pair.owner, pair.other))
        his = await stack.enter_async_context(way_to(pair.other, pair.owner))
        rooms = await stack.enter_async_context(office(hers, tmp_path))
        alice = await rooms.at_browser_phone("alice", "1101")
        rooms.site = his
        bob = await rooms.at_browser_phone("bob", "1102")
        says = AsteriskSays(pair.owner.pbx)

        await alice.ready()
        caller = await asyncio.to_thread(place_call, pair.owner.pbx, ANI, NIGHT, echo=True)
        stack.callback(caller.close)
        await alice.call_is("ringing")
        await alice.answer()
        await alice.give("consult", f"agent-{bob.id}", said="About the spindle")
        await bob.call_is("ringing")
        await expect(bob.get("handover")).to_contain_text("About the spindle")

        await pair.owner.stop(signal.SIGKILL)
        await bob.answer("consulting")
        await until(lambda: goes_on(pair.other), "the other server to have the PBX")
        await is_live(alice)
        await alice.call_is("consulting")
        await expect(alice.get("card-customer")).to_contain_text(CUSTOMER)
        await alice.do("complete")
        await bob.call_is("talking")
        await says.are_together([bob.seat, TRUNK])
        await expect(bob.get("card-customer")).to_contain_text(CUSTOMER)
        await alice.finish()

        await pair.owner.start()  # it waits for the PBX now
        await bob.give("transfer", f"agent-{alice.id}", said="Settled")
        await pair.other.stop(signal.SIGKILL)
        await alice.call_is("ringing", limit_s=30)
        await alice.answer()
        await says.are_together([alice.seat, TRUNK])
        await is_live(bob)
        await bob.finish()
        await asyncio.to_thread(caller.hang_up)
        await alice.finish()

        (row,) = await pair.owner.interactions()
        told = [(part["agent"]["name"], part["outcome"]) for part in row["segments"]]
        assert told == [
            ("Alice Walker", "transferred"),
            ("Bob Miller", "transferred"),
            ("Alice Walker", "answered"),
        ]
        assert row["customer"]["name"] == CUSTOMER
