"""Photographs every story page and runs axe on it: both languages, light and dark, desk and narrow.

    npm run build:fixtures && python dev/shoot.py [--only talking,idle] [--quick]

Needs playwright and axe-playwright-python and a Chromium (CHROMIUM=/usr/bin/chromium). Pictures go to shots/.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import os
import pathlib
import sys
import threading

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

HERE = pathlib.Path(__file__).resolve().parent.parent
CSP = "default-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
STORIES = (
    "signin idle busy ringing talking hold wrapup candidates unknown several stale refused lost floor customer edit create "
    "interaction search keys calling consulting alternated conference alone waiting handover handed parked keypad picker transfer dial "
    "dialask pickup refusal helpasked rona offshift pending phonelost seats settings password wrapcode wrapover owed promises team teamcall help "
    "day toasts statemenu codes promiseform floorparts phone-ready phone-ringing phone-talking phone-muted phone-lost phone-alone "
    "phone-elsewhere phone-refused phone-returning phone-insecure phone-devices"
).split()
# Stories that begin with a click in another one.
OVER = {"statemenu": "busy", "codes": "wrapover", "promiseform": "customer", "floorparts": "floor", "password": "settings"}
SIZES = {"wide": (1280, 720), "narrow": (480, 900)}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]


class Pages(http.server.SimpleHTTPRequestHandler):
    """The built files with the server's CSP; index.html for any other path."""

    def do_GET(self) -> None:
        if not pathlib.Path(self.translate_path(self.path)).is_file():
            self.path = "/index.html"
        super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", CSP)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def shoot(browser: Browser, base: str, story: str, size: str, theme: str, language: str) -> list[str]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, timezone_id="Asia/Shanghai",
        locale="zh-CN" if language == "zh" else "en-GB", reduced_motion="reduce",
    )
    page: Page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(f"console: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.goto(f"{base}/?fixture={OVER.get(story, story)}")
    page.wait_for_selector(".app, .signin")
    if story == "search":
        page.fill("[data-testid=search-box] input", "王")
        page.wait_for_selector("[data-testid=search-results] [role=row]")
    if story == "statemenu":
        page.click("[data-testid=my-state] button")
    if story == "password":
        page.click("[data-testid=settings] .setting:nth-last-child(2) button")
        page.wait_for_selector("[data-testid=new-password]")
    if story == "codes":
        page.focus("[data-testid=wrapup-codes] input")
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("[role=option]")
    if story == "phone-devices":
        page.click("[data-testid=phone-devices-open]")
        page.wait_for_selector("[data-testid=phone-devices]")
    if story.startswith("phone-"):
        page.wait_for_selector("[data-testid=phone-bar]")
    if story == "floorparts":
        page.click("[data-call=a] [aria-expanded]")
        page.wait_for_selector("[data-testid=call-parts]")
    if story == "promiseform":
        page.click("[data-testid=promise-ledger] .list-head button")
    page.wait_for_timeout(250)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if overflow > 0:
        faults.append(f"scrolls sideways by {overflow} px")
    target = HERE / "shots" / f"{story}-{size}-{theme}-{language}.png"
    page.screenshot(path=str(target), full_page=size == "narrow")
    # While a combo box is open its library hides the rest of the page from screen readers; axe would judge only what is left.
    for violation in Axe().run(page).response["violations"] if story != "codes" else ():
        if violation["impact"] in ("serious", "critical", "moderate"):
            nodes = "; ".join(node["html"][:140] for node in violation["nodes"][:3])
            faults.append(f"axe {violation['impact']} {violation['id']}: {nodes}")
    context.close()
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true", help="one theme and language per size")
    options = parser.parse_args()
    (HERE / "shots").mkdir(exist_ok=True)
    handler = functools.partial(Pages, directory=str(HERE / "dist-fixtures"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    looks = [("light", "en"), ("dark", "zh")] if options.quick else [(t, l) for t in ("light", "dark") for l in ("en", "zh")]
    failed = 0
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS)
        for story in options.only.split(",") if options.only else STORIES:
            for size in SIZES:
                for theme, language in looks:
                    for fault in shoot(browser, base, story, size, theme, language):
                        failed += 1
                        print(f"{story} {size} {theme} {language}: {fault}")
        browser.close()
    server.shutdown()
    print(f"{failed} faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
