"""Two-step sign-in in a browser: turned on in the settings, asked for at the sign-in, set up where it must be."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from cti_server.demo.seed_data import DEMO_PASSWORD
from cti_server.record.sealing import new_key
from tests.live.front import Front, front, judge, newcomer
from tests.live.test_end_to_end import browser

__all__ = ["browser"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

LOOKS = [("en-GB", "light"), ("zh-CN", "dark")]
WORDS = {
    "en-GB": {
        "settings": "Settings",
        "on": "Turn on",
        "kept": "I have kept them",
        "copy": "Copy",
        "copied": "The codes are copied.",
        "recovery": "Use a recovery code",
        "left": "9 recovery codes are left.",
        "wrong": "That code is wrong, or was used already.",
        "wanted": "Your role needs two-step sign-in.",
        "off": "Turn off",
    },
    "zh-CN": {
        "settings": "设置",
        "on": "开启",
        "kept": "我已保存",
        "copy": "复制",
        "copied": "恢复码已复制。",
        "recovery": "使用恢复码",
        "left": "还剩 9 个恢复码",
        "wrong": "验证码不正确，或已使用过。",
        "wanted": "您的角色必须使用两步验证。",
        "off": "关闭",
    },
}


async def type_login(page: Page, site: Front, login: str) -> None:
    await page.goto(site.url)
    form = page.get_by_test_id("signin-form")
    await form.locator("input[name=login]").fill(login)
    await form.locator("input[name=password]").fill(DEMO_PASSWORD)
    await form.locator("button[type=submit]").click()


async def code_of(page: Page, steps: int = 0) -> str:
    """What an app shows that was given the key in the page; `steps` later."""
    key = await page.get_by_test_id("factor-key").inner_text()
    return pyotp.TOTP(key.replace(" ", "")).at(time.time() + 30 * steps)


async def open_settings(page: Page, words: dict[str, str]) -> None:
    await page.locator("[aria-haspopup=true], [aria-haspopup=menu]").last.click()
    await page.get_by_role("menuitem", name=words["settings"]).click()


def kept(name: str, language: str, scheme: str) -> Path | None:
    """Where a picture of the page goes, for whoever wants to look: CTI_TEST_PICTURES names the folder."""
    folder = os.environ.get("CTI_TEST_PICTURES")
    return Path(folder) / f"{name}-{scheme}-{language[:2]}.png" if folder else None


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_from_the_settings_to_the_next_sign_in_and_off_again(
    sqlite_url: str, tmp_path: Path, browser: Browser, language: str, scheme: str
) -> None:
    words = WORDS[language]
    async with front(sqlite_url, tmp_path, CTI_SECRET_KEY=new_key()) as site:
        page = await newcomer(browser, language, scheme)
        outside: list[str] = []
        page.on("request", lambda sent: outside.append(sent.url) if not sent.url.startswith(site.url) else None)
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
        await type_login(page, site, "alice")
        await open_settings(page, words)
        factor, settings = page.get_by_test_id("factor"), page.get_by_test_id("settings")
        await expect(factor).to_have_attribute("data-on", "false")
        await factor.get_by_role("button", name=words["on"]).click()
        form = page.get_by_test_id("set-up-factor")
        await form.locator("input[type=password]").fill(DEMO_PASSWORD)
        await form.locator("button[type=submit]").click()
        await expect(form.locator("img")).to_be_visible()
        assert await form.locator("img").evaluate("image => image.naturalWidth") > 0, "the CSP lets it be drawn"
        await judge(page, form, kept("set-up", language, scheme))
        await form.locator("input[name=code]").fill("000000")
        await form.locator("button[type=submit]").click()
        await expect(form).to_contain_text(words["wrong"])
        code, later = await code_of(page), await code_of(page, 1)
        await form.locator("input[name=code]").fill(f"{code[:3]} {code[3:]}")
        await form.locator("button[type=submit]").click()
        codes = page.get_by_test_id("recovery-codes")
        await expect(codes.locator("li")).to_have_count(10)
        recovery = await codes.locator("li").all_inner_texts()
        await judge(page, codes, kept("recovery", language, scheme))
        await page.mouse.click(5, 5)  # beside the dialog: it stays, for the codes are shown this once
        await page.keyboard.press("Escape")
        await expect(codes).to_be_visible()
        await codes.get_by_role("button", name=words["copy"], exact=True).click()
        await expect(page.get_by_text(words["copied"])).to_be_visible()
        await page.emulate_media(media="print")
        await expect(codes.locator("li").first).to_be_visible()
        await expect(factor).not_to_be_visible()
        await page.emulate_media(media="screen")
        await codes.get_by_role("button", name=words["kept"]).click()
        await expect(factor).to_have_attribute("data-on", "true")

        other = await newcomer(browser, language, scheme)
        await type_login(other, site, "alice")
        step = other.get_by_test_id("signin-code")
        await judge(other, step, kept("code", language, scheme))
        await step.locator("input[name=code]").fill(code)
        await step.locator("button[type=submit]").click()
        await expect(step).to_contain_text(words["wrong"])
        await judge(other, step, kept("code-wrong", language, scheme))
        await step.locator("input[name=code]").fill(later)
        await step.locator("button[type=submit]").click()
        await expect(other.get_by_test_id("my-state")).to_be_visible()

        third = await newcomer(browser, language, scheme)
        await type_login(third, site, "alice")
        await third.get_by_test_id("signin-code").get_by_role("button", name=words["recovery"]).click()
        await third.get_by_test_id("signin-code").locator("input[name=recovery]").fill(recovery[4])
        await third.get_by_test_id("signin-code").locator("button[type=submit]").click()
        await expect(third.get_by_test_id("my-state")).to_be_visible()

        await page.keyboard.press("Escape")
        await open_settings(page, words)
        await expect(factor).to_contain_text(words["left"])
        await factor.get_by_role("button", name=words["off"]).click()
        prove = page.get_by_test_id("prove-factor")
        await judge(page, settings, kept("off", language, scheme))
        await prove.locator("input[type=password]").fill(DEMO_PASSWORD)
        await prove.locator("input:not([type=password])").fill(recovery[0])
        await prove.locator("button[type=submit]").click()
        await expect(factor).to_have_attribute("data-on", "false")
        await expect(third.get_by_test_id("signin-form")).to_be_visible()
        assert outside == []
        assert refused == []


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_who_must_have_one_sets_it_up_before_anything_else(
    sqlite_url: str, tmp_path: Path, browser: Browser, language: str, scheme: str
) -> None:
    words = WORDS[language]
    async with front(
        sqlite_url, tmp_path, CTI_SECRET_KEY=new_key(), CTI_SECOND_FACTOR_ROLES="administrator, supervisor"
    ) as site:
        page = await newcomer(browser, language, scheme)
        await type_login(page, site, "susan")
        form = page.get_by_test_id("set-up-factor")
        await expect(page.locator("main")).to_contain_text(words["wanted"])
        await expect(form.locator("img")).to_be_visible()  # the password was typed a moment ago
        await judge(page, form, kept("must", language, scheme))
        await page.reload()
        await form.locator("input[type=password]").fill(DEMO_PASSWORD)
        await form.locator("button[type=submit]").click()
        await form.locator("input[name=code]").fill(await code_of(page))
        await form.locator("button[type=submit]").click()
        await judge(page, page.get_by_test_id("recovery-codes"), kept("must-codes", language, scheme))
        await page.get_by_role("button", name=words["kept"]).click()
        await expect(page.locator(".app")).to_be_visible()

        done = await site.command("user", "second-factor", "susan", "--off")
        assert done.returncode == 0, done.stderr
        await expect(page.get_by_test_id("signin-form")).to_be_visible()
