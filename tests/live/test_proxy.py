"""Behind a proxy: the blocks of docs/proxy.md in a real nginx and a real Caddy, with Chromium, its phone and a
real Asterisk; and what the screen says where a proxy is not right."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from cti_server.demo.ports import free_ports
from cti_server.demo.seed_data import DEMO_PASSWORD
from tests.documents import block, replaced
from tests.live.center import Center, center
from tests.live.two_browsers import CHROMIUM, PHONE, fill_in
from tests.live.web_proxy import NAME, Certificate, caddy, certificate, nginx

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

ENGLISH, CHINESE = "en-GB", "zh-CN"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Center]:
    folder = tmp_path_factory.mktemp("proxied")
    shutil.copyfile(_sqlite_template, folder / "cti.db")
    url = f"sqlite:///{folder / 'cti.db'}"
    async with center(url, folder) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def server(site: Center) -> AsyncIterator[Center]:
    """Started anew, so that its log and its memory of what it has logged are those of one test."""
    site.log.write_bytes(b"")
    await site.start()
    yield site
    await site.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    flags = [
        *CHROMIUM,
        *PHONE,
        "--use-fake-device-for-media-stream",
        f"--host-resolver-rules=MAP {NAME} 127.0.0.1",
    ]
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield made
        await made.close()


@pytest.fixture
def own(tmp_path: Path) -> Certificate:
    return certificate(tmp_path)


async def page_of(browser: Browser, language: str = ENGLISH) -> Page:
    context = await browser.new_context(locale=language, ignore_https_errors=True, permissions=["microphone"])
    context.set_default_timeout(30_000)
    return await context.new_page()


def nginx_block(document: str, site: Center, own: Certificate, port: int, plain_port: int) -> str:
    """As pasted, with this test's ports and certificate."""
    return replaced(
        block(document, "nginx"),
        {
            "    listen [::]:443 ssl http2;\n": "",  # this machine may have no IPv6
            "    listen [::]:80;\n": "",
            "listen 443 ": f"listen 127.0.0.1:{port} ",
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(own.chain),
            f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(own.key),
            "127.0.0.1:8080": f"127.0.0.1:{site.http_port}",
            "127.0.0.1:8088": f"127.0.0.1:{site.pbx.config.http_port}",
        },
    )


def caddy_block(document: str, site: Center, own: Certificate, port: int, plain_port: int) -> str:
    del plain_port  # Caddy would redirect from it by itself
    return replaced(
        block(document, "caddyfile"),
        {
            f"{NAME} {{\n": f"{NAME} {{\n    tls {own.chain} {own.key}\n",
            "127.0.0.1:8080": f"127.0.0.1:{site.http_port}",
            "127.0.0.1:8088": f"127.0.0.1:{site.pbx.config.http_port}",
        },
    )


PROXIES = {"nginx": (nginx, nginx_block), "caddy": (caddy, caddy_block)}


@pytest.mark.parametrize("kind", PROXIES)
async def test_the_block_as_pasted(
    site: Center, browser: Browser, tmp_path: Path, own: Certificate, kind: str
) -> None:
    """Page over HTTP/2, sign-in, websocket, and the phone through the same name: one certificate for all of it."""
    run, made = PROXIES[kind]
    with free_ports(2) as (port, plain_port):
        pass
    given = dict(line.split("=", 1) for line in block("proxy.md", "sh").splitlines())
    given["CTI_SOFTPHONE_URL"] = replaced(given["CTI_SOFTPHONE_URL"], {NAME: f"{NAME}:{port}"})
    site.extra.update(given)
    await site.start()
    try:
        with run(tmp_path, made("proxy.md", site, own, port, plain_port), port):
            page = await page_of(browser)
            await fill_in(page, f"https://{NAME}:{port}", "alice", "1101")
            await expect(page.get_by_test_id("phone-bar")).to_have_attribute("data-state", "registered")
            protocol = await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")
            [cookie] = [one for one in await page.context.cookies() if one["name"] == "cti_session"]
            registered = site.pbx.cli("pjsip show contacts")
            await page.context.close()
    finally:
        await site.stop()
        site.extra.clear()
    assert protocol == "h2"
    assert cookie.get("secure") is True
    assert " 1101/" in registered, registered


