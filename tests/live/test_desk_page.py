"""The page in an agent's hands: numbers in rows, a window beside another program, a call that was to come back and
is over."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.live.workplace import CUSTOMER, Workplace

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_a_number_in_the_search_results_dials(work: Workplace) -> None:
    alice = work.alice
    await work.answered_call(alice)
    await alice.get("search-box").locator("input").fill("申江")
    await alice.get("search-results").get_by_test_id("tel").first.click()
    # With a call going on it asks first; the row did not take the click for its own.
    await expect(alice.get("dial-question")).to_be_visible()
    await alice.page.keyboard.press("Escape")
    await expect(alice.get("dial-question")).to_have_count(0)
    await alice.choose("not_ready", "lunch")
    await expect(alice.get("state-pending")).to_contain_text("Lunch")
    await alice.get("search-results").get_by_text(CUSTOMER).first.click()
    await expect(alice.page.locator("main")).to_contain_text(CUSTOMER)
    await alice.get("search-box").locator("input").fill("")


async def test_wrap_up_in_a_narrow_window(work: Workplace) -> None:
    alice = work.alice
    caller = await work.answered_call(alice)
    await asyncio.to_thread(caller.hang_up)
    await alice.call_is("wrap_up")
    await alice.page.set_viewport_size({"width": 480, "height": 600})
    try:
        await alice.get("wrapup-codes").locator("input").click()
        code = alice.page.get_by_role("option").first
        await expect(code).to_be_visible()
        await code.click()
        await expect(alice.get("wrapup-codes")).not_to_have_attribute("data-code", "")
        await alice.finish()
    finally:
        await alice.page.set_viewport_size({"width": 1280, "height": 720})


async def test_a_wrap_up_code_is_found_by_typing(work: Workplace) -> None:
    """What matches nothing stays and is said; of what is left, Enter takes the first; the list fits."""
    alice = work.alice
    caller = await work.answered_call(alice)
    await asyncio.to_thread(caller.hang_up)
    await alice.call_is("wrap_up")
    codes, page = alice.get("wrapup-codes"), alice.page
    field, says = codes.locator("input"), "No code matches “zzz”."
    await field.press_sequentially("zzz")
    await expect(page.get_by_role("listbox")).to_contain_text(says)
    await alice.get("note-box").locator("textarea").click()
    await expect(field).to_have_value("zzz")
    await expect(codes).to_contain_text(says)
    await field.fill("")
    await field.press_sequentially("ref")
    await expect(page.get_by_role("option")).to_have_count(1)
    await field.press("Enter")
    await expect(codes).not_to_have_attribute("data-code", "")
    await expect(field).to_have_value(re.compile("refund", re.IGNORECASE))
    await field.fill("")
    await expect(page.get_by_role("option").first).to_be_visible()
    within = """(frame) => {
        const end = (element) => element.getBoundingClientRect().bottom;
        return end(frame.querySelector("[role=listbox]")) <= end(frame);
    }"""
    assert await page.locator(".codes-list").evaluate(within)
    await page.keyboard.press("Escape")
    await alice.finish()


async def test_what_is_typed_beside_the_note_is_no_command(work: Workplace) -> None:
    """From the answer on the note has the focus; letters elsewhere go into it; chords act everywhere."""
    alice = work.alice
    caller = await work.answered_call(alice)
    keyboard, note = alice.page.keyboard, alice.get("note-box").locator("textarea")
    await expect(note).to_be_focused()
    await keyboard.type("hello, she ")
    await keyboard.press("Escape")
    await keyboard.type("asks: Why? Quickly!", delay=60)
    await expect(note).to_have_value("hello, she asks: Why? Quickly!")
    assert await alice.get("call-state").get_attribute("data-state") == "talking"
    assert "/edit" not in alice.page.url
    await keyboard.press("Alt+h")  # in the note
    await alice.call_is("hold")
    await keyboard.press("Escape")
    await keyboard.press("h")  # one letter, and nothing after it
    await alice.call_is("talking")
    await expect(note).to_have_value("hello, she asks: Why? Quickly!")
    await alice.get("search-box").locator("input").click()
    await asyncio.to_thread(caller.hang_up)
    await alice.call_is("wrap_up")
    await expect(alice.get("search-box").locator("input")).to_be_focused()  # nobody's typing is disturbed
    await keyboard.press("Alt+n")
    await expect(note).to_be_focused()
    await keyboard.press("Alt+w")
    await expect(alice.get("call-panel")).to_have_count(0)


async def test_an_address_with_nothing_behind_it_says_so(work: Workplace) -> None:
    alice = work.alice
    for path in ("/nonsense", "/customers/999999", "/interactions/999999", "/floor"):
        await alice.page.goto(f"{work.site.url}{path}")
        await alice.get("not-here").get_by_role("button", name="To the desk").click()
        await expect(alice.get("not-here")).to_have_count(0)


async def test_a_room_that_the_server_has_no_more_takes_nothing_else_with_it(work: Workplace) -> None:
    """The server was updated after the page was opened, and the files of the old desktop are gone."""
    alice, room = work.alice, "**/assets/TeamView-*"

    async def gone(route: Route) -> None:
        await route.fulfill(status=404, body="{}")

    await alice.page.route(room, gone)
    caller = await work.answered_call(alice)
    await alice.page.reload()
    await alice.call_is("talking")
    await alice.page.get_by_role("link", name="Team").click()
    await expect(alice.get("unloaded")).to_contain_text("calls are not affected")
    await expect(alice.get("call-panel")).to_be_visible()
    await alice.page.unroute(room, gone)
    await alice.get("unloaded").get_by_role("button", name="Reload").click()
    await expect(alice.get("team")).to_be_visible()
    await alice.call_is("talking")
    await asyncio.to_thread(caller.hang_up)
    await alice.call_is("wrap_up")
    await alice.finish()
    await alice.comes_back_to(work.site.url)


async def test_a_number_is_removed_with_a_way_back_and_the_last_one_asks(work: Workplace) -> None:
    alice = work.alice
    numbers = [
        {"kind": "phone", "raw": "021 5550 7001"},
        {"kind": "phone", "raw": "021 5550 7002", "label": "work"},
    ]
    async with alice.api() as api:
        body = {"kind": "person", "name": "Last Number", "contact_points": numbers}
        made = await api.post("/api/customers", json=body)
        customer = made.raise_for_status().json()["id"]

        async def kept() -> list[tuple[str, str | None]]:
            points = (await api.get(f"/api/customers/{customer}")).json()["contact_points"]
            return sorted((point["raw"], point["label"]) for point in points)

        both = await kept()
        page = alice.page
        await page.goto(f"{work.site.url}/customers/{customer}/edit")
        points = page.locator(".contact-points li")
        await points.last.get_by_role("button", name="Remove").click()
        await expect(points).to_have_count(1)
        await page.get_by_role("button", name="Undo").click()
        await expect(points).to_have_count(2)
        assert await kept() == both
        await points.last.get_by_role("button", name="Remove").click()
        await expect(points).to_have_count(1)
        await points.last.get_by_role("button", name="Remove").click()
        await expect(alice.get("last-number")).to_contain_text("the only number of Last Number")
        await page.keyboard.press("Escape")
        await expect(alice.get("last-number")).to_have_count(0)
        assert len(await kept()) == 1
        await points.last.get_by_role("button", name="Remove").click()
        await alice.get("last-number").get_by_role("button", name="Remove").click()
        await expect(points).to_have_count(0)
        assert await kept() == []
    await alice.comes_back_to(work.site.url)


async def test_only_the_call_that_was_asked_for_comes_back_by_itself(work: Workplace) -> None:
    """Opened again in mid-call, but the caller hangs up before the way back is done: the next customer rings."""
    alice, says = work.alice, work.asterisk
    first = await work.answered_call(alice)
    await alice.page.close()
    alice.page = await alice.context.new_page()
    alice.listen()
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(route: Route) -> None:
        asked.set()
        await go.wait()
        await route.continue_()

    await alice.page.route("**/reconnect", slow)
    await alice.comes_back_to(work.site.url)
    async with asyncio.timeout(15):
        await asked.wait()
    await asyncio.to_thread(first.hang_up)
    await alice.call_is("wrap_up")
    await alice.finish_wrap_ups()
    await alice.ready()

    await work.caller()
    await alice.call_is("ringing")
    await says.has(alice.seat, state="Ringing")
    # It rings until the queue gives up: nobody and nothing answered.
    await alice.is_("not_ready", "was not answered")
    go.set()
