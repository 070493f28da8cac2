"""The lines of docs/softphone.md on a real Asterisk: a browser phone of one's own number, through the proxy of
docs/proxy.md, rings, answers and hears."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from cti_server.demo.calls import place_call
from cti_server.demo.ports import free_ports
from cti_server.record.center import agent_queues, agents, queues
from cti_server.record.database import Database
from tests.documents import block, replaced
from tests.live.center import Center, center
from tests.live.test_proxy import nginx_block, page_of
from tests.live.test_softphone import ANI, MEDIA, NIGHT, bar, contact, hears, is_ready, is_registered, speaks
from tests.live.two_browsers import CHROMIUM, fill_in
from tests.live.web_proxy import NAME, certificate, nginx

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

PHONE = "61001"
SECTION = "## Asterisk: a browser phone beside your own phones"


def written(site: Center) -> None:
    """The two blocks into pjsip.conf and http.conf, in place of what the demo has for browsers."""
    etc, config = site.pbx.work / "etc", site.pbx.config
    demos = r"\[transport-ws\]\n.*?\n\n"
    pjsip = re.sub(demos, "", (etc / "pjsip.conf").read_text(), count=1, flags=re.S)
    pasted = replaced(
        block("softphone.md", "ini", SECTION),
        {"context = phones": "context = cti-phones", "CHANGE-ME": config.phone_password},
    )
    # Browser and PBX are on one machine, without a network between them.
    loopback = f"[{PHONE}](+type=endpoint)\nmedia_address = 127.0.0.1\nbind_rtp_to_media_address = yes\n"
    (etc / "pjsip.conf").write_text(f"{pjsip}\n{pasted}\n{loopback}")
    web = replaced(block("softphone.md", "ini http", SECTION), {"8088": str(config.http_port)})
    (etc / "http.conf").write_text(web)


async def serves(url: str, login: str, queue: str) -> None:
    async with Database(url) as database, database.begin() as conn:
        [found] = [one for one in await queues.all_queues(conn) if one.name == queue]
        agent = await agents.by_login(conn, login)
        assert agent is not None
        await agent_queues.assign(conn, agent.id, found.id)


def tell_the_server(site: Center) -> None:
    line = replaced(block("softphone.md", "sh", SECTION), {"CHANGE-ME": site.pbx.config.phone_password})
    program, *words = shlex.split(line)
    assert program == "cti-server"
    subprocess.run([sys.executable, "-m", "cti_server", *words], env=site.environment(), check=True)


async def test_the_lines_make_a_phone_that_rings_and_hears(sqlite_url: str, tmp_path: Path) -> None:
    with free_ports(2) as (port, plain_port):
        pass
    own = certificate(tmp_path)
    async with center(sqlite_url, tmp_path) as site:
        written(site)
        site.pbx.restart()
        assert "1001" in site.pbx.cli("pjsip show endpoint 1001"), "the extensions of before are there"
        tell_the_server(site)
        await serves(sqlite_url, "alice", "night")
        site.extra["CTI_SOFTPHONE_URL"] = f"wss://{NAME}:{port}/sip"
        await site.start()
        flags = [*CHROMIUM, *MEDIA, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"]
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
            with nginx(tmp_path, nginx_block("proxy.md", site, own, port, plain_port), port), ExitStack() as calls:
                page = await page_of(browser)
                await fill_in(page, f"https://{NAME}:{port}", "alice", PHONE)
                await is_registered(page)
                assert contact(site, PHONE)
                await is_ready(site, page, PHONE)
                calls.enter_context(place_call(site.pbx, ANI, NIGHT, "Shenjiang", stay_s=60, echo=True))
                await expect(bar(page)).to_have_attribute("data-call", "ringing", timeout=30_000)
                await page.get_by_test_id("phone-answer").click()
                await speaks(page)
                await hears(page)
                await page.get_by_test_id("phone-hangup").click()
            await browser.close()


def test_both_languages_have_the_same_lines() -> None:
    chinese = "## Asterisk：在自己的话机旁加一部浏览器电话"
    for language in ("ini", "ini http", "sh"):
        assert block("softphone.md", language, SECTION) == block("softphone.zh-CN.md", language, chinese)


def test_they_collide_with_none_of_the_usual_extensions() -> None:
    """As delivered CTI_INSIDE takes the number for a phone, and the demo's own files have none of that name."""
    lines = block("softphone.md", "ini", SECTION)
    sections = set(re.findall(r"^\[([^]]+)\]", lines, flags=re.M))
    dialplans = Path(__file__).parents[2] / "dialplans"
    shipped = set(re.findall(r"^\[([^]]+)\]", (dialplans / "pjsip_cti.conf").read_text(), flags=re.M))
    assert PHONE in sections
    assert not sections & shipped
    [inside] = re.findall(r"Set\(CTI_INSIDE=(.*)\)$", (dialplans / "cti_site.conf").read_text(), flags=re.M)
    assert re.search(inside, PHONE)
