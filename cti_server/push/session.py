"""One websocket from accept to close: ticket, welcome, missed events, then new events and heartbeats in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from pydantic import ValidationError

from cti_server.rules.rights import Viewer

from . import frames
from .frames import FIRST, HEARTBEAT_S, LATER, Frame, Hello, Note, Positions, Refusal, Resume, Watch
from .hub import Hub, Subscriber

FIRST_MESSAGE_S = 5.0
ASK_EVERY_S = 60.0  # a session may expire, or a role change, while the socket is open
SEND_S = 10.0  # a desktop that takes no frame for this long is treated as gone

BAD_TICKET = 4401
TOO_SLOW = 4408
SIGNED_OUT = 4409

log = structlog.get_logger()


class Socket(Protocol):
    """The part of a websocket that a session uses. Each method raises Disconnected once the desktop is gone."""

    async def receive_text(self) -> str: ...
    async def send_text(self, data: str) -> None: ...

    def send_now(self, data: str) -> bool:
        """Send without waiting; False where that is not possible at this moment, and nothing is sent."""
        ...

    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Disconnected(Exception):
    """The desktop is gone."""


class Missed(Exception):
    """The events that a desktop missed cannot be sent without a gap; it must start over."""


class Source(Protocol):
    """Where a session gets what it sends. `live.feed.Feed` implements it."""

    async def known(self) -> None:
        """Return once there is something to send: a server that has just started reads it first."""
        ...

    def serves(self, viewer: Viewer) -> Mapping[str, frozenset[str]]:
        """The queues that the viewer serves now, by PBX."""
        ...

    async def snapshot(self, viewer: Viewer) -> tuple[dict[str, Any], Positions]:
        """The viewer's first snapshot, and the position of each stream at which it was taken."""
        ...

    async def may_go_on(self, viewer: Viewer) -> bool:
        """Whether the viewer is still signed in with the same rights; asked every `ASK_EVERY_S`."""
        ...

    def refuses(self, viewer: Viewer, topic: str) -> Refusal | None:
        """Why this viewer cannot open the topic; None where they can."""
        ...

    def streams(self, topic: str) -> Sequence[str]:
        """The streams whose events a topic shows; only for a topic that `refuses` does not refuse."""
        ...

    async def open(self, subscriber: Subscriber, topic: str) -> None:
        """Open a topic that is not refused, and put its snapshot into the subscriber's line."""
        ...

    def missed(self, subscriber: Subscriber, stream: str, seq: int) -> AsyncIterator[Frame]:
        """The events of one stream after position `seq` for this subscriber, in order. Raises Missed."""
        ...


Mask = Callable[[str], str]
"""Masks the numbers in a frame, for a viewer who may not see them."""


