"""The lot, with nothing faked: SIPp calls a real Asterisk, Chromium shows the card while the phone rings."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from tests.live.center import Center, center, until
from tests.live.two_browsers import CHROMIUM, fill_in, launch

__all__ = ["CHROMIUM"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

CUSTOMER, ANI = "上海申江精密仪器有限公司", "02162881234"
DIRECT_SUPPORT = "4008004000"


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Center]:
    async with center(database_url, tmp_path) as made:
        yield made


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        made = await launch(playwright)
        yield made
        await made.close()


@pytest.fixture
def phones() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def plug_in(phones: ExitStack, site: Center, extension: str, habits: PhoneHabits) -> Deskphone:
    return phones.enter_context(await asyncio.to_thread(Deskphone, site.pbx, extension, habits))


async def sign_in(
    browser: Browser, site: Center, login: str, language: str = "en-GB", scheme: str = "light", phone: str = ""
) -> Page:
    """At the agent's own phone where no other is named; they are at work then, and not ready yet."""
    context = await browser.new_context(
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": 1280, "height": 720},
    )
    page = await context.new_page()
    await fill_in(page, site.url, login, phone)
    return page


async def ready(page: Page) -> Page:
    """The agent takes calls from now on."""
    state = page.get_by_test_id("my-state")
    await expect(state).to_have_attribute("data-state", "not_ready", timeout=30_000)
    await page.keyboard.press("r")
    await expect(state).to_have_attribute("data-state", "ready")
    return page


async def test_a_real_call_pops_the_right_card(site: Center, browser: Browser, phones: ExitStack) -> None:
    await site.start()
    await plug_in(phones, site, "1001", PhoneHabits(ring_s=4, talk_s=60))
    page = await sign_in(browser, site, "alice")
    await until(lambda: "paused:signed_in" in member(site, "support"), "Alice to be at work, and not ready yet")
    await ready(page)
    await until(lambda: "paused" not in member(site, "support"), "the queue to have her")

    caller = phones.enter_context(place_call(site.pbx, ANI, DIRECT_SUPPORT, "Shenjiang", stay_s=9))
    await expect(page.get_by_test_id("card-customer")).to_contain_text(CUSTOMER)
    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "ringing")
    assert "Ringing" in site.pbx.cli("core show channels concise"), "the card is there while the phone rings"
    # No server can lift the handset of a desk phone: the desk says where, and offers nothing that cannot work.
    await expect(page.get_by_test_id("answer-at")).to_have_text("Answer at your phone 1001")
    await expect(page.get_by_test_id("cmd-answer")).to_have_count(0)
    await page.keyboard.press("Alt+a")
    await expect(page.locator(".toast").filter(has_text="Answer at your phone 1001")).to_be_visible()
    await expect(page.get_by_test_id("card-verdict")).to_have_attribute("data-verdict", "covered")

    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "talking", timeout=30_000)
    await page.reload()
    await expect(page.get_by_test_id("card-customer")).to_contain_text(CUSTOMER)
    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "talking")

    assert await asyncio.to_thread(caller.wait)
    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "wrap_up")

    (row,) = await until(lambda: ended(site), "the interaction to end")
    assert (row["outcome"], row["ended_by"], row["complete"]) == ("answered", "caller", True)
    assert row["customer"]["name"] == CUSTOMER
    assert 3500 < row["wait_ms"] < 6000
    assert row["segments"][0]["agent"]["name"] == "Alice Walker"
    async with site.signed_in("alice") as api:
        timeline = (await api.get(f"/api/customers/{row['customer']['id']}/timeline")).json()
    assert [one["id"] for one in timeline["items"]].count(row["id"]) == 1


