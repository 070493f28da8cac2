"""A server without a PBX, for tests of its sign-in: the pages, the API and the record are real, no call comes."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page

from cti_server.demo.ports import free_ports
from cti_server.demo.seed import seed
from cti_server.record import migrate
from cti_server.record.center import agents
from cti_server.record.database import Database
from tests.cli.commands import environment
from tests.live import nursery
from tests.live.center import until


@dataclass
class Front:
    """`start` and `stop` are for the server. `settings` are its CTI_ variables."""

    database_url: str
    http_port: int
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: nursery.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    async def start(self) -> None:
        self.process = nursery.start(environment(**self.settings), self.log)

        async def listens() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            try:
                return (await api.get("/healthz")).status_code == 200
            except httpx.TransportError:
                return False

        async with self.client() as api:
            await until(listens, "the server to listen", 60)

    async def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait, 15)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, verify=False)

    async def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`cti-server …` with the settings of this server."""
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "cti_server", *words],
            env=environment(**self.settings),
            cwd=Path("/"),
            capture_output=True,
            text=True,
        )


@asynccontextmanager
async def front(
    database_url: str, folder: Path, http_port: int | None = None, **settings: str
) -> AsyncIterator[Front]:
    """A server that runs, with the demo's people; on this port, or a free one."""
    async with AsyncExitStack() as stack:
        with free_ports(3) as (free, fastagi_port, nobody):
            http_port = http_port or free
        await migrate.upgrade(database_url)
        async with Database(database_url) as database:
            async with database.read() as conn:
                is_new = not await agents.everyone(conn)
            if is_new:
                await seed(database, "demo", datetime.now(UTC))
        made = Front(
            database_url,
            http_port,
            folder / f"server-{http_port}.log",
            {
                **settings,
                "CTI_DATABASE_URL": database_url,
                "CTI_HTTP_PORT": str(http_port),
                "CTI_FASTAGI_PORT": str(fastagi_port),
                "CTI_PBX": "demo",
                "CTI_AMI_PORT": str(nobody),
            },
        )
        stack.push_async_callback(made.stop)
        await made.start()
        yield made


async def newcomer(browser: Browser, language: str = "en-GB", scheme: str = "light") -> Page:
    """The page of somebody whose browser has this language and these colours."""
    context = await browser.new_context(
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": 1280, "height": 860},
        reduced_motion="reduce",
    )
    await context.route(re.compile(r"^https?://(?!127\.0\.0\.1|localhost)"), lambda route: route.abort())
    return await context.new_page()


async def judge(page: Page, where: Locator, kept: Path | None = None) -> None:
    """Nothing that axe calls moderate or worse, nothing that scrolls sideways. With `kept`, a picture."""
    await where.wait_for()
    if kept is not None:
        await page.screenshot(path=kept)
    found = (await Axe().run(page)).response["violations"]
    faults = [
        f"{one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in ("moderate", "serious", "critical")
    ]
    assert faults == []
    over = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert over <= 0
