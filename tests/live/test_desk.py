"""The agent's desk, end to end: what two browsers show, what they hear, and what Asterisk says of it at each step."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.live.asterisk_says import TRUNK
from tests.live.workplace import CUSTOMER, Workplace

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(90)]


async def test_a_caller_rings_is_answered_and_heard(work: Workplace) -> None:
    alice, says = work.alice, work.asterisk
    await says.member_is("night", alice.seat, "paused")
    await alice.ready()
    await says.member_is("night", alice.seat, "Not in use", without=["paused"])

    caller = await work.caller()
    await alice.call_is("ringing")
    await expect(alice.get("card-customer")).to_contain_text(CUSTOMER)
    await alice.is_("reserved")
    await says.has(alice.seat, state="Ringing")
    await says.member_is("night", alice.seat, "Ringing")
    await expect(alice.get("call-why")).to_have_attribute("data-kind", "queue")

    await alice.answer()
    await alice.is_("talking")
    await says.are_together([alice.seat, TRUNK])
    await says.member_is("night", alice.seat, "paused:on_call")
    await alice.hears("alice")
    await work.hears(caller, "alice")
    packets, level = await alice.shown_level()
    assert packets > 0
    assert level > 0.01

    await asyncio.to_thread(caller.hang_up)
    await alice.finish()
    await alice.is_("ready")
    await says.nobody()
    await says.member_is("night", alice.seat, "Not in use", without=["paused"])
