"""A real identity provider for a test: oidc-provider of npm, with its own pages, in a process of its own."""

from __future__ import annotations

import asyncio
import fcntl
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Locator, Page

FOLDER = Path(__file__).parent / "oidc"
NODE = Path(sys.prefix) / "node" / "bin"
SECRET = "a secret: 100% +"


@dataclass
class RealProvider:
    """People of it sign in with any password; `people` gives them claims. Its site is `localhost`, and that of our
    server is `127.0.0.1`: another site, for browsers."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    async def order(self, name: str, given: Any = None) -> Any:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", verify=False) as client:
            answer = await client.post(f"/test/{name}", content=json.dumps(given))
        return answer.raise_for_status().json()

    async def people(self, **claims: dict[str, Any]) -> None:
        await self.order("people", claims)

    def settings(self, desk: str, **more: str) -> dict[str, str]:
        """Those of a server whose desktop is at this address."""
        return {
            "CTI_OIDC_ISSUER": self.issuer,
            "CTI_OIDC_CLIENT_ID": "cti",
            "CTI_OIDC_CLIENT_SECRET": SECRET,
            "CTI_HTTP_ORIGINS": desk,
            **more,
        }

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)


@asynccontextmanager
async def real_provider(port: int, *desks: str, client_secret: str = SECRET) -> AsyncIterator[RealProvider]:
    """A provider that sends people back to these addresses, and tells the first one of sign-outs."""
    await asyncio.to_thread(_installed)
    client = {
        "client_id": "cti",
        "client_secret": client_secret,
        "redirect_uris": [f"{desk}/sign-in/back" for desk in desks],
        "post_logout_redirect_uris": [f"{desk}/" for desk in desks],
        "backchannel_logout_uri": f"{desks[0]}/api/oidc/logout",
        "backchannel_logout_session_required": True,
        "scope": "openid profile email groups",
    }
    command = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        str(NODE / "node"),
        "provider.mjs",
        json.dumps({"port": port, "clients": [client]}),
    ]
    process = subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE)
    made = RealProvider(port, process)
    try:
        assert process.stdout is not None
        said = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 30)
        assert said == b"listening\n", "oidc-provider did not start"
        yield made
    finally:
        made.stop()


def _installed() -> None:
    """`make test` has done it; whoever runs pytest by hand does it here, one worker for all."""
    lock, have = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not have.exists():
            subprocess.run(
                [str(NODE / "npm"), "ci", "--silent", "--no-audit", "--no-fund"], cwd=FOLDER, check=True
            )


def login_there(page: Page) -> Locator:
    """The field of the provider's own page: ours has one of the same name."""
    return page.get_by_placeholder("Enter any login")


async def sign_in_there(page: Page, person: str, *, asked_before: bool = False) -> None:
    """The provider's own pages: any password, and a yes to what we may know, which it asks once in a session."""
    await login_there(page).fill(person)
    await page.get_by_placeholder("and password").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    if not asked_before:
        await page.get_by_role("button", name="Continue").click()
