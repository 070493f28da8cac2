"""Which request is which: the same asked twice is one, and an agent's commands for a call keep their order."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from cti_server.commands import CallCommand, CommandRefused

KEPT_S = 600.0  # an Idempotency-Key is known for ten minutes,
MAX_KEYS = 10_000  # and of more than these the oldest are forgotten: asked again, they are new
MAX_WAITING = 8  # commands of one agent that wait for one call; the next is refused

Who = tuple[int, str]  # agent and call


@dataclass(slots=True)
class Line:
    """The commands of one agent for one call, in the order in which they came."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    there: int = 0  # running and waiting


class Requests:
    """Ids of requests, by key and by what runs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._keys: OrderedDict[tuple[int, str], tuple[float, CallCommand, str]] = OrderedDict()
        self._running: dict[tuple[int, CallCommand], str] = {}
        self._lines: dict[Who, Line] = {}

    def known(self, agent: int, command: CallCommand, key: str | None) -> str | None:
        """The request that this is once more. Raises `key_reused` for a key that was used for something else."""
        if key is not None and (found := self._keys.get((agent, key))) is not None:
            at, asked, request = found
            if self._clock() - at <= KEPT_S:
                if asked != command:
                    raise CommandRefused("key_reused", "this Idempotency-Key was used for another command")
                return request
            del self._keys[agent, key]
        return self._running.get((agent, command))

    def begin(self, agent: int, command: CallCommand, key: str | None, *, once: bool) -> str:
        """A new request. `once`: the same command asked again while it runs is this request."""
        request = uuid.uuid4().hex
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

    def busy(self, who: Who) -> bool:
        """Whether a command of this agent for this call is under way."""
        return who in self._lines

    def join(self, who: Who) -> Line:
        """Stand in line, as of now; `leave` must follow. Raises `busy` when too many wait already."""
        line = self._lines.get(who) or Line()
        if line.there > MAX_WAITING:
            waiting = f"{line.there} commands for this call are under way"
            raise CommandRefused("busy", waiting, "Wait a moment.")
        self._lines[who] = line
        line.there += 1
        return line

    def leave(self, who: Who) -> None:
        line = self._lines[who]
        line.there -= 1
        if not line.there:
            del self._lines[who]