@dataclass(frozen=True, slots=True)
class Session:
    """One websocket whose ticket was good. Call `begin`, then `converse` with what it returns."""

    socket: Socket
    hub: Hub
    source: Source
    subscriber: Subscriber
    mask: Mask = str

    # --- the beginning ---------------------------------------------------------------------------------

    async def begin(self, first: Hello | Resume) -> Positions:
        """Bring the desktop up to date. Returns the positions that it then has."""
        if isinstance(first, Resume):
            try:
                return await self._resume(first)
            except Missed as gap:
                await self._send(frames.reset(str(gap)))
        snapshot, positions = await self.source.snapshot(self.subscriber.viewer)
        if self.subscriber.overrun:
            raise TimeoutError  # the stream started over meanwhile: this snapshot is of what is taken back
        await self._send(frames.welcome(positions, snapshot, self.hub.ahead))
        if isinstance(first, Resume):
            for topic in first.topics:
                self.hub.close(self.subscriber, topic)
            await self._open(first.topics)
        return positions

    async def _resume(self, first: Resume) -> Positions:
        """Send all missed events, or raise Missed before any is sent. Returns the desktop's positions."""
        if set(first.positions) != set(self.hub.positions):
            raise Missed("the streams are not those that the desktop knows")
        refused = self._reopen(first.topics)
        missed = [
            frame
            for stream, position in first.positions.items()
            async for frame in self.source.missed(self.subscriber, stream, position)
        ]
        have = dict(first.positions)
        await self._send(frames.welcome(have, None))
        for frame in missed:
            await self._send(frame.text)
            have[frame.stream] = frame.seq
        for topic, why in refused:
            self.subscriber.put(frames.refused(topic, why))
        return have

    def _reopen(self, topics: Sequence[str]) -> list[tuple[str, Refusal]]:
        """Open the desktop's topics without a snapshot, because the missed events bring them up to date.

        Returns the topics that were refused, with the reason.
        """
        refused: list[tuple[str, Refusal]] = []
        for topic in dict.fromkeys(topics):
            if (why := self.source.refuses(self.subscriber.viewer, topic)) is not None:
                refused.append((topic, why))
                continue
            for stream in self.source.streams(topic):
                self.hub.open(self.subscriber, stream, topic)
        return refused

    # --- the conversation ------------------------------------------------------------------------------

    async def converse(self, have: Positions) -> None:
        """Send events and heartbeats until the session ends or the desktop leaves.

        `have` has the desktop's positions: events up to them are not sent again. Raises TimeoutError for a desktop
        that is too slow.
        """
        reading = asyncio.create_task(self._read(), name="desktop reads")

        def send_now(frame: Frame | Note) -> bool:
            return _is_known(frame, have) or self.socket.send_now(self._as_seen(frame.text))

        loop = asyncio.get_running_loop()
        ask_at = loop.time() + ASK_EVERY_S
        try:
            while not reading.done():
                batch = await self.subscriber.take(HEARTBEAT_S, send_now)
                if loop.time() >= ask_at:
                    ask_at = loop.time() + ASK_EVERY_S
                    if not await self.source.may_go_on(self.subscriber.viewer):
                        self.subscriber.signed_out = True
                if self.subscriber.overrun:
                    raise TimeoutError
                if self.subscriber.signed_out:
                    await self.socket.close(SIGNED_OUT, "signed out")
                    return
                for frame in batch:
                    if not _is_known(frame, have):
                        await self._send(frame.text)
                if not batch:
                    # What is told ahead of the record is no place to resume from.
                    written = {name: at for name, at in self.hub.positions.items() if name not in self.hub.ahead}
                    await self._send(frames.heartbeat(written))
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        """Obey the desktop's `watch` messages until it leaves, and ignore others: commands go over REST."""
        with suppress(Disconnected):
            while True:
                try:
                    message = LATER.validate_json(await self.socket.receive_text())
                except (ValidationError, KeyError):
                    continue  # KeyError: Starlette's receive_text on a binary message
                try:
                    await self._watch(message)
                except Exception:
                    # The database is away, for instance. The desktop connects again and repeats its topics.
                    log.exception("desktop.not_watching")
                    self.subscriber.overran()
                    return

    async def _watch(self, message: Watch) -> None:
        for topic in message.close:
            self.hub.close(self.subscriber, topic)
        await self._open(message.open)

    async def _open(self, topics: Sequence[str]) -> None:
        for topic in dict.fromkeys(topics):
            if (why := self.source.refuses(self.subscriber.viewer, topic)) is not None:
                self.subscriber.put(frames.refused(topic, why))
            else:
                await self.source.open(self.subscriber, topic)

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(SEND_S):
            await self.socket.send_text(self._as_seen(text))

    def _as_seen(self, text: str) -> str:
        return text if self.subscriber.viewer.sees_numbers else self.mask(text)


def _is_known(frame: Frame | Note, have: Positions) -> bool:
    """Whether the desktop has this event already, from the snapshot or among those that it missed."""
    return isinstance(frame, Frame) and frame.seq <= have.get(frame.stream, 0)


Admit = Callable[[str], Awaitable[Viewer | None]]
"""Spends a ticket and gives its viewer; None for a ticket that is not good."""


async def serve(socket: Socket, hub: Hub, source: Source, admit: Admit, mask: Mask = str) -> None:
    """Serve one accepted websocket until either side closes it."""
    try:
        first = await _first(socket)
        viewer = await admit(first.ticket) if first is not None else None
        if first is None or viewer is None:
            await socket.close(BAD_TICKET, "the first message must be hello or resume with a fresh ticket")
            return
        # Before, a desktop that resumes would be told that what it shows is not there.
        await source.known()
        subscriber, unsubscribe = hub.subscribe(viewer, source.serves(viewer))
        try:
            session = Session(socket, hub, source, subscriber, mask)
            await session.converse(await session.begin(first))
        finally:
            unsubscribe()
    except Disconnected:
        return
    except TimeoutError:
        with suppress(Disconnected, TimeoutError):
            async with asyncio.timeout(1):
                await socket.close(TOO_SLOW, "too slow; resume from the last position")


async def _first(socket: Socket) -> Hello | Resume | None:
    try:
        async with asyncio.timeout(FIRST_MESSAGE_S):
            return FIRST.validate_json(await socket.receive_text())
    except (TimeoutError, ValidationError, KeyError):
        return None  # KeyError: Starlette's receive_text on a binary message
