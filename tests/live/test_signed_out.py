"""Password, role, disabling, from another process: whatever a person had open is dead a moment later."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import websockets
from playwright.async_api import Browser, expect
from websockets.exceptions import ConnectionClosed

from cti_server.demo.seed_data import DEMO_PASSWORD
from tests.live.center import Center, center
from tests.live.test_end_to_end import browser, sign_in

__all__ = ["browser"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

ROWS = {
    "password": ("alice", ("user", "set", "alice", "--password", "four words of a song")),
    "role": ("bob", ("user", "set", "bob", "--role", "supervisor")),
    "disabling": ("emma", ("user", "disable", "emma")),
}


async def ticket_of(api: httpx.AsyncClient) -> str:
    answer = (await api.post("/api/session/ticket")).raise_for_status().json()
    return str(answer["ticket"])


async def opened(site: Center, ticket: str) -> websockets.ClientConnection:
    socket = await websockets.connect(f"ws://127.0.0.1:{site.http_port}/ws")
    await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
    return socket


async def test_nothing_stays_open(database_url: str, tmp_path: Path) -> None:
    async with center(database_url, tmp_path) as site:
        await site.start()
        async with site.signed_in("susan") as other:
            others = await opened(site, await ticket_of(other))
            for row, (login, command) in ROWS.items():
                await ends(site, row, login, command)
            await others.ping()
            assert (await other.get("/api/me")).status_code == 200, "somebody else's go on"
            await others.close()


async def test_who_changes_their_password_stays_at_work_and_is_out_elsewhere(
    sqlite_url: str, tmp_path: Path, browser: Browser
) -> None:
    async with center(sqlite_url, tmp_path) as site:
        await site.start()
        here, there = await sign_in(browser, site, "alice"), await sign_in(browser, site, "alice")
        await here.get_by_role("button", name="Account: Alice Walker").click()
        await here.get_by_role("menuitem", name="Settings").click()
        settings = here.get_by_test_id("settings")
        await expect(settings).to_contain_text("In one other place.")
        await settings.get_by_role("button", name="Change").click()
        form = here.get_by_test_id("new-password")
        await form.get_by_label("Your password now").fill("a wrong one")
        await form.get_by_label("New password").fill("alice walker")
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_contain_text("That is not your password.")
        await form.get_by_label("Your password now").fill(DEMO_PASSWORD)
        await form.get_by_role("button", name="Save").click()
        await expect(form).to_contain_text("It is among those that are tried first.")
        await form.get_by_label("New password").fill("four words of a song")
        await form.get_by_role("button", name="Save").click()
        await expect(there.get_by_test_id("signin-form")).to_be_visible()
        await expect(settings).to_contain_text("Nowhere but here.")
        await here.keyboard.press("Escape")
        await expect(here.get_by_test_id("my-state")).to_have_attribute("data-state", "not_ready")
        await here.wait_for_timeout(1500)
        await expect(here.get_by_test_id("signin-form")).to_have_count(0)
        async with site.client() as api:
            fresh = {"login": "alice", "password": "four words of a song"}
            assert (await api.post("/api/session", json=fresh)).status_code == 200


async def ends(site: Center, row: str, login: str, command: tuple[str, ...]) -> None:
    async with site.signed_in(login) as api:
        socket = await opened(site, await ticket_of(api))
        assert json.loads(await socket.recv())["type"] == "welcome"
        unused = await ticket_of(api)
        words = [sys.executable, "-m", "cti_server", *command]
        done = await asyncio.to_thread(
            subprocess.run, words, env=site.environment(), cwd=Path("/"), capture_output=True, text=True
        )
        began = time.monotonic()
        assert done.returncode == 0, done.stderr
        assert await closed_with(socket) == 4409, row
        print(f"{row}: the socket closed {time.monotonic() - began:.1f} s after the command")
        assert (await api.get("/api/me")).status_code == 401, row
        assert (await api.post("/api/session/ticket")).status_code == 401, row
        assert await closed_with(await opened(site, unused)) == 4401, row


async def closed_with(socket: websockets.ClientConnection) -> int | None:
    """The code with which the server closes it; whatever it says before is read."""
    try:
        async with asyncio.timeout(20):
            while True:
                await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd is not None else None
