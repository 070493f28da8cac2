"""Handlers for signals about legs: who rings, who answers, who declines, who leaves the call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Direction, Leg, device_of
from cti_server.floor.parts import CONNECTED, Origin, Part, PartState
from cti_server.floor.signals import (
    DialStatus,
    LegAnswered,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegHangupAsked,
    LegNumbered,
    LegRang,
    LegRefused,
    LegRenamed,
    LegStarted,
    NobodyCalls,
    Signal,
)
from cti_server.floor.visits import How

from .desk import apply_identity
from .hearing import answer, consults, hear, waits
from .lending import came_home, is_over
from .merging import call_and_leg, merge
from .outcome import ENDS_WITHIN_S, seal
from .parting import new_part
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
    if books.leg_of(s.leg) is not None or s.linkedid in books.nobody:
        return
    call = books.call_with(s.linkedid)
    kind = kinds.CALL_CHANGED
    if call is None:
        call = books.add_call(Call(books.pbx, books.boot, _name_of_call(books, s), s.at))
        if call.linkedid != s.linkedid:
            call.aliases.append(s.linkedid)
            books.name_call(call, (s.linkedid,))
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


def nobody_calls(books: Books, s: NobodyCalls) -> None:
    books.nobody.add(s.linkedid)


def _name_of_call(books: Books, s: LegStarted) -> str:
    """The linkedid that names the call in the record. One whose call has ended comes again where the PBX runs one
    channel for many purposes; then the leg's own id names the new call, lest it overwrite the old one."""
    return s.leg if s.linkedid in books.ended and s.leg != s.linkedid else s.linkedid


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
    else:
        call.customer_leg = leg.id


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
    call.dial(leg, s.by)
    leg.dialled_number = s.number
    if call.hangup_by != "caller":
        call.hangup_by = None
    is_first, is_seat = leg.id == call.first_leg, books.is_seat(leg.device)
    if call.dnis is None and not is_first and not (is_seat and call.is_customers):
        call.dnis = s.number  # the first leg of an originated call dialled nothing; an agent's phone is no line
    if call.transferred and not leg.local and not call.connected():
        call.not_taken = True  # until somebody talks to the caller
    if s.by is None and is_first and is_seat and (given := _given_away(books, call, leg)) is not None:
        _comes_back(books, given, call, leg, s.at)
        return
    if s.by is not None and (dialler := call.legs.get(s.by)) is not None:
        waits(books, call, dialler, s.at)
    books.touch(call)
    if leg.local:
        return
    if not is_seat:
        if is_first and call.direction is Direction.INBOUND:
            _calls_customer(books, call, leg)
        elif call.direction is Direction.INTERNAL and not is_first:
            calls_out(books, call, leg)
    elif s.by is not None and (call.part_of(leg.device) is None or given_up(books, call, leg, s.at)):
        part = ring(books, call, leg.device, s.at, origin_of(books, call, s.by), queue_of(call))
        part.leg = leg.id
    elif (existing := call.part_of(leg.device)) is not None and existing.leg is None:
        existing.leg = leg.id
        books.touch_part(call, existing)


def _given_away(books: Books, call: Call, leg: Leg) -> Call | None:
    """The call that the PBX brings back to this phone, whose agent gave it to somebody who did not take it."""
    given = books.given_away.get(leg.device)
    asked_for = "-cti-" in leg.id  # by the agent, at their desk
    if given is None or given is call or given.ended or not given.not_taken or asked_for:
        return None
    return given if not any(given.open_parts()) else None


def _comes_back(books: Books, given: Call, call: Call, leg: Leg, at: float) -> None:
    del books.given_away[leg.device]
    given.stop_waiting(at)  # in the queue that did not take it in time, or for the colleague who picked it there
    if given.visit is not None:
        given.visit.end(at, How.TIMED_OUT)
    given = merge(books, given, call)
    given.dial(leg, given.customer_leg)
    if (part := given.part_of(leg.device)) is not None:
        part.origin, part.queue = Origin.TRANSFER, given.queue
        part.why = why(books, given, part)
        books.touch_part(given, part, kinds.OFFERED)


def _calls_customer(books: Books, call: Call, leg: Leg) -> None:
    """The PBX itself called a customer: a callback, or a call placed by another program. The number on the leg is
    then the center's own."""
    call.direction = Direction.OUTBOUND
    call.dnis, call.ani_raw, call.ani_name = leg.dialled_number, None, None
    books.touch_all(call)


