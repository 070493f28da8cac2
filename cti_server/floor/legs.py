"""What signals about legs mean for their call: who rings, who talks to whom, who gave the call away, who left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import events as kinds
from .calls import MAX_PARTS, Call, Direction, Leg
from .desk import apply_identity
from .hearing import answer, consults, hear
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
    LegSignal,
    LegStarted,
    Signal,
)
from .why import why
from .wrapup import wraps_up

if TYPE_CHECKING:
    from .apply import Floor

START = "s"  # the dialplan's name for "no number"
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
        call.made_inside = s.channel.startswith("Local/")
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
    call.ani_raw, call.ani_name = leg.number, leg.name
    call.dnis = None if leg.exten == START else leg.exten
    if floor.is_seat(leg.device):
        call.direction = Direction.INTERNAL
        part = new_part(floor, call, leg.device, leg.started_at, Origin.INTERNAL)
        part.leg = leg.id
        part.why = why(floor, call, part)


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
    for before in call.parts:
        if before.agent is not None and before.agent == part.agent and before.state is PartState.WRAP_UP:
            before.enter(PartState.LEFT, at)  # the same call again: there is one wrap-up, after it
            before.wrapped_at = at
    call.parts.append(part)
    part.why = why(floor, call, part)
    return part


def ring(floor: Floor, call: Call, seat: str, at: float, origin: Origin, queue: str | None) -> Part:
    """A phone at a seat rings for this call: the same offer may be told by several signals."""
    part = call.part_of(seat)
    if part is None:
        part = new_part(floor, call, seat, at, origin, queue)
        if origin is Origin.CONSULT:
            consults(call, at)
        floor.touch(call, kinds.CALL_OFFERED, part.agent)
    elif part.queue is None and queue is not None and part.state is PartState.RINGING:
        part.queue, part.origin = queue, Origin.OFFER
        part.why = why(floor, call, part)
    floor.touch(call)
    return part


def dialled(floor: Floor, s: LegDialled) -> None:
    call, leg = told(floor, s)
    if call is None or leg is None or leg.dialled:
        return
    leg.dialled, leg.dialled_by, leg.dialled_number = True, s.by, s.number
    call.hangup_by = None
    if call.dnis is None and s.number is not None and leg.id != call.first_leg:
        call.dnis = s.number  # an originated leg begins at no number
    if leg.local:
        floor.touch(call)
        return
    if not floor.is_seat(leg.device):
        if call.direction is Direction.INTERNAL and leg.id != call.first_leg:
            call.direction = Direction.OUTBOUND
            call.dnis = s.number or call.dnis
            for part in call.parts:
                part.origin = Origin.OUTBOUND if part.origin is Origin.INTERNAL else part.origin
                part.why = why(floor, call, part)
    elif s.by is not None and (call.part_of(leg.device) is None or given_up(call, leg, s.at)):
        part = ring(floor, call, leg.device, s.at, _origin(floor, call, s.by), queue_of(call))
        part.leg = leg.id
    elif (known := call.part_of(leg.device)) is not None:
        known.leg = known.leg or leg.id
    floor.touch(call)


def given_up(call: Call, leg: Leg, at: float) -> bool:
    """The caller is brought back to a phone whose old leg may end only after the new one begins to ring."""
    old = call.part_of(leg.device)
    if call.fetched is None or old is None or old.state not in CONNECTED or old.leg == leg.id:
        return False
    old.end(at, "answered", wrap_up=False, reason="hung_up")
    return True


def _origin(floor: Floor, call: Call, by: str) -> Origin:
    """How the agent whose phone is being dialled comes into the call."""
    if call.direction is Direction.INTERNAL:
        return Origin.INTERNAL
    if call.fetched is not None:
        return Origin.PICKUP
    dialler = call.legs.get(by)
    if dialler is not None and floor.is_seat(dialler.device):
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
    meant = call.waiting_since is not None or (call.queued_at is None and not call.transferred)
    return call.queue if meant else None


def dial_ended(floor: Floor, s: LegDialEnded) -> None:
    call, leg = told(floor, s)
    if call is None or leg is None:
        return
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
    unanswered(floor, call, part, at)
    floor.touch(call, kinds.CALL_OFFER_ENDED, part.agent, outcome)


def answered(floor: Floor, s: LegAnswered) -> None:
    call, leg = told(floor, s)
    if call is None or leg is None:
        return
    leg.up, leg.ringing = True, False
    part = call.part_of(leg.device)
    if part is not None and leg.dialled and leg.dialled_by is not None:
        answer(floor, call, part, s.at)
    floor.touch(call)


def rang(floor: Floor, s: LegRang) -> None:
    call, leg = told(floor, s)
    if call is not None and leg is not None:
        leg.ringing = True
        floor.touch(call)


def renamed(floor: Floor, s: LegRenamed) -> None:
    call, leg = floor.call_with_leg(s.leg), floor.leg_of(s.leg)
    if call is not None and leg is not None:
        leg.channel = s.channel
        floor.touch(call)


def hangup_asked(floor: Floor, s: LegHangupAsked) -> None:
    call, leg = told(floor, s)
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
    call, leg = told(floor, s)
    if call is None or leg is None:
        return
    floor.drop_leg(call, leg.id)
    _declined_after_all(floor, call, leg, s)
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


def _declined_after_all(floor: Floor, call: Call, leg: Leg, s: LegEnded) -> None:
    """A queue says "no answer" of a phone that declined, too; the end of its leg, a moment later, tells why."""
    for part in call.parts:
        if part.leg == leg.id and part.outcome == "no_answer" and part.answered_at is None and s.cause in REFUSED:
            part.outcome = part.reason = "rejected"
            unanswered(floor, call, part, s.at)
            floor.touch(call)


def _part_left(floor: Floor, call: Call, part: Part, leg: Leg, s: LegEnded) -> None:
    if part.state in CONNECTED:
        part.end(s.at, "answered", wrap_up=wraps_up(call, part), reason="hung_up")
        floor.touch(call)
    elif leg.dialled_by is None and part.origin in (Origin.INTERNAL, Origin.OUTBOUND):
        # The agent called, and nobody answered them.
        outcome = RING_OUTCOMES.get(call.last_dial or DialStatus.NO_ANSWER, "no_answer")
        part.end(s.at, outcome, wrap_up=False)
        floor.touch(call)
    else:
        # Cause 26, "answered elsewhere", proves nothing: Queue(…,C) gives it to every member, whatever happened.
        end_ring(floor, call, part, s.at, "rejected" if s.cause in REFUSED else None)


def told(floor: Floor, s: LegSignal) -> tuple[Call | None, Leg | None]:
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
    LegHangupAsked: hangup_asked,
    LegEnded: ended,
}
