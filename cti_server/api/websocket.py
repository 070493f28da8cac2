"""Serves `/ws`: checks a desktop's ticket, and hands its websocket to `push.session`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketDisconnected

from cti_server.api.access.tickets import Tickets
from cti_server.push import session
from cti_server.push.hub import Hub
from cti_server.push.session import Disconnected, Source
from cti_server.rules.rights import Viewer

T = TypeVar("T")


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

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        await _or_disconnected(self._socket.close(code, reason))


async def _or_disconnected(doing: Awaitable[T]) -> T:
    try:
        return await doing
    except (WebSocketDisconnect, WebSocketDisconnected) as gone:
        raise Disconnected from gone


def add_websocket(api: FastAPI, hub: Hub, source: Source) -> None:
    """Add /ws to an API that `create_api` made."""
    tickets: Tickets = api.state.tickets

    async def viewer_of(ticket: str) -> Viewer | None:
        agent = await tickets.redeem(ticket)
        return Viewer(agent.id, agent.role, agent.may_pick) if agent is not None else None

    async def desktop(socket: WebSocket) -> None:
        await socket.accept()
        await session.serve(StarletteSocket(socket), hub, source, viewer_of)

    api.add_api_websocket_route("/ws", desktop)
    # First among the routes, because the desktop's page is served for every path that no route takes.
    api.router.routes.insert(0, api.router.routes.pop())
