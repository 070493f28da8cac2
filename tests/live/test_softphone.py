"""The phone in the browser with nothing faked: Chromium registers at a real Asterisk over ws and wss, takes SIPp's
calls, and what it hears is measured by the browser itself."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from cti_server.demo.calls import dial, place_call
from cti_server.demo.seed_data import DEMO_PASSWORD
from cti_server.record.center import agent_queues, agents, queues
from cti_server.record.database import Database
from tests.live.center import Center, center, until
from tests.live.test_end_to_end import CHROMIUM

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

# Chromium's own microphone beeps once a second. Without the two flags that follow its address is a name that only
# the browser knows, and Asterisk on the same host could not send to it. The last is what people's browsers do: a
# page is silent until somebody clicks on it.
MEDIA = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--autoplay-policy=document-user-activation-required",
]
ANI = "02162881234"
ALICE_DIRECT, NIGHT = "4008004000", "4008005000"
AUDIBLE = 0.01


@pytest.fixture
async def site(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Center]:
    async with center(sqlite_url, tmp_path, CTI_DESKTOP_GRACE_S="60") as made:
        made.extra["CTI_SOFTPHONE_URL"] = f"ws://127.0.0.1:{made.pbx.config.http_port}/ws"
        async with Database(sqlite_url) as database, database.begin() as conn:
            (night,) = [one for one in await queues.all_queues(conn) if one.name == "night"]
            for login in ("alice", "bob"):
                agent = await agents.by_login(conn, login)
                assert agent is not None
                await agent_queues.assign(conn, agent.id, night.id)
        yield made


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*CHROMIUM, *MEDIA])
        yield made
        await made.close()


@pytest.fixture
def calls() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def desk(browser: Browser, site: Center, login: str) -> Page:
    """Signs in to the desktop, as a person does."""
    context = await browser.new_context(
        locale="en-GB", viewport={"width": 1280, "height": 720}, ignore_https_errors=True
    )
    page = await context.new_page()
    await page.goto(site.url)
    form = page.get_by_test_id("signin-form")
    await form.locator("input").nth(0).fill(login)
    await form.locator("input[type=password]").fill(DEMO_PASSWORD)
    await form.locator("button[type=submit]").click()
    await expect(page.get_by_test_id("link-state")).to_have_attribute("data-state", "live", timeout=20_000)
    return page


async def ask(page: Page, method: str, path: str, body: Any = None) -> Any:
    """A request of this desktop's own session."""
    script = """async ([method, path, body]) => {
        const answer = await fetch(path, {method, headers: {"content-type": "application/json"},
                                          body: body === null ? undefined : JSON.stringify(body)});
        if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
        return answer.status === 204 ? null : answer.json();
    }"""
    return await page.evaluate(script, [method, path, body])


async def sit_down(page: Page, extension: str) -> None:
    """Moves from the seat that signing in took to a browser phone."""

    async def at_work() -> bool:
        return (await ask(page, "GET", "/api/me"))["shift"] is not None

    await until(at_work, "signing in to begin the shift")
    await ask(page, "POST", "/api/me/shift", {"phone": extension})
    await is_registered(page)


def bar(page: Page) -> Locator:
    return page.get_by_test_id("phone-bar")


async def is_registered(page: Page) -> None:
    await expect(bar(page)).to_have_attribute("data-state", "registered", timeout=20_000)


def contact(site: Center, extension: str) -> str:
    """Where Asterisk would send a call for this phone; empty when it has nowhere."""
    lines = site.pbx.cli("pjsip show contacts").splitlines()
    return next((line for line in lines if f" {extension}/" in line), "")


async def speaks(page: Page) -> None:
    await expect(bar(page)).to_have_attribute("data-call", "talking", timeout=30_000)


async def number(page: Page, name: str) -> float:
    return float(await page.get_by_test_id("phone-stats").get_attribute(f"data-{name}") or 0)


async def hears(page: Page) -> None:
    """Packets come, more and more of them, and what they carry is not silence."""
    before = await number(page, "packets-in")

    async def sound() -> bool:
        return await number(page, "packets-in") > before + 50 and await number(page, "level-in") > AUDIBLE

    await until(sound, "sound to come in", 15)


async def hears_nothing(page: Page) -> None:
    """Two seconds of packets without a sound: no beep of the other side's microphone is in them."""
    quiet_since: float | None = None

    async def silence() -> bool:
        nonlocal quiet_since
        packets = await number(page, "packets-in")
        if await number(page, "level-in") > AUDIBLE / 10:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = packets
        return quiet_since is not None and packets > quiet_since + 120

    await until(silence, "silence", 20)


def channels(site: Center, extension: str) -> list[str]:
    listed = site.pbx.cli("core show channels concise").splitlines()
    return [line for line in listed if line.startswith(f"PJSIP/{extension}-")]