def calls_out(books: Books, call: Call, leg: Leg) -> None:
    """An agent called somebody outside: that is the customer from now on, and who they are is asked anew."""
    call.direction, call.customer_leg = Direction.OUTBOUND, leg.id
    call.dnis = leg.dialled_number or call.dnis
    for part in call.parts:
        part.origin = Origin.OUTBOUND if part.origin is Origin.INTERNAL else part.origin
        part.why = why(books, call, part)
        books.touch_part(call, part)
    books.touch_all(call)
    if call.match != "pending" and call.chosen_by is None:
        ask_again(books, call)  # until now the agent's own number was all that there was


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
    if dialler is not None and (books.is_seat(dialler.device) or _is_beside_an_agent(call, dialler)):
        return Origin.CONSULT
    if call.waiting_since is not None:
        return Origin.OFFER
    if call.transferred:
        return Origin.TRANSFER
    return Origin.CONSULT if call.connected() else Origin.OFFER


def _is_beside_an_agent(call: Call, half: Leg) -> bool:
    """Whether the other half of this Local pair is in a bridge with an agent: they consult somebody through it."""
    near = next((other for other in call.halves() if other.channel == half.twin), None)
    if near is None or near.bridge is None:
        return False
    return any(leg.bridge == near.bridge and leg.ours and not leg.local for leg in call.legs.values())


def consults_whom_it_rings(books: Books, call: Call, near: Leg) -> None:
    """Half of a Local pair has come to an agent: whom the other half rings is consulted, and not given the call.
    The PBX may tell of the ring first."""
    with_agent = any(leg.bridge == near.bridge and leg.ours and not leg.local for leg in call.legs.values())
    for rung in call.behind(near) if with_agent else ():
        part = call.part_on(rung)
        if part is not None and part.state is PartState.RINGING and part.origin is Origin.TRANSFER:
            part.origin = Origin.CONSULT
            books.touch_part(call, part)


def queue_of(call: Call) -> str | None:
    """The queue on whose behalf a phone is dialled: the one the caller waits in, or is bound for. None once they
    have left it."""
    if call.fetched is not None:
        return call.queue
    is_for_queue = call.waiting_since is not None or (call.queued_at is None and not call.transferred)
    return call.queue if is_for_queue else None


def dial_ended(books: Books, s: LegDialEnded) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    if s.status is DialStatus.ANSWER:
        _stop_ringing_others(books, call, leg, s.at)
    if leg.local:
        return
    call.last_dial, leg.dial_over = s.status, s.status is not DialStatus.ANSWER
    part = call.part_on(leg)
    ended = s.status is not DialStatus.ANSWER  # who answers is only talking once the caller hears them
    if part is not None and part.state is PartState.RINGING and leg.dialled_by is not None and ended:
        if s.forwarded is not None:
            end_ring(books, call, part, s.at, "forwarded")
        elif not _still_rings(call, part, leg):
            # A phone that asks to hang up while it rings has declined, whatever status the dial reports.
            end_ring(books, call, part, s.at, "rejected" if leg.hangup_asked else RING_OUTCOMES.get(s.status))
    books.touch(call)


def _stop_ringing_others(books: Books, call: Call, leg: Leg, at: float) -> None:
    """One of those whom the caller's queue rings has picked up: the PBX stops ringing the others. Behind a Local
    channel they ring on until its own end is answered."""
    dialler = call.legs.get(leg.dialled_by or "")
    taker = call.part_on(leg)
    if dialler is None or dialler.local or taker is None or taker.origin is not Origin.OFFER:
        return
    for other in list(call.open_parts()):
        if other is not taker and other.state is PartState.RINGING and other.origin is Origin.OFFER:
            other.end(at, "answered_elsewhere", wrap_up=False)
            books.touch_part(call, other, kinds.OFFER_ENDED, "answered_elsewhere")


def _still_rings(call: Call, part: Part, leg: Leg) -> bool:
    """Whether another of the agent's devices rings: their offer ends with the last one."""
    return any(
        other is not leg and not other.local and not other.dial_over and other.id != call.first_leg
        for other in call.legs_of(part)
    )


