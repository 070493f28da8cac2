"""Sign-in through a real identity provider, of another site, in a real browser: there and back, out of both; and
what goes wrong on the way is said on the sign-in page."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from cti_server.demo.ports import free_ports
from cti_server.demo.seed_data import DEMO_PASSWORD
from cti_server.record.sealing import new_key
from tests.live.center import until
from tests.live.front import Front, front, judge, newcomer
from tests.live.provider import RealProvider, login_there, real_provider, sign_in_there
from tests.live.test_end_to_end import browser
from tests.live.test_second_factor_page import LOOKS, kept, open_settings, type_login
from tests.live.test_signed_out import closed_with, opened, ticket_of

__all__ = ["browser"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

ROLES = "groups: cti-admins=administrator, cti-leads=supervisor, cti-agents=agent"


@dataclass
class House:
    """A provider, and two processes of our server on one record; `desk` is the one that people use."""

    idp: RealProvider
    desk: Front
    other: Front


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with made(sqlite_url, tmp_path) as all_of_it:
        yield all_of_it


@asynccontextmanager
async def made(url: str, folder: Path, **settings: str) -> AsyncIterator[House]:
    with free_ports(3) as (port, idp_port, other_port):
        pass
    desk, beside = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other_port}"
    async with real_provider(idp_port, desk, beside) as idp:
        chosen = {
            "CTI_OIDC_NAME": "Example ID",
            "CTI_OIDC_ROLES": ROLES,
            "CTI_OIDC_SCOPES": "openid profile groups",
            "CTI_SECRET_KEY": new_key(),
        }
        mine = idp.settings(f"{desk},{beside}", **chosen) | settings
        await idp.people(
            u1={"preferred_username": "alice", "groups": ["cti-agents"]},
            u2={"preferred_username": "susan", "groups": ["cti-leads"]},
            u3={"preferred_username": "nobody", "groups": ["cti-agents"]},
            u4={"preferred_username": "bob", "groups": ["sales"]},
        )
        async with front(url, folder, port, **mine) as site, front(url, folder, other_port, **mine) as other:
            yield House(idp, site, other)


async def go(page: Page, site: Front) -> None:
    await page.goto(site.url)
    await page.get_by_test_id("signin-provider").locator("button").first.click()


async def is_in(page: Page) -> None:
    await expect(page.locator(".app")).to_be_visible()


async def refused(page: Page, code: str) -> None:
    """The sign-in page says so, in a sentence, and the way is open again."""
    said = page.get_by_test_id("signin-refusal")
    await expect(said).to_have_attribute("data-code", code)
    await expect(page.get_by_test_id("signin-provider").locator("button").first).to_be_enabled()
    assert "code=" not in page.url
    assert "state=" not in page.url


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_the_sign_in_page_in_both_languages(
    house: House, browser: Browser, language: str, scheme: str
) -> None:
    page = await newcomer(browser, language, scheme)
    await page.goto(house.desk.url)
    step = page.get_by_test_id("signin-provider")
    await expect(step).to_contain_text("使用Example ID登录" if language == "zh-CN" else "Sign in with Example ID")
    await expect(step).to_contain_text("或使用密码" if language == "zh-CN" else "or with a password")
    await judge(page, step, kept("provider", language, scheme))
    await go(page, house.desk)
    await sign_in_there(page, "u4")
    await refused(page, "oidc_no_role")
    said = "您所在的群组均无权进入这里。" if language == "zh-CN" else "None of your groups may come in here."
    await expect(page.get_by_test_id("signin-refusal")).to_contain_text(said)
    await judge(page, step, kept("provider-refused", language, scheme))


async def test_there_and_back_and_out_of_both(house: House, browser: Browser) -> None:
    page = await newcomer(browser)
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    await page.goto(f"{house.desk.url}/promises")
    await go(page, house.desk)
    await expect(page).to_have_url(re.compile(re.escape(house.idp.issuer)))
    await sign_in_there(page, "u1")
    await is_in(page)
    assert page.url == f"{house.desk.url}/"
    assert not any(
        "code=" in url for url in asked if url.startswith(house.desk.url) and "/sign-in/back" not in url
    )
    (cookie,) = [one for one in await page.context.cookies(house.desk.url) if one["name"] == "cti_session"]
    assert (cookie["sameSite"], cookie["httpOnly"]) == ("Strict", True)
    await page.reload()
    await is_in(page)

    again = await page.context.new_page()  # the provider knows them: no page of its own comes between
    await page.get_by_role("button", name="Account: Alice Walker").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await page.get_by_role("button", name="Yes, sign me out").click()
    await expect(page.get_by_test_id("signin-provider")).to_be_visible()
    assert page.url == f"{house.desk.url}/"
    await go(again, house.desk)
    await expect(login_there(again)).to_be_visible()  # its session has ended, too


async def test_a_sign_out_at_the_provider_reaches_every_process(house: House, browser: Browser) -> None:
    page = await newcomer(browser)
    await go(page, house.desk)
    await sign_in_there(page, "u1")
    await is_in(page)
    cookies = {one["name"]: one["value"] for one in await page.context.cookies(house.desk.url)}
    async with house.other.client() as beside, house.other.client() as password:
        beside.cookies.set("cti_session", cookies["cti_session"])
        socket = await opened(house.other, await ticket_of(beside))  # type: ignore[arg-type]
        assert json.loads(await socket.recv())["type"] == "welcome"
        unused = await ticket_of(beside)
        right = {"login": "alice", "password": DEMO_PASSWORD}
        (await password.post("/api/session", json=right)).raise_for_status()

        elsewhere = await page.context.new_page()
        await elsewhere.goto(f"{house.idp.issuer}/session/end")
        await elsewhere.get_by_role("button", name="Yes, sign me out").click()
        await expect(page.get_by_test_id("signin-provider")).to_be_visible()
        assert await closed_with(socket) == 4409
        assert (await beside.get("/api/me")).status_code == 401
        assert await closed_with(await opened(house.other, unused)) == 4401  # type: ignore[arg-type]
        assert (await password.get("/api/me")).status_code == 200, "a session that began by a password goes on"
    told = await house.idp.order("told")
    assert "backchannel.success: u1" in told, told


async def test_two_tabs_the_second_first(house: House, browser: Browser) -> None:
    first = await newcomer(browser)
    second = await first.context.new_page()
    await go(first, house.desk)
    await expect(login_there(first)).to_be_visible()
    await go(second, house.desk)
    await sign_in_there(second, "u1")
    await is_in(second)
    await sign_in_there(first, "u1", asked_before=True)
    await is_in(first)


async def test_what_goes_wrong_is_said_on_the_sign_in_page(house: House, browser: Browser) -> None:
    page = await newcomer(browser)
    await go(page, house.desk)
    await page.get_by_role("link", name="Cancel").click()
    await refused(page, "oidc_cancelled")

    await go(page, house.desk)
    await expect(login_there(page)).to_be_visible()
    await page.context.clear_cookies(name=re.compile("cti_oidc_.*"))  # as if begun in another browser
    await sign_in_there(page, "u1")
    await refused(page, "oidc_old_state")

    await house.idp.order("skew", {"seconds": 900})
    await go(page, house.desk)  # it knows them by now, and sends them back at once
    await refused(page, "oidc_clock")
    await house.idp.order("skew", {"seconds": 0})
    await page.context.clear_cookies(domain="localhost")

    await go(page, house.desk)
    await sign_in_there(page, "u3")
    await refused(page, "oidc_unknown_person")
    await page.context.clear_cookies(domain="localhost")

    await house.idp.order("rotate")  # our server has the keys of before
    await go(page, house.desk)
    await sign_in_there(page, "u1")
    await is_in(page)
    await page.context.clear_cookies()

    await page.goto(f"{house.desk.url}/sign-in/back?code=x&state=y")
    await refused(page, "oidc_old_state")
    await page.goto(f"{house.desk.url}/sign-in/back")
    await refused(page, "oidc_old_state")
    house.idp.stop()
    await house.desk.stop()
    await house.desk.start()  # one that has never read the provider's addresses
    await go(page, house.desk)
    await refused(page, "oidc_unreachable")
    await type_login(page, house.desk, "alice")
    await is_in(page)


async def test_a_wrong_secret_is_the_administrators(sqlite_url: str, tmp_path: Path, browser: Browser) -> None:
    async with made(sqlite_url, tmp_path, CTI_OIDC_CLIENT_SECRET="not this one") as house:
        page = await newcomer(browser, "zh-CN")
        await go(page, house.desk)
        await sign_in_there(page, "u1")
        await refused(page, "oidc_wrong_client")
        await expect(page.get_by_test_id("signin-refusal")).to_contain_text("公司的登录服务不认识本服务器。")
        assert "Traceback" not in house.desk.log.read_text()
        said = await house.desk.command("doctor")
        assert "CTI_OIDC_CLIENT_SECRET" in said.stdout


async def test_without_passwords_and_the_emergency_login(
    sqlite_url: str, tmp_path: Path, browser: Browser
) -> None:
    async with made(sqlite_url, tmp_path, CTI_PASSWORD_SIGN_IN="false") as house:
        page = await newcomer(browser)
        await page.goto(house.desk.url)
        await expect(page.get_by_test_id("signin-provider")).to_be_visible()
        await expect(page.get_by_test_id("signin-form")).to_have_count(0)
        await judge(page, page.get_by_test_id("signin-provider"), kept("provider-only", "en-GB", "light"))
        await page.get_by_role("button", name="Sign in with a password").click()
        form = page.get_by_test_id("signin-form")
        for login in ("alice", "susan"):
            if login == "susan":
                done = await house.desk.command("user", "set", "susan", "--break-glass")
                assert done.returncode == 0, done.stderr
            await form.locator("input[name=login]").fill(login)
            await form.locator("input[name=password]").fill(DEMO_PASSWORD)
            await form.locator("button[type=submit]").click()
            if login == "alice":
                await expect(page.get_by_test_id("signin-refusal")).to_have_attribute(
                    "data-code", "password_sign_in_off"
                )
        await is_in(page)


async def test_a_new_group_is_a_new_role_and_ends_what_was_open(house: House, browser: Browser) -> None:
    page, other = await newcomer(browser), await newcomer(browser)
    for one in (page, other):
        await go(one, house.desk)
        await sign_in_there(one, "u1")
        await is_in(one)
    await house.idp.people(u1={"preferred_username": "alice", "groups": ["cti-leads"]})
    third = await newcomer(browser)
    await go(third, house.desk)
    await sign_in_there(third, "u1")
    await is_in(third)
    for one in (page, other):
        await expect(one.get_by_test_id("signin-provider")).to_be_visible()

    async def supervises() -> bool:
        cookies = {one["name"]: one["value"] for one in await third.context.cookies(house.desk.url)}
        async with house.desk.client() as api:
            api.cookies.set("cti_session", cookies["cti_session"])
            return bool((await api.get("/api/me")).json()["role"] == "supervisor")

    await until(supervises, "the new role")


async def test_an_account_with_rights_is_linked_by_the_administrator(house: House, browser: Browser) -> None:
    done = await house.desk.command("user", "set", "susan", "--role", "administrator")
    assert done.returncode == 0, done.stderr
    page = await newcomer(browser)
    await go(page, house.desk)
    await sign_in_there(page, "u2")
    await refused(page, "oidc_link_needed")
    done = await house.desk.command("user", "link", "susan", "--sub", "u2")
    assert done.returncode == 0, done.stderr
    await go(page, house.desk)
    await is_in(page)
    await open_settings(page, {"settings": "Settings"})
    await expect(page.get_by_test_id("settings")).to_be_visible()
