"""What signals about queues mean: who waits, whom the queue rings, who took the caller, who did not answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import events as kinds
from .hearing import answer, consults
from .legs import end_ring, ring
from .parts import Origin, PartState
from .pauses import member_seen
from .signals import (
    MemberChanged,
    MemberConnected,
    MemberDidNotAnswer,
    MemberOffered,
    MemberRemoved,
    QueueAbandoned,
    QueueJoined,
    QueueLeft,
    QueueMeant,
    Signal,
)

if TYPE_CHECKING:
    from .apply import Floor


def joined(floor: Floor, s: QueueJoined) -> None:
    call = floor.call_of(s.leg, s.linkedid)
    if call is None or s.leg in floor.queue(s.queue).waiting:
        return
    floor.queue(s.queue).waiting[s.leg] = s.at
    floor.touch_queue(s.queue)
    leg = call.legs.get(s.leg)
    if leg is not None and leg.local and call.connected():
        consults(call, s.at)  # the agent waits here, on behalf of a caller who does not
        floor.touch(call)
        return
    if call.waiting_since is not None:
        call.wait_s += max(0.0, s.at - call.waiting_since)  # an agent who asked for the caller did not answer
    call.queue, call.position, call.waiting_since, call.fetched = s.queue, s.position, s.at, None
    call.queued_at = call.queued_at or s.at
    call.abandoned = call.left_queue_unanswered = False
    call.hangup_by = None
    floor.touch(call, kinds.CALL_QUEUED)


def meant(floor: Floor, s: QueueMeant) -> None:
    call = floor.call_of(s.leg, s.linkedid)
    if call is not None:
        call.queue = s.queue
        floor.touch(call)


def left(floor: Floor, s: QueueLeft) -> None:
    if floor.queue(s.queue).waiting.pop(s.leg, None) is not None:
        floor.touch_queue(s.queue)
    call = floor.call_of(s.leg, s.linkedid)
    if call is None or call.waiting_since is None or call.queue != s.queue:
        return
    call.wait_s += max(0.0, s.at - call.waiting_since)
    call.waiting_since = None
    call.left_queue_unanswered = not call.abandoned and not call.connected()
    floor.touch(call)


def abandoned(floor: Floor, s: QueueAbandoned) -> None:
    call = floor.call_of(s.leg, s.linkedid)
    leg = floor.leg_of(s.leg)
    # app_queue says the same when its own time limit was reached; then the caller has not asked to hang up.
    if call is not None and leg is not None and leg.hangup_asked:
        call.abandoned, call.left_queue_unanswered = True, False
        floor.touch(call)


def offered(floor: Floor, s: MemberOffered) -> None:
    call = floor.call_of(s.leg, s.linkedid)
    if call is None:
        floor.unknown_legs += 1
        return
    call.queue = call.queue or s.queue
    part = ring(floor, call, floor.seat_of(s.interface), s.at, Origin.OFFER, s.queue)
    part.leg = part.leg or s.member_leg


def connected(floor: Floor, s: MemberConnected) -> None:
    call = floor.call_of(s.leg, s.linkedid)
    if call is None:
        floor.unknown_legs += 1
        return
    if any(p.origin is Origin.PICKUP and p.queue == s.queue for p in call.connected()):
        return  # the queue names the member it rang, but another agent picked the call up
    part = ring(floor, call, floor.seat_of(s.interface), s.at, Origin.OFFER, s.queue)
    part.leg = s.member_leg or part.leg
    answer(floor, call, part, s.at)


def did_not_answer(floor: Floor, s: MemberDidNotAnswer) -> None:
    call = floor.call_of(s.leg, s.linkedid)
    if call is None:
        return
    part = call.part_of(floor.seat_of(s.interface))
    if part is not None and part.state is PartState.RINGING:
        end_ring(floor, call, part, s.at, "no_answer")


def member_changed(floor: Floor, s: MemberChanged) -> None:
    queue = floor.queue(s.queue)
    queue.members[s.interface] = s
    floor.interfaces[s.interface] = s.seat
    if s.paused:
        floor.leaving.pop((s.queue, s.interface), None)
    floor.touch_queue(s.queue)
    member_seen(floor, s.seat, s.at)


def member_removed(floor: Floor, s: MemberRemoved) -> None:
    member = floor.queue(s.queue).members.pop(s.interface, None)
    if member is None:
        return
    floor.touch_queue(s.queue)
    member_seen(floor, member.seat, s.at)


HANDLERS: Mapping[type[Signal], Callable[[Floor, Any], None]] = {
    QueueJoined: joined,
    QueueLeft: left,
    QueueMeant: meant,
    QueueAbandoned: abandoned,
    MemberOffered: offered,
    MemberConnected: connected,
    MemberDidNotAnswer: did_not_answer,
    MemberChanged: member_changed,
    MemberRemoved: member_removed,
}