def end_ring(books: Books, call: Call, part: Part, at: float, outcome: str | None) -> None:
    """The phone stopped ringing unanswered. `outcome` None: work it out from who has answered or left meanwhile;
    failing that it is `no_answer`."""
    if outcome is None and part.origin is Origin.CONSULT:
        outcome = "caller_left"  # the colleague who called gave up
    elif call.fetched is not None and part.origin is Origin.OFFER:
        outcome = "answered_elsewhere"  # the caller was taken out of the queue meanwhile
    elif outcome is None or outcome == "no_answer":
        taken_by_another = any(p is not part and p.open and _picked_up(call, p) for p in call.parts)
        if call.hangup_by == "caller" or call.abandoned:
            outcome = "caller_left"
        elif taken_by_another and outcome is None:
            outcome = "answered_elsewhere"
        else:
            outcome = "no_answer"
    part.end(at, outcome, wrap_up=False)
    unanswered(books, call, part, at)
    books.touch_part(call, part, kinds.OFFER_ENDED, outcome)


def _picked_up(call: Call, part: Part) -> bool:
    """Whether the agent has taken the call, though an announcement may still keep the caller from them."""
    return part.answered_at is not None or any(leg.up and leg.dialled for leg in call.legs_of(part))


def answered(books: Books, s: LegAnswered) -> None:
    """The leg is up. That is not talking yet: an announcement or a question may come first (`hearing.py`)."""
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    leg.up, leg.ringing, leg.up_at = True, False, leg.up_at or s.at
    if leg.id == call.customer_leg and call.direction is Direction.OUTBOUND:
        call.reached = True
    if (part := call.part_on(leg)) is not None:
        reached_by = call.legs.get(part.leg or "")
        if part.state is PartState.RINGING and leg.dialled and (reached_by is None or not reached_by.local):
            part.leg = leg.id  # of several devices, the one that was picked up
        books.touch_part(call, part)
    books.touch(call)


def numbered(books: Books, s: LegNumbered) -> None:
    """The caller's number came late. Once an agent has been rung it is not touched, for then it is what a transfer
    or a conference makes of it; on a call that the PBX began it is the center's own."""
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or leg.id != call.first_leg or leg.dialled:
        return
    if call.direction is not Direction.INBOUND or call.parts or call.transferred:
        return
    number, name = s.number or call.ani_raw, s.name or call.ani_name
    if (number, name) == (call.ani_raw, call.ani_name):
        return
    leg.number, leg.name = number, name
    is_new = number != call.ani_raw and call.chosen_by is None
    call.ani_raw, call.ani_name = number, name
    if is_new:
        ask_again(books, call)
    books.touch(call, reason=kinds.NUMBERED)


def ask_again(books: Books, call: Call) -> None:
    """Whoever was found by the number of before is somebody else."""
    call.ani, call.customer, call.verdict, call.match = None, None, None, "pending"
    books.touch_card(call)
    books.touch(call, reason=kinds.NUMBERED)


def refused(books: Books, s: LegRefused) -> None:
    call, leg = call_and_leg(books, s)
    if call is not None and leg is not None and leg.id == call.first_leg:
        call.refused = True
        if call.hangup_by == "caller" and not call.connected():
            # The caller's phone ended the call because it was told so, and the PBX said that first (1 in 40).
            call.hangup_by, leg.hangup_asked = None, False
        books.touch(call)


def rang(books: Books, s: LegRang) -> None:
    call, leg = call_and_leg(books, s)
    if call is not None and leg is not None:
        leg.ringing = True
        books.touch(call)


def renamed(books: Books, s: LegRenamed) -> None:
    call, leg = books.call_of(s.leg), books.leg_of(s.leg)
    if call is not None and leg is not None:
        call.rename(leg, s.channel, books.seat_at(device_of(s.channel)))
        books.touch_all(call)


def hangup_asked(books: Books, s: LegHangupAsked) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None or leg.local:
        return
    part = call.part_on(leg)
    is_agents = part is not None or books.is_seat(leg.device)
    leg.hangup_asked = leg.hangup_asked or is_agents or not s.at_desk  # a customer who is dropped has not asked
    leg.asked_at = s.at if leg.hangup_asked and leg.asked_at is None else leg.asked_at
    asked_before = call.hangup_by is not None and s.at - call.hangup_at < ENDS_WITHIN_S
    if asked_before or call.hangup_by == "caller":
        return
    call.hangup_at = s.at
    if s.at_desk and not is_agents:
        call.hangup_by = "agent"
    elif is_agents:
        if part is not None and (part.state in CONNECTED or leg.id == call.first_leg):
            call.hangup_by = "agent"
    else:
        first = leg.id == call.first_leg and call.direction is Direction.INBOUND
        call.hangup_by = "caller" if first else "other"


