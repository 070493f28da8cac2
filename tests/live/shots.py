"""Pictures of the real desktop at real calls, for README and docs: `make shots`, or with the names of a few views.

Two agents in browsers, a supervisor and SIPp callers; each view in both languages, light, and some of them dark.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.async_api import Page, ViewportSize, expect

from cti_server.demo.calls import place_call
from cti_server.demo.seed_data import CALLERS
from cti_server.record.center import queues
from cti_server.record.database import Database
from tests.live.center import Center, center, until
from tests.live.two_browsers import Agent, Office, office

FOLDER = Path(__file__).parents[2] / "docs" / "img"
LANGUAGES = {"en": "en-GB", "zh": "zh-CN"}
DARK = {"talking", "wrap-up", "handover", "floor"}
NARROW: ViewportSize = {"width": 480, "height": 900}
WIDE: ViewportSize = {"width": 1280, "height": 720}
SETTLED_MS = 500  # an animation or a list under way looks half done in a picture

SAID = {"en": "Asks for a visit before Friday, knows the price", "zh": "希望周五前上门，已告知价格"}
NOTE = {
    "en": "Terminal drops off the network at night again; wants an engineer before Friday.",
    "zh": "固件升级后主轴再次报 E-12，希望本周上门。",
}
WORD = {"en": "Two engineers are free from 14:00.", "zh": "14:00 起有两位工程师有空。"}
ABOUT = {"en": "Offer for a second terminal", "zh": "第二台设备的报价"}


class Studio:
    """One language after the other; `only` names the views to take, empty: all."""

    def __init__(self, site: Center, rooms: Office, language: str, only: set[str]) -> None:
        self.site, self.rooms, self.language, self.only = site, rooms, language, only
        self.callers = ExitStack()

    async def take(self, page: Page, view: str) -> None:
        if self.only and view not in self.only:
            return
        await page.wait_for_timeout(SETTLED_MS)
        await page.screenshot(path=FOLDER / f"{self.language}-light-{view}.png")
        if view in DARK:
            await page.emulate_media(color_scheme="dark")
            await page.wait_for_timeout(SETTLED_MS)
            await page.screenshot(path=FOLDER / f"{self.language}-dark-{view}.png")
            await page.emulate_media(color_scheme="light")

    async def room(self, agent: Agent, path: str, view: str) -> None:
        """Go there by the page's own link, take it, and come back to the desk."""
        await agent.page.locator(f'[data-room="{path}"]').click()
        await self.take(agent.page, view)
        await agent.page.locator('[data-room="/"]').click()

    async def person(self, login: str, phone: str) -> Agent:
        return await self.rooms.sign_in(login, phone, language=LANGUAGES[self.language], again=True)

    async def shoot(self) -> None:
        susan = await self.person("susan", "")
        await susan.page.goto(f"{self.site.url}/team")
        await susan.get("message-box").fill(WORD[self.language])
        await susan.get("message-box").press("Enter")
        alice, bob = await self.person("alice", "1101"), await self.person("bob", "1102")
        await sit(alice)
        await sit(bob)
        await self.arriving(alice)
        await self.calling(alice, bob, susan)
        await self.owing(bob)
        await self.room(alice, "/promises", "promises")
        await self.room(alice, "/day", "my-day")
        await alice.page.keyboard.press("?")
        await self.take(alice.page, "keys")
        for agent in (alice, bob, susan):
            await agent.context.close()
        await asyncio.to_thread(self.callers.close)

    async def arriving(self, alice: Agent) -> None:
        async with await self.plain_page(alice) as page:
            await page.goto(self.site.url)
            await page.get_by_test_id("signin-form").wait_for()
            await self.take(page, "sign-in")
        await alice.get("my-state").locator("button").first.click()
        await self.take(alice.page, "state")
        await alice.get("state-menu").locator('[role=menuitem][data-key="phone"]').click()
        await alice.get("seat-dialog").locator("[role=option]").first.wait_for()
        await self.take(alice.page, "seat")
        await alice.page.keyboard.press("Escape")
        await ready(alice)
        await self.take(alice.page, "idle")

    async def plain_page(self, agent: Agent) -> Page:
        """Of somebody who has not signed in."""
        assert agent.context.browser is not None
        context = await agent.context.browser.new_context(locale=LANGUAGES[self.language], viewport=WIDE)
        return await context.new_page()

    async def calling(self, alice: Agent, bob: Agent, susan: Agent) -> None:
        ani = CALLERS["english" if self.language == "en" else "covered"]
        digits = ((2.5, "1"),)  # through the IVR
        placed = await asyncio.to_thread(
            place_call, self.site.pbx, ani, "4008001000", echo=True, stay_s=90, digits=digits
        )
        self.callers.enter_context(placed)
        await alice.call_is("ringing", limit_s=30)
        await self.take(alice.page, "ringing")
        await alice.answer()
        await alice.get("note-box").locator("textarea").fill(NOTE[self.language])
        await alice.do("record-start")
        await expect(alice.get("recording-indicator")).to_have_attribute("data-state", "on")
        await self.take(alice.page, "talking")
        await alice.page.set_viewport_size(NARROW)
        await self.take(alice.page, "narrow")
        await alice.page.set_viewport_size(WIDE)
        await alice.do("help")
        await until(lambda: asked(susan), "the supervisor to be asked")
        await self.take(susan.page, "team")
        await susan.page.goto(f"{self.site.url}/floor")
        await self.take(susan.page, "floor")
        await self.handing_over(alice, bob)

    async def handing_over(self, alice: Agent, bob: Agent) -> None:
        await alice.do("consult")
        await alice.get("target-said").fill(SAID[self.language])
        await alice.get(f"target-agent-{bob.id}").click()
        await self.take(alice.page, "picker")
        await alice.get("target-consult").click()
        await bob.call_is("ringing")
        await self.take(bob.page, "handover")
        await bob.answer("consulting")
        await alice.call_is("consulting")
        await self.take(alice.page, "consulting")
        await alice.do("conference")
        await expect(alice.get("people").locator("li[data-leg]")).to_have_count(3)
        await self.take(alice.page, "conference")
        await alice.do("hangup")
        await alice.call_is("wrap_up")
        await alice.get("follow-up").locator("button").first.click()
        await alice.get("follow-up").locator(".when button").nth(2).click()  # tomorrow morning
        await alice.get("follow-up").locator("input").last.fill(ABOUT[self.language])
        await self.take(alice.page, "wrap-up")
        await alice.finish()
        await bob.do("hangup")
        await bob.finish()

    async def owing(self, bob: Agent) -> None:
        """A call of the sales queue, whose code is required and whose wrap-up ends by itself."""
        await bob.ready()
        placed = await asyncio.to_thread(place_call, self.site.pbx, CALLERS["vip"], "4008002000", echo=True)
        self.callers.enter_context(placed)
        await bob.call_is("ringing", limit_s=30)
        await bob.answer()
        await bob.get("note-box").locator("textarea").fill(ABOUT[self.language])
        await bob.do("hangup")
        await bob.no_call()
        await self.room(bob, "/owed", "owed")


async def sit(agent: Agent) -> None:
    """Their phone is registered, and they are not ready."""
    await expect(agent.get("phone-bar")).to_have_attribute("data-state", "registered", timeout=20_000)


async def ready(agent: Agent) -> None:
    await agent.page.locator("body").click(position={"x": 2, "y": 2})
    await agent.page.keyboard.press("r")
    await agent.is_("ready")


async def asked(boss: Agent) -> bool:
    return await boss.page.locator("[data-testid^=help-][data-state=open]").count() > 0


async def main(only: set[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/shots.db"
        async with center(url, folder) as site, office(site, folder) as rooms:
            async with Database(url) as database, database.begin() as conn:
                for queue in await queues.all_queues(conn):
                    if queue.name == "sales":
                        await queues.save(conn, dataclasses.replace(queue, wrap_up_ms=1500))
            await site.start()
            for login, phone in (("alice", "1101"), ("bob", "1102")):
                async with site.signed_in(login) as api:
                    (await api.post("/api/me/shift", json={"phone": phone})).raise_for_status()
            for language in LANGUAGES:
                await Studio(site, rooms, language, only).shoot()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(set(sys.argv[1:])))
