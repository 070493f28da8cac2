"""Counts each person's calls outside: those begun in the last minute, and those that they have now.

It counts what went through call control of this process, which is the one that acts on its PBXs. A restart forgets
it: the minute begins anew, and calls that go on are counted no more.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from cti_server.floor.books import Books
from cti_server.floor.calls import Call
from cti_server.floor.standing import followed
from cti_server.rules.dial_policy import Recent

MINUTE_S = 60.0
SHOWS_S = 15.0  # so long a call counts though the floor does not show it yet: the agent's own phone rings first
MAX_BEGUN = 1000  # of one person; a limit has at most as many


@dataclass(slots=True)
class Begun:
    """A call outside: by the leg that it began with, or in a call that there was already."""

    at: float
    pbx: str
    leg: str | None
    call: str | None


class Outside:
    """`clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[int, deque[Begun]] = {}

    def note(self, agent: int, pbx: str, *, leg: str | None = None, call: str | None = None) -> None:
        """A call outside begins now, by a leg of its own or in a call that goes on."""
        line = self._begun.setdefault(agent, deque(maxlen=MAX_BEGUN))
        line.append(Begun(self._clock(), pbx, leg, call))

    def recent(self, agent: int, floors: Callable[[str], Books | None]) -> Recent:
        """What this person has begun and has now; `floors` gives the floor of a PBX by its name."""
        line = self._begun.get(agent)
        if not line:
            return Recent()
        now = self._clock()
        live: dict[int, tuple[Call, int]] = {}
        fresh = 0
        kept = deque[Begun](maxlen=MAX_BEGUN)
        for begun in line:
            call = _call_of(begun, floors(begun.pbx))
            young = now - begun.at < SHOWS_S
            if call is not None and not call.ended and _outside_legs(call, floors(begun.pbx)):
                live[id(call)] = (call, live.get(id(call), (call, 0))[1] + 1)
            elif young and (call is None or not call.ended):
                fresh += 1
            elif now - begun.at >= MINUTE_S:
                continue
            kept.append(begun)
        if kept:
            self._begun[agent] = kept
        else:
            del self._begun[agent]
        # Who was consulted and left again does not count, though the call goes on.
        there = sum(min(count, _outside_legs(call, floors(call.pbx))) for call, count in live.values())
        return Recent(sum(now - begun.at < MINUTE_S for begun in kept), there + fresh)


def _call_of(begun: Begun, books: Books | None) -> Call | None:
    if books is None:
        return None
    return books.call_of(begun.leg) if begun.leg is not None else followed(books, begun.call or "")


def _outside_legs(call: Call, books: Books | None) -> int:
    """The legs of a call that were dialled, and are no phone of an agent."""
    if books is None:
        return 0
    legs = (leg for leg in call.legs.values() if leg.dialled and not leg.local)
    return sum(not books.is_seat(leg.device) for leg in legs)
