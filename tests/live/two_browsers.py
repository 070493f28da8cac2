"""Agents in real browsers, with a phone in the page or one on the desk: signed in, told what to do, and asked what
they see and hear."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Playwright,
    WebSocket,
    async_playwright,
    expect,
)

from cti_server.demo.seed_data import DEMO_PASSWORD
from tests.live.center import Center, until
from tests.live.listening import ALICE_HZ, BOB_HZ, HEAR, LISTEN, PITCHES, Sound, voice

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: a microphone that nobody has to allow, voice between two programs of one machine, sound without a click
PHONE = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=no-user-gesture-required",
]


@dataclass
class Agent:
    """Somebody at work: their page, and what they do by it. Ids and seats are those of the record."""

    site: Center
    login: str
    extension: str
    context: BrowserContext
    page: Page
    id: int = 0
    name: str = ""
    gone: bool = field(default=False)
    told: deque[str] = field(default_factory=lambda: deque(maxlen=400))
    """What the server told this page last, and what the page complained of: for whoever looks into a failure."""

    def listen(self) -> None:
        def socket(made: WebSocket) -> None:
            if made.url.endswith("/ws") and str(self.site.http_port) in made.url:
                made.on("framereceived", lambda frame: self.told.append(str(frame)))

        self.page.on("websocket", socket)
        self.page.on("pageerror", lambda error: self.told.append(f"page error: {error}"))
        self.page.on("console", lambda said: self.told.append(f"console {said.type}: {said.text}"))

    @property
    def seat(self) -> str:
        return f"PJSIP/{self.extension}"

    def get(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    # --- state -----------------------------------------------------------------------------------------

    async def is_(self, state: str, why: str | None = None) -> None:
        """The page shows this state, and the line that explains it has these words."""
        await expect(self.get("my-state")).to_have_attribute("data-state", state, timeout=30_000)
        if why is not None:
            await expect(self.get("state-why")).to_contain_text(why)

    async def choose(self, state: str, reason: str | None = None) -> None:
        """From the menu of states: ready, or not ready with a reason's code."""
        await self.get("my-state").locator("button").first.click()
        menu = self.get("state-menu")
        if state == "ready":
            await menu.locator("[role=menuitem]").first.click()
        else:
            await menu.locator(f'[data-reason="{reason}"]').click()

    async def ready(self) -> None:
        await self.choose("ready")
        await self.is_("ready")

    async def comes_back_to(self, address: str) -> None:
        """Open the page anew. Its phone is a new one, and nobody is ready before it can be rung."""
        await self.page.goto(address)
        await expect(self.get("phone-bar")).to_have_attribute("data-state", "registered", timeout=40_000)

    # --- the call on the screen --------------------------------------------------------------------------

    async def call_is(self, state: str, *, limit_s: float = 15) -> None:
        """ringing, talking, hold, consulting, wrap_up."""
        await expect(self.get("call-state")).to_have_attribute("data-state", state, timeout=limit_s * 1000)

    async def no_call(self) -> None:
        await expect(self.get("call-state")).to_have_count(0, timeout=30_000)

    async def do(self, verb: str) -> None:
        """Press the button of a command, once it can be pressed."""
        button = self.get("call-panel").get_by_test_id(f"cmd-{verb}").first
        await expect(button).to_be_visible(timeout=30_000)
        await expect(button).not_to_have_attribute("aria-disabled", "true", timeout=30_000)
        await button.click()

    async def answer(self, then: str = "talking") -> None:
        """By the panel, and the phone in the page answers."""
        await self.do("answer")
        await self.call_is(then)

    async def give(self, verb: str, target: str, said: str = "", search: str = "") -> None:
        """consult, transfer or conference: choose whom in the list, and send. `target` as agent-2, queue-sales."""
        await self.do(verb)
        if search:
            await self.get("target-search").fill(search)
        await self.get(f"target-{target}").click()
        if said:
            await self.get("target-said").fill(said)
        await self.get("target-add" if verb == "conference" else f"target-{verb}").click()
        await expect(self.get("target-picker")).to_have_count(0)

    async def finish(self) -> None:
        """End wrap-up."""
        await self.call_is("wrap_up")
        await self.get("wrapup-finish").click()
        await self.no_call()

    # --- what they hear ----------------------------------------------------------------------------------

    async def hears_now(self, seconds: float = 0.8) -> Sound:
        """Measured in the page, on the connection that carries the call."""
        told = await self.page.evaluate(HEAR, [seconds, PITCHES])
        return Sound(told["packets"], told["level"], frozenset(told["who"]))

    async def hears(self, *who: str) -> Sound:
        """Waits until exactly these are heard; nobody: until it is silent."""
        return await heard(self.hears_now, who, self.name)

    async def shown_level(self) -> tuple[int, float]:
        """What the page itself shows: packets that came, and how loud."""
        stats = self.get("phone-stats")
        packets = await stats.get_attribute("data-packets-in", timeout=30_000)
        level = await stats.get_attribute("data-level-in")
        return int(packets or 0), float(level or 0)

    # --- beside the page ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def api(self) -> AsyncIterator[httpx.AsyncClient]:
        """With the cookie of this browser: what somebody could send who is signed in here."""
        cookies = {c["name"]: c["value"] for c in await self.context.cookies()}
        async with self.site.client(cookies=cookies) as client:
            yield client

    async def read(self, path: str, **query: Any) -> Any:
        async with self.api() as client:
            return (await client.get(path, params=query)).raise_for_status().json()

    async def the_call(self) -> dict[str, Any]:
        """The one call on this page, as the server tells it."""
        calls = (await self.read("/api/calls"))["items"]
        own = [call for call in calls if await self._state_in(call["call"]) not in (None, "left")]
        assert len(own) == 1, f"{self.name} has {len(own)} calls: {own}"
        found: dict[str, Any] = own[0]
        return found

    async def _state_in(self, call: str) -> str | None:
        """Of this agent's last part in a call; None where they have none, or may not see it."""
        async with self.api() as api:
            answer = await api.get(f"/api/calls/{call}/parts")
        parts = answer.json() if answer.is_success else []
        return next((p["state"] for p in reversed(parts) if p["agent"] == self.id), None)

    async def finish_wrap_ups(self) -> None:
        """Whatever there is to finish, by the API."""
        async with self.api() as api:
            codes = (await api.get("/api/wrap-up-codes")).json()
            code = next((one["code"] for one in codes if one["leaf"] and one["active"]), None)
            for call in (await api.get("/api/calls")).json()["items"]:
                if await self._state_in(call["call"]) == "wrap_up":
                    body = {"note": None, "code": code, "follow_up": None}
                    await api.post(f"/api/interactions/{call['interaction']}/wrap-up", json=body)

    async def close(self) -> None:
        """The browser is gone, as when the window is closed."""
        self.gone = True
        await self.context.close()


