"""Pictures of the real desktop with real calls, for README and docs: `make shots`.

Signs in at a running call center, lets SIPp call, and takes each view in both languages, light and dark.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from cti_server.demo.calls import PhoneHabits, place_call
from cti_server.demo.seed_data import CALLERS
from tests.live.center import Center, center
from tests.live.test_end_to_end import CHROMIUM, plug_in, sign_in

FOLDER = Path(__file__).parents[2] / "docs" / "img"
LOOKS = {"en-light": ("en-GB", "light"), "zh-dark": ("zh-CN", "dark")}


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as phones:
        async with center(f"sqlite:///{folder}/shots.db", Path(folder)) as site, async_playwright() as playwright:
            await site.start()
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
            await plug_in(phones, site, "1001", PhoneHabits(ring_s=7, talk_s=60))
            for look, (language, scheme) in LOOKS.items():
                await agent(browser, site, phones, look, language, scheme)
            await browser.close()


async def agent(browser: Browser, site: Center, phones: ExitStack, look: str, language: str, scheme: str) -> None:
    page = await sign_in(browser, site, "alice", language=language, scheme=scheme)
    boss = await sign_in(browser, site, "susan", language=language, scheme=scheme)
    await boss.goto(f"{site.url}/floor")
    ani = CALLERS["english" if language == "en-GB" else "covered"]
    line = "4008001000"  # through the IVR
    caller = phones.enter_context(place_call(site.pbx, ani, line, stay_s=24, digits=((2.5, "1"),)))
    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "ringing")
    await asyncio.sleep(1.5)
    await take(page, f"{look}-ringing")
    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "talking", timeout=15_000)
    await (
        page.get_by_test_id("note-box")
        .locator("textarea")
        .fill(
            "Terminal drops off the network at night again; wants an engineer before Friday."
            if language == "en-GB"
            else "固件升级后主轴再次报 E-12，希望本周上门。"
        )
    )
    await asyncio.sleep(1.5)
    await take(page, f"{look}-talking")
    await take(boss, f"{look}-floor")
    await asyncio.to_thread(caller.wait)
    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "wrap_up")
    await take(page, f"{look}-wrap-up")
    await page.get_by_role("button", name="Finish wrap-up" if language == "en-GB" else "结束话后").click()
    await expect(page.get_by_test_id("card")).to_have_count(0)
    await asyncio.sleep(2)
    await take(page, f"{look}-idle")
    await page.context.close()
    await boss.context.close()


async def take(page: Page, name: str) -> None:
    await page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    asyncio.run(main())
