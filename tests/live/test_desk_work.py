"""The work around calls: queues by the record, dialling from the page, help, two windows that agree, and a wrap-up
that a power cut does not take away."""

from __future__ import annotations

import asyncio
import signal

import pytest
from playwright.async_api import expect

from tests.live.asterisk_says import TRUNK
from tests.live.center import until
from tests.live.two_browsers import Agent
from tests.live.workplace import ANI, CUSTOMER, Workplace

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_signing_in_joins_the_queues_of_the_record(work: Workplace) -> None:
    says = work.asterisk
    chen = await work.office.at_browser_phone("chenjing", "1103")
    await says.member_is("support", chen.seat, "dynamic", "with penalty 1", "paused:signed_in")
    await says.member_is("vip", chen.seat, "dynamic", "paused:signed_in")
    assert await says.member("night", chen.seat) == "", "not one of their queues"
    await chen.is_("not_ready", "you signed in")

    await chen.ready()
    await says.member_is("support", chen.seat, without=["paused"])
    for queue in ("support", "vip"):
        await says.cli(f"queue pause member {chen.seat} queue {queue} reason coffee")
    await chen.is_("not_ready", "set to not ready in the phone system (coffee)")
    await says.cli(f"queue unpause member {chen.seat}")
    await chen.is_("ready", "set to ready in the phone system")

    await sign_out(chen)
    await until(lambda: left(work, chen), "the queues to be left")
    await chen.close()


async def test_two_windows_of_one_agent_agree(work: Workplace) -> None:
    alice = work.alice
    other = await work.office.sign_in("alice", "1101", again=True)
    await expect(other.get("phone-bar")).to_have_attribute("data-state", "registered", timeout=30_000)
    await expect(alice.get("phone-bar")).to_have_attribute("data-state", "elsewhere")
    await other.ready()
    await alice.is_("ready")
    await alice.choose("not_ready", "meeting")
    await other.is_("not_ready", "Meeting")

    await alice.get("phone-use-here").click()
    await expect(alice.get("phone-bar")).to_have_attribute("data-state", "registered")
    await expect(other.get("phone-bar")).to_have_attribute("data-state", "elsewhere")
    caller = await work.answered_call(alice)
    await other.call_is("talking")
    await other.do("hold")
    await asyncio.gather(alice.call_is("hold"), other.call_is("hold"))
    await work.hears(caller, "music")
    await alice.do("retrieve")
    await asyncio.gather(alice.call_is("talking"), other.call_is("talking"))
    await work.hears(caller, "alice")
    await other.close()
    await alice.is_("talking")


async def test_dial_from_a_number_on_the_page(work: Workplace) -> None:
    alice, says = work.alice, work.asterisk
    there = await work.outside(ring_s=1)
    await alice.get("search-box").locator("input").fill("申江")
    await alice.get("search-results").get_by_text(CUSTOMER).first.click()
    await alice.page.locator("main").get_by_test_id("tel").first.click()

    await says.are_together([alice.seat, TRUNK])
    await alice.call_is("talking")
    await expect(alice.get("card-customer")).to_contain_text(CUSTOMER)
    await work.hears(there, "alice")
    call = await alice.the_call()
    assert (call["direction"], call["state"]) == ("outbound", "talking")
    assert CUSTOMER in call["customer"]["name"]
    await alice.do("hangup")
    await says.nobody()


async def test_a_supervisor_takes_a_phone_and_leaves_it(work: Workplace) -> None:
    """Who has no phone of their own takes one, dials by it as an agent does, and watches again."""
    for extension in ("1001", "1004"):
        await work.phone(extension)
    susan = await work.office.sign_in("susan")
    try:
        await susan.page.goto(work.site.url)
        await expect(susan.get("idle-handled")).to_have_count(0)
        await susan.get("my-state").get_by_role("button", name="Take a phone").click()
        await susan.get("seat-dialog").get_by_role("option", name="1004").click()
        await susan.is_("not_ready")
        await susan.page.get_by_role("link", name="Desk", exact=True).click()
        await expect(susan.get("idle-handled")).to_be_visible()
        await susan.page.reload()
        await susan.is_("not_ready")
        async with susan.api() as api:
            (await api.post("/api/calls", json={"to": "1001"})).raise_for_status()
        await susan.call_is("ringing")
        await susan.do("hangup")
        await susan.get("my-state").locator("button").first.click()
        await susan.page.get_by_role("menuitem", name="Leave this phone").click()
        await expect(susan.get("my-state").get_by_role("button", name="Take a phone")).to_be_visible(
            timeout=20_000
        )
    finally:
        await susan.close()