async def heard(now: Any, who: tuple[str, ...], where: str) -> Sound:
    """Waits until exactly these voices arrive, and with them the packets that carry them."""
    last: Sound | None = None

    async def so() -> Sound | None:
        nonlocal last
        last = await now()
        right = last.who == set(who) and (last.silent if not who else last.packets > 0 and not last.silent)
        return last if right else None

    try:
        found: Sound = await until(so, "")
    except AssertionError:
        raise AssertionError(f"{where} hears {last}, not {set(who) or 'silence'}") from None
    return found


class Office:
    """Two browsers, each with a voice of its own, and whoever signs in at them."""

    def __init__(self, site: Center, browsers: dict[str, Browser]) -> None:
        self.site = site
        self._browsers = browsers
        self.agents: list[Agent] = []

    async def sign_in(
        self, login: str, phone: str = "", *, language: str = "en-GB", scheme: str = "light", again: bool = False
    ) -> Agent:
        """Fill in the form as a person does; the shift begins with it. `again`: at work already, at that phone."""
        browser = self._browsers["bob" if login == "bob" else "alice"]
        context = await browser.new_context(
            locale=language,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": 1280, "height": 720},
            permissions=["microphone"],
        )
        context.set_default_timeout(30_000)
        await context.add_init_script(LISTEN)
        agent = Agent(self.site, login, phone, context, await context.new_page())
        self.agents.append(agent)
        agent.listen()
        await fill_in(agent.page, self.site.url, login, "" if again else phone)
        me = await agent.read("/api/me")
        agent.id, agent.name = me["id"], me["name"]
        if phone:
            await agent.is_("not_ready") if not again else await expect(agent.get("my-state")).to_be_visible()
        return agent

    async def at_browser_phone(self, login: str, phone: str) -> Agent:
        agent = await self.sign_in(login, phone)
        await expect(agent.get("phone-bar")).to_have_attribute("data-state", "registered", timeout=30_000)
        return agent


async def fill_in(page: Page, url: str, login: str, phone: str = "") -> None:
    """The sign-in form; comes back when the page is live."""
    await page.goto(url)
    form = page.get_by_test_id("signin-form")
    await form.locator("input[name=login]").fill(login)
    await form.locator("input[name=password]").fill(DEMO_PASSWORD)
    if phone:
        await form.locator("input[name=phone]").fill(phone)
    await form.locator("button[type=submit]").click()
    await expect(page.get_by_test_id("link-state")).to_have_attribute("data-state", "live", timeout=30_000)


@asynccontextmanager
async def office(site: Center, folder: Path) -> AsyncIterator[Office]:
    """Two Chromiums: Alice and everybody else in the one, Bob in the other."""
    pitches = {"alice": ALICE_HZ, "bob": BOB_HZ}
    async with async_playwright() as playwright:
        started = [launch(playwright, voice(folder / f"{name}.wav", hz)) for name, hz in pitches.items()]
        browsers = await asyncio.gather(*started)
        yield Office(site, dict(zip(pitches, browsers, strict=True)))
        for browser in browsers:
            await browser.close()


async def launch(playwright: Playwright, speaks: Path | None = None) -> Browser:
    """A Chromium; with a file, that is what its microphone hears, over and over."""
    phone = [*PHONE, f"--use-file-for-fake-audio-capture={speaks}"] if speaks is not None else []
    return await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM, *phone])
