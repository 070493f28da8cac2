"""What a desktop costs to open: bytes of the first load, and the first paint in Chromium with an empty cache.

Both pages are measured: the one to sign in by, and the desk of an agent who is signed in. Chromium takes
Brotli over TLS alone, so here it is sent gzip; both sizes are printed.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from cti_server.api.principal import COOKIE
from cti_server.app import desktop_folder
from cti_server.record import migrate

from .connect import serving, signed_in
from .figures import Figure, percentile, show

OPENED = 10  # times
LOAD_GOAL_KB = 200
PAINT_GOAL_MS = 700
PAINTED = """() => new Promise((done) => new PerformanceObserver((list) => {
  for (const one of list.getEntriesByName("first-contentful-paint")) done(one.startTime);
}).observe({ type: "paint", buffered: true }))"""
RECEIVED = """(until) => performance.getEntries().filter((one) => "transferSize" in one)
  .filter((one) => one.responseEnd <= until).reduce((sum, one) => sum + one.transferSize, 0)"""


async def run() -> None:
    folder = desktop_folder()
    assert folder is not None, "the desktop is not built; run: make desktop"
    show(
        "page: the first load, which a browser then keeps", [_load(folder, language) for language in ("en", "zh")]
    )
    with tempfile.TemporaryDirectory() as there:
        url = f"sqlite:///{there}/bench.db"
        await migrate.upgrade(url)
        (cookie, *_) = await signed_in(url)
        async with serving(url, Path(there) / "server.log") as (port, _), async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            try:
                figures = [
                    await _opened(browser, f"http://127.0.0.1:{port}", language, signed)
                    for language in ("en-GB", "zh-CN")
                    for signed in (None, cookie)
                ]
            finally:
                await browser.close()
    show(f"page: opened {OPENED} times in Chromium, each with an empty cache", figures)


def _load(folder: Path, language: str) -> Figure:
    """The page, what it names, and the texts of the language."""
    names = [
        "index.html",
        *re.findall(r'(?:src|href)="/([^"]+\.(?:js|css))"', (folder / "index.html").read_text()),
    ]
    names += [f"assets/{one.name}" for one in (folder / "assets").glob(f"{language}-*.js")]
    plain, gzip, brotli = (sum(_size(folder / name, end) for name in names) / 1000 for end in ("", ".gz", ".br"))
    figure = f"{brotli:.1f} kB Brotli, {gzip:.1f} kB gzip, {plain:.0f} kB as it is"
    return Figure(f"{language}, {len(names)} files", figure, f"{LOAD_GOAL_KB} kB", brotli <= LOAD_GOAL_KB)


def _size(file: Path, end: str) -> int:
    """A file as it is sent to whoever takes this form: a small one has no other."""
    form = file.with_name(file.name + end)
    return (form if form.is_file() else file).stat().st_size


async def _opened(browser: Browser, base: str, language: str, cookie: str | None) -> Figure:
    paints, received = [], []
    for _ in range(OPENED):
        context = await browser.new_context(locale=language)
        if cookie is not None:
            await context.add_cookies([{"name": COOKIE, "value": cookie, "url": base}])
        page = await context.new_page()
        await page.goto(base)
        paints.append(float(await page.evaluate(PAINTED)))
        received.append(float(await page.evaluate(RECEIVED, paints[-1])))
        await context.close()
    what = f"{language}, {'the desk' if cookie is not None else 'to sign in'}: first paint"
    figure = f"p50 {percentile(paints, 50):.0f}, longest {max(paints):.0f} ms, after {max(received) / 1000:.0f} kB"
    return Figure(what, figure, f"{PAINT_GOAL_MS} ms", percentile(paints, 50) <= PAINT_GOAL_MS)