async def test_help_comes_with_its_call(work: Workplace) -> None:
    alice = work.alice
    susan = await work.office.sign_in("susan")
    await susan.page.goto(f"{work.site.url}/team")
    await work.answered_call(alice)
    await alice.page.locator("body").click(position={"x": 2, "y": 2})
    await alice.page.keyboard.press("!")

    asked = susan.page.locator("[data-testid^=help-][data-state=open]")
    await expect(asked).to_have_count(1, timeout=30_000)
    await expect(asked).to_contain_text(alice.name)
    await expect(asked).to_contain_text(CUSTOMER)
    await expect(susan.get(f"mate-{alice.id}")).to_have_attribute("data-state", "talking")
    await alice.do("hangup")
    await expect(asked).to_have_count(0, timeout=30_000)
    await susan.close()


async def test_a_power_cut_in_mid_wrap_up_loses_nothing(work: Workplace) -> None:
    alice = work.alice
    caller = await work.answered_call(alice)
    note = alice.get("note-box").locator("textarea")
    await note.fill("Axis Z loses its reference")
    await choose_code(alice, "followup/case")
    await asyncio.to_thread(caller.hang_up)
    await alice.call_is("wrap_up")
    await alice.get("follow-up").get_by_text("Case").click()
    await alice.get("follow-up").locator("input").last.fill("Z axis drifts")
    await work.site.stop(signal.SIGKILL)  # before what was typed last can have been saved

    await expect(alice.get("link-state")).to_have_attribute("data-state", "server_lost", timeout=30_000)
    await note.fill("Axis Z loses its reference; engineer wanted")
    await work.site.start()
    await expect(alice.get("link-state")).to_have_attribute("data-state", "live", timeout=20_000)
    await alice.is_("wrap_up")
    for _ in ("as it is", "and from what the server holds"):
        await alice.call_is("wrap_up")
        await expect(note).to_have_value("Axis Z loses its reference; engineer wanted")
        await expect(alice.get("wrapup-codes")).to_have_attribute("data-code", "followup/case")
        await expect(alice.get("follow-up").locator("input").last).to_have_value("Z axis drifts")
        await until(lambda: is_saved(alice), "the draft to be saved")
        await alice.page.evaluate("localStorage.clear()")
        await alice.page.reload()
        await expect(alice.get("link-state")).to_have_attribute("data-state", "live", timeout=20_000)

    await alice.finish()
    row = (await work.site.interactions())[0]
    segment = row["segments"][-1]
    assert segment["note"] == "Axis Z loses its reference; engineer wanted"
    assert segment["code"] == "followup/case"
    assert segment["finished_at"] is not None
    customer = await alice.read(f"/api/customers/{row['customer']['id']}")
    assert "Z axis drifts" in [case["subject"] for case in customer["cases"]]
    # What was saved is shown to whoever reads it later.
    await alice.page.goto(f"{work.site.url}/interactions/{row['id']}")
    told = alice.page.locator(".segments li").last
    await expect(told).to_contain_text("Follow-up: Case · Z axis drifts")
    await expect(told.get_by_test_id("segment-code")).to_contain_text("Case opened")
    await alice.comes_back_to(work.site.url)


async def test_a_promised_callback_is_on_the_next_card(work: Workplace) -> None:
    alice = work.alice
    caller = await work.answered_call(alice)
    await alice.get("follow-up").get_by_text("Callback").click()
    await alice.get("follow-up").locator(".when button").first.click()
    await alice.get("follow-up").get_by_label("About").fill("Offer for the second machine")
    await asyncio.to_thread(caller.hang_up)
    await alice.finish()
    promise = next(
        one
        for one in (await alice.read("/api/promises"))["items"]
        if one["text"] == "Offer for the second machine"
    )
    assert (promise["kind"], promise["state"]) == ("callback", "open")

    await work.caller(ani=ANI)
    await alice.call_is("ringing")
    await expect(alice.get(f"promise-{promise['id']}")).to_contain_text("Offer for the second machine")


# --- what these tests share ------------------------------------------------------------------------------


async def sign_out(agent: Agent) -> None:
    await agent.page.get_by_role("button", name=agent.name).click()
    await agent.page.get_by_role("menuitem", name="Sign out").click()
    await expect(agent.get("signin-form")).to_be_visible()


async def left(work: Workplace, agent: Agent) -> bool:
    return agent.seat not in await work.asterisk.cli("queue show")


async def choose_code(agent: Agent, code: str) -> None:
    """From the list, by typing a part of its title."""
    field = agent.get("wrapup-codes").locator("input")
    await field.fill(code.rpartition("/")[2])
    await agent.page.locator(f'[role=option][data-key="{code}"]').click()
    await expect(agent.get("wrapup-codes")).to_have_attribute("data-code", code)


async def is_saved(agent: Agent) -> bool:
    return await agent.get("note-box").get_attribute("data-status") == "saved"
