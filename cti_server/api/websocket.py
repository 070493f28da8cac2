"""`/ws`: lets a desktop in by its ticket, and gives its websocket to `push.session`."""

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
    """A websocket of Starlette's as a session uses it.

    Of its errors only the two that say that the other side is gone become Disconnected; whatever else fails is a
    defect and stays visible as one.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive_text(self) -> str:
        return await _while_there(self._socket.receive_text())

    async def send_text(self, data: str) -> None:
        await _while_there(self._socket.send_text(data))

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        await _while_there(self._socket.close(code, reason))


async def _while_there(doing: Awaitable[T]) -> T:
    try:
        return await doing
    except (WebSocketDisconnect, WebSocketDisconnected) as gone:
        raise Disconnected from gone


def add_websocket(api: FastAPI, hub: Hub, source: Source) -> None:
    """Serve /ws of an API that `create_api` made."""
    tickets: Tickets = api.state.tickets

    async def viewer_of(ticket: str) -> Viewer | None:
        agent = await tickets.redeem(ticket)
        return Viewer(agent.id, agent.role, agent.may_pick) if agent is not None else None

    async def desktop(socket: WebSocket) -> None:
        await socket.accept()
        await session.serve(StarletteSocket(socket), hub, source, viewer_of)

    api.add_api_websocket_route("/ws", desktop)
    # First, because the desktop's own pages are served for every path that nothing else takes.
    api.router.routes.insert(0, api.router.routes.pop())
