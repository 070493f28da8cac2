"""What signals about legs mean for their call: who rings, who is reached, who declined, who left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import events as kinds
from .books import Books
from .calls import MAX_PARTS, Call, Direction, Leg
from .desk import apply_identity
from .hearing import answer, consults, hear
from .merging import call_and_leg
from .outcome import seal
from .parts import CONNECTED, Origin, Part, PartState
from .shift import unanswered
from .signals import (
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
from .why import why
from .wrapup import wraps_up

START = "s"  # the dialplan's name for "no number"
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
    """Who began the call tells its direction: an agent's phone calls out or inside, anybody else calls in."""
    call.first_leg = leg.id
    call.ani_raw, call.ani_name = leg.number, leg.name
    call.dnis = None if leg.exten == START else leg.exten
    if books.is_seat(leg.device):
        call.direction = Direction.INTERNAL
        part = new_part(books, call, leg.device, leg.started_at, Origin.INTERNAL)
        part.leg = leg.id
        part.why = why(books, call, part)


def new_part(books: Books, call: Call, seat: str, at: float, origin: Origin, queue: str | None = None) -> Part:
    """The agent's next segment; past MAX_PARTS the last one of this seat is used again."""
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
    """The same call comes to this agent again: there is one wrap-up, after it."""
    for of_call, before in books.parts_of(agent):
        if of_call is call and before.state is PartState.WRAP_UP:
            before.enter(PartState.LEFT, at)
            before.wrapped_at = at
            books.touch_part(call, before)


def ring(books: Books, call: Call, seat: str, at: float, origin: Origin, queue: str | None) -> Part:
    """A phone at a seat rings for this call: the same offer may be told by several signals."""
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
        call.dnis = s.number  # an originated leg begins at no number
    books.touch(call)
    if leg.local:
        return
    if not books.is_seat(leg.device):
        if call.direction is Direction.INTERNAL and leg.id != call.first_leg:
            _calls_out(books, call, s.number)
    elif s.by is not None and (call.part_of(leg.device) is None or given_up(books, call, leg, s.at)):
        part = ring(books, call, leg.device, s.at, _origin(books, call, s.by), queue_of(call))
        part.leg = leg.id
    elif (part_there := call.part_of(leg.device)) is not None and part_there.leg is None:
        part_there.leg = leg.id
        books.touch_part(call, part_there)


def _calls_out(books: Books, call: Call, number: str | None) -> None:
    call.direction = Direction.OUTBOUND
    call.dnis = number or call.dnis
    for part in call.parts:
        part.origin = Origin.OUTBOUND if part.origin is Origin.INTERNAL else part.origin
        part.why = why(books, call, part)
    books.touch_all(call)


def given_up(books: Books, call: Call, leg: Leg, at: float) -> bool:
    """The caller is brought back to a phone whose old leg may end only after the new one begins to ring."""
    old = call.part_of(leg.device)
    if call.fetched is None or old is None or old.state not in CONNECTED or old.leg == leg.id:
        return False
    old.end(at, "answered", wrap_up=False, reason="hung_up")
    books.touch_part(call, old, kinds.LEFT)
    return True


def _origin(books: Books, call: Call, by: str) -> Origin:
    """How the agent whose phone is being dialled comes into the call."""
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
    """The queue on whose behalf a phone is dialled: the one waited in, or meant for and not yet left."""
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
    """An offer is over unanswered. None: told from who answered or left meanwhile, else it was not answered."""
    if outcome is None and part.origin is Origin.CONSULT:
        outcome = "caller_left"  # the colleague who asked thought better of it
    elif call.fetched is not None and part.origin is Origin.OFFER:
        outcome = "answered_elsewhere"  # the caller was taken out of the queue meanwhile
    elif outcome is None or outcome == "no_answer":
        taken = any(p is not part and p.answered_at is not None and p.open for p in call.parts)
        if call.hangup_by == "caller" or call.abandoned:
            outcome = "caller_left"
        elif taken and outcome is None:
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
    if part is not None:
        if leg.dialled and leg.dialled_by is not None:
            answer(books, call, part, s.at)
        books.touch_part(call, part)
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
    books.leave_queue(leg.id)
    seal(books, call, s.at)


def _declined_after_all(books: Books, call: Call, leg: Leg, s: LegEnded) -> None:
    """A queue says "no answer" of a phone that declined, too; the end of its leg, a moment later, tells why."""
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
        # The agent called, and nobody answered them.
        outcome = RING_OUTCOMES.get(call.last_dial or DialStatus.NO_ANSWER, "no_answer")
        part.end(s.at, outcome, wrap_up=False)
        books.touch_part(call, part, kinds.LEFT, outcome)
    else:
        # Cause 26, "answered elsewhere", proves nothing: Queue(…,C) gives it to every member, whatever happened.
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
