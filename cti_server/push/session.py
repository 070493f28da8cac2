"""One websocket from accept to close: ticket, welcome, what was missed, then events and heartbeats in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from . import frames
from .frames import FIRST, HEARTBEAT_S, Frame, Hello, Positions, Resume
from .hub import Hub, Subscriber, Viewer

FIRST_MESSAGE_S = 5.0
ASK_EVERY_S = 60.0  # a session may expire, or a role change, while the socket is open
SEND_S = 10.0  # a desktop that takes no frame for so long is as good as gone

BAD_TICKET = 4401
TOO_SLOW = 4408
SIGNED_OUT = 4409


class Socket(Protocol):
    """What is used of a websocket; Starlette's has it."""

    async def receive_text(self) -> str: ...
    async def send_text(self, data: str) -> None: ...
    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Missed(Exception):
    """What the desktop missed cannot be given without a gap; it must start over."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a session gets what it sends.

    `admit` spends a ticket; `still` says, now and then, whether that viewer may go on. `snapshot` gives what
    this viewer sees, with the positions it was taken at. `missed` gives the events after a position of one
    stream, in order, for this viewer; raises Missed.
    """

    admit: Callable[[str], Awaitable[Viewer | None]]
    still: Callable[[Viewer], Awaitable[bool]]
    snapshot: Callable[[Viewer], Awaitable[tuple[dict[str, Any], Positions]]]
    missed: Callable[[Viewer, str, int], AsyncIterator[Frame]]


class Disconnected(Exception):
    """The desktop is gone."""


async def serve(socket: Socket, hub: Hub, sources: Sources, gone: type[Exception]) -> None:
    """Serve one accepted websocket until either side closes. `gone` is what its methods raise when it has."""
    try:
        first = await _first(socket)
        viewer = await sources.admit(first.ticket) if first is not None else None
        if first is None or viewer is None:
            await socket.close(BAD_TICKET, "the first message must be hello or resume with a fresh ticket")
            return
        subscriber, unsubscribe = hub.subscribe(viewer)
        try:
            await _converse(socket, hub, sources, subscriber, first)
        finally:
            unsubscribe()
    except (gone, Disconnected, RuntimeError):
        return  # Starlette raises RuntimeError when a frame is sent after the other side closed
    except TimeoutError:
        with suppress(gone, RuntimeError, TimeoutError):
            async with asyncio.timeout(1):
                await socket.close(TOO_SLOW, "too slow; resume from the last position")


async def _first(socket: Socket) -> Hello | Resume | None:
    try:
        async with asyncio.timeout(FIRST_MESSAGE_S):
            return FIRST.validate_json(await socket.receive_text())
    except (TimeoutError, ValidationError, KeyError):
        return None  # KeyError: Starlette's receive_text on a binary message


async def _converse(
    socket: Socket, hub: Hub, sources: Sources, subscriber: Subscriber, first: Hello | Resume
) -> None:
    have = await _begin(socket, hub, sources, subscriber.viewer, first)
    reading = asyncio.create_task(_read(socket), name="desktop reads")
    try:
        loop = asyncio.get_running_loop()
        ask_at = loop.time() + ASK_EVERY_S
        while not reading.done():
            batch = await subscriber.take(HEARTBEAT_S)
            if loop.time() >= ask_at:
                ask_at = loop.time() + ASK_EVERY_S
                subscriber.signed_out = subscriber.signed_out or not await sources.still(subscriber.viewer)
            if subscriber.overrun:
                raise TimeoutError
            if subscriber.signed_out:
                await socket.close(SIGNED_OUT, "signed out")
                return
            for frame in batch:
                if frame.seq > have.get(frame.stream, 0):
                    await _send(socket, frame.text)
            if not batch:
                await _send(socket, frames.heartbeat(dict(hub.positions)))
    finally:
        reading.cancel()


async def _begin(socket: Socket, hub: Hub, sources: Sources, viewer: Viewer, first: Hello | Resume) -> Positions:
    """Bring the desktop up to date; answers the positions it has then."""
    if isinstance(first, Resume):
        try:
            return await _resume(socket, hub, sources, viewer, first)
        except Missed as gap:
            await _send(socket, frames.reset(str(gap)))
    snapshot, positions = await sources.snapshot(viewer)
    await _send(socket, frames.welcome(positions, snapshot))
    return positions


async def _resume(socket: Socket, hub: Hub, sources: Sources, viewer: Viewer, first: Resume) -> Positions:
    """All or nothing: what was missed is read whole before the first of it is sent."""
    if set(first.positions) != set(hub.positions):
        raise Missed("the streams are not those that the desktop knows")
    missed = [
        frame
        for stream, position in first.positions.items()
        async for frame in sources.missed(viewer, stream, position)
    ]
    have = dict(first.positions)
    await _send(socket, frames.welcome(have, None))
    for frame in missed:
        await _send(socket, frame.text)
        have[frame.stream] = frame.seq
    return have


async def _read(socket: Socket) -> None:
    """Commands do not travel here, so whatever a desktop says is ignored; its closing is noticed."""
    with suppress(Exception):
        while True:
            await socket.receive_text()


async def _send(socket: Socket, text: str) -> None:
    async with asyncio.timeout(SEND_S):
        await socket.send_text(text)
