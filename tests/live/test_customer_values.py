"""What a customer is worth, in the browser: an agent reads it, a supervisor changes it, both see who did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.live.center import Center, center
from tests.live.two_browsers import fill_in, launch

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture
async def site(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Center]:
    async with center(sqlite_url, tmp_path) as made:
        await made.start()
        yield made


async def _open(stack: AsyncExitStack, site: Center, login: str, language: str) -> Page:
    playwright = await stack.enter_async_context(async_playwright())
    browser = await launch(playwright)
    stack.push_async_callback(browser.close)
    page = await (await browser.new_context(locale=language)).new_page()
    await fill_in(page, site.url, login)
    return page


async def test_a_supervisor_changes_it_and_an_agent_reads_it(site: Center) -> None:
    async with AsyncExitStack() as stack:
        async with site.signed_in("susan") as api:
            found = (await api.get("/api/customers", params={"q": "王建国"})).json()["items"]
        customer = found[0]["id"]
        agent = await _open(stack, site, "alice", "zh-CN")
        boss = await _open(stack, site, "susan", "en-GB")

        await agent.goto(f"{site.url}/customers/{customer}/edit")
        await expect(agent.get_by_label("等级", exact=True)).to_have_attribute("readonly", "")
        await expect(agent.get_by_label("专属坐席", exact=True)).to_have_attribute("readonly", "")
        await expect(agent.get_by_text("仅班长可以更改。").first).to_be_visible()
        await agent.get_by_label("说明", exact=True).fill("每周二来访")
        await agent.get_by_role("button", name="保存").click()
        history = agent.get_by_test_id("value-history")
        await expect(history).to_contain_text("命令：cti-server demo")

        await boss.goto(f"{site.url}/customers/{customer}/edit")
        for label, option in (("Tier", "VIP"), ("Preferred agent", "Bob Miller")):
            await boss.locator(".choice", has=boss.get_by_text(label, exact=True)).get_by_role("button").click()
            await boss.get_by_role("option", name=option, exact=True).click()
        await boss.get_by_label("Why (optional)").fill("three more machines")
        await boss.get_by_role("button", name="Save").click()
        changed = boss.get_by_test_id("value-history").locator("li")
        await expect(changed.first).to_contain_text("Bob Miller")
        await expect(changed.nth(1)).to_contain_text("→ VIP")
        await expect(changed.first).to_contain_text("by Susan Wright")
        await expect(changed.first).to_contain_text("three more machines")

        # The agent, who has the customer open, is shown it at once.
        await expect(history.locator("li").first).to_contain_text("Susan Wright 更改")
        await expect(history).to_contain_text("three more machines")
        await expect(agent.locator(".card-who").get_by_text("VIP", exact=True)).to_be_visible()
