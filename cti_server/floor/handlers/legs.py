"""Handlers for signals about legs: who rings, who answers, who declines, who leaves the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import MAX_PARTS, Call, Direction, Leg
from cti_server.floor.parts import CONNECTED, Origin, Part, PartState
from cti_server.floor.signals import (
    DialStatus,
    LegAnswered,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegHangupAsked,
    LegRang,
    LegRenamed,
    LegStarted,
    Signal,
)

from .desk import apply_identity
from .hearing import answer, consults, hear
from .merging import call_and_leg
from .outcome import seal
from .shift import unanswered
from .why import why
from .wrapup import wraps_up

START = "s"  # the extension of a call that dialled no number
REFUSED = (17, 21)  # Q.850: user busy, call rejected

RING_OUTCOMES = {
    DialStatus.BUSY: "rejected",
    DialStatus.NO_ANSWER: "no_answer",
    DialStatus.FAILED: "unavailable",
}


def started(books: Books, s: LegStarted) -> None:
    if books.leg_of(s.leg) is not None:
        return
    call = books.call_with(s.linkedid)
    kind = kinds.CALL_CHANGED
    if call is None:
        call = books.add_call(Call(books.pbx, books.boot, s.linkedid, s.at))
        call.made_inside = s.channel.startswith("Local/")
        kind = kinds.CALL_STARTED
    leg = books.add_leg(call, Leg(s.leg, s.channel, s.at, s.number, s.name, s.exten, up=s.up))
    if call.first_leg is None and not leg.local:
        _first_leg(books, call, leg)
    if (part := call.part_of(leg.device)) is not None:
        books.touch_part(call, part)
    books.touch(call, kind)
    if (early := books.early.pop(s.leg, None)) is not None:
        apply_identity(books, call, early)


def _first_leg(books: Books, call: Call, leg: Leg) -> None:
    """The first leg decides the direction: a call from an agent's phone is internal until it dials out, any other
    is inbound."""
    call.first_leg = leg.id
    call.ani_raw, call.ani_name = leg.number, leg.name
    call.dnis = None if leg.exten == START else leg.exten
    if books.is_seat(leg.device):
        call.direction = Direction.INTERNAL
        part = new_part(books, call, leg.device, leg.started_at, Origin.INTERNAL)
        part.leg = leg.id
        part.why = why(books, call, part)


def new_part(books: Books, call: Call, seat: str, at: float, origin: Origin, queue: str | None = None) -> Part:
    """Begin the next part of whoever sits at this seat; past MAX_PARTS their last part is reopened."""
    if len(call.parts) >= MAX_PARTS and (last := next((p for p in call.parts[::-1] if p.seat == seat), None)):
        last.ring_again(at)
        books.touch_part(call, last)
        return last
    agent = books.agent_at(seat)
    part = Part(
        position=len(call.parts),
        seat=seat,
        agent=agent.id if agent else None,
        name=agent.name if agent else books.member_name(seat) or seat,
        origin=origin,
        state=PartState.RINGING,
        since=at,
        offered_at=at,
        queue=queue,
    )
    if agent is not None:
        _wrap_up_once(books, call, agent.id, at)
    call.parts.append(part)
    part.why = why(books, call, part)
    books.touch_part(call, part)
    return part


def _wrap_up_once(books: Books, call: Call, agent: int, at: float) -> None:
    """The call has come back to this agent: end the wrap-up of their earlier part, with nothing owed, because
    another follows the new part."""
    for earlier_call, earlier in books.parts_of(agent):
        if earlier_call is call and earlier.state is PartState.WRAP_UP:
            earlier.enter(PartState.LEFT, at)
            earlier.wrapped_at = at
            books.touch_part(call, earlier)


def ring(books: Books, call: Call, seat: str, at: float, origin: Origin, queue: str | None) -> Part:
    """The phone at this seat rings for the call. Several signals may report the same ring; it makes one part."""
    part = call.part_of(seat)
    if part is None:
        part = new_part(books, call, seat, at, origin, queue)
        if origin is Origin.CONSULT:
            consults(books, call, at)
        books.touch_part(call, part, kinds.OFFERED)
    elif part.queue is None and queue is not None and part.state is PartState.RINGING:
        part.queue, part.origin = queue, Origin.OFFER
        part.why = why(books, call, part)
        books.touch_part(call, part)
    return part


def dialled(books: Books, s: LegDialled) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or leg.dialled:
        return
    leg.dialled, leg.dialled_by, leg.dialled_number = True, s.by, s.number
    call.hangup_by = None
    if call.dnis is None and s.number is not None and leg.id != call.first_leg:
        call.dnis = s.number  # the first leg of an originated call dialled nothing
    books.touch(call)
    if leg.local:
        return
    if not books.is_seat(leg.device):
        if call.direction is Direction.INTERNAL and leg.id != call.first_leg:
            _calls_out(books, call, s.number)
    elif s.by is not None and (call.part_of(leg.device) is None or given_up(books, call, leg, s.at)):
        part = ring(books, call, leg.device, s.at, origin_of(books, call, s.by), queue_of(call))
        part.leg = leg.id
    elif (existing := call.part_of(leg.device)) is not None and existing.leg is None:
        existing.leg = leg.id
        books.touch_part(call, existing)


def _calls_out(books: Books, call: Call, number: str | None) -> None:
    call.direction = Direction.OUTBOUND
    call.dnis = number or call.dnis
    for part in call.parts:
        part.origin = Origin.OUTBOUND if part.origin is Origin.INTERNAL else part.origin
        part.why = why(books, call, part)
    books.touch_all(call)


def given_up(books: Books, call: Call, leg: Leg, at: float) -> bool:
    """Whether this leg replaces one that its agent still holds in a fetched call; if so, end the old part.

    When a caller is brought back to a phone, the old leg may end only after the new one begins to ring.
    """
    old = call.part_of(leg.device)
    if call.fetched is None or old is None or old.state not in CONNECTED or old.leg == leg.id:
        return False
    old.end(at, "answered", wrap_up=False, reason="hung_up")
    books.touch_part(call, old, kinds.LEFT)
    return True


def origin_of(books: Books, call: Call, by: str) -> Origin:
    """How an agent whose phone is dialled by the leg `by` comes into the call."""
    if call.direction is Direction.INTERNAL:
        return Origin.INTERNAL
    if call.fetched is not None:
        return Origin.PICKUP
    dialler = call.legs.get(by)
    if dialler is not None and books.is_seat(dialler.device):
        return Origin.CONSULT
    if call.waiting_since is not None:
        return Origin.OFFER
    if call.transferred:
        return Origin.TRANSFER
    return Origin.CONSULT if call.connected() else Origin.OFFER


def queue_of(call: Call) -> str | None:
    """The queue on whose behalf a phone is dialled: the one the caller waits in, or is bound for. None once they
    have left it."""
    if call.fetched is not None:
        return call.queue
    is_for_queue = call.waiting_since is not None or (call.queued_at is None and not call.transferred)
    return call.queue if is_for_queue else None


def dial_ended(books: Books, s: LegDialEnded) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or leg.local:
        return
    call.last_dial = s.status
    part = call.part_of(leg.device)
    if part is not None and part.state is PartState.RINGING and leg.dialled_by is not None:
        if s.status is DialStatus.ANSWER:
            answer(books, call, part, s.at)
        else:
            # A phone that asks to hang up while it rings has declined, whatever status the dial reports.
            end_ring(books, call, part, s.at, "rejected" if leg.hangup_asked else RING_OUTCOMES.get(s.status))
    books.touch(call)


def end_ring(books: Books, call: Call, part: Part, at: float, outcome: str | None) -> None:
    """The phone stopped ringing unanswered. `outcome` None: work it out from who has answered or left meanwhile;
    failing that it is `no_answer`."""
    if outcome is None and part.origin is Origin.CONSULT:
        outcome = "caller_left"  # the colleague who called gave up
    elif call.fetched is not None and part.origin is Origin.OFFER:
        outcome = "answered_elsewhere"  # the caller was taken out of the queue meanwhile
    elif outcome is None or outcome == "no_answer":
        taken_by_another = any(p is not part and p.answered_at is not None and p.open for p in call.parts)
        if call.hangup_by == "caller" or call.abandoned:
            outcome = "caller_left"
        elif taken_by_another and outcome is None:
            outcome = "answered_elsewhere"
        else:
            outcome = "no_answer"
    part.end(at, outcome, wrap_up=False)
    unanswered(books, call, part, at)
    books.touch_part(call, part, kinds.OFFER_ENDED, outcome)


def answered(books: Books, s: LegAnswered) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    leg.up, leg.ringing = True, False
    part = call.part_of(leg.device)
    if part is not None and leg.dialled and leg.dialled_by is not None:
        answer(books, call, part, s.at)
    if (reached := call.part_on(leg)) is not None:
        books.touch_part(call, reached)
    books.touch(call)


def rang(books: Books, s: LegRang) -> None:
    call, leg = call_and_leg(books, s)
    if call is not None and leg is not None:
        leg.ringing = True
        books.touch(call)


def renamed(books: Books, s: LegRenamed) -> None:
    call, leg = books.call_of(s.leg), books.leg_of(s.leg)
    if call is not None and leg is not None:
        call.rename(leg, s.channel)
        books.touch_all(call)


def hangup_asked(books: Books, s: LegHangupAsked) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or leg.local:
        return
    leg.hangup_asked = True
    if call.hangup_by is not None:
        return
    if books.is_seat(leg.device):
        part = call.part_of(leg.device)
        if part is not None and (part.state in CONNECTED or leg.id == call.first_leg):
            call.hangup_by = "agent"
    else:
        first = leg.id == call.first_leg and call.direction is Direction.INBOUND
        call.hangup_by = "caller" if first else "other"


def ended(books: Books, s: LegEnded) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    books.drop_leg(call, leg.id)
    books.leave_queue(leg.id)  # the queue has said so before, unless its word was lost
    _declined_after_all(books, call, leg, s)
    part = call.part_on(leg)
    if part is not None:
        books.touch_part(call, part)
        if not call.has_leg_of(part):
            _part_left(books, call, part, leg, s)
    if call.legs:
        hear(books, call, s.at)
        books.touch(call)
        return
    seal(books, call, s.at)


def _declined_after_all(books: Books, call: Call, leg: Leg, s: LegEnded) -> None:
    """Turn `no_answer` into `rejected` when the leg ends as refused. The queue reports "no answer" even for a
    phone that declined; the cause comes a moment later, with the end of the leg."""
    if s.cause not in REFUSED:
        return
    for part in call.parts:
        if part.leg == leg.id and part.outcome == "no_answer" and part.answered_at is None:
            part.outcome = part.reason = "rejected"
            unanswered(books, call, part, s.at)
            books.touch_part(call, part)


def _part_left(books: Books, call: Call, part: Part, leg: Leg, s: LegEnded) -> None:
    if part.state in CONNECTED:
        part.end(s.at, "answered", wrap_up=wraps_up(call, part), reason="hung_up")
        books.touch_part(call, part, kinds.LEFT)
    elif leg.dialled_by is None and part.origin in (Origin.INTERNAL, Origin.OUTBOUND):
        # The agent dialled, and nobody answered.
        outcome = RING_OUTCOMES.get(call.last_dial or DialStatus.NO_ANSWER, "no_answer")
        part.end(s.at, outcome, wrap_up=False)
        books.touch_part(call, part, kinds.LEFT, outcome)
    else:
        # Cause 26, "answered elsewhere", proves nothing: Queue(…,C) sends it to every member whatever happened.
        end_ring(books, call, part, s.at, "rejected" if s.cause in REFUSED else None)


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {
    LegStarted: started,
    LegRang: rang,
    LegAnswered: answered,
    LegRenamed: renamed,
    LegDialled: dialled,
    LegDialEnded: dial_ended,
    LegHangupAsked: hangup_asked,
    LegEnded: ended,
}