async def is_ready(site: Center, page: Page, extension: str) -> None:
    """Until the queue would ring this phone."""
    await ask(page, "POST", "/api/me/state", {"state": "ready"})

    def waiting() -> bool:
        lines = site.pbx.cli("queue show night").splitlines()
        return any(
            f"PJSIP/{extension}" in line and "Not in use" in line and "paused" not in line for line in lines
        )

    await until(waiting, "the queue to have this phone")


async def prefer_auto_answer(page: Page) -> None:
    await ask(page, "PATCH", "/api/me", {"auto_answer": True})
    await page.reload()
    await is_registered(page)


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_a_browser_registers_and_a_click_answers(
    site: Center, browser: Browser, calls: ExitStack, scheme: str
) -> None:
    if scheme == "wss":
        site.extra["CTI_SOFTPHONE_URL"] = f"wss://127.0.0.1:{site.pbx.config.https_port}/ws"
    await site.start()
    page = await desk(browser, site, "alice")
    await expect(bar(page)).to_have_count(0)
    await sit_down(page, "1101")
    assert contact(site, "1101")

    await is_ready(site, page, "1101")
    caller = calls.enter_context(place_call(site.pbx, ANI, NIGHT, "Shenjiang", stay_s=60, echo=True))
    await expect(bar(page)).to_have_attribute("data-call", "ringing", timeout=30_000)
    await expect(bar(page)).to_contain_text("上海申江精密仪器有限公司")
    await page.get_by_test_id("phone-answer").click()
    await speaks(page)
    await hears(page)
    assert any("!Up!" in line for line in channels(site, "1101"))
    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "talking")
    await expect(bar(page)).to_have_attribute("data-quality", "good")

    await page.get_by_test_id("phone-hangup").click()
    await expect(bar(page)).to_have_attribute("data-call", "none")
    assert await asyncio.to_thread(caller.wait)
    assert not channels(site, "1101")


async def test_it_answers_by_itself_when_asked_to(site: Center, browser: Browser, calls: ExitStack) -> None:
    await site.start()
    page = await desk(browser, site, "alice")
    await sit_down(page, "1101")
    await prefer_auto_answer(page)
    await is_ready(site, page, "1101")

    calls.enter_context(place_call(site.pbx, ANI, NIGHT, stay_s=30, echo=True))
    await speaks(page)
    await hears(page)

    # A colleague is not let into the room unasked.
    await page.get_by_test_id("phone-hangup").click()
    await expect(bar(page)).to_have_attribute("data-call", "none")
    calls.enter_context(dial(site.pbx, "1001", "1101", stay_s=30))
    await expect(bar(page)).to_have_attribute("data-call", "ringing", timeout=30_000)
    await expect(page.get_by_test_id("call-state").first).to_have_attribute("data-state", "ringing")
    await page.get_by_test_id("phone-answer").click()  # gone, had it answered by itself
    await speaks(page)


async def test_who_is_muted_is_not_heard(site: Center, browser: Browser) -> None:
    await site.start()
    alice, bob = await desk(browser, site, "alice"), await desk(browser, site, "bob")
    await sit_down(alice, "1101")
    await sit_down(bob, "1102")

    await ask(alice, "POST", "/api/calls", {"to": "1102"})
    await bob.get_by_test_id("phone-answer").click(timeout=20_000)
    await speaks(alice)
    await speaks(bob)
    await hears(alice)
    await hears(bob)

    await alice.get_by_test_id("phone-mute").click()
    await expect(alice.get_by_test_id("phone-mute")).to_have_attribute("aria-pressed", "true")
    await hears_nothing(bob)
    await hears(alice)
    await alice.get_by_test_id("phone-mute").click()
    await hears(bob)


async def test_a_rejected_call_goes_on(site: Center, browser: Browser, calls: ExitStack) -> None:
    await site.start()
    page = await desk(browser, site, "alice")
    await sit_down(page, "1101")
    with calls.enter_context(dial(site.pbx, "1001", "1101", stay_s=30)) as caller:
        await page.get_by_test_id("phone-reject").click(timeout=30_000)
        await expect(bar(page)).to_have_attribute("data-call", "none")
        assert await asyncio.to_thread(caller.wait, 10), "the caller is told"


