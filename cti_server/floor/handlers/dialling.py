"""Handlers for numbers that were dialled from the desk and not reached: why, told to the agent at once.

Where the PBX has no such trunk, or nothing of the call went out, there is no leg to tell it by: the dialplan does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Direction
from cti_server.floor.parts import Origin
from cti_server.floor.signals import DialStatus, NumberNotReached, Signal

from .legs import ask_again
from .merging import call_and_leg

#: Q.850 causes → why, where the status of the dial alone does not say
BY_CAUSE = {
    1: "number_unknown",
    3: "unreachable",
    20: "unreachable",
    27: "unreachable",
    21: "refused",
    28: "number_unknown",
    34: "congestion",
    38: "congestion",
    41: "congestion",
    42: "congestion",
    44: "congestion",
    57: "not_allowed",
}
BY_STATUS = {DialStatus.BUSY: "busy", DialStatus.NO_ANSWER: "no_answer", DialStatus.CANCEL: "no_answer"}


def reason_of(s: NumberNotReached, refused_with: int | None = None) -> str:
    """Why the number was not reached: `no_trunk`, `number_unknown`, `unreachable`, `refused`, `congestion`,
    `not_allowed` (by the fence of the dialplan), `busy`, `no_answer`, or `failed` for what the PBX does not say.

    `refused_with` is the cause that the trunk itself gave. A Local channel in between (CTI_VIA, FreePBX's outbound
    routes) does not hand it on, so it counts more than the cause that the dialplan knows."""
    if not s.trunk_known:
        return "no_trunk"
    if s.status in BY_STATUS:
        return BY_STATUS[s.status]
    return next((BY_CAUSE[cause] for cause in (refused_with, s.cause) if cause in BY_CAUSE), "failed")


def not_reached(books: Books, s: NumberNotReached) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or call.ended:
        return
    call.last_dial = s.status
    if leg.id == call.first_leg and leg.ours:
        if s.outside and call.direction is Direction.INTERNAL:
            _went_out(books, call, s.number)
        part = call.part_on(leg)
        if part is not None:
            part.reason = reason_of(s, call.refused_with)
            books.touch_part(call, part, kinds.NOT_REACHED, part.reason)
    books.touch(call)


def _went_out(books: Books, call: Call, number: str) -> None:
    """The call was for somebody outside, though nothing of it went out: the contact is theirs."""
    call.direction, call.dnis = Direction.OUTBOUND, number
    for part in call.parts:
        part.origin = Origin.OUTBOUND if part.origin is Origin.INTERNAL else part.origin
    if call.match != "pending" and call.chosen_by is None:
        ask_again(books, call)


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {NumberNotReached: not_reached}
