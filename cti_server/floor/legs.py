"""What signals about legs mean for their call: who rings, who talks to whom, who gave the call away, who left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import events as kinds
from .calls import CONNECTED, MAX_PARTS, Call, Direction, Leg, Origin, Part, PartState
from .desk import apply_identity
from .outcome import seal, wraps_up
from .signals import (
    DialStatus,
    LegAnswered,
    LegBridged,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegHangupAsked,
    LegHeld,
    LegParked,
    LegPickedUp,
    LegRang,
    LegRenamed,
    LegRetrieved,
    LegSignal,
    LegStarted,
    LegTransferred,
    LegUnbridged,
    LegUnparked,
    Signal,
)

if TYPE_CHECKING:
    from .apply import Floor

REFUSED = (17, 21)  # Q.850: user busy, call rejected

RING_OUTCOMES = {
    DialStatus.BUSY: "rejected",
    DialStatus.NO_ANSWER: "no_answer",
    DialStatus.FAILED: "unavailable",
}


def started(floor: Floor, s: LegStarted) -> None:
    if floor.leg_of(s.leg) is not None:
        return
    call = floor.call_with(s.linkedid)
    kind = kinds.CALL_CHANGED
    if call is None:
        call = floor.add_call(Call(floor.pbx, floor.boot, s.linkedid, s.at))
        kind = kinds.CALL_STARTED
    leg = floor.add_leg(call, Leg(s.leg, s.channel, s.at, s.number, s.name, s.exten, up=s.up))
    if call.first_leg is None and not leg.local:
        _first_leg(floor, call, leg)
    floor.touch(call, kind)
    if (early := floor.early.pop(s.leg, None)) is not None:
        apply_identity(floor, call, early)


def _first_leg(floor: Floor, call: Call, leg: Leg) -> None:
    """Who began the call tells its direction: an agent's phone calls out or inside, anybody else calls in."""
    call.first_leg = leg.id
    call.ani_raw, call.ani_name, call.dnis = leg.number, leg.name, leg.exten
    if floor.is_seat(leg.device):
        call.direction = Direction.INTERNAL
        part = new_part(floor, call, leg.device, leg.started_at, Origin.INTERNAL)
        part.leg = leg.id


def new_part(floor: Floor, call: Call, seat: str, at: float, origin: Origin, queue: str | None = None) -> Part:
    """The agent's next segment; past MAX_PARTS the last one of this seat is used again."""
    if len(call.parts) >= MAX_PARTS and (last := next((p for p in call.parts[::-1] if p.seat == seat), None)):
        last.enter(PartState.RINGING, at)
        last.ended_at = last.outcome = last.reason = last.wrapped_at = None
        return last
    agent = floor.agent_at(seat)
    part = Part(
        position=len(call.parts),
        seat=seat,
        agent=agent.id if agent else None,
        name=agent.name if agent else floor.member_name(seat) or seat,
        origin=origin,
        state=PartState.RINGING,
        since=at,
        offered_at=at,
        queue=queue,
    )
    call.parts.append(part)
    return part


def ring(floor: Floor, call: Call, seat: str, at: float, origin: Origin, queue: str | None) -> Part:
    """A phone at a seat rings for this call: the same offer may be told by several signals."""
    part = call.part_of(seat)
    if part is None:
        part = new_part(floor, call, seat, at, origin, queue)
        floor.touch(call, kinds.CALL_OFFERED, part.agent)
    elif part.queue is None and queue is not None and part.state is PartState.RINGING:
        part.queue, part.origin = queue, Origin.OFFER
    floor.touch(call)
    return part


def dialled(floor: Floor, s: LegDialled) -> None:
    call, leg = _known(floor, s)
    if call is None or leg is None or leg.dialled:
        return
    leg.dialled, leg.dialled_by, leg.dialled_number = True, s.by, s.number
    call.hangup_by = None
    if leg.local:
        return
    if not floor.is_seat(leg.device):
        if call.direction is Direction.INTERNAL and leg.id != call.first_leg:
            call.direction = Direction.OUTBOUND
            call.dnis = s.number or call.dnis
            for part in call.parts:
                part.origin = Origin.OUTBOUND if part.origin is Origin.INTERNAL else part.origin
    elif s.by is not None and call.part_of(leg.device) is None:
        part = ring(floor, call, leg.device, s.at, _origin(floor, call, s.by), _queue_of(call))
        part.leg = leg.id
    elif (known := call.part_of(leg.device)) is not None:
        known.leg = known.leg or leg.id
    floor.touch(call)