async def test_it_works_on_without_the_server(site: Center, browser: Browser, calls: ExitStack) -> None:
    await site.start()
    page = await desk(browser, site, "alice")
    await sit_down(page, "1101")
    await site.stop(signal.SIGKILL)
    await expect(page.get_by_test_id("link-state")).to_have_attribute("data-state", "server_lost", timeout=20_000)

    caller = calls.enter_context(dial(site.pbx, "1001", "1101", stay_s=60))
    await expect(bar(page)).to_have_attribute("data-call", "ringing", timeout=30_000)
    await expect(bar(page)).to_contain_text("1001")
    await page.get_by_test_id("phone-answer").click()
    await speaks(page)
    assert any("!Up!" in line for line in channels(site, "1101"))
    await page.get_by_test_id("phone-hangup").click()
    await expect(bar(page)).to_have_attribute("data-call", "none")
    assert await asyncio.to_thread(caller.wait, 10)


class Network:
    """What lies between browser and PBX: it can be cut, and it can swallow everything without a word."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, 0
        self.frozen = False
        self._server: asyncio.Server | None = None
        self._ends: list[asyncio.StreamWriter] = []

    async def mend(self) -> None:
        self.frozen = False
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.close()
        self._ends.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", self.target)
        self._ends += [writer, there]
        await asyncio.gather(self._pass(reader, there), self._pass(there_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if not self.frozen:
                    writer.write(data)
        writer.close()


@pytest.fixture
async def network(site: Center) -> AsyncIterator[Network]:
    made = Network(site.pbx.config.http_port)
    await made.mend()
    site.extra["CTI_SOFTPHONE_URL"] = f"ws://127.0.0.1:{made.port}/ws"
    yield made
    await made.cut()


async def test_it_registers_again_after_the_network_was_gone(
    site: Center, browser: Browser, network: Network, calls: ExitStack
) -> None:
    await site.start()
    page = await desk(browser, site, "alice")
    await sit_down(page, "1101")

    await network.cut()
    await expect(bar(page)).to_have_attribute("data-state", "lost")
    await expect(page.get_by_test_id("phone-lost")).to_be_visible()
    await until(lambda: not contact(site, "1101"), "Asterisk to forget the phone")
    await network.mend()
    await is_registered(page)
    assert contact(site, "1101")

    # Nothing is closed, and nothing comes any more: noticed when the browser says that the network is back.
    network.frozen = True
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(bar(page)).to_have_attribute("data-state", "lost", timeout=30_000)
    network.frozen = False
    await is_registered(page)

    calls.enter_context(dial(site.pbx, "1001", "1101", stay_s=30))
    await page.get_by_test_id("phone-answer").click(timeout=30_000)
    await speaks(page)


async def test_a_call_outlives_the_loss_of_its_line(
    site: Center, browser: Browser, network: Network, calls: ExitStack
) -> None:
    await site.start()
    page = await desk(browser, site, "alice")
    await sit_down(page, "1101")
    await is_ready(site, page, "1101")
    caller = calls.enter_context(place_call(site.pbx, ANI, NIGHT, stay_s=60, echo=True))
    await page.get_by_test_id("phone-answer").click(timeout=30_000)
    await hears(page)

    await network.cut()
    await expect(bar(page)).to_have_attribute("data-state", "lost")
    await hears(page)
    await network.mend()
    await is_registered(page)
    await hears(page)
    await expect(bar(page)).to_have_attribute("data-call", "talking")

    await asyncio.to_thread(caller.hang_up)
    await expect(bar(page)).to_have_attribute("data-call", "none", timeout=30_000)


async def test_a_reload_in_mid_call_brings_the_call_back(site: Center, browser: Browser, calls: ExitStack) -> None:
    await site.start()
    page = await desk(browser, site, "alice")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await sit_down(page, "1101")
    await is_ready(site, page, "1101")
    calls.enter_context(place_call(site.pbx, ANI, NIGHT, stay_s=60, echo=True))
    await page.get_by_test_id("phone-answer").click(timeout=30_000)
    await hears(page)
    (before,) = channels(site, "1101")

    await page.reload()
    await speaks(page)
    await hears(page)
    await expect(page.get_by_test_id("phone-blocked")).to_have_count(0)  # heard, though nobody has clicked
    (after,) = await until(lambda: [c for c in channels(site, "1101") if "!Up!" in c], "one leg")
    assert after.split("!")[0] != before.split("!")[0]
    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "talking")
    await expect(page.get_by_test_id("card-customer")).to_contain_text("上海申江精密仪器有限公司")


async def test_one_window_has_the_phone(site: Center, browser: Browser) -> None:
    await site.start()
    first = await desk(browser, site, "alice")
    await sit_down(first, "1101")

    second = await first.context.new_page()
    await second.goto(site.url)
    await expect(bar(second)).to_have_attribute("data-state", "elsewhere")
    await second.get_by_test_id("phone-use-here").click()
    await is_registered(second)
    await expect(bar(first)).to_have_attribute("data-state", "elsewhere")
    await second.close()
    await is_registered(first)

    other = await desk(browser, site, "alice")
    await is_registered(other)
    await expect(bar(first)).to_have_attribute("data-state", "elsewhere")
    await first.get_by_test_id("phone-use-here").click()
    await is_registered(first)
    await expect(bar(other)).to_have_attribute("data-state", "elsewhere")


async def test_the_answer_button_of_the_call_answers_here_too(
    site: Center, browser: Browser, calls: ExitStack
) -> None:
    await site.start()
    page = await desk(browser, site, "alice")
    await sit_down(page, "1101")
    await is_ready(site, page, "1101")
    calls.enter_context(place_call(site.pbx, ANI, NIGHT, stay_s=40, echo=True))
    await expect(page.get_by_test_id("call-state")).to_have_attribute("data-state", "ringing", timeout=30_000)
    (call,) = (await ask(page, "GET", "/api/calls"))["items"]
    await ask(page, "POST", f"/api/calls/{call['call']}/answer", {})
    await speaks(page)
    await hears(page)


async def test_what_i_dial_needs_no_second_click(site: Center, browser: Browser) -> None:
    await site.start()
    alice, bob = await desk(browser, site, "alice"), await desk(browser, site, "bob")
    await sit_down(alice, "1101")
    await sit_down(bob, "1102")
    await ask(alice, "POST", "/api/calls", {"to": "1102"})
    await speaks(alice)
    await bob.get_by_test_id("phone-answer").click(timeout=30_000)
    await hears(alice)
    await hears(bob)


async def test_another_microphone_in_mid_call(site: Center, browser: Browser) -> None:
    await site.start()
    alice, bob = await desk(browser, site, "alice"), await desk(browser, site, "bob")
    await sit_down(alice, "1101")
    await sit_down(bob, "1102")
    await ask(alice, "POST", "/api/calls", {"to": "1102"})
    await bob.get_by_test_id("phone-answer").click(timeout=20_000)
    await speaks(bob)
    await hears(bob)

    await alice.get_by_test_id("phone-devices-open").click()
    dialog = alice.get_by_test_id("phone-devices")
    await expect(dialog.get_by_role("meter")).not_to_have_attribute("aria-valuenow", "0")
    await dialog.get_by_role("button", name="Microphone").click()
    await alice.get_by_role("option", name="Fake Audio Input 2").click()
    await hears(bob)

    # It is unplugged: the system's own takes over, in words and in sound.
    await alice.evaluate("""() => {
        const all = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
        navigator.mediaDevices.enumerateDevices = async () =>
            (await all()).filter((one) => one.label !== "Fake Audio Input 2");
        navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
    }""")
    await expect(alice.get_by_test_id("phone-missing-mic")).to_contain_text("Fake Audio Input 2")
    await hears(bob)
    await hears(alice)


async def test_a_refused_microphone_is_said_with_what_mends_it(site: Center, calls: ExitStack) -> None:
    await site.start()
    asks = [flag for flag in MEDIA if "fake-ui" not in flag]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*CHROMIUM, *asks, "--deny-permission-prompts"]
        )
        page = await desk(browser, site, "alice")
        await sit_down(page, "1101")
        calls.enter_context(dial(site.pbx, "1001", "1101", stay_s=40))
        await page.get_by_test_id("phone-answer").click(timeout=30_000)
        await expect(page.get_by_test_id("phone-trouble")).to_contain_text("Allow it")
        await expect(bar(page)).to_have_attribute("data-call", "ringing")
        assert any("!Ringing!" in line for line in channels(site, "1101")), "the caller is not sent away"

        await page.context.grant_permissions(["microphone"], origin=site.url)
        await page.get_by_test_id("phone-answer").click()
        await speaks(page)
        await expect(page.get_by_test_id("phone-trouble")).to_have_count(0)
        await browser.close()


async def test_a_call_comes_to_the_window_that_takes_the_phone(
    site: Center, browser: Browser, calls: ExitStack
) -> None:
    await site.start()
    first = await desk(browser, site, "alice")
    await sit_down(first, "1101")
    await is_ready(site, first, "1101")
    calls.enter_context(place_call(site.pbx, ANI, NIGHT, stay_s=60, echo=True))
    await first.get_by_test_id("phone-answer").click(timeout=30_000)
    await hears(first)

    # A second browser does not take the call away unasked.
    second = await desk(browser, site, "alice")
    await expect(bar(second)).to_have_attribute("data-state", "elsewhere")
    await hears(first)
    await second.get_by_test_id("phone-use-here").click()
    await speaks(second)
    await hears(second)
    await expect(bar(first)).to_have_attribute("data-call", "none", timeout=30_000)
    await expect(bar(first)).to_have_attribute("data-state", "elsewhere")
    assert len([c for c in channels(site, "1101") if "!Up!" in c]) == 1
