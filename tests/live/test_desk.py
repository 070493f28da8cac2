"""The agent's desk, end to end: what two browsers show, what is heard, and what Asterisk says of it at each step.
Here what agents do with a call that they have; callers echo, so who is heard by a caller comes back."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.live.asterisk_says import TRUNK, loudness
from tests.live.center import until
from tests.live.two_browsers import Agent
from tests.live.workplace import CUSTOMER, Workplace

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


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


async def test_hold_and_mute(work: Workplace) -> None:
    alice, says = work.alice, work.asterisk
    caller = await work.answered_call(alice)
    await work.hears(caller, "alice")

    await alice.do("hold")
    await alice.call_is("hold")
    await alice.is_("hold")
    await work.hears(caller, "music")
    await alice.hears()
    await says.has(alice.seat, TRUNK, state="Up")

    await alice.do("retrieve")
    await alice.call_is("talking")
    await alice.is_("talking")
    await work.hears(caller, "alice")
    await alice.hears("alice")

    await alice.do("mute")
    await expect(alice.get("cmd-unmute")).to_be_visible()
    await work.hears(caller)
    await alice.hears()
    await says.are_together([alice.seat, TRUNK])
    await alice.do("unmute")
    await expect(alice.get("cmd-mute")).to_be_visible()
    await work.hears(caller, "alice")


async def test_a_paused_recording_is_silent(work: Workplace) -> None:
    alice, says = work.alice, work.asterisk
    await work.answered_call(alice)
    indicator = alice.get("recording-indicator")
    await expect(indicator).to_have_attribute("data-state", "off")

    await alice.do("record-start")
    await expect(indicator).to_have_attribute("data-state", "on")
    (file,) = await until(says.recordings, "a recording")
    assert file.stem in await says.cli(f"mixmonitor list {await channel(work, TRUNK)}")
    await alice.hears_now(1.5)

    await alice.do("record-pause")
    await expect(indicator).to_have_attribute("data-state", "paused")
    assert (await alice.hears("alice")).level > 0.02, "they talk on"
    await alice.hears_now(1.5)

    await alice.do("record-resume")
    await expect(indicator).to_have_attribute("data-state", "on")
    await alice.hears_now(1.5)
    await alice.do("record-stop")
    await expect(indicator).to_have_attribute("data-state", "off")

    pieces = loudness(file)
    loud, quiet = [piece > 1500 for piece in pieces], [piece < 60 for piece in pieces]
    silence = [n for n, silent in enumerate(quiet) if silent and n > quiet.index(False)]
    paused = longest_run(silence)
    assert len(paused) >= 12, f"1.2 s or more of silence: {pieces}"
    assert sum(loud[: paused[0]]) >= 10, f"before the pause they are heard: {pieces}"
    assert sum(loud[paused[-1] :]) >= 10, f"after the pause they are heard: {pieces}"
    assert all(loud[paused[0] - 8 : paused[0] - 1]), f"right up to it: {pieces}"


async def test_consult_alternate_complete(work: Workplace) -> None:
    alice, bob, says = work.alice, work.bob, work.asterisk
    caller = await work.answered_call(alice)
    await alice.get("note-box").locator("textarea").fill("Spindle error E-12 since Monday")

    await alice.give("consult", f"agent-{bob.id}", said="Knows the machine, please take over")
    await bob.call_is("ringing")
    await says.has(bob.seat, state="Ringing")
    capsule = bob.get("handover")
    for words in (
        "Alice Walker",
        CUSTOMER,
        "Knows the machine, please take over",
        "Spindle error E-12 since Monday",
    ):
        await expect(capsule).to_contain_text(words)
    await expect(bob.get("call-why")).to_have_attribute("data-kind", "consult")
    await work.hears(caller, "music")

    await bob.answer("consulting")
    await says.are_together([alice.seat, bob.seat], [TRUNK])
    await asyncio.gather(alice.hears("bob"), bob.hears("alice"))
    await work.hears(caller, "music")
    await alice.call_is("consulting")
    await alice.do("help")
    await expect(alice.get("help-asked")).to_be_visible()
    for language in ("中文", "English"):  # whatever is open, nothing of the panel is cut off
        await (
            alice.page.get_by_role("radio", name=language)
            .or_(alice.page.get_by_role("button", name=language))
            .first.click()
        )
        fits = "(panel) => panel.scrollWidth <= panel.clientWidth"
        assert await alice.get("call-panel").evaluate(fits), language
    await alice.do("help")

    await alice.do("alternate")
    await says.are_together([alice.seat, TRUNK], [bob.seat])
    await asyncio.gather(alice.hears("alice"), bob.hears(), work.hears(caller, "alice"))
    await work.hears(caller, "alice")
    await alice.do("alternate")
    await says.are_together([alice.seat, bob.seat], [TRUNK])
    await asyncio.gather(alice.hears("bob"), bob.hears("alice"))

    await alice.do("complete")
    await alice.call_is("wrap_up")
    await bob.call_is("talking")
    await says.are_together([bob.seat, TRUNK])
    await work.hears(caller, "bob")
    await bob.hears("bob")
    await expect(bob.get("card-customer")).to_contain_text(CUSTOMER)
    # The clocks show what the record has: while she consulted, her caller was on hold.
    row = (await work.site.interactions())[0]
    mine = next(part for part in row["segments"] if part["agent"]["name"] == "Alice Walker")
    for name in ("talk", "hold"):
        shown = (await alice.get(f"time-{name}").locator("dd").inner_text()).strip()
        minutes, seconds = map(int, shown.split(":"))
        assert abs(minutes * 60 + seconds - mine[f"{name}_ms"] / 1000) <= 1, (name, shown, mine)
    # Whoever was asked about the call has it now.
    await expect(bob.get("call-why")).to_have_text("Why it came to you: Transferred by Alice Walker")
    await alice.finish()

    await asyncio.to_thread(caller.hang_up)
    await bob.finish()
    await says.nobody()


async def test_consult_cancel_then_a_conference_of_three(work: Workplace) -> None:
    alice, bob, says = work.alice, work.bob, work.asterisk
    caller = await work.answered_call(alice)

    await alice.give("consult", f"agent-{bob.id}")
    await bob.call_is("ringing")
    await bob.answer("consulting")
    await alice.hears("bob")
    await alice.do("cancel")
    await says.are_together([alice.seat, TRUNK])
    await alice.call_is("talking")
    await work.hears(caller, "alice")
    await says.has(alice.seat, TRUNK)
    await until(lambda: gone_or_wrapping(bob), "Bob to be out of it")
    await bob.finish_wrap_ups()
    await bob.no_call()

    await alice.give("consult", f"agent-{bob.id}")
    await bob.call_is("ringing")
    await bob.answer("consulting")
    await alice.do("conference")
    await says.are_together([alice.seat, bob.seat, TRUNK])
    await asyncio.gather(alice.hears("alice", "bob"), bob.hears("alice", "bob"))
    await work.hears(caller, "alice", "bob")
    for agent in (alice, bob):
        await expect(agent.get("people").locator("li[data-leg]")).to_have_count(3)

    leg = alice.get("people").locator("li[data-leg]").filter(has_text=bob.name)
    await leg.get_by_test_id("cmd-drop").click()
    await says.are_together([alice.seat, TRUNK])
    await says.has(alice.seat, TRUNK)
    await alice.call_is("talking")
    await alice.hears("alice")
    await work.hears(caller, "alice")
    await until(lambda: gone_or_wrapping(bob), "Bob to be out of it")


# --- what these tests share ------------------------------------------------------------------------------


async def channel(work: Workplace, device: str) -> str:
    return next(c.name for c in await work.asterisk.channels() if c.device == device)


async def gone_or_wrapping(agent: Agent) -> bool:
    state = agent.get("call-state")
    return await state.count() == 0 or await state.first.get_attribute("data-state") == "wrap_up"


def longest_run(numbers: list[int]) -> list[int]:
    """The longest stretch of numbers that follow one another."""
    best: list[int] = []
    run: list[int] = []
    for number in numbers:
        run = [*run, number] if run and number == run[-1] + 1 else [number]
        best = max(best, run, key=len)
    return best
