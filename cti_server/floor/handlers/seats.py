"""Handlers for seats and phones: who sits where, and whether the phone there can be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cti_server.floor.agents import Agent
from cti_server.floor.books import Books
from cti_server.floor.calls import device_of
from cti_server.floor.desk_signals import AgentSeated
from cti_server.floor.parts import CONNECTED
from cti_server.floor.queues import GONE
from cti_server.floor.signals import PhoneChanged, PoolAgentChanged, Signal


def seated(books: Books, s: AgentSeated) -> None:
    agent = books.agents.setdefault(s.agent, Agent(s.agent, s.name, None))
    agent.name, agent.home, agent.role = s.name, s.seat, s.role
    if agent.shift is None:
        agent.extension = s.extension
        take_home(books, agent)
    elif agent.seat is not None:
        _touch_members_at(books, agent.seat)  # members are shown under the agent's name, which may be new
    books.touch_agent(s.agent)


def take_home(books: Books, agent: Agent) -> None:
    """Seat an agent who is not at work at their own phone; nowhere if somebody else sits there."""
    is_free = agent.home is not None and books.seats.get(agent.home) in (None, agent.id)
    take_seat(books, agent, agent.home if is_free else None)


def take_seat(books: Books, agent: Agent, seat: str | None) -> None:
    """Move the agent to this seat (None: to none). Whoever sits there loses it, so check `is_taken` first."""
    if agent.seat is not None and books.seats.get(agent.seat) == agent.id:
        del books.seats[agent.seat]
        _touch_members_at(books, agent.seat)
    agent.seat = seat
    if seat is None:
        return
    other = books.agents.get(books.seats.get(seat, -1))
    if other is not None and other is not agent:
        other.seat = None
        books.touch_agent(other.id)
    books.seats[seat] = agent.id
    _touch_members_at(books, seat)
    see_phone(books, agent, books.clock)


def is_taken(books: Books, seat: str, agent: Agent) -> bool:
    """Whether another agent is at work at this seat. Of two who ask for it at the same moment, one is refused."""
    occupant = books.agent_at(seat)
    return occupant is not None and occupant is not agent and occupant.at_work


def _touch_members_at(books: Books, seat: str) -> None:
    for member in books.memberships(seat):
        books.touch_member(member.queue, member.interface)


def phone_changed(books: Books, s: PhoneChanged) -> None:
    contacts = books.contacts.setdefault(s.seat, set())
    (contacts.add if s.reachable else contacts.discard)(s.contact)
    if (agent := books.agent_at(s.seat)) is not None:
        see_phone(books, agent, s.at)


def pool_agent_changed(books: Books, s: PoolAgentChanged) -> None:
    """An agent of an agent pool is a member under a name of its own; their seat is the phone that is logged in."""
    sits_at(books, s.device, device_of(s.channel) if s.logged_in else s.device, s.at)


def sits_at(books: Books, device: str, phone: str, at: float) -> None:
    """The agent of an agent pool sits at this phone from now on; at their device of the pool, while logged out."""
    before = books.pool.get(device, device)
    if phone != device:
        books.pool[device] = phone
    else:
        books.pool.pop(device, None)
    for member in list(books.memberships(before)):
        if before == device or books.pool_interfaces.get(member.interface) == device:
            books.put_member(books.at_phone(replace(member, at=at, seat=device)))
    for seat in (before, phone):
        if (agent := books.agent_at(seat)) is not None:
            books.touch_agent(agent.id)


def see_phone(books: Books, agent: Agent, at: float) -> None:
    """Update whether the agent's phone can be reached; call it whenever its members or contacts change."""
    reachable = _reachable(books, agent)
    if reachable != agent.phone_reachable:
        agent.phone_reachable, agent.phone_since = reachable, at
        books.touch_agent(agent.id)
    if agent.shift is not None:
        gone = (agent.shift.phone_gone or at) if reachable is False else None
        if gone != agent.shift.phone_gone:
            agent.shift.phone_gone = gone
            books.touch_agent(agent.id)


def _reachable(books: Books, agent: Agent) -> bool | None:
    """Whether the phone can be reached; None when the PBX has not said. A device in a call counts as in use even
    if its phone is gone, so during a call only the contacts count."""
    contacts = books.contacts.get(agent.seat or "")
    if any(part.state in CONNECTED for _, part in books.parts_of(agent.id)):
        return bool(contacts) if contacts is not None else True
    members = books.memberships(agent.seat)
    if members:
        return not all(member.status in GONE for member in members)
    return bool(contacts) if contacts is not None else None


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {
    AgentSeated: seated,
    PhoneChanged: phone_changed,
    PoolAgentChanged: pool_agent_changed,
}
