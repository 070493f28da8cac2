"""What the manager has said of each channel's number, so that a question about a call can be checked.

It is noted as it arrives, ahead of the inbox: neither a slow database nor a list that is being read may make a
caller wait.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress

from cti_server.floor.signals import LegEnded, LegNumbered, LegStarted, Signal, Snapshot

MAX_CHANNELS = 20_000  # past it the one that began first is forgotten
MAX_NUMBERS = 8  # of one channel: the first, and the last ones

Numbers = Sequence[str | None]


class Channels:
    """The channels of one PBX, by Uniqueid. Call `note` with each signal."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[str, list[str | None]] = OrderedDict()
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def note(self, signal: Signal) -> None:
        match signal:
            case LegStarted() | LegNumbered():
                self._say(signal.leg, signal.number)
            case LegEnded():
                self._numbers.pop(signal.leg, None)
            case Snapshot():
                for row in signal.legs:
                    # What was said of it by an event is newer than the list, which was being read meanwhile.
                    if row.leg not in self._numbers:
                        self._say(row.leg, row.number)
                    elif row.number not in self._numbers[row.leg]:
                        self._numbers[row.leg].insert(0, row.number)

    def begin(self) -> None:
        """A connection begins: what was said before it may not hold any more."""
        self._numbers.clear()

    def _say(self, channel: str, number: str | None) -> None:
        said = self._numbers.setdefault(channel, [])
        if not said or said[-1] != number:
            said.append(number)
            if len(said) > MAX_NUMBERS:
                del said[1]
            if len(self._numbers) > MAX_CHANNELS:
                self._numbers.popitem(last=False)
        for waiting in self._waiting.get(channel, ()):
            waiting.set()

    def said(self, channel: str) -> Numbers | None:
        """The numbers that were said of the channel, the present one last; None where none was said."""
        return self._numbers.get(channel)

    async def until(self, channel: str, holds: Callable[[Numbers | None], bool], timeout: float) -> Numbers | None:
        """Wait until what was said of the channel satisfies `holds`, at most `timeout` seconds. What was said."""
        if holds(self.said(channel)):
            return self.said(channel)
        said = asyncio.Event()
        self._waiting.setdefault(channel, set()).add(said)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    while not holds(self.said(channel)):
                        said.clear()
                        await said.wait()
        finally:
            waiting = self._waiting[channel]
            waiting.discard(said)
            if not waiting:
                del self._waiting[channel]
        return self.said(channel)
