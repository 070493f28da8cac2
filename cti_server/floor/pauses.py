"""Pauses of queue members: ordered by the floor, confirmed by the PBX, or changed there by somebody else.

The PBX only knows whether a member is paused. So for an agent on a shift the floor compares, after every signal
that concerns them, the pause that there should be with the one that was last ordered, and orders what differs:

    paused   while the agent is to be not ready, and from the answer of a call that is followed by wrap-up until
             that is finished: no call slips in between hanging up and wrapping up
    not      otherwise

A pause that changes without an order was changed at the PBX, by the CLI or a feature code, and counts as wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from .agents import ON_CALL, PBX, Agent, Because, Shift
from .books import Books
from .calls import Direction
from .desk_signals import OrderFailed
from .orders import Pause
from .parts import CONNECTED, PartState
from .seats import see_phone
from .shift import wish
from .signals import MemberChanged, Signal
from .states import is_paused
from .wrapup import wraps_up

CONFIRM_S = 5.0  # a pause that was ordered shows by then, or what shows counts


def member_seen(books: Books, seat: str, at: float) -> None:
    """A membership of this seat is as the PBX says now."""
    agent = books.agent_at(seat)
    if agent is None:
        return
    books.touch_agent(agent.id)
    see_phone(books, agent, at)
    shift, members = agent.shift, books.memberships(seat)
    if shift is None or not members:
        return
    shift.joined = True
    shift.joining -= {member.queue for member in members}
    paused = is_paused(members)
    if shift.asked is None:
        return
    if not shift.confirmed and at - shift.asked_at < CONFIRM_S:
        shift.confirmed = _is_as_asked(shift, members)
        return
    reason = _reason(members)
    if paused != shift.asked:
        # Queues tell one after the other: those that still show the old pause are no reason to order anything.
        shift.asked, shift.asked_reason = paused, reason if paused else None
        _changed_there(books, agent, not paused, reason, at)
    elif paused and reason and reason != shift.asked_reason:
        shift.asked_reason = reason
        _changed_there(books, agent, False, reason, at)


def _is_as_asked(shift: Shift, members: Collection[MemberChanged]) -> bool:
    return all(
        m.paused == shift.asked and (not m.paused or (m.reason or None) == shift.asked_reason) for m in members
    )


def _changed_there(books: Books, agent: Agent, ready: bool, reason: str | None, at: float) -> None:
    event = "unpaused_in_pbx" if ready else "paused_in_pbx"
    wish(books, agent, ready, reason, PBX, Because(event), at)


def _reason(members: Collection[MemberChanged]) -> str | None:
    return next((m.reason for m in members if m.paused and m.reason), None)


def settle(books: Books, agent: Agent) -> None:
    """Order the pause that there should be, where it differs from what was ordered last."""
    shift = agent.shift
    if shift is None or agent.seat is None:
        return
    members = books.memberships(agent.seat)
    paused, reason = _due_pause(books, agent, shift)
    if not members or (paused, reason) == (shift.asked, shift.asked_reason):
        return
    shift.asked, shift.asked_reason, shift.asked_at = paused, reason, books.clock
    # While another order is under way, what members show is about to change: then this one is needed, too.
    shift.confirmed = shift.confirmed and _is_as_asked(shift, members)
    if shift.confirmed:
        return
    for interface in sorted({member.interface for member in members}):
        books.order(Pause(agent.id, interface, paused, reason))


def _due_pause(books: Books, agent: Agent, shift: Shift) -> tuple[bool, str | None]:
    if not shift.wish.ready:
        return True, shift.wish.reason
    for call, part in books.parts_of(agent.id):
        if part.state is PartState.WRAP_UP:
            return True, ON_CALL
        if part.state in CONNECTED and call.direction is not Direction.INTERNAL and wraps_up(call, part):
            return True, ON_CALL
    return False, None


def order_failed(books: Books, s: OrderFailed) -> None:
    """It is tried again with the next snapshot; till then nothing that members show counts as wanted there."""
    agent = books.agents.get(s.agent)
    if agent is not None and agent.shift is not None:
        agent.shift.asked, agent.shift.asked_reason, agent.shift.confirmed = None, None, True
        agent.shift.trouble = s.detail


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {OrderFailed: order_failed}
