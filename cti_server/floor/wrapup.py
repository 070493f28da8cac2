"""Wrap-up: how long an agent has after a call to write down what came of it, and what happens at the end.

    optional    none by itself; the agent may ask for it during the call
    mandatory   until the agent finishes; the limit is only shown
    forced      until the agent finishes or the limit is reached

Where a required code is missing at the end, the contact is *owed*: it waits in the agent's tray, and after a
forced end the agent is not ready until they say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import events as kinds
from .agents import SYSTEM, WRAP_UP_EXPIRED, Because, Wish
from .calls import Call, Direction
from .desk_signals import WrapUpCoded, WrapUpExtended, WrapUpFinished, WrapUpSignal, WrapUpWanted
from .parts import Origin, Part, PartState
from .signals import Signal

if TYPE_CHECKING:
    from .apply import Floor


def wraps_up(call: Call, part: Part) -> bool:
    """Only a person who can finish it gets wrap-up, only after a customer's call, and only where their queue or
    they themselves want it.
    """
    if part.agent is None or call.direction is Direction.INTERNAL:
        return False
    if part.origin is Origin.CONSULT and not part.met_customer:
        return part.wrap.wanted  # who was only asked has nothing to write about a customer they did not meet
    return part.wrap.mode != "optional" or part.wrap.wanted


def policy(floor: Floor, part: Part) -> None:
    """What the queue asks of whoever takes a call of it; what the agent has said already stays."""
    queue = floor.queues.get(part.queue) if part.queue is not None else None
    if queue is None:
        return
    given, mine = queue.wrap_up, part.wrap
    limit_s, used = mine.limit_s or given.limit_s, 0
    if part.ended_at is not None and mine.ends_at is not None and limit_s:
        used = round((mine.ends_at - part.ended_at) / limit_s) - 1  # the record does not count them
    mine.mode, mine.limit_s, mine.code_required = given.mode, given.limit_s, given.code_required
    mine.extensions_left = max(0, given.extensions_left - max(0, used))


def close(part: Part, at: float) -> None:
    """The wrap-up is over; what is still missing is owed."""
    part.enter(PartState.LEFT, at)
    part.wrapped_at = at
    part.wrap.owed = part.wrap.code_required and part.wrap.code is None


def finished(floor: Floor, s: WrapUpFinished) -> None:
    for call, part in _parts(floor, s):
        if part.state is PartState.WRAP_UP:
            close(part, s.at)
            floor.touch(call, kinds.CALL_WRAPPED, part.agent)


def wanted(floor: Floor, s: WrapUpWanted) -> None:
    for call, part in _parts(floor, s):
        if part.open:
            part.wrap.wanted = s.wanted
            floor.touch(call)


def extended(floor: Floor, s: WrapUpExtended) -> None:
    for call, part in _parts(floor, s):
        if part.state is PartState.WRAP_UP and part.wrap.ends_at is not None and part.wrap.extensions_left > 0:
            part.wrap.extensions_left -= 1
            part.wrap.ends_at = max(part.wrap.ends_at, s.at) + part.wrap.limit_s
            floor.touch(call)


def coded(floor: Floor, s: WrapUpCoded) -> None:
    for call, part in _parts(floor, s):
        if part.answered_at is not None and (part.open or part.state is PartState.WRAP_UP):
            part.wrap.code = s.code
            floor.touch(call)


def expire(floor: Floor, at: float) -> None:
    """End the forced wrap-ups whose time is over."""
    for call, part in list(_forced(floor)):
        ends_at = part.wrap.ends_at
        if ends_at is None or ends_at > at:
            continue
        close(part, ends_at)
        floor.touch(call, kinds.CALL_WRAPPED, part.agent, "expired")
        agent = floor.agents.get(part.agent) if part.agent is not None else None
        if part.wrap.owed and agent is not None and agent.shift is not None and agent.shift.wish.ready:
            because = Because("wrap_up_expired", call.id, part.queue, call.ani or call.ani_raw)
            agent.shift.wish = Wish(False, WRAP_UP_EXPIRED, SYSTEM, because, ends_at)


def next_end(floor: Floor) -> float | None:
    """When the next forced wrap-up is over."""
    return min((p.wrap.ends_at for _, p in _forced(floor) if p.wrap.ends_at is not None), default=None)


def _forced(floor: Floor) -> Iterator[tuple[Call, Part]]:
    for call in floor.calls.values():
        for part in call.parts:
            if part.state is PartState.WRAP_UP and part.wrap.mode == "forced":
                yield call, part


def _parts(floor: Floor, s: WrapUpSignal) -> Iterator[tuple[Call, Part]]:
    call = floor.calls.get(s.call)
    if call is not None:
        yield from ((call, part) for part in call.parts if part.agent == s.agent)


HANDLERS: Mapping[type[Signal], Callable[[Floor, Any], None]] = {
    WrapUpFinished: finished,
    WrapUpWanted: wanted,
    WrapUpExtended: extended,
    WrapUpCoded: coded,
}
