"""The hub hands each frame to the desktops it concerns, and never waits for any of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .frames import Frame, Positions

MAX_WAITING = 1000  # frames a desktop may lag behind; past it it is closed with 4408 and resumes


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: an agent sees the calls offered to them, a supervisor the floor."""

    agent: int
    sees_floor: bool


class Subscriber:
    """One desktop's line of frames. `overrun` once it lagged too far: it gets nothing more."""

    __slots__ = ("_limit", "_waiting", "_wake", "overrun", "signed_out", "viewer")

    def __init__(self, viewer: Viewer, limit: int) -> None:
        self.viewer = viewer
        self.overrun = False
        self.signed_out = False
        self._limit = limit
        self._waiting: deque[Frame] = deque()
        self._wake = asyncio.Event()

    def put(self, frame: Frame) -> None:
        if self.overrun:
            return
        if len(self._waiting) >= self._limit:
            self.overrun = True
            self._waiting.clear()
        else:
            self._waiting.append(frame)
        self._wake.set()

    def sign_out(self) -> None:
        self.signed_out = True
        self._wake.set()

    async def take(self, timeout: float) -> list[Frame]:
        """The frames that wait; empty when none came within `timeout` seconds."""
        if not self._waiting and not self.overrun and not self.signed_out:
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return []
        self._wake.clear()
        frames = list(self._waiting)
        self._waiting.clear()
        return frames


class Hub:
    """All desktops of this process. `positions` is the last event of each stream that was handed out."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        # Told when the first desktop of an agent connects, and when the last one is gone.
        self.seen: Callable[[int, bool], None] = lambda agent, connected: None
        self._subscribers: set[Subscriber] = set()
        self.positions: Positions = {}
        self.overruns = 0

    def __len__(self) -> int:
        return len(self._subscribers)

    def subscribe(self, viewer: Viewer) -> tuple[Subscriber, Callable[[], None]]:
        """Take part from now on; the second value undoes it."""
        subscriber = Subscriber(viewer, self._limit)
        first = viewer.agent not in self.agents()
        self._subscribers.add(subscriber)
        if first:
            self.seen(viewer.agent, True)
        return subscriber, lambda: self._leave(subscriber)

    def agents(self) -> set[int]:
        """Who has a desktop connected."""
        return {one.viewer.agent for one in self._subscribers}

    def _leave(self, subscriber: Subscriber) -> None:
        if subscriber not in self._subscribers:
            return
        self._subscribers.discard(subscriber)
        if subscriber.viewer.agent not in self.agents():
            self.seen(subscriber.viewer.agent, False)

    def publish(self, frames: Iterable[Frame]) -> None:
        """Hand out frames that the journal has, in its order."""
        for frame in frames:
            self.positions[frame.stream] = frame.seq
            for subscriber in self._subscribers:
                if frame.concerns(subscriber.viewer.agent, subscriber.viewer.sees_floor):
                    was = subscriber.overrun
                    subscriber.put(frame)
                    self.overruns += subscriber.overrun and not was

    def sign_out(self, agent: int) -> None:
        """Close the desktops of an agent; those with another valid session come back by themselves."""
        for subscriber in list(self._subscribers):
            if subscriber.viewer.agent == agent:
                subscriber.sign_out()
