"""Agents at work: shifts, and the wishes that make them ready or not. Where people sit: `seats.py`.

A wish is the agent's own, a supervisor's, the PBX's (`pauses.py`) or the system's: a phone that rang in vain, a
phone or a desktop that is gone for longer than its grace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

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
    parts_of,
)
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
from .wrapup import close, expire, next_end

if TYPE_CHECKING:
    from .apply import Floor

SYSTEM_REASONS = {"no_answer": NO_ANSWER, "rejected": REJECTED}

# --- the shift -----------------------------------------------------------------------------------------


def began(floor: Floor, s: ShiftBegan) -> None:
    agent = floor.agents.get(s.agent)
    if agent is None or is_taken(floor, s.seat, agent):
        return
    if agent.shift is not None and agent.seat != s.seat:
        _leave_queues(floor, agent)
    elif agent.shift is not None:
        _leave_what_is_not_served(floor, agent, {queue for queue, _ in s.queues})
    wish = Wish(False, SIGNED_IN, By("agent", agent.name), Because("signed_in"), s.at)
    agent.shift = Shift(s.at, s.extension, s.kind, dict(s.queues), wish)
    agent.desktop_gone = s.at if agent.desktop_gone is not None else None
    agent.extension = s.extension
    take_seat(floor, agent, s.seat)
    _join(floor, agent)
    floor.touch_agent(agent.id)


def restored(floor: Floor, s: ShiftRestored) -> None:
    agent = floor.agents.get(s.agent)
    if agent is None or is_taken(floor, s.seat, agent):
        return
    wish = Wish(s.ready, s.reason, s.by, s.because, s.chosen_at)
    # The list of phones need not have everybody's own.
    extension = s.extension or (agent.extension if s.seat == agent.home else None)
    # Until a desktop says hello again it counts as gone, from now on.
    agent.shift = Shift(s.since, extension, s.kind, dict(s.queues), wish)
    agent.desktop_gone = s.at
    agent.extension = extension
    take_seat(floor, agent, s.seat)
    floor.touch_agent(agent.id)


def ended(floor: Floor, s: ShiftEnded) -> None:
    agent = floor.agents.get(s.agent)
    if agent is None or agent.shift is None:
        return
    _leave_queues(floor, agent)
    for call, part in parts_of(agent, floor.calls.values()):
        if part.state is PartState.WRAP_UP:
            close(part, s.at)  # they have gone: what is missing is owed
            floor.touch(call, kinds.CALL_WRAPPED, agent.id)
    agent.shift = None
    take_home(floor, agent)
    floor.touch_agent(agent.id)


def _join(floor: Floor, agent: Agent) -> None:
    """Become a member of the queues that the phone is not in yet; a member already is only paused."""
    assert agent.shift is not None
    assert agent.seat is not None
    there = {member.queue for member in floor.memberships(agent.seat)}
    # Whoever joins is paused at first: that is no wish of anybody, and what there should be is ordered then.
    agent.shift.asked = agent.shift.asked_reason = None
    for queue in [one for one in agent.shift.queues if one not in there]:
        _order_join(floor, agent, queue)


def _order_join(floor: Floor, agent: Agent, queue: str) -> None:
    assert agent.shift is not None
    assert agent.seat is not None
    reason = agent.shift.wish.reason or SIGNED_IN
    agent.shift.joining.add(queue)
    floor.order(Join(agent.id, agent.seat, queue, agent.shift.queues[queue], agent.name, reason))


def _leave_queues(floor: Floor, agent: Agent) -> None:
    """Out of the queues that the shift joined; members that the PBX's own files name cannot go, and are paused."""
    assert agent.shift is not None
    members = floor.memberships(agent.seat)
    for interface in sorted({m.interface for m in members}):
        floor.order(Pause(agent.id, interface, True, SIGNED_OUT))
    for member in members:
        if not member.paused:
            floor.leaving[member.queue, member.interface] = agent.id
        if member.queue in agent.shift.queues and member.dynamic:
            floor.order(Leave(agent.id, member.interface, member.queue))


def _leave_what_is_not_served(floor: Floor, agent: Agent, served: set[str]) -> None:
    """Out of what the shift joined before, and the record does not name any more."""
    assert agent.shift is not None
    for member in floor.memberships(agent.seat):
        if member.dynamic and member.queue in agent.shift.queues and member.queue not in served:
            floor.order(Leave(agent.id, member.interface, member.queue))


