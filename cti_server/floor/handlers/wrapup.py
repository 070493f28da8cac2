"""Wrap-up: how long an agent has after a call to write down what came of it, and what happens at the end.

    optional    no wrap-up, unless the agent asks for it during the call
    mandatory   until the agent finishes; a limit is only shown
    forced      until the agent finishes or the limit is reached

When a required code is missing at the end, the contact is *owed*: it waits in the agent's tray, and after a
forced end the agent stays not ready until they choose otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.agents import SYSTEM, WRAP_UP_EXPIRED, Because, Wish
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Direction
from cti_server.floor.desk_signals import WrapUpCoded, WrapUpExtended, WrapUpFinished, WrapUpSignal, WrapUpWanted
from cti_server.floor.parts import Origin, Part, PartState
from cti_server.floor.signals import Signal


def wraps_up(call: Call, part: Part) -> bool:
    """Whether wrap-up follows this part: only for an agent of the record (who can finish it), only after a
    customer's call, and only if the queue or the agent wants it.
    """
    if part.agent is None or call.direction is Direction.INTERNAL:
        return False
    if part.origin is Origin.CONSULT and not part.met_customer:
        return part.wrap.wanted  # a consulted agent who never met the customer has nothing to write about them
    return part.wrap.rule.mode != "optional" or part.wrap.wanted


def ask_wrap_up(books: Books, part: Part) -> None:
    """Apply the queue's wrap-up rule to the part; what the agent has entered already stays."""
    description = books.descriptions.get(part.queue) if part.queue is not None else None
    if description is None:
        return
    rule, wrap, used = description.wrap_up, part.wrap, 0
    limit_s = wrap.rule.limit_s or rule.limit_s
    if part.ended_at is not None and wrap.ends_at is not None and limit_s:
        used = round((wrap.ends_at - part.ended_at) / limit_s) - 1  # extensions; the record does not count them
    wrap.rule = rule
    wrap.extensions_left = max(0, rule.extensions - max(0, used))


def finished(books: Books, s: WrapUpFinished) -> None:
    for call, part in _parts(books, s):
        if part.state is PartState.WRAP_UP:
            part.close(s.at)
            books.touch_part(call, part, kinds.WRAPPED)


def wanted(books: Books, s: WrapUpWanted) -> None:
    for call, part in _parts(books, s):
        if part.open:
            part.wrap.wanted = s.wanted
            books.touch_part(call, part)


def extended(books: Books, s: WrapUpExtended) -> None:
    for call, part in _parts(books, s):
        wrap = part.wrap
        if part.state is PartState.WRAP_UP and wrap.ends_at is not None and wrap.extensions_left > 0:
            wrap.extensions_left -= 1
            wrap.ends_at = max(wrap.ends_at, s.at) + wrap.rule.limit_s
            books.touch_part(call, part)


def coded(books: Books, s: WrapUpCoded) -> None:
    for call, part in _parts(books, s):
        if part.answered_at is not None and part.live:
            part.wrap.code = s.code
            books.touch_part(call, part)


def expire(books: Books, call: Call, part: Part) -> None:
    """Close a forced wrap-up whose time is over; if its code is owed, the agent becomes not ready."""
    ends_at = part.wrap.ends_at
    if ends_at is None:
        return
    part.close(ends_at)
    books.touch_part(call, part, kinds.WRAPPED, "expired")
    agent = books.agents.get(part.agent) if part.agent is not None else None
    if part.wrap.owed and agent is not None and agent.shift is not None and agent.shift.wish.ready:
        because = Because("wrap_up_expired", call.id, part.queue, call.number)
        agent.shift.wish = Wish(False, WRAP_UP_EXPIRED, SYSTEM, because, ends_at)


def _parts(books: Books, s: WrapUpSignal) -> Iterator[tuple[Call, Part]]:
    """The agent's parts of this call; none when the call has left the floor."""
    call = books.calls.get(s.call)
    if call is not None:
        yield from ((call, part) for part in call.parts if part.agent == s.agent)


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {
    WrapUpFinished: finished,
    WrapUpWanted: wanted,
    WrapUpExtended: extended,
    WrapUpCoded: coded,
}
