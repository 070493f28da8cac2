"""Agents at work: shifts, and the wishes that make them ready or not. Where people sit: `seats.py`.

A wish is the agent's own, a supervisor's, the PBX's (`pauses.py`) or the system's: a phone that rang in vain, a
phone or a desktop that is gone for longer than its grace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import events as kinds
from .agents import (
    CONNECTION_LOST,
    NO_ANSWER,
    PBX,
    PHONE_UNREACHABLE,
    REJECTED,
    SIGNED_IN,
    SIGNED_OUT,
    SYSTEM,
    Agent,
    Because,
    By,
    Shift,
    Wish,
)
from .books import Books
from .calls import Call
from .desk_signals import (
    DesktopSeen,
    ShiftBegan,
    ShiftEnded,
    ShiftRestored,
    StateChosen,
    Tick,
)
from .orders import Join, Leave, Pause
from .parts import Origin, Part, PartState
from .seats import is_taken, see_phone, take_home, take_seat
from .signals import Signal, Snapshot
from .wrapup import expire

SYSTEM_REASONS = {"no_answer": NO_ANSWER, "rejected": REJECTED}
#: what stayed away for longer than its grace → the reason, and what happened
ABSENT = {"phone": (PHONE_UNREACHABLE, "phone_unreachable"), "desktop": (CONNECTION_LOST, "desktop_gone")}

# --- the shift -----------------------------------------------------------------------------------------


def began(books: Books, s: ShiftBegan) -> None:
    agent = books.agents.get(s.agent)
    if agent is None or is_taken(books, s.seat, agent):
        return
    if agent.shift is not None and agent.seat != s.seat:
        _leave_queues(books, agent)
    elif agent.shift is not None:
        _leave_what_is_not_served(books, agent, {queue for queue, _ in s.queues})
    wish = Wish(False, SIGNED_IN, By("agent", agent.name), Because("signed_in"), s.at)
    agent.shift = Shift(s.at, s.extension, s.kind, dict(s.queues), wish)
    agent.desktop_gone = s.at if agent.desktop_gone is not None else None
    agent.extension = s.extension
    take_seat(books, agent, s.seat)
    _join(books, agent)
    books.touch_agent(agent.id)


def restored(books: Books, s: ShiftRestored) -> None:
    agent = books.agents.get(s.agent)
    if agent is None or is_taken(books, s.seat, agent):
        return
    wish = Wish(s.ready, s.reason, s.by, s.because, s.chosen_at)
    # The list of phones need not have everybody's own.
    extension = s.extension or (agent.extension if s.seat == agent.home else None)
    # Until a desktop says hello again it counts as gone, from now on.
    agent.shift = Shift(s.since, extension, s.kind, dict(s.queues), wish)
    agent.desktop_gone = s.at
    agent.extension = extension
    take_seat(books, agent, s.seat)
    books.touch_agent(agent.id)


def ended(books: Books, s: ShiftEnded) -> None:
    agent = books.agents.get(s.agent)
    if agent is None or agent.shift is None:
        return
    _leave_queues(books, agent)
    for call, part in books.parts_of(agent.id):
        if part.state is PartState.WRAP_UP:
            part.close(s.at)  # they have gone: what is missing is owed
            books.touch_part(call, part, kinds.WRAPPED)
    agent.shift = None
    take_home(books, agent)
    books.touch_agent(agent.id)


def _join(books: Books, agent: Agent) -> None:
    """Become a member of the queues that the phone is not in yet; a member already is only paused."""
    assert agent.shift is not None
    assert agent.seat is not None
    there = {member.queue for member in books.memberships(agent.seat)}
    # Whoever joins is paused at first: that is no wish of anybody, and what there should be is ordered then.
    agent.shift.asked = agent.shift.asked_reason = None
    for queue in [one for one in agent.shift.queues if one not in there]:
        _order_join(books, agent, queue)


def _order_join(books: Books, agent: Agent, queue: str) -> None:
    assert agent.shift is not None
    assert agent.seat is not None
    reason = agent.shift.wish.reason or SIGNED_IN
    agent.shift.joining.add(queue)
    books.order(Join(agent.id, agent.seat, queue, agent.shift.queues[queue], agent.name, reason))


def _leave_queues(books: Books, agent: Agent) -> None:
    """Out of the queues that the shift joined; members that the PBX's own files name cannot go, and are paused."""
    assert agent.shift is not None
    members = books.memberships(agent.seat)
    for interface in sorted({m.interface for m in members}):
        books.order(Pause(agent.id, interface, True, SIGNED_OUT))
    for member in members:
        if not member.paused:
            books.leaving[member.queue, member.interface] = agent.id
        if member.queue in agent.shift.queues and member.dynamic:
            books.order(Leave(agent.id, member.interface, member.queue))


def _leave_what_is_not_served(books: Books, agent: Agent, served: set[str]) -> None:
    """Out of what the shift joined before, and the record does not name any more."""
    assert agent.shift is not None
    for member in books.memberships(agent.seat):
        if member.dynamic and member.queue in agent.shift.queues and member.queue not in served:
            books.order(Leave(agent.id, member.interface, member.queue))


