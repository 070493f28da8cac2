"""Handlers for signals about queues: who waits, whom the queue rings, who took the caller, who did not answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import MAX_VISITS, Call
from cti_server.floor.parts import Origin, PartState
from cti_server.floor.signals import (
    MemberChanged,
    MemberConnected,
    MemberDidNotAnswer,
    MemberHungUp,
    MemberOffered,
    MemberRemoved,
    QueueAbandoned,
    QueueJoined,
    QueueLeft,
    QueueMeant,
    Signal,
)
from cti_server.floor.visits import How, Visit

from .hearing import answer, consults, hear, waits
from .legs import end_ring, ring
from .merging import call_of
from .pauses import member_seen


def joined(books: Books, s: QueueJoined) -> None:
    call = call_of(books, s.leg, s.linkedid)
    if call is None or books.waits_in(s.leg) == s.queue:
        return
    books.join_queue(s.leg, s.queue, s.at, s.position)
    leg = call.legs.get(s.leg)
    if leg is not None:
        waits(books, call, leg, s.at)
    if leg is not None and leg.local and call.connected():
        consults(books, call, s.at)  # an agent consults a queue: they wait in it on behalf of their caller
        hear(books, call, s.at)
        books.touch(call)
        return
    if books.waits_beside(call, s.leg):
        return
    call.stop_waiting(s.at)  # it runs on where an agent fetched the caller but did not answer
    begin_visit(call, s.queue, s.at, s.position)
    call.abandoned = call.left_queue_unanswered = False
    call.hangup_by = None
    books.touch(call, kinds.CALL_QUEUED)


def begin_visit(call: Call, queue: str, at: float, place: int | None) -> None:
    """The caller waits in this queue from now on; a visit that still goes on ends as `moved_on`."""
    if call.visit is not None:
        call.visit.end(at, How.MOVED_ON)
    if len(call.visits) >= MAX_VISITS:
        call.visits.pop()
    call.visits.append(Visit(queue, at, place))
    call.waiting_since, call.meant, call.fetched = at, None, None
    call.queued_at = call.queued_at or at


def meant(books: Books, s: QueueMeant) -> None:
    call = call_of(books, s.leg, s.linkedid)
    if call is not None:
        call.meant = s.queue
        books.touch(call)


def left(books: Books, s: QueueLeft) -> None:
    books.leave_queue(s.leg, s.queue)
    call = call_of(books, s.leg, s.linkedid)
    if call is None or call.queue != s.queue or books.waits_beside(call, s.leg):
        return
    gone = _gone_at(books, s)
    if (visit := call.visit_in(s.queue)) is not None:
        visit.end(gone, How.ABANDONED if call.abandoned else How.MOVED_ON)
    if call.waiting_since is None:
        return
    call.stop_waiting(gone)
    call.left_queue_unanswered = not call.abandoned and not call.connected()
    books.touch(call)


def abandoned(books: Books, s: QueueAbandoned) -> None:
    call = call_of(books, s.leg, s.linkedid)
    leg = books.leg_of(s.leg)
    if call is None or leg is None or books.waits_beside(call, s.leg):
        return
    # app_queue also reports this when its own time limit is reached; then the caller has not asked to hang up.
    # Behind a Local channel the caller is the one who began the call.
    caller = call.legs.get(call.first_leg or "") if leg.local else leg
    gave_up = caller is None or caller.hangup_asked
    if gave_up:
        call.abandoned, call.left_queue_unanswered = True, False
        books.touch(call)
    if (visit := call.visit_in(s.queue)) is not None:
        visit.end(_gone_at(books, s), How.ABANDONED if gave_up else How.TIMED_OUT)


def _gone_at(books: Books, s: QueueLeft | QueueAbandoned) -> float:
    """When the caller left: the queue sees it only after its announcements to the agent who has picked up."""
    leg = books.leg_of(s.leg)
    return min(s.at, leg.asked_at) if leg is not None and leg.asked_at is not None else s.at


def offered(books: Books, s: MemberOffered) -> None:
    call = call_of(books, s.leg, s.linkedid)
    if call is None:
        books.unknown_legs += 1
        return
    if s.member_leg is not None and books.leg_of(s.member_leg) is None:
        return  # the phone's leg has ended before we hear that it was called: nobody is rung any more
    if call.queue is None:
        call.meant = s.queue
        books.touch(call)
    part = ring(books, call, books.seat_of(s.interface), s.at, Origin.OFFER, s.queue)
    if part.leg is None and s.member_leg is not None:
        part.leg = s.member_leg
        books.touch_part(call, part)


def connected(books: Books, s: MemberConnected) -> None:
    call = call_of(books, s.leg, s.linkedid)
    if call is None:
        books.unknown_legs += 1
        return
    if any(p.origin is Origin.PICKUP and p.queue == s.queue for p in call.connected()):
        return  # another agent picked the call up; the queue still names the member that it rang
    if s.member_leg is not None and (books.call_of(s.member_leg) or call) is not call:
        return  # a phone that the queue did not ring picks the call up: LegPickedUp, perhaps after this, says who
    if s.member_leg is not None and books.leg_of(s.member_leg) is None and not _open_at(books, call, s.interface):
        return  # the phone's leg has ended before we hear that it took the call
    seat = _who_answered(books, call, s)
    if seat is None:  # the member's phone sent the caller on to somebody outside
        call.forwarded, call.left_queue_unanswered = True, False
        call.answered_at = call.answered_at or s.at
        books.touch(call)
        return
    part = ring(books, call, seat, s.at, Origin.OFFER, s.queue)
    part.leg = s.member_leg or part.leg
    books.touch_part(call, part)
    answer(books, call, part, s.at)


def _who_answered(books: Books, call: Call, s: MemberConnected) -> str | None:
    """The seat whose phone took the caller; None for somebody outside. The queue names the member whom it rang,
    whose phone may have sent the caller on to a colleague, or to any number."""
    seat, leg = books.seat_of(s.interface), call.legs.get(s.member_leg or "")
    if leg is None or leg.device == seat:
        return seat
    reached = [far for far in (*call.behind(leg), *call.beyond(leg)) if far.up] if leg.local else [leg]
    if not reached or any(far.device == seat for far in reached):
        return seat
    if (colleague := next((far for far in reached if far.ours), None)) is not None:
        return colleague.device
    is_members_own = s.interface.split("/n", 1)[0] == leg.device
    return seat if is_members_own else None


def _open_at(books: Books, call: Call, interface: str) -> bool:
    return call.part_of(books.seat_of(interface)) is not None


def hung_up(books: Books, s: MemberHungUp) -> None:
    """The offer ends as rejected; the caller, who heard nothing of it, waits on."""
    call = call_of(books, s.leg, s.linkedid)
    part = call.part_of(books.seat_of(s.interface)) if call is not None else None
    if call is not None and part is not None and part.state is PartState.RINGING:
        end_ring(books, call, part, s.at, "rejected")


def did_not_answer(books: Books, s: MemberDidNotAnswer) -> None:
    call = call_of(books, s.leg, s.linkedid)
    if call is None:
        return
    part = call.part_of(books.seat_of(s.interface))
    if part is not None and part.state is PartState.RINGING:
        end_ring(books, call, part, s.at, "no_answer")


def member_changed(books: Books, s: MemberChanged) -> None:
    s = books.at_phone(s)
    is_new = s.interface not in books.queue(s.queue).members
    moved_from = books.put_member(s)
    if moved_from is not None:
        member_seen(books, moved_from, s.at)
    if s.paused:
        books.leaving.pop((s.queue, s.interface), None)
    member_seen(books, s.seat, s.at, s if is_new or moved_from is not None else None)


def member_removed(books: Books, s: MemberRemoved) -> None:
    member = books.drop_member(s.queue, s.interface)
    if member is None:
        return
    agent = books.agent_at(member.seat)
    if agent is not None and agent.shift is not None and s.queue not in agent.shift.joining:
        agent.shift.added.discard(s.queue)  # whoever makes them a member next is somebody else
    member_seen(books, member.seat, s.at)


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {
    QueueJoined: joined,
    QueueLeft: left,
    QueueMeant: meant,
    QueueAbandoned: abandoned,
    MemberOffered: offered,
    MemberConnected: connected,
    MemberDidNotAnswer: did_not_answer,
    MemberHungUp: hung_up,
    MemberChanged: member_changed,
    MemberRemoved: member_removed,
}
