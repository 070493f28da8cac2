"""Giving calls away and taking them: blind transfers and their way back, parking, picking, no answer."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
from playwright.async_api import expect

from tests.live.asterisk_says import TRUNK
from tests.live.center import until
from tests.live.two_browsers import Agent
from tests.live.workplace import CUSTOMER, Workplace

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_blind_transfer_to_a_colleague(work: Workplace) -> None:
    alice, bob, says = work.alice, work.bob, work.asterisk
    caller = await work.answered_call(alice)
    await alice.get("note-box").locator("textarea").fill("Wants a visit on Tuesday")
    await alice.give("transfer", f"agent-{bob.id}", said="Asks for you by name")

    await bob.call_is("ringing")
    await says.has(bob.seat, TRUNK)
    for words in ("Alice Walker", "Asks for you by name", "Wants a visit on Tuesday", CUSTOMER):
        await expect(bob.get("handover")).to_contain_text(words)
    await expect(bob.get("call-why")).to_have_attribute("data-kind", "transfer")
    await alice.call_is("wrap_up")

    await bob.answer()
    await says.are_together([bob.seat, TRUNK])
    await work.hears(caller, "bob")
    await bob.hears("bob")
    await alice.finish()
    await alice.is_("ready")
    await asyncio.to_thread(caller.hang_up)
    await bob.finish()

    (row,) = await until(lambda: over(work), "the interaction to end")
    assert [(s["agent"]["name"], s["outcome"]) for s in row["segments"]] == [
        ("Alice Walker", "transferred"),
        ("Bob Miller", "answered"),
    ]


async def test_blind_transfer_that_nobody_takes_comes_back(work: Workplace) -> None:
    alice, bob, says = work.alice, work.bob, work.asterisk
    caller = await work.answered_call(alice)
    await alice.give("transfer", f"agent-{bob.id}")
    await bob.call_is("ringing")
    await alice.call_is("wrap_up")

    await alice.call_is("ringing", limit_s=25)
    await bob.no_call()
    await says.has(alice.seat, TRUNK)
    await expect(alice.get("card-customer")).to_contain_text(CUSTOMER)
    await alice.answer()
    await says.are_together([alice.seat, TRUNK])
    await work.hears(caller, "alice")


async def test_blind_transfer_to_a_queue(work: Workplace) -> None:
    alice, bob, says = work.alice, work.bob, work.asterisk
    caller = await work.answered_call(alice)
    await alice.give("transfer", "queue-night", said="Night shift knows")
    await alice.call_is("wrap_up")
    await until(lambda: waits(work, "night"), "the caller to wait")
    await says.has(TRUNK)

    await bob.ready()
    await bob.call_is("ringing")
    await expect(bob.get("handover")).to_contain_text("Night shift knows")
    await says.member_is("night", bob.seat, "Ringing")
    await bob.answer()
    await says.are_together([bob.seat, TRUNK])
    await says.member_is("night", bob.seat, "in call")
    await work.hears(caller, "bob")


async def test_park_and_pick_up_by_the_other(work: Workplace) -> None:
    alice, bob, says = work.alice, work.bob, work.asterisk
    caller = await work.answered_call(alice)
    await alice.do("park")
    await alice.call_is("wrap_up")
    await until(lambda: is_parked(work), "the caller to be parked")
    await says.has(TRUNK)
    await work.hears(caller, "music")

    await take(bob, CUSTOMER)
    await bob.call_is("talking")
    await says.are_together([bob.seat, TRUNK])
    assert await says.parked() == []
    await work.hears(caller, "bob")
    await expect(bob.get("card-customer")).to_contain_text(CUSTOMER)


async def test_pick_a_waiting_caller(work: Workplace) -> None:
    alice, bob, says = work.alice, work.bob, work.asterisk
    caller = await work.caller()
    await until(lambda: waits(work, "night"), "the caller to wait")
    await open_list(alice)
    await expect(alice.get("pick-ups").get_by_role("status")).to_be_visible()
    await expect(alice.get("pick-ups").locator("li")).to_have_count(0)

    await take(bob, CUSTOMER)
    await bob.call_is("talking")
    await expect(bob.get("call-why")).to_have_attribute("data-kind", "picked")
    await says.are_together([bob.seat, TRUNK])
    assert await says.waiting("night") == []
    await work.hears(caller, "bob")


async def test_pick_up_what_rings_at_a_colleague(work: Workplace) -> None:
    alice, bob, says = work.alice, work.bob, work.asterisk
    await bob.ready()
    caller = await work.caller()
    await bob.call_is("ringing")
    await says.has(TRUNK, bob.seat)
    await says.has(bob.seat, state="Ringing")

    await take(alice, CUSTOMER)
    await alice.call_is("talking")
    await expect(alice.get("call-why")).to_have_attribute("data-kind", "pickup")
    await says.are_together([alice.seat, TRUNK])
    await says.has(alice.seat, TRUNK)
    await work.hears(caller, "alice")
    await bob.no_call()
    await bob.is_("ready")
    await says.member_is("night", bob.seat, "Not in use", without=["paused"])


async def test_who_does_not_answer_gets_no_more(work: Workplace) -> None:
    alice, says = work.alice, work.asterisk
    await alice.ready()
    await work.caller()
    await alice.call_is("ringing")
    await alice.is_("not_ready", "was not answered")
    await expect(alice.get("state-why")).to_contain_text("Night desk")
    await alice.no_call()
    await says.member_is("night", alice.seat, "paused:no_answer")
    assert await says.waiting("night") == [TRUNK]

    await alice.choose("ready")  # the caller still waits, and rings her before a page could show that she is ready
    await alice.call_is("ringing")
    await says.member_is("night", alice.seat, without=["paused"])


async def test_a_pause_during_a_call_waits_for_its_end(work: Workplace) -> None:
    alice, says = work.alice, work.asterisk
    caller = await work.answered_call(alice)
    await alice.choose("not_ready", "lunch")
    await expect(alice.get("state-pending")).to_contain_text("Lunch")
    await alice.is_("talking")
    await says.member_is("night", alice.seat, "in call")
    await work.hears(caller, "alice")

    await asyncio.to_thread(caller.hang_up)
    await alice.call_is("wrap_up")
    await expect(alice.get("state-pending")).to_contain_text("Lunch")
    await alice.finish()
    await alice.is_("not_ready", "Lunch")
    await says.member_is("night", alice.seat, "paused:lunch")


async def test_a_call_that_was_parked_and_fetched_is_one_call_on_every_screen(work: Workplace) -> None:
    alice = work.alice
    before = await figures(work, alice)
    caller = await work.answered_call(alice)
    await asyncio.sleep(4)  # the call is older than it is parked, however slow this machine is
    parked = time.time()
    await alice.do("park")
    await until(lambda: is_parked(work), "the caller to be parked")
    await open_list(alice)
    entry = alice.get("pick-ups").locator("li").filter(has_text=CUSTOMER)
    clock = re.compile(r"(\d+):(\d\d)")
    await expect(entry.locator(".item-sub")).to_contain_text(clock)
    shown = clock.search(await entry.locator(".item-sub").inner_text())
    assert shown is not None
    assert int(shown[1]) * 60 + int(shown[2]) <= time.time() - parked + 1, "how long they are parked, not the call"
    await entry.get_by_test_id("cmd-pick-up").click()
    await alice.call_is("talking")
    await alice.page.reload()
    await alice.call_is("talking")
    await asyncio.to_thread(caller.hang_up)
    await alice.call_is("wrap_up")
    await alice.finish()
    (row,) = (await work.site.interactions())[:1]
    assert row["outcome"] == "answered", "whoever fetches a caller back has given them to nobody"
    after = await figures(work, alice)
    assert int(after["handled"]) == int(before["handled"]) + 1


# --- what these tests share ------------------------------------------------------------------------------


async def take(agent: Agent, who: str) -> None:
    """From the list of calls for the taking."""
    await open_list(agent)
    entry = agent.get("pick-ups").locator("li").filter(has_text=who)
    await entry.get_by_test_id("cmd-pick-up").click(timeout=30_000)


async def open_list(agent: Agent) -> None:
    """By its key."""
    await agent.page.locator("body").click(position={"x": 2, "y": 2})
    await agent.page.keyboard.press("u")
    await expect(agent.get("pick-ups")).to_be_visible()


async def figures(work: Workplace, agent: Agent) -> dict[str, str]:
    """What My day shows; the desk shows the same of those that it has."""
    shown: list[dict[str, str]] = []
    for page, prefix in (("/", "idle"), ("/day", "day")):
        await agent.page.goto(work.site.url + page.rstrip("/"))
        of = {
            name: agent.get(f"{prefix}-{name}").locator("dd").first
            for name in ("handled", "talk", "aht", "no_answer")
        }
        await expect(of["handled"]).to_have_text(re.compile(r"\d"))
        shown.append({name: await field.inner_text() for name, field in of.items()})
    assert shown[0] == shown[1]
    await agent.comes_back_to(work.site.url)
    return shown[1]


async def waits(work: Workplace, queue: str) -> bool:
    return await work.asterisk.waiting(queue) == [TRUNK]


async def is_parked(work: Workplace) -> bool:
    return await work.asterisk.parked() == [TRUNK]


async def over(work: Workplace) -> list[dict[str, object]]:
    return [row for row in await work.site.interactions() if row["outcome"] is not None][:1]
