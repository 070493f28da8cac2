"""Handlers for signals about people who talk: bridged, on hold, transferred, parked, picked up, fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import Call
from cti_server.floor.parts import CONNECTED, Origin, PartState
from cti_server.floor.signals import (
    LegBridged,
    LegFetched,
    LegHeld,
    LegHeldAtDesk,
    LegMuted,
    LegParked,
    LegPickedUp,
    LegRetrieved,
    LegSetAside,
    LegTransferred,
    LegUnbridged,
    LegUnparked,
    RecordingChanged,
    Signal,
)
from cti_server.floor.visits import How

from .hearing import answer, hear
from .legs import consults_whom_it_rings, queue_of
from .lending import came_home, give_back
from .meeting import older_of, one_call
from .merging import call_and_leg, call_of
from .parting import new_part
from .queueing import begin_visit
from .wrapup import wraps_up


def bridged(books: Books, s: LegBridged) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    before = leg.bridge
    call.bridge(leg, s.bridge, conference=s.conference)
    if before is not None and before != s.bridge:
        books.forget_bridge(call, before)  # its end was lost
    if not leg.up and (part := call.part_on(leg)) is not None:
        books.touch_part(call, part)  # a lost answer; a part that rings is told again only when it is touched
    leg.up = True
    call = one_call(books, call, leg, s.bridge, s.at)
    leg.aside = False
    books.bridges[s.bridge] = call
    if leg.local:
        consults_whom_it_rings(books, call, leg)
    if not leg.local:
        call.not_taken = False
        if not any(other.hangup_asked for other in call.legs.values()):  # else it ends as soon as it began
            call.hangup_by = None
    hear(books, call, s.at)
    books.touch(call, kinds.CALL_CONFERENCED if call.in_conference() else kinds.CALL_CHANGED)


def unbridged(books: Books, s: LegUnbridged) -> None:
    call, leg = call_and_leg(books, s)
    if call is not None and leg is not None and leg.bridge == s.bridge:
        call.bridge(leg, None)
        books.forget_bridge(call, s.bridge)
        came_home(books, call, s.at)
        hear(books, call, s.at)
        books.touch(call)


def set_aside(books: Books, s: LegSetAside) -> None:
    """An agent of an agent pool waits for the next customer: their phone is up, and they are free."""
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or not books.is_seat(leg.device):
        return
    leg.aside = True
    call.bridge(leg, None)
    if leg.home is not None:
        give_back(books, call, leg, s.at)
        return
    part = call.part_of(leg.device)
    if part is not None and not call.is_customers:
        answer(books, call, part, s.at)
        part.end(s.at, "answered", wrap_up=False)
        books.touch_part(call, part, kinds.LEFT)
    books.touch(call)


def held(books: Books, s: LegHeld) -> None:
    """A phone may hold a call that is held from the desk, too: whoever is on hold hears nobody until both end."""
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or leg.held_at == s.at or (part := call.part_on(leg)) is None:
        return
    leg.holds, leg.held_at, leg.held_in = leg.holds + 1, s.at, leg.bridge
    if part.state in (PartState.TALKING, PartState.CONSULTING):
        part.enter(PartState.HOLD, s.at)
        books.touch_part(call, part, kinds.HELD)
    else:
        books.touch_part(call, part)  # whose hold it is says what the desk can do about it


def retrieved(books: Books, s: LegRetrieved) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or leg.held_at == s.at or (part := call.part_on(leg)) is None:
        return
    leg.holds, leg.held_at = max(0, leg.holds - 1), s.at
    leg.desk_holds = leg.desk_holds and leg.holds > 0
    if part.state is PartState.HOLD and not leg.holds:
        part.enter(PartState.TALKING, s.at)
        books.touch_part(call, part, kinds.RETRIEVED)
        hear(books, call, s.at)
    else:
        books.touch_part(call, part)


def held_at_desk(books: Books, s: LegHeldAtDesk) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or leg.desk_holds == s.on:
        return
    leg.desk_holds = s.on
    if (part := call.part_on(leg)) is not None:
        books.touch_part(call, part)


def transferred(books: Books, s: LegTransferred) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or not s.ok:
        return
    if s.second is not None and s.second_linkedid is not None:
        consult = call_of(books, s.second, s.second_linkedid)
        if consult is not None and consult is not call:
            if call.is_customers and consult.is_customers:
                _joined(books, call, consult, s)
                return
            call = older_of(books, call, consult)
    if call.hangup_by != "caller":
        call.hangup_by = None
    if s.conference:
        for consulted in call.open_parts():
            if consulted.origin is Origin.CONSULT:
                consulted.origin = Origin.CONFERENCE
                books.touch_part(call, consulted)
        books.touch(call, kinds.CALL_CONFERENCED)
        return
    call.transferred = True
    queue = next(filter(None, map(books.waits_in, call.legs)), None)
    if queue is not None and call.visit is None:
        begin_visit(call, queue, s.at, None)  # the agent waited in this queue; from now on the caller does
    rung = [p for p in call.open_parts() if p.state is PartState.RINGING and p.origin is Origin.CONSULT]
    for ringing in rung:
        ringing.origin = Origin.TRANSFER  # transferred before the colleague answered
        books.touch_part(call, ringing)
    if rung or queue is not None:
        call.not_taken = True
        books.given_away[leg.device] = call
    part = call.part_of(leg.device)
    if part is not None:
        call.given_by = part.name
        if part.state in CONNECTED:
            part.end(s.at, "transferred", wrap_up=wraps_up(call, part))
            books.touch_part(call, part, kinds.LEFT)
    hear(books, call, s.at)
    books.touch(call, kinds.CALL_TRANSFERRED)


def _joined(books: Books, call: Call, other: Call, s: LegTransferred) -> None:
    """An agent joined two customers, each in a call of their own, and left: each keeps their contact, and the
    agent has a part in both."""
    for one, its_other, leg in ((call, other, s.leg), (other, call, s.second or "")):
        one.transferred, one.hangup_by = True, None
        one.joined.add(its_other.id)
        seat_leg = books.leg_of(leg)
        part = one.part_of(seat_leg.device) if seat_leg is not None else None
        if part is not None and part.state in CONNECTED:
            one.given_by = part.name
            part.end(s.at, "transferred", wrap_up=wraps_up(one, part))
            books.touch_part(one, part, kinds.LEFT)
        books.touch(one, kinds.CALL_TRANSFERRED)


def parked(books: Books, s: LegParked) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    leg.parked, call.was_parked = s.space, True
    call.bridge(leg, None)
    # Who was consulted is parked by the near half of the Local pair that led to them.
    parkees = [part for far in (call.beyond(leg) if leg.local else (leg,)) if (part := call.part_on(far))]
    for part in call.connected():
        if part in parkees:
            if part.state is not PartState.HOLD:
                part.enter(PartState.HOLD, s.at)  # a colleague parked this agent, who hears music now
                books.touch_part(call, part, kinds.HELD)
        elif not any(call.reach(own) for own in call.legs_of(part)):
            call.transferred = True  # to whoever fetches it from the space
            part.end(s.at, "transferred", wrap_up=wraps_up(call, part))
            books.touch_part(call, part, kinds.LEFT)
    if not parkees and not call.connected():
        call.not_taken = True
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
    LegSetAside: set_aside,
    LegHeld: held,
    LegRetrieved: retrieved,
    LegHeldAtDesk: held_at_desk,
    LegTransferred: transferred,
    LegParked: parked,
    LegUnparked: unparked,
    LegPickedUp: picked_up,
    LegFetched: fetched,
    LegMuted: muted,
    RecordingChanged: recording_changed,
}
