"""Agents at work: their shifts, and the wishes that make them ready or not. Where they sit: `seats.py`.

A wish comes from the agent, from a supervisor, from the PBX (`pauses.py`) or from the system, when a phone rings
unanswered, or a phone or a desktop stays away for longer than its grace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.agents import (
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
from cti_server.floor.books import Books
from cti_server.floor.calls import Call
from cti_server.floor.desk_signals import DesktopSeen, ShiftBegan, ShiftEnded, ShiftRestored, StateChosen, Tick
from cti_server.floor.orders import Join, Leave, Pause
from cti_server.floor.parts import Origin, Part, PartState
from cti_server.floor.signals import Signal, Snapshot

from .seats import is_taken, see_phone, take_home, take_seat
from .wrapup import expire

SYSTEM_REASONS = {"no_answer": NO_ANSWER, "rejected": REJECTED}
#: what stayed away for longer than its grace → the reason for *not ready*, and the event that caused it
ABSENT = {"phone": (PHONE_UNREACHABLE, "phone_unreachable"), "desktop": (CONNECTION_LOST, "desktop_gone")}

# --- the shift -----------------------------------------------------------------------------------------


def began(books: Books, s: ShiftBegan) -> None:
    agent = books.agents.get(s.agent)
    if agent is None or is_taken(books, s.seat, agent):
        return
    added: set[str] = set()
    if agent.shift is not None and agent.seat != s.seat:
        _leave_queues(books, agent)
    elif agent.shift is not None:
        _leave_queues_not_served(books, agent, {queue for queue, _ in s.queues})
        added = agent.shift.added
    wish = Wish(False, SIGNED_IN, By("agent", agent.name), Because("signed_in"), s.at)
    agent.shift = Shift(s.at, s.extension, s.kind, dict(s.queues), wish, added=added)
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
    # The record's list of phones may lack the agent's own.
    extension = s.extension or (agent.extension if s.seat == agent.home else None)
    # The desktop counts as gone from now until it connects again.
    agent.shift = Shift(s.since, extension, s.kind, dict(s.queues), wish, added=set(s.added))
    agent.desktop_gone = s.at
    agent.since, agent.was = None, s.was  # the state that they are in now began before
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
            part.close(s.at)  # the agent goes home; a missing code is owed
            books.touch_part(call, part, kinds.WRAPPED)
    agent.shift = None
    take_home(books, agent)
    books.touch_agent(agent.id)


def _join(books: Books, agent: Agent) -> None:
    """Order the agent into those queues of the shift that their seat is not a member of yet."""
    assert agent.shift is not None
    assert agent.seat is not None
    already_in = {member.queue for member in books.memberships(agent.seat)}
    # A new member is paused, and that pause is nobody's wish. With no pause asked for, `pauses.py` does not take
    # it for one, and orders the pause that the agent should have.
    agent.shift.asked = agent.shift.asked_reason = None
    for queue in agent.shift.queues:
        if queue not in already_in:
            _order_join(books, agent, queue)


def _order_join(books: Books, agent: Agent, queue: str) -> None:
    assert agent.shift is not None
    assert agent.seat is not None
    reason = agent.shift.wish.reason or SIGNED_IN
    agent.shift.joining.add(queue)
    agent.shift.added.add(queue)
    books.order(Join(agent.id, agent.seat, queue, agent.shift.queues[queue], agent.name, reason))


def _leave_queues(books: Books, agent: Agent) -> None:
    """Pause the agent's members, and take out of their queues those that the shift put in. A member that the PBX's
    own files name cannot leave, and one that somebody else added is theirs."""
    assert agent.shift is not None
    members = books.memberships(agent.seat)
    for interface in sorted({m.interface for m in members}):
        books.order(Pause(agent.id, interface, True, SIGNED_OUT))
    for member in members:
        if not member.paused:
            books.leaving[member.queue, member.interface] = agent.id
        if member.queue in agent.shift.added and member.dynamic:
            books.order(Leave(agent.id, member.interface, member.queue))


def _leave_queues_not_served(books: Books, agent: Agent, served: set[str]) -> None:
    """Take the agent out of the queues that their shift put them in but the record no longer gives them."""
    assert agent.shift is not None
    for member in books.memberships(agent.seat):
        if member.dynamic and member.queue in agent.shift.added and member.queue not in served:
            books.order(Leave(agent.id, member.interface, member.queue))


def _leave_again(books: Books) -> None:
    """Repeat the orders for agents who went home while queues still ring their phones: the first got lost."""
    for (queue, interface), agent in list(books.leaving.items()):
        member = books.queues[queue].members.get(interface) if queue in books.queues else None
        sits_there = books.agent_at(member.seat) if member is not None else None
        if member is None or member.paused or (sits_there is not None and sits_there.shift is not None):
            del books.leaving[queue, interface]
            continue
        books.order(Pause(agent, interface, True, SIGNED_OUT))
        if member.dynamic:
            books.order(Leave(agent, interface, queue))


# --- wishes --------------------------------------------------------------------------------------------


def wish(books: Books, agent: Agent, ready: bool, reason: str | None, by: By, because: Because, at: float) -> None:
    """Set the agent's wish: ready, or not ready for this reason. It takes effect at once, in a call after it.
    Ignored off shift."""
    if agent.shift is None:
        return
    agent.shift.wish = Wish(ready, reason if not ready else None, by, because, at)
    books.touch_agent(agent.id)


def chosen(books: Books, s: StateChosen) -> None:
    if (agent := books.agents.get(s.agent)) is not None and agent.shift is not None:
        agent.shift.trouble = None
        wish(books, agent, s.ready, s.reason, s.by, Because("chosen"), s.at)
        if s.ready and agent.shift.joined and not books.memberships(agent.seat):
            _join(books, agent)  # somebody took them out of all their queues; nobody is ready outside a queue


def unanswered(books: Books, call: Call, part: Part, at: float) -> None:
    """Make the agent not ready when a queue rang them alone and they did not answer (RONA), so that it does not
    ring them again. Call it for every offer that ended; it ignores those that do not count."""
    agent = books.agents.get(part.agent) if part.agent is not None else None
    reason = SYSTEM_REASONS.get(part.outcome or "")
    if agent is None or agent.shift is None or reason is None or part.origin is not Origin.OFFER or not part.queue:
        return
    began_at = part.offered_at if part.offered_at is not None else at
    for other in call.parts:
        rang_too = other is not part and other.queue == part.queue and (other.offered_at or 0.0) <= at
        if rang_too and (other.ended_at is None or other.ended_at > began_at):
            return  # another phone rang at the same time (ring-all): the call was not for this agent in particular
    current = agent.shift.wish
    paused_for_this_call = current.because.call == call.id or (current.by == PBX and current.at >= began_at)
    if not current.ready and not paused_for_this_call:
        return  # they already were not ready, or chose it while the phone rang: that reason stays
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
    """Schedule when the agent becomes not ready because their phone or their desktop stays away, or cancel it."""
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
    """Call before a snapshot is taken in. After a reconnect, forget the phone contacts, which may have changed
    unseen; when Asterisk has restarted (`fresh_boot`), also the ordered pauses: its members show nobody's wish."""
    if not s.drift_check:
        books.contacts.clear()
    for agent in books.agents.values():
        if fresh_boot and agent.shift is not None:
            agent.shift.asked, agent.shift.asked_reason, agent.shift.confirmed = None, None, True


def after_snapshot(books: Books, s: Snapshot, fresh_boot: bool) -> None:
    """Call after a snapshot is taken in: repeat orders that were lost, and join the queues again that a restarted
    Asterisk has forgotten."""
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
