"""Who takes a call and who hears whom: what changes an agent's part from ringing to talking to consulting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import events as kinds
from .calls import Call
from .parts import Origin, Part, PartState
from .wrapup import policy

if TYPE_CHECKING:
    from .apply import Floor


def answer(floor: Floor, call: Call, part: Part, at: float) -> None:
    """The agent took the call: waiting ends, and the phones that rang with theirs are told so."""
    if not part.answer(at):
        return
    policy(floor, part)
    if call.waiting_since is not None:
        call.wait_s += max(0.0, at - call.waiting_since)
        call.waiting_since = None
    call.answered_at = call.answered_at or at
    call.abandoned = call.left_queue_unanswered = False
    call.hangup_by = call.fetched = None
    for other in list(call.open_parts()):
        if other is not part and other.state is PartState.RINGING and other.origin is Origin.OFFER:
            other.end(at, "answered_elsewhere", wrap_up=False)
    floor.touch(call, kinds.CALL_ANSWERED, part.agent)


def consults(call: Call, at: float) -> None:
    """A colleague is being asked: whoever has put their caller on hold for that is consulting from now on."""
    holding = [part for part in call.connected() if part.state is PartState.HOLD]
    if len(holding) == 1:
        holding[0].enter(PartState.CONSULTING, at)


def hear(floor: Floor, call: Call, at: float) -> None:
    """Who hears whom has changed: an agent who reaches somebody talks, one who reaches only a colleague
    while a customer is in the call consults."""
    customers = [
        g for g in call.legs.values() if not g.local and not g.hangup_asked and not floor.is_seat(g.device)
    ]
    for part in list(call.open_parts()):
        legs = [g for g in call.legs.values() if g.device == part.seat]
        heard = {o.id for g in legs for o in call.reach(g)}
        if not heard:
            continue
        calls_out = part.origin in (Origin.OUTBOUND, Origin.INTERNAL, Origin.PICKUP)
        if part.state is PartState.RINGING and (calls_out or any(g.up for g in legs)):
            answer(floor, call, part, at)
        aside = bool(customers) and not any(c.id in heard for c in customers)
        # Asterisk tells of a hold when a consultation begins, and of no end when it becomes a conference.
        if part.state in (PartState.TALKING, PartState.CONSULTING) or (part.state is PartState.HOLD and aside):
            wanted = PartState.CONSULTING if aside else PartState.TALKING
            if wanted is not part.state:
                part.enter(wanted, at)
            part.met_customer = part.met_customer or any(c.id in heard for c in customers)
