"""Who answers a call and who hears whom: what takes an agent's part from ringing to talking to consulting."""

from __future__ import annotations

from collections.abc import Collection

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Leg
from cti_server.floor.parts import CONNECTED, Origin, Part, PartState

from .wrapup import ask_wrap_up

CALLS_OUT = frozenset({Origin.OUTBOUND, Origin.INTERNAL, Origin.PICKUP})


def answer(books: Books, call: Call, part: Part, at: float) -> None:
    """The agent answered: the wait ends, and so do the offers to others. Nothing happens unless the part rang."""
    if not part.answer(at):
        return
    ask_wrap_up(books, part)
    _stop_waiting(call, part, at)
    call.answered_at = call.answered_at or at
    call.abandoned = call.left_queue_unanswered = call.not_taken = False
    call.hangup_by = call.fetched = None
    for other in list(call.open_parts()):
        if other is not part and other.state is PartState.RINGING and other.origin is Origin.OFFER:
            other.end(at, "answered_elsewhere", wrap_up=False)
            books.touch_part(call, other, kinds.OFFER_ENDED, "answered_elsewhere")
    books.touch_part(call, part, kinds.ANSWERED)
    books.touch(call, kinds.CALL_ANSWERED)


def _stop_waiting(call: Call, part: Part, at: float) -> None:
    call.stop_waiting(at)
    visit = next((v for v in reversed(call.visits) if v.queue == part.queue), None)
    # A phone that rang after the visit was over did not ring for it: a colleague was consulted through the queue.
    if visit is not None and (visit.left is None or (part.offered_at or at) <= visit.left):
        visit.was_answered(at, part.agent, part.seat)


def consults(books: Books, call: Call, at: float) -> None:
    """A colleague is being consulted: the agent who put the caller on hold for it is consulting from now on. With
    two agents on hold nobody can tell which, and nothing changes."""
    holding = [part for part in call.connected() if part.state is PartState.HOLD]
    if len(holding) == 1:
        _consult(holding[0], not _customers(books, call), at)
        _hold_is_over(call.legs_of(holding[0]))
        books.touch_part(call, holding[0])


def _consult(part: Part, customer_gone: bool, at: float) -> None:
    part.enter(PartState.CONSULTING, at)
    part.customer_gone = customer_gone


def hear(books: Books, call: Call, at: float) -> None:
    """Call after legs entered or left bridges: an agent who hears somebody is talking; one who hears only
    colleagues, while a customer is in the call, is consulting; one who is left alone in a room holds."""
    customers = _customers(books, call)
    for part in list(call.open_parts()):
        legs = call.legs_of(part)
        reached = [other for leg in legs for other in call.reach(leg)]
        # Two lines of one phone may have been left with each other: that is all they hear.
        heard = {other.id for other in reached if other not in legs} or {other.id for other in reached}
        if not heard:
            _hears_nobody(books, call, part, legs, at, customer_gone=not customers)
            continue
        if part.state is PartState.RINGING and (part.origin in CALLS_OUT or any(leg.up for leg in legs)):
            answer(books, call, part, at)
        aside = bool(customers) and not customers & heard
        is_held = part.state is PartState.HOLD and any(
            leg.holds and leg.held_in in (None, leg.bridge) for leg in legs
        )
        # Asterisk reports a hold when a consultation begins, but not its end when that becomes a conference.
        if part.state in CONNECTED and (not is_held or aside):
            wanted = PartState.CONSULTING if aside else PartState.TALKING
            if wanted is not part.state:
                part.enter(wanted, at)
                books.touch_part(call, part)
                _hold_is_over(legs)
            part.met_customer = part.met_customer or bool(customers & heard)


def _customers(books: Books, call: Call) -> set[str]:
    """The customer's leg, while it is there; where nobody knows which it is, all legs from outside."""
    if call.customer_leg is not None:
        leg = call.legs.get(call.customer_leg)
        return {leg.id} if leg is not None and not leg.hangup_asked else set()
    return {
        leg.id
        for leg in call.legs.values()
        if not leg.local and not leg.hangup_asked and not books.is_seat(leg.device) and call.led_by(leg) is None
    }


def waits(books: Books, call: Call, leg: Leg, at: float) -> None:
    """The agent on this leg was given away by a colleague: they hear ringing, or a queue's music, and nobody."""
    part = call.part_on(leg)
    if part is not None and part.state is PartState.TALKING and not call.reach(leg):
        part.enter(PartState.HOLD, at)
        books.touch_part(call, part)


def _holds(leg: Leg) -> bool:
    """Whether this party holds those whom it would hear."""
    return leg.holds > 0 and leg.held_in in (None, leg.bridge)


def _hold_is_over(legs: Collection[Leg]) -> None:
    """A hold with which Asterisk began a consultation: it never tells its end."""
    for leg in legs:
        leg.holds, leg.desk_holds = 0, False


def _hears_nobody(
    books: Books, call: Call, part: Part, legs: Collection[Leg], at: float, *, customer_gone: bool
) -> None:
    """The agent hears ringing or music. Nobody talks then; the time counts as their consulting where they ask
    somebody, and as hold where they were left alone, or given to somebody who has not answered."""
    in_room = any(leg.conference for leg in legs)
    if in_room and part.leg == call.first_leg:
        answer(books, call, part, at)  # a room takes whoever dials it
    if part.state not in (PartState.TALKING, PartState.CONSULTING):
        return
    if _reaches_out(call, part, legs):
        wanted = PartState.HOLD if call.not_taken else PartState.CONSULTING
    elif in_room:
        wanted = PartState.HOLD
    else:
        return
    if wanted is not part.state:
        part.enter(wanted, at)
        _hold_is_over(legs)
        books.touch_part(call, part)
    if part.state is PartState.CONSULTING and part.customer_gone is not customer_gone:
        _consult(part, customer_gone, at)


def _reaches_out(call: Call, part: Part, legs: Collection[Leg]) -> bool:
    """Whether the agent waits beside the near half of a Local pair: at its far end somebody is rung, or a queue is
    asked. The half by which a queue reached the agent is not it."""
    bridges = {leg.bridge for leg in legs if leg.bridge is not None}
    return any(
        half.bridge in bridges and half.channel.endswith(";1") and half.id != part.leg for half in call.halves()
    )
