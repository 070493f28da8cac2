"""Requests by id: recognises a repeated command, and keeps each agent's commands for a call in order."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from cti_server.commands import CallCommand, CommandRefused

KEPT_S = 600.0  # how long an Idempotency-Key is remembered
MAX_KEYS = 10_000  # beyond it the oldest keys are forgotten; a command that repeats one of those is a new one
MAX_WAITING = 8  # commands of one agent that may wait for one call; the next is refused

Who = tuple[int, str]  # agent and call


@dataclass(slots=True)
class Line:
    """The commands of one agent for one call. Holders of `lock` run in the order in which they joined."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0  # commands that run or wait


class Requests:
    """The ids of requests: by Idempotency-Key, and by the command while it runs. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._keys: OrderedDict[tuple[int, str], tuple[float, CallCommand, str]] = OrderedDict()
        self._running: dict[tuple[int, CallCommand], str] = {}
        self._lines: dict[Who, Line] = {}

    def repeated(self, agent: int, command: CallCommand, key: str | None) -> str | None:
        """The id of the request that this command repeats; None for a new one.

        Raises CommandRefused `key_reused` for a key that came with another command.
        """
        if key is not None and (found := self._keys.get((agent, key))) is not None:
            at, asked, request = found
            if self._clock() - at <= KEPT_S:
                if asked != command:
                    raise CommandRefused("key_reused", "this Idempotency-Key was used for another command")
                return request
            del self._keys[agent, key]
        return self._running.get((agent, command))

    def begin(
        self, agent: int, command: CallCommand, key: str | None, *, once: bool, request: str | None = None
    ) -> str:
        """The id of a new request, `request` where it has one; call `end` when it is done.

        With `once`, the same command asked again before that is a repeat.
        """
        request = request or uuid.uuid4().hex
        if key is not None:
            self._keys[agent, key] = (self._clock(), command, request)
            while len(self._keys) > self._max_keys:
                self._keys.popitem(last=False)
        if once:
            self._running[agent, command] = request
        return request

    def end(self, agent: int, command: CallCommand, request: str) -> None:
        if self._running.get((agent, command)) == request:
            del self._running[agent, command]

    def forget(self, agent: int, command: CallCommand, key: str | None, request: str) -> None:
        """It was refused after all: the same key may come again."""
        self.end(agent, command, request)
        if key is not None and self._keys.get((agent, key), (0, None, None))[2] == request:
            del self._keys[agent, key]

    def busy(self, who: Who) -> bool:
        """Whether a command of this agent for this call is under way."""
        return who in self._lines

    def join(self, who: Who) -> Line:
        """Take the next place in line; the caller must `leave` it. Raises CommandRefused `busy` on a full line."""
        line = self._lines.get(who) or Line()
        if line.length > MAX_WAITING:
            waiting = f"{line.length} commands for this call are under way"
            raise CommandRefused("busy", waiting, "Wait a moment.")
        self._lines[who] = line
        line.length += 1
        return line

    def leave(self, who: Who) -> None:
        line = self._lines[who]
        line.length -= 1
        if not line.length:
            del self._lines[who]