def _origin(floor: Floor, call: Call, by: str) -> Origin:
    """How the agent whose phone is being dialled comes into the call."""
    if call.direction is Direction.INTERNAL:
        return Origin.INTERNAL
    dialler = call.legs.get(by)
    if dialler is not None and floor.is_seat(dialler.device):
        return Origin.CONSULT
    if call.waiting_since is not None:
        return Origin.OFFER
    if call.transferred:
        return Origin.TRANSFER
    return Origin.CONSULT if call.connected() else Origin.OFFER


def _queue_of(call: Call) -> str | None:
    """The queue on whose behalf a phone is dialled: the one waited in, or meant for and not yet left."""
    meant = call.waiting_since is not None or (call.queued_at is None and not call.transferred)
    return call.queue if meant else None


def dial_ended(floor: Floor, s: LegDialEnded) -> None:
    call, leg = _known(floor, s)
    if call is None or leg is None:
        return
    leg.dial_status = s.status
    if leg.local:
        return
    call.last_dial = s.status
    part = call.part_of(leg.device)
    if part is not None and part.state is PartState.RINGING and leg.dialled_by is not None:
        if s.status is DialStatus.ANSWER:
            answer(floor, call, part, s.at)
        else:
            # A phone that asks to hang up while it rings has declined, whatever status the dial reports.
            end_ring(floor, call, part, s.at, "rejected" if leg.hangup_asked else RING_OUTCOMES.get(s.status))
    floor.touch(call)


def end_ring(floor: Floor, call: Call, part: Part, at: float, outcome: str | None) -> None:
    """An offer is over unanswered. None: told from who answered or left meanwhile, else it was not answered."""
    if outcome is None or outcome == "no_answer":
        taken = any(p is not part and p.answered_at is not None and p.open for p in call.parts)
        if call.hangup_by == "caller" or call.abandoned:
            outcome = "caller_left"
        elif taken and outcome is None:
            outcome = "answered_elsewhere"
        else:
            outcome = "no_answer"
    part.end(at, outcome, wrap_up=False)
    floor.touch(call, kinds.CALL_OFFER_ENDED, part.agent, outcome)


def answer(floor: Floor, call: Call, part: Part, at: float) -> None:
    """The agent took the call: waiting ends, and the phones that rang with theirs are told so."""
    if not part.answer(at):
        return
    if call.waiting_since is not None:
        call.wait_s += max(0.0, at - call.waiting_since)
        call.waiting_since = None
    call.answered_at = call.answered_at or at
    call.abandoned = call.left_queue_unanswered = False
    call.hangup_by = None
    for other in list(call.open_parts()):
        if other is not part and other.state is PartState.RINGING and other.origin is Origin.OFFER:
            other.end(at, "answered_elsewhere", wrap_up=False)
    floor.touch(call, kinds.CALL_ANSWERED, part.agent)


def answered(floor: Floor, s: LegAnswered) -> None:
    call, leg = _known(floor, s)
    if call is None or leg is None:
        return
    leg.up, leg.ringing = True, False
    part = call.part_of(leg.device)
    if part is not None and leg.dialled and leg.dialled_by is not None:
        answer(floor, call, part, s.at)
    floor.touch(call)


def rang(floor: Floor, s: LegRang) -> None:
    call, leg = _known(floor, s)
    if call is not None and leg is not None:
        leg.ringing = True
        floor.touch(call)


def renamed(floor: Floor, s: LegRenamed) -> None:
    call, leg = floor.call_with_leg(s.leg), floor.leg_of(s.leg)
    if call is not None and leg is not None:
        leg.channel = s.channel
        floor.touch(call)