def ended(books: Books, s: LegEnded) -> None:
    call, leg = call_and_leg(books, s)
    if call is None or leg is None:
        return
    if leg.dialled and not leg.up and not leg.local:
        call.refused_with = s.cause
    part = call.part_on(leg)
    led_to = part or _led_through(call, leg)
    survivor = _survivor(call, led_to, leg) if led_to is not None else None
    _takes_its_place(books, call, leg)
    books.drop_leg(call, leg.id)
    books.leave_queue(leg.id)  # the queue has said so before, unless its word was lost
    _declined_after_all(books, call, leg, s)
    if led_to is not None and survivor is not None:
        led_to.leg = survivor.id
        books.touch_part(call, led_to)
    if part is not None:
        books.touch_part(call, part)
        if not call.has_leg_of(part):
            _part_left(books, call, part, leg, s)
        elif part.leg == leg.id and (other := _other_leg(call, part)) is not None:
            part.leg = other.id
    is_over(books, leg, s.at)
    came_home(books, call, s.at)
    if call.legs:
        hear(books, call, s.at)
        books.touch(call)
        return
    seal(books, call, s.at)


def _takes_its_place(books: Books, call: Call, leg: Leg) -> None:
    """A leg that ends without having left its bridge has been replaced there: the customer, whom a phone gave to
    somebody who was answering just then, stands where the phone's second line stood. No event says so."""
    customer = call.legs.get(call.customer_leg or "")
    if leg.bridge is None or leg.local or customer is None or customer is leg or not call.transferred:
        return
    if customer.up and customer.bridge is None and customer.parked is None and books.waits_in(customer.id) is None:
        call.bridge(customer, leg.bridge)
        call.bridge(leg, None)
        books.bridges[customer.bridge or ""] = call


def _other_leg(call: Call, part: Part) -> Leg | None:
    """The leg of the agent's phone by which they go on; one that is about to end, or only rings, is none."""
    return next((leg for leg in call.legs_at(part.seat) if leg.bridge is not None and not leg.local), None)


def _led_through(call: Call, half: Leg) -> Part | None:
    """The open part of an agent whom a queue reached by the Local pair that this is the far half of."""
    return next((p for p in call.open_parts() if p.leg == half.id or _is_twin(call, p.leg, half)), None)


def _is_twin(call: Call, leg: str | None, half: Leg) -> bool:
    other = call.legs.get(leg or "")
    return other is not None and half.twin is not None and other.channel == half.twin


def _survivor(call: Call, part: Part, leg: Leg) -> Leg | None:
    """The leg by which the agent goes on when the Local channel that led to them optimises itself away."""
    if not leg.local or not (part.leg == leg.id or _is_twin(call, part.leg, leg)):
        return None
    return next((reached for reached in call.legs_of(part) if not reached.local and reached.up), None)


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
        if leg.up and not leg.dialled and call.last_dial is None:
            # The phone dialled an application, its voicemail say: that answered, and nobody else was called.
            asked = call.hangup_by
            answer(books, call, part, leg.up_at or leg.started_at)
            call.hangup_by = asked
            part.end(s.at, "answered", wrap_up=False, reason="hung_up")
            books.touch_part(call, part, kinds.LEFT)
            return
        # The agent dialled, and nobody answered.
        outcome = RING_OUTCOMES.get(call.last_dial or DialStatus.NO_ANSWER, "no_answer")
        part.end(s.at, outcome, wrap_up=False, reason=part.reason)
        books.touch_part(call, part, kinds.LEFT, outcome)
    else:
        # Cause 26, "answered elsewhere", proves nothing: Queue(…,C) sends it to every member whatever happened.
        end_ring(books, call, part, s.at, "rejected" if s.cause in REFUSED else None)


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {
    NobodyCalls: nobody_calls,
    LegStarted: started,
    LegRang: rang,
    LegAnswered: answered,
    LegNumbered: numbered,
    LegRefused: refused,
    LegRenamed: renamed,
    LegDialled: dialled,
    LegDialEnded: dial_ended,
    LegHangupAsked: hangup_asked,
    LegEnded: ended,
}
