"""Pauses of queue members: the floor orders them, the PBX confirms them, and somebody else may change them there.

The PBX knows of an agent's state only whether a member is paused. So after every signal that concerns an agent on
a shift, the floor works out the pause that the agent should have, and orders it when it differs from the last one
ordered:

    paused       while the agent's wish is *not ready*; also from the answer of a call that wrap-up will follow
                 until that wrap-up is finished, so that no call slips in between hanging up and wrapping up
    not paused   otherwise

A pause that changes without an order was changed at the PBX, from the CLI or by a feature code: it becomes the
agent's wish.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from cti_server.floor.agents import ON_CALL, PBX, Agent, Because, Shift
from cti_server.floor.books import Books
from cti_server.floor.calls import Direction
from cti_server.floor.desk_signals import OrderFailed
from cti_server.floor.orders import Pause
from cti_server.floor.parts import CONNECTED, PartState
from cti_server.floor.signals import MemberChanged, Signal

from .seats import see_phone
from .shift import wish
from .states import is_paused
from .wrapup import wraps_up

CONFIRM_S = 5.0  # how long the PBX has to show a pause that was ordered; after that, what it shows counts


def member_seen(books: Books, seat: str, at: float, joined: MemberChanged | None = None) -> None:
    """Call when the PBX has reported a membership of this seat, once the books have it: take in what it shows of
    the phone and of the pause. `joined` is the membership where it is new."""
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
    if joined is not None and joined.paused != shift.asked:
        # Whoever added the member said nothing of the pause: it is to be paused as the agent's other members are.
        books.order(Pause(agent.id, joined.interface, shift.asked, shift.asked_reason))
        shift.confirmed, shift.asked_at = False, at
        return
    if not shift.confirmed and at - shift.asked_at < CONFIRM_S:
        shift.confirmed = _shows_what_was_asked(shift, members)
        return
    reason = _reason(members)
    if paused != shift.asked:
        # Somebody changed the pause at the PBX. The queues report that one by one, so other members may still show
        # the old pause for a moment. Noting the new pause as asked keeps `settle` from ordering it there.
        shift.asked, shift.asked_reason = paused, reason if paused else None
        _changed_at_pbx(books, agent, not paused, reason, at)
    elif paused and reason and reason != shift.asked_reason:
        shift.asked_reason = reason
        _changed_at_pbx(books, agent, False, reason, at)


def _shows_what_was_asked(shift: Shift, members: Collection[MemberChanged]) -> bool:
    return all(
        m.paused == shift.asked and (not m.paused or (m.reason or None) == shift.asked_reason) for m in members
    )


def _changed_at_pbx(books: Books, agent: Agent, ready: bool, reason: str | None, at: float) -> None:
    event = "unpaused_in_pbx" if ready else "paused_in_pbx"
    wish(books, agent, ready, reason, PBX, Because(event), at)


def _reason(members: Collection[MemberChanged]) -> str | None:
    return next((m.reason for m in members if m.paused and m.reason), None)


def settle(books: Books, agent: Agent) -> None:
    """Order the pause that the agent should have, if it differs from the last one asked for. Call it for every
    agent whom a signal touched."""
    shift = agent.shift
    if shift is None or agent.seat is None:
        return
    members = books.memberships(agent.seat)
    paused, reason = _wanted_pause(books, agent, shift)
    if not members or (paused, reason) == (shift.asked, shift.asked_reason):
        return
    shift.asked, shift.asked_reason, shift.asked_at = paused, reason, books.clock
    # Members that show the wanted pause already need no order, unless an earlier order is still under way: what
    # they show is then about to change.
    shift.confirmed = shift.confirmed and _shows_what_was_asked(shift, members)
    if shift.confirmed:
        return
    for interface in sorted({member.interface for member in members}):
        books.order(Pause(agent.id, interface, paused, reason))


def _wanted_pause(books: Books, agent: Agent, shift: Shift) -> tuple[bool, str | None]:
    if not shift.wish.ready:
        return True, shift.wish.reason
    for call, part in books.parts_of(agent.id):
        if part.state is PartState.WRAP_UP:
            return True, ON_CALL
        if part.state in CONNECTED and call.direction is not Direction.INTERNAL and wraps_up(call, part):
            return True, ON_CALL
    return False, None


def order_failed(books: Books, s: OrderFailed) -> None:
    """The PBX refused an order. Forget it, so that the next snapshot orders the pause again; until then no pause
    that members show is taken for somebody's wish."""
    agent = books.agents.get(s.agent)
    if agent is not None and agent.shift is not None:
        agent.shift.asked, agent.shift.asked_reason, agent.shift.confirmed = None, None, True
        agent.shift.trouble = s.detail


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {OrderFailed: order_failed}