def bridged(floor: Floor, s: LegBridged) -> None:
    call, leg = _known(floor, s)
    if call is None or leg is None:
        return
    leg.bridge, leg.conference, leg.up = s.bridge, s.conference, True
    other = floor.bridges.get(s.bridge, call)
    together = other is not call and not other.ended and any(o.bridge == s.bridge for o in other.legs.values())
    # Two calls in one bridge are one call from now on; the older one keeps its name. Only a conference room may
    # hold the calls of several customers, and there each keeps their own.
    if together and not (s.conference and Direction.INTERNAL not in (call.direction, other.direction)):
        older, younger = sorted((call, other), key=lambda c: c.started_at)
        call = floor.merge(older, younger)
    floor.bridges[s.bridge] = call
    if not leg.local:
        call.hangup_by = None
    hear(floor, call, s.at)
    floor.touch(call, kinds.CALL_CONFERENCED if call.in_conference() else kinds.CALL_CHANGED)


def unbridged(floor: Floor, s: LegUnbridged) -> None:
    call, leg = _known(floor, s)
    if call is not None and leg is not None and leg.bridge == s.bridge:
        leg.bridge, leg.conference = None, False
        if not any(o.bridge == s.bridge for o in call.legs.values()):
            floor.bridges.pop(s.bridge, None)
        hear(floor, call, s.at)
        floor.touch(call)


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
        if part.state in (PartState.TALKING, PartState.CONSULTING):
            aside = bool(customers) and not any(c.id in heard for c in customers)
            wanted = PartState.CONSULTING if aside else PartState.TALKING
            if wanted is not part.state:
                part.enter(wanted, at)


def held(floor: Floor, s: LegHeld) -> None:
    call, leg = _known(floor, s)
    if call is None or leg is None or (part := call.part_of(leg.device)) is None:
        return
    if part.state in (PartState.TALKING, PartState.CONSULTING):
        part.enter(PartState.HOLD, s.at)
        floor.touch(call, kinds.CALL_HELD, part.agent)


def retrieved(floor: Floor, s: LegRetrieved) -> None:
    call, leg = _known(floor, s)
    if call is None or leg is None or (part := call.part_of(leg.device)) is None:
        return
    if part.state is PartState.HOLD:
        part.enter(PartState.TALKING, s.at)
        hear(floor, call, s.at)
        floor.touch(call, kinds.CALL_RETRIEVED, part.agent)


def transferred(floor: Floor, s: LegTransferred) -> None:
    call, leg = _known(floor, s)
    if call is None or leg is None or not s.ok:
        return
    if s.second is not None and s.second_linkedid is not None:
        consult = floor.call_of(s.second, s.second_linkedid)
        if consult is not None and consult is not call:
            older, younger = sorted((call, consult), key=lambda c: c.started_at)
            call = floor.merge(older, younger)
    call.hangup_by = None
    if s.conference:
        for consulted in call.open_parts():
            if consulted.origin is Origin.CONSULT:
                consulted.origin = Origin.CONFERENCE
        floor.touch(call, kinds.CALL_CONFERENCED)
        return
    call.transferred = True
    for waiting in call.open_parts():
        if waiting.state is PartState.RINGING and waiting.origin is Origin.CONSULT:
            waiting.origin = Origin.TRANSFER  # given away before the colleague answered
    part = call.part_of(leg.device)
    if part is not None and part.state in CONNECTED:
        part.end(s.at, "transferred", wrap_up=wraps_up(call, part.agent))
    floor.touch(call, kinds.CALL_TRANSFERRED, part.agent if part else None)


def parked(floor: Floor, s: LegParked) -> None:
    call, leg = _known(floor, s)
    if call is not None and leg is not None:
        leg.parked, leg.bridge, call.was_parked = s.space, None, True
        for part in list(call.connected()):
            call.transferred = True  # given to whoever fetches it
            part.end(s.at, "transferred", wrap_up=wraps_up(call, part.agent))
        floor.touch(call, kinds.CALL_PARKED)