@contextmanager
def proxied(folder: Path, site: Center, lines: str, own: Certificate | None = None) -> Iterator[str]:
    """An nginx with the lines that somebody writes first, `proxy_pass` and little else; yields its address."""
    with free_ports(1) as (port,):
        pass
    tls = f"ssl_certificate {own.chain};\nssl_certificate_key {own.key};\n" if own else ""
    where = f"listen 127.0.0.1:{port}{' ssl' if own else ''};\nserver_name {NAME};\n{tls}"
    passing = f"location / {{ proxy_pass http://127.0.0.1:{site.http_port}; }}\n"
    with nginx(folder, f"server {{\n{where}{lines}\n{passing}}}\n", port):
        yield f"{'https' if own else 'http'}://{NAME}:{port}"


async def sign_in(page: Page, url: str) -> None:
    await page.goto(url)
    form = page.get_by_test_id("signin-form")
    await form.locator("input[name=login]").fill("alice")
    await form.locator("input[name=password]").fill(DEMO_PASSWORD)
    await form.locator("button[type=submit]").click()


@pytest.mark.parametrize(
    ("language", "said", "remedy"),
    [
        (
            ENGLISH,
            "This address is not one the server knows (Origin {url}).",
            "let the proxy pass the Host header",
        ),
        (CHINESE, "服务器不认识这个地址（Origin {url}）。", "请让代理传递 Host 头"),
    ],
)
async def test_a_plain_proxy_pass_shows_the_remedy(
    server: Center, browser: Browser, tmp_path: Path, language: str, said: str, remedy: str
) -> None:
    page = await page_of(browser, language)
    with proxied(tmp_path, server, "") as url:
        for _ in range(2):
            await sign_in(page, url)
            shown = page.get_by_test_id("signin-refusal")
            await expect(shown).to_contain_text(said.format(url=url))
            await expect(shown).to_contain_text(remedy)
            await expect(shown).to_contain_text(f"CTI_HTTP_ORIGINS={url}")
    logged = server.log.read_text()
    assert logged.count("a page of an unknown address was refused") == 1, logged
    assert f"CTI_HTTP_ORIGINS={url}" in logged


async def test_the_remedy_that_was_shown_is_one(site: Center, browser: Browser, tmp_path: Path) -> None:
    """CTI_HTTP_ORIGINS for the address; and for the websocket what is then said of that."""
    page = await page_of(browser)
    upgrade = (
        "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;"
    )
    with proxied(tmp_path, site, upgrade) as url:
        site.extra["CTI_HTTP_ORIGINS"] = url
        await site.start()
        try:
            await fill_in(page, url, "alice")
        finally:
            await site.stop()
            site.extra.clear()


@pytest.mark.parametrize("language", [ENGLISH, CHINESE])
async def test_a_plain_proxy_pass_with_tls_signs_in_and_says_what_its_websocket_lacks(
    server: Center, browser: Browser, tmp_path: Path, own: Certificate, language: str
) -> None:
    """The browser vouches for an https page; its websocket still needs Upgrade: no endless "connecting"."""
    page = await page_of(browser, language)
    with proxied(tmp_path, server, "", own) as url:
        await sign_in(page, url)
        banner = page.get_by_test_id("link-banner")
        await expect(banner).to_contain_text("Upgrade")
        await expect(banner).to_contain_text("websocket")
    logged = server.log.read_text()
    assert logged.count("a proxy makes plain requests of websockets") == 1, logged


@contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        ("return 403;", "proxy_refuses", "firewall in front of the server refuses this page (403)"),
        ("return 401;", "proxy_login", "asks for a sign-in of its own (401)"),
        ("return 429;", "proxy_limits", "lets no more requests through for now (429)"),
        ("return 404;", "not_passed_on", "does not pass this on to it (404)"),
        ("return 503;", "server_down", "the server behind it does not (503)"),
        ("return 413;", "proxy_answer", "in its own words (413)"),
        ("default_type text/html; return 200 '<h1>Hotel Wi-Fi</h1>';", "not_the_server", "in the server's place"),
        ("return 302 https://portal.example/;", "redirected", "sends the request elsewhere"),
        ("return 444;", "unreachable", "The server does not answer."),
        ("proxy_pass http://127.0.0.1:9;", "server_down", "the server behind it does not (502)"),
        ("proxy_read_timeout 1s; proxy_pass http://127.0.0.1:SILENT;", "server_slow", "in vain"),
    ],
)
async def test_each_refusal_before_sign_in_has_its_own_words(
    server: Center, browser: Browser, tmp_path: Path, answer: str, code: str, said: str
) -> None:
    page = await page_of(browser)
    with silent() as port:
        lines = f"location = /api/session {{ {answer.replace('SILENT', str(port))} }}"
        with proxied(tmp_path, server, lines) as url:
            await sign_in(page, url)
            shown = page.get_by_test_id("signin-refusal")
            await expect(shown).to_have_attribute("data-code", code)
            await expect(shown).to_contain_text(said)
            await expect(page.locator("input[name=login]")).to_have_value("alice")  # what was typed is kept
    await page.context.close()


async def test_too_many_attempts_say_how_long_to_wait(server: Center, browser: Browser) -> None:
    async with server.client() as api:
        wait = 0
        while wait < 10:  # longer than a slow machine's browser takes to show the form
            await asyncio.sleep(wait)
            answer = await api.post("/api/session", json={"login": "alice", "password": "wrong"})
            wait = int(answer.headers.get("retry-after", 0))
    assert answer.status_code == 429
    page = await page_of(browser)
    await sign_in(page, server.url)
    await expect(page.get_by_test_id("signin-refusal")).to_contain_text(re.compile(r"Try again in \d+ s\."))


async def test_a_server_that_is_down_is_named_before_there_is_a_form(
    server: Center, browser: Browser, tmp_path: Path
) -> None:
    page = await page_of(browser)
    with proxied(tmp_path, server, "location /api/ { proxy_pass http://127.0.0.1:9; }") as url:
        await page.goto(url)
        await expect(page.get_by_test_id("signin-refusal")).to_contain_text("does cti-server run")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("return 403;", "refused on its way to the server (403)"),
        ("return 400;", "refused on its way to the server (400)"),
        ("return 404;", "refused on its way to the server (404)"),
        ("proxy_pass http://127.0.0.1:9;", "the server behind it does not (502)"),
    ],
)
async def test_a_websocket_that_is_refused_says_by_what(
    server: Center, browser: Browser, tmp_path: Path, own: Certificate, answer: str, said: str
) -> None:
    page = await page_of(browser)
    with proxied(tmp_path, server, f"location = /ws {{ {answer} }}", own) as url:
        await sign_in(page, url)
        await expect(page.get_by_test_id("link-banner")).to_contain_text(said)
    await page.context.close()


async def test_a_phone_at_ws_on_an_https_page_says_that_it_must_be_wss(
    site: Center, browser: Browser, tmp_path: Path, own: Certificate
) -> None:
    """Mixed content: the browser refuses the address itself. On loopback it would not, so the name is another."""
    with free_ports(2) as (port, plain_port):
        pass
    site.extra["CTI_SOFTPHONE_URL"] = f"ws://{NAME}:{site.pbx.config.http_port}/ws"
    await site.start()
    try:
        with nginx(tmp_path, nginx_block("proxy.md", site, own, port, plain_port), port):
            page = await page_of(browser)
            await fill_in(page, f"https://{NAME}:{port}", "alice", "1101")
            await expect(page.get_by_test_id("phone-bar")).to_contain_text("it must be wss:")
    finally:
        await site.stop()
        site.extra.clear()