def _leave_again(floor: Floor) -> None:
    """Phones of people who have gone home, and that queues ring all the same: the orders did not get through."""
    for (queue, interface), agent in list(floor.leaving.items()):
        member = floor.queues[queue].members.get(interface)
        sitting = floor.agent_at(member.seat) if member is not None else None
        if member is None or member.paused or (sitting is not None and sitting.shift is not None):
            del floor.leaving[queue, interface]
            continue
        floor.order(Pause(agent, interface, True, SIGNED_OUT))
        if member.dynamic:
            floor.order(Leave(agent, interface, queue))


# --- what an agent is to be ----------------------------------------------------------------------------


def wish(floor: Floor, agent: Agent, ready: bool, reason: str | None, by: By, because: Because, at: float) -> None:
    """From now on, or after the call, this agent is to be ready or not."""
    if agent.shift is None:
        return
    agent.shift.wish = Wish(ready, reason if not ready else None, by, because, at)
    floor.touch_agent(agent.id)


def chosen(floor: Floor, s: StateChosen) -> None:
    if (agent := floor.agents.get(s.agent)) is not None and agent.shift is not None:
        agent.shift.trouble = None
        wish(floor, agent, s.ready, s.reason, s.by, Because("chosen"), s.at)
        if s.ready and agent.shift.joined and not floor.memberships(agent.seat):
            _join(floor, agent)  # others took them out of all their queues; there is no being ready outside


def unanswered(floor: Floor, call: Call, part: Part, at: float) -> None:
    """A queue rang this agent alone and in vain: it must not go on ringing there (RONA)."""
    agent = floor.agents.get(part.agent) if part.agent is not None else None
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
    because = Because(event, call.id, part.queue, call.ani or call.ani_raw)
    wish(floor, agent, False, reason, SYSTEM, because, at)


def desktop_seen(floor: Floor, s: DesktopSeen) -> None:
    agent = floor.agents.get(s.agent)
    if agent is not None:
        agent.desktop_gone = None if s.connected else s.at


# --- the clock -----------------------------------------------------------------------------------------


def ticked(floor: Floor, s: Tick) -> None:
    expire(floor, s.at)
    for agent in floor.agents.values():
        shift = agent.shift
        if shift is None or not shift.wish.ready:
            continue
        if shift.phone_gone is not None and shift.phone_gone + floor.phone_grace_s <= s.at:
            wish(floor, agent, False, PHONE_UNREACHABLE, SYSTEM, Because("phone_unreachable"), s.at)
        elif agent.desktop_gone is not None and agent.desktop_gone + floor.desktop_grace_s <= s.at:
            wish(floor, agent, False, CONNECTION_LOST, SYSTEM, Because("desktop_gone"), s.at)


def next_due(floor: Floor) -> float | None:
    """When a Tick would change something; None when nothing runs out."""
    due = [] if (end := next_end(floor)) is None else [end]
    for agent in floor.agents.values():
        if agent.shift is not None and agent.shift.wish.ready:
            if agent.shift.phone_gone is not None:
                due.append(agent.shift.phone_gone + floor.phone_grace_s)
            if agent.desktop_gone is not None:
                due.append(agent.desktop_gone + floor.desktop_grace_s)
    return min(due, default=None)


# --- after a snapshot -----------------------------------------------------------------------------------


def before_snapshot(floor: Floor, s: Snapshot, fresh_boot: bool) -> None:
    """What a new Asterisk's members show is nobody's wish, and contacts that changed unseen tell nothing."""
    if not s.drift_check:
        floor.contacts.clear()
    for agent in floor.agents.values():
        if fresh_boot and agent.shift is not None:
            agent.shift.asked, agent.shift.asked_reason, agent.shift.confirmed = None, None, True


def after_snapshot(floor: Floor, s: Snapshot, fresh_boot: bool) -> None:
    """A new Asterisk has forgotten who joined, and what failed while it was away is due again."""
    _leave_again(floor)
    for agent in floor.agents.values():
        if agent.shift is None:
            continue
        see_phone(floor, agent, s.at)
        if fresh_boot:
            agent.shift.joined = bool(floor.memberships(agent.seat))
        if agent.seat is not None and (fresh_boot or not agent.shift.joined):
            _join(floor, agent)
        elif agent.seat is not None:
            for queue in sorted(agent.shift.joining.intersection(agent.shift.queues, s.queues)):
                _order_join(floor, agent, queue)
        floor.touch_agent(agent.id)


HANDLERS: Mapping[type[Signal], Callable[[Floor, Any], None]] = {
    ShiftBegan: began,
    ShiftRestored: restored,
    ShiftEnded: ended,
    StateChosen: chosen,
    DesktopSeen: desktop_seen,
    Tick: ticked,
}