async def test_the_card_shows_at_the_ringing_agents_only_and_closes_at_the_others(
    site: Center, browser: Browser, phones: ExitStack
) -> None:
    await site.start()
    await plug_in(phones, site, "1001", PhoneHabits(ring_s=3, talk_s=60))
    await plug_in(phones, site, "1002", PhoneHabits(ring_s=None))
    await plug_in(phones, site, "1003", PhoneHabits(ring_s=None))
    alice = await ready(await sign_in(browser, site, "alice"))
    bob = await ready(await sign_in(browser, site, "bob"))
    chen = await sign_in(browser, site, "chenjing")
    await expect(chen.get_by_test_id("my-state")).to_have_attribute("data-state", "not_ready")

    phones.enter_context(place_call(site.pbx, ANI, "4008003000", stay_s=8))
    for page in (alice, bob):
        await expect(page.get_by_test_id("card-customer")).to_contain_text(CUSTOMER)
        await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "ringing")
    await expect(chen.get_by_test_id("card")).to_have_count(0)

    await expect(alice.get_by_test_id("call-state")).to_have_attribute("data-state", "talking", timeout=30_000)
    await expect(bob.get_by_test_id("card")).to_have_count(0)
    await expect(chen.get_by_test_id("card")).to_have_count(0)
    # Who took it is named, on the floor and in the day of everybody; the others are counted, and named on demand.
    rang = alice.get_by_test_id("people").get_by_test_id("rang-others")
    await expect(rang).to_have_text("rang 1 other")
    await rang.get_by_role("button").click()
    await expect(rang).to_contain_text("Bob Miller")
    async with site.signed_in("susan") as api:
        (row,) = (await api.get("/api/interactions", params={"limit": 1})).json()["items"]
    assert {one["agent"]["name"]: one["answered_at"] is not None for one in row["segments"]} == {
        "Alice Walker": True,
        "Bob Miller": False,
    }


async def test_with_the_server_stopped_the_call_still_gets_through(site: Center, phones: ExitStack) -> None:
    await plug_in(phones, site, "1001", PhoneHabits(ring_s=0.5, talk_s=60))
    phones.enter_context(place_call(site.pbx, ANI, DIRECT_SUPPORT, stay_s=8))

    def talking() -> bool:
        channels = site.pbx.cli("core show channels concise").splitlines()
        return any(c.startswith("PJSIP/1001-") and "!Up!" in c for c in channels)

    await until(talking, "the agent's phone to answer the call")


async def test_a_restart_in_mid_call_leaves_one_complete_interaction(site: Center, phones: ExitStack) -> None:
    await site.start()
    await plug_in(phones, site, "1001", PhoneHabits(ring_s=0.5, talk_s=60))
    caller = phones.enter_context(place_call(site.pbx, ANI, DIRECT_SUPPORT, stay_s=120))

    await until(lambda: answered(site), "the answer to be in the record")
    since = time.monotonic()
    await site.stop(signal.SIGKILL)
    await site.start()  # ready: it has seen the call that goes on
    await asyncio.to_thread(caller.hang_up)
    assert await asyncio.to_thread(caller.wait)
    talked_ms = (time.monotonic() - since) * 1000

    (row,) = await until(lambda: ended(site), "the interaction to end")
    assert (row["outcome"], row["ended_by"], row["complete"]) == ("answered", "caller", True)
    assert row["customer"]["name"] == CUSTOMER
    assert [s["outcome"] for s in row["segments"]] == ["answered"]
    assert talked_ms - 1000 < row["talk_ms"] < talked_ms + 5000, "the time without a server counts"


def member(site: Center, queue: str, phone: str = "PJSIP/1001") -> str:
    """The line of `queue show` for this member."""
    lines = site.pbx.cli(f"queue show {queue}").splitlines()
    return next(line.strip() for line in lines if phone in line)


async def answered(site: Center) -> list[object]:
    return [row for row in await site.interactions() if row["answered_at"] is not None]


async def ended(site: Center) -> list[dict[str, object]]:
    return [row for row in await site.interactions() if row["outcome"] is not None]
