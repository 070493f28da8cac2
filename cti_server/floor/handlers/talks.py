"""Handlers for signals about people who talk: bridged, on hold, transferred, parked, picked up, fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Direction
from cti_server.floor.parts import CONNECTED, Origin, PartState
from cti_server.floor.signals import (
    LegBridged,
    LegFetched,
    LegHeld,
    LegMuted,
    LegParked,
    LegPickedUp,
    LegRetrieved,
    LegTransferred,
    LegUnbridged,
    LegUnparked,
    RecordingChanged,
    Signal,
)
from cti_server.floor.visits import How

from .hearing import answer, hear
from .legs import new_part, queue_of
from .merging import call_and_leg, call_of, merge
from .queueing import begin_visit
from .wrapup import wraps_up


def bridged(books: Books, s: LegBridged) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    call.bridge(leg, s.bridge, conference=s.conference)
    if not leg.up and (part := call.part_on(leg)) is not None:
        books.touch_part(call, part)  # a lost answer; a part that rings is told again only when it is touched
    leg.up = True
    call = _one_call_in_bridge(books, call, s)
    books.bridges[s.bridge] = call
    if not leg.local:
        call.hangup_by = None
    hear(books, call, s.at)
    books.touch(call, kinds.CALL_CONFERENCED if call.in_conference() else kinds.CALL_CHANGED)


def _one_call_in_bridge(books: Books, call: Call, s: LegBridged) -> Call:
    """Merge two calls that meet in one bridge, the older keeping its id; returns the call that the leg is in now.

    The calls of several customers may meet in a conference room, and there each stays a call of its own.
    """
    other = books.bridges.get(s.bridge, call)
    together = other is not call and not other.ended and any(o.bridge == s.bridge for o in other.legs.values())
    either_is_ours = any(c.made_inside or c.direction is Direction.INTERNAL for c in (call, other))
    if together and (either_is_ours or not s.conference):
        return _merged(books, call, other)
    return call


def _merged(books: Books, call: Call, other: Call) -> Call:
    older, younger = sorted((call, other), key=lambda c: c.started_at)
    return merge(books, older, younger)


def unbridged(books: Books, s: LegUnbridged) -> None:
    call, leg = call_and_leg(books, s)
    if call is not None and leg is not None and leg.bridge == s.bridge:
        call.bridge(leg, None)
        books.forget_bridge(call, s.bridge)
        hear(books, call, s.at)
        books.touch(call)


def held(books: Books, s: LegHeld) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or (part := call.part_of(leg.device)) is None:
        return
    if part.state in (PartState.TALKING, PartState.CONSULTING):
        part.enter(PartState.HOLD, s.at)
        books.touch_part(call, part, kinds.HELD)


def retrieved(books: Books, s: LegRetrieved) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or (part := call.part_of(leg.device)) is None:
        return
    if part.state is PartState.HOLD:
        part.enter(PartState.TALKING, s.at)
        books.touch_part(call, part, kinds.RETRIEVED)
        hear(books, call, s.at)


def transferred(books: Books, s: LegTransferred) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or not s.ok:
        return
    if s.second is not None and s.second_linkedid is not None:
        consult = call_of(books, s.second, s.second_linkedid)
        if consult is not None and consult is not call:
            call = _merged(books, call, consult)
    call.hangup_by = None
    if s.conference:
        for consulted in call.open_parts():
            if consulted.origin is Origin.CONSULT:
                consulted.origin = Origin.CONFERENCE
                books.touch_part(call, consulted)
        books.touch(call, kinds.CALL_CONFERENCED)
        return
    call.transferred = True
    if (queue := next(filter(None, map(books.waits_in, call.legs)), None)) is not None and call.visit is None:
        begin_visit(call, queue, s.at, None)  # the agent waited in this queue; from now on the caller does
    for ringing in call.open_parts():
        if ringing.state is PartState.RINGING and ringing.origin is Origin.CONSULT:
            ringing.origin = Origin.TRANSFER  # transferred before the colleague answered
            books.touch_part(call, ringing)
    part = call.part_of(leg.device)
    if part is not None:
        call.given_by = part.name
        if part.state in CONNECTED:
            part.end(s.at, "transferred", wrap_up=wraps_up(call, part))
            books.touch_part(call, part, kinds.LEFT)
    books.touch(call, kinds.CALL_TRANSFERRED)


def parked(books: Books, s: LegParked) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    leg.parked, call.was_parked = s.space, True
    call.bridge(leg, None)
    for part in call.connected():
        call.transferred = True  # to whoever fetches it from the space
        part.end(s.at, "transferred", wrap_up=wraps_up(call, part))
        books.touch_part(call, part, kinds.LEFT)
    books.touch(call, kinds.CALL_PARKED)


def unparked(books: Books, s: LegUnparked) -> None:
    call, leg = call_and_leg(books, s)
    if call is not None and leg is not None:
        leg.parked = None
        books.touch(call)


def picked_up(books: Books, s: LegPickedUp) -> None:
    """The picker's channel replaces the one that rang: the agent whose phone rang is out, the picker is in."""
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    picker_leg = books.leg_of(s.by)
    if (rung := call.part_of(leg.device)) is not None and rung.state is PartState.RINGING:
        rung.end(s.at, "answered_elsewhere", wrap_up=False)
        books.touch_part(call, rung, kinds.OFFER_ENDED, rung.outcome)
    if picker_leg is not None and books.is_seat(picker_leg.device):
        part = call.part_of(picker_leg.device) or new_part(
            books, call, picker_leg.device, s.at, Origin.PICKUP, queue_of(call)
        )
        part.leg = s.by  # the picker's own leg; the one that rang is about to be hung up
        books.touch_part(call, part)
        answer(books, call, part, s.at)
    books.touch(call, kinds.CALL_ANSWERED)


def fetched(books: Books, s: LegFetched) -> None:
    call, _ = call_and_leg(books, s)
    if call is None:
        return
    call.fetched = s.why
    if call.queued_at is not None and not call.connected():
        call.waiting_since = call.waiting_since or s.at  # out of the queue, but with no agent yet
        call.left_queue_unanswered = False
    if call.visits and s.why == "picked" and call.visits[-1].how in (None, How.MOVED_ON):
        call.visits[-1].left = call.visits[-1].left or s.at
        call.visits[-1].how = How.PICKED
    books.touch(call)


def muted(books: Books, s: LegMuted) -> None:
    call, leg = call_and_leg(books, s)
    if call is not None and leg is not None:
        leg.muted = s.muted
        if (part := call.part_of(leg.device)) is not None:
            books.touch_part(call, part)


def recording_changed(books: Books, s: RecordingChanged) -> None:
    call, leg = call_and_leg(books, s)
    if call is not None and leg is not None:
        leg.recording = s.state
        books.touch_all(call)


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {
    LegBridged: bridged,
    LegUnbridged: unbridged,
    LegHeld: held,
    LegRetrieved: retrieved,
    LegTransferred: transferred,
    LegParked: parked,
    LegUnparked: unparked,
    LegPickedUp: picked_up,
    LegFetched: fetched,
    LegMuted: muted,
    RecordingChanged: recording_changed,
}