def unparked(floor: Floor, s: LegUnparked) -> None:
    call, leg = _known(floor, s)
    if call is not None and leg is not None:
        leg.parked = None
        floor.touch(call)


def picked_up(floor: Floor, s: LegPickedUp) -> None:
    """The picker's channel takes the place of the one that rang: the rung agent is out, the picker is in."""
    call, leg = _known(floor, s)
    if call is None or leg is None:
        return
    picker_leg = floor.leg_of(s.by)
    if (rung := call.part_of(leg.device)) is not None and rung.state is PartState.RINGING:
        rung.end(s.at, "answered_elsewhere", wrap_up=False)
    if picker_leg is not None and floor.is_seat(picker_leg.device):
        part = call.part_of(picker_leg.device) or new_part(
            floor, call, picker_leg.device, s.at, Origin.PICKUP, _queue_of(call)
        )
        part.leg = s.by  # their own leg; the one that rang is hung up
        answer(floor, call, part, s.at)
    floor.touch(call, kinds.CALL_ANSWERED)


def hangup_asked(floor: Floor, s: LegHangupAsked) -> None:
    call, leg = _known(floor, s)
    if call is None or leg is None or leg.local:
        return
    leg.hangup_asked = True
    if call.hangup_by is not None:
        return
    if floor.is_seat(leg.device):
        part = call.part_of(leg.device)
        if part is not None and (part.state in CONNECTED or leg.id == call.first_leg):
            call.hangup_by = "agent"
    else:
        first = leg.id == call.first_leg and call.direction is Direction.INBOUND
        call.hangup_by = "caller" if first else "other"


def ended(floor: Floor, s: LegEnded) -> None:
    call, leg = _known(floor, s)
    if call is None or leg is None:
        return
    floor.drop_leg(call, leg.id)
    part = call.part_on(leg)
    if part is not None and not call.has_leg_of(part):
        _part_left(floor, call, part, leg, s)
    if call.legs:
        hear(floor, call, s.at)
        floor.touch(call)
        return
    for queue in floor.queues.values():
        if queue.waiting.pop(leg.id, None) is not None:
            floor.touch_queue(queue.name)
    seal(call, s.at, short_abandon_s=floor.short_abandon_s(call.queue))
    floor.touch(call, kinds.CALL_ENDED)


def _part_left(floor: Floor, call: Call, part: Part, leg: Leg, s: LegEnded) -> None:
    if part.state in CONNECTED:
        part.end(s.at, "answered", wrap_up=wraps_up(call, part.agent), reason="hung_up")
        floor.touch(call)
    elif leg.dialled_by is None and part.origin in (Origin.INTERNAL, Origin.OUTBOUND):
        # The agent called, and nobody answered them.
        outcome = RING_OUTCOMES.get(call.last_dial or DialStatus.NO_ANSWER, "no_answer")
        part.end(s.at, outcome, wrap_up=False)
        floor.touch(call)
    else:
        # Cause 26, "answered elsewhere", proves nothing: Queue(…,C) gives it to every member, whatever happened.
        end_ring(floor, call, part, s.at, "rejected" if s.cause in REFUSED else None)


def _known(floor: Floor, s: LegSignal) -> tuple[Call | None, Leg | None]:
    """The leg and its call; a leg never heard of is counted and left to the next snapshot."""
    call = floor.call_of(s.leg, s.linkedid)
    if call is None:
        floor.unknown_legs += 1
        return None, None
    return call, call.legs.get(s.leg)


HANDLERS: Mapping[type[Signal], Callable[[Floor, Any], None]] = {
    LegStarted: started,
    LegRang: rang,
    LegAnswered: answered,
    LegRenamed: renamed,
    LegDialled: dialled,
    LegDialEnded: dial_ended,
    LegBridged: bridged,
    LegUnbridged: unbridged,
    LegHeld: held,
    LegRetrieved: retrieved,
    LegTransferred: transferred,
    LegParked: parked,
    LegUnparked: unparked,
    LegPickedUp: picked_up,
    LegHangupAsked: hangup_asked,
    LegEnded: ended,
}