def _leave_again(books: Books) -> None:
    """Phones of people who have gone home, and that queues ring all the same: the orders did not get through."""
    for (queue, interface), agent in list(books.leaving.items()):
        member = books.queues[queue].members.get(interface)
        sitting = books.agent_at(member.seat) if member is not None else None
        if member is None or member.paused or (sitting is not None and sitting.shift is not None):
            del books.leaving[queue, interface]
            continue
        books.order(Pause(agent, interface, True, SIGNED_OUT))
        if member.dynamic:
            books.order(Leave(agent, interface, queue))


# --- what an agent is to be ----------------------------------------------------------------------------


def wish(books: Books, agent: Agent, ready: bool, reason: str | None, by: By, because: Because, at: float) -> None:
    """From now on, or after the call, this agent is to be ready or not."""
    if agent.shift is None:
        return
    agent.shift.wish = Wish(ready, reason if not ready else None, by, because, at)
    books.touch_agent(agent.id)


def chosen(books: Books, s: StateChosen) -> None:
    if (agent := books.agents.get(s.agent)) is not None and agent.shift is not None:
        agent.shift.trouble = None
        wish(books, agent, s.ready, s.reason, s.by, Because("chosen"), s.at)
        if s.ready and agent.shift.joined and not books.memberships(agent.seat):
            _join(books, agent)  # others took them out of all their queues; there is no being ready outside


def unanswered(books: Books, call: Call, part: Part, at: float) -> None:
    """A queue rang this agent alone and in vain: it must not go on ringing there (RONA)."""
    agent = books.agents.get(part.agent) if part.agent is not None else None
    reason = SYSTEM_REASONS.get(part.outcome or "")
    if agent is None or agent.shift is None or reason is None or part.origin is not Origin.OFFER or not part.queue:
        return
    began_at = part.offered_at if part.offered_at is not None else at
    for other in call.parts:
        beside = other is not part and other.queue == part.queue and (other.offered_at or 0.0) <= at
        if beside and (other.ended_at is None or other.ended_at > began_at):
            return  # ring-all: nobody was meant in particular
    now = agent.shift.wish
    paused_for_it = now.because.call == call.id or (now.by == PBX and now.at >= began_at)
    if not now.ready and not paused_for_it:
        return  # what they were, or have chosen while it rang, says more
    event = "offer_unanswered" if reason == NO_ANSWER else "offer_rejected"
    because = Because(event, call.id, part.queue, call.number)
    wish(books, agent, False, reason, SYSTEM, because, at)


def desktop_seen(books: Books, s: DesktopSeen) -> None:
    agent = books.agents.get(s.agent)
    if agent is not None:
        agent.desktop_gone = None if s.connected else s.at
        books.touch_agent(agent.id)


# --- the clock -----------------------------------------------------------------------------------------


def put_due(books: Books, agent: Agent) -> None:
    """When this agent is made not ready, should their phone or their desktop stay away."""
    phone = desktop = None
    if agent.shift is not None and agent.shift.wish.ready:
        if agent.shift.phone_gone is not None:
            phone = agent.shift.phone_gone + books.phone_grace_s
        if agent.desktop_gone is not None:
            desktop = agent.desktop_gone + books.desktop_grace_s
    books.due.put(("phone", "", agent.id), phone)
    books.due.put(("desktop", "", agent.id), desktop)


def ticked(books: Books, s: Tick) -> None:
    due = books.due.take(s.at)
    for what, call_id, number in due:
        if what == "wrap_up":
            call = books.calls.get(call_id)
            part = next((p for p in call.parts if p.position == number), None) if call is not None else None
            if call is not None and part is not None:
                expire(books, call, part)
    for what, _, number in due:
        agent = books.agents.get(number) if what != "wrap_up" else None
        if agent is None or agent.shift is None or not agent.shift.wish.ready:
            continue
        reason, event = ABSENT[what]
        wish(books, agent, False, reason, SYSTEM, Because(event), s.at)


# --- after a snapshot -----------------------------------------------------------------------------------


def before_snapshot(books: Books, s: Snapshot, fresh_boot: bool) -> None:
    """What a new Asterisk's members show is nobody's wish, and contacts that changed unseen tell nothing."""
    if not s.drift_check:
        books.contacts.clear()
    for agent in books.agents.values():
        if fresh_boot and agent.shift is not None:
            agent.shift.asked, agent.shift.asked_reason, agent.shift.confirmed = None, None, True


def after_snapshot(books: Books, s: Snapshot, fresh_boot: bool) -> None:
    """A new Asterisk has forgotten who joined, and what failed while it was away is due again."""
    _leave_again(books)
    for agent in books.agents.values():
        if agent.shift is None:
            continue
        see_phone(books, agent, s.at)
        if fresh_boot:
            agent.shift.joined = bool(books.memberships(agent.seat))
        if agent.seat is not None and (fresh_boot or not agent.shift.joined):
            _join(books, agent)
        elif agent.seat is not None:
            for queue in sorted(agent.shift.joining.intersection(agent.shift.queues, s.queues)):
                _order_join(books, agent, queue)
        if not s.drift_check or agent.shift.asked is None or not agent.shift.confirmed:
            books.touch_agent(agent.id)


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {
    ShiftBegan: began,
    ShiftRestored: restored,
    ShiftEnded: ended,
    StateChosen: chosen,
    DesktopSeen: desktop_seen,
    Tick: ticked,
}
