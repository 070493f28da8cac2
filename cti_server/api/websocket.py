"""Serves `/ws`: checks a desktop's ticket, and hands its websocket to `push.session`.

A websocket whose Upgrade header a proxy has dropped arrives as a plain GET: it is told so, and logged once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from functools import lru_cache
from typing import TypeVar

import structlog
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketDisconnected
from websockets.frames import Frame, Opcode

from cti_server.api import principal
from cti_server.api.access.tickets import Tickets
from cti_server.api.middleware import FirstTime
from cti_server.api.ports import Deps
from cti_server.api.problems import Problem
from cti_server.push import session
from cti_server.push.hub import Hub
from cti_server.push.session import Disconnected, Source
from cti_server.rules.rights import Viewer

WRITE_NOW = "cti.write_now"
"""The extension in a websocket's scope by which the listener writes a frame in the same moment: `write(bytes)`,
which is False where the desktop takes none now. Other servers have none, and frames wait for their turn."""
T = TypeVar("T")
SENT_KEPT = 512  # frames whose bytes are kept, for the same reason as their masked form
MASKED_KEPT = 512  # frames whose masked form is kept: desktops get the same event within moments of each other

log = structlog.get_logger(__name__)


class StarletteSocket:
    """A Starlette websocket as a `push.session.Socket`.

    Only the two errors of a desktop that is gone become Disconnected. Any other error is a defect, and stays
    visible as one.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive_text(self) -> str:
        return await _or_disconnected(self._socket.receive_text())

    async def send_text(self, data: str) -> None:
        await _or_disconnected(self._socket.send_text(data))

    def send_now(self, data: str) -> bool:
        extension = self._socket.scope.get("extensions", {}).get(WRITE_NOW)
        return extension is not None and extension["write"](as_sent(data))

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        await _or_disconnected(self._socket.close(code, reason))


@lru_cache(SENT_KEPT)
def as_sent(text: str) -> bytes:
    """A text frame as a server sends it: an event is made into bytes once for all desktops."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


async def _or_disconnected(doing: Awaitable[T]) -> T:
    try:
        return await doing
    except (WebSocketDisconnect, WebSocketDisconnected) as gone:
        raise Disconnected from gone


def add_websocket(api: FastAPI, hub: Hub, source: Source) -> None:
    """Add /ws to an API that `create_api` made."""
    tickets: Tickets = api.state.tickets
    deps: Deps = api.state.deps
    # An event is serialised once for all; so is its masked form.
    mask = lru_cache(MASKED_KEPT)(api.state.masks.frame)

    async def viewer_of(ticket: str) -> Viewer | None:
        agent = await tickets.redeem(ticket)
        return principal.viewer_of(agent, deps.oversight) if agent is not None else None

    async def desktop(socket: WebSocket) -> None:
        await socket.accept()
        with suppress(asyncio.CancelledError):  # the server ends: nobody waits for this, and nothing is wrong
            await session.serve(StarletteSocket(socket), hub, source, viewer_of, mask)

    logged = FirstTime()

    async def not_upgraded(request: Request) -> None:
        # Sec-WebSocket-Key passes through proxies, Upgrade does not: it was a websocket when it left the browser.
        if "sec-websocket-key" in request.headers and logged.is_first("/ws"):
            log.warning(
                "a proxy makes plain requests of websockets",
                host=request.headers.get("host", "")[:200],
                remedy="let it pass the headers Upgrade and Connection, by HTTP/1.1 (docs/proxy.md)",
            )
        raise Problem(
            426,
            "no_websocket",
            "this is the address of a websocket, and a plain request came",
            remedy="Administrator: let the proxy pass the headers Upgrade and Connection on to the server.",
            headers={"Upgrade": "websocket"},
        )

    api.add_api_route("/ws", not_upgraded, include_in_schema=False)
    api.add_api_websocket_route("/ws", desktop)
    # First among the routes, because the desktop's page is served for every path that no route takes.
    api.router.routes.insert(0, api.router.routes.pop())
