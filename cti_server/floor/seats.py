"""Who sits at which phone, and whether it can be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .agents import GONE, Agent, parts_of
from .desk_signals import AgentSeated
from .parts import CONNECTED
from .signals import PhoneChanged, Signal

if TYPE_CHECKING:
    from .apply import Floor


def seated(floor: Floor, s: AgentSeated) -> None:
    agent = floor.agents.setdefault(s.agent, Agent(s.agent, s.name, None))
    agent.name, agent.home, agent.role = s.name, s.seat, s.role
    if agent.shift is None:
        agent.extension = s.extension
        take_home(floor, agent)
    floor.touch_agent(s.agent)


def take_home(floor: Floor, agent: Agent) -> None:
    """Who is not at work has their own phone, unless somebody else sits there."""
    is_free = agent.home is not None and floor.seats.get(agent.home) in (None, agent.id)
    take_seat(floor, agent, agent.home if is_free else None)


def take_seat(floor: Floor, agent: Agent, seat: str | None) -> None:
    """Sit there; whoever only has their own phone there, and is not at work, gives way."""
    if agent.seat is not None and floor.seats.get(agent.seat) == agent.id:
        del floor.seats[agent.seat]
        _touch_queues_of(floor, agent.seat)
    agent.seat = seat
    if seat is None:
        return
    other = floor.agents.get(floor.seats.get(seat, -1))
    if other is not None and other is not agent:
        other.seat = None
        floor.touch_agent(other.id)
    floor.seats[seat] = agent.id
    _touch_queues_of(floor, seat)
    see_phone(floor, agent, floor.clock)


def is_taken(floor: Floor, seat: str, agent: Agent) -> bool:
    """Somebody else is at work there. Two who ask for a phone at the same moment do not both get it."""
    there = floor.agent_at(seat)
    return there is not None and there is not agent and there.shift is not None


def _touch_queues_of(floor: Floor, seat: str) -> None:
    for queue in floor.queues.values():
        if any(member.seat == seat for member in queue.members.values()):
            floor.touch_queue(queue.name)


def phone_changed(floor: Floor, s: PhoneChanged) -> None:
    contacts = floor.contacts.setdefault(s.seat, set())
    (contacts.add if s.reachable else contacts.discard)(s.contact)
    if (agent := floor.agent_at(s.seat)) is not None:
        see_phone(floor, agent, s.at)


def see_phone(floor: Floor, agent: Agent, at: float) -> None:
    reachable = _reachable(floor, agent)
    if reachable != agent.phone_reachable:
        agent.phone_reachable, agent.phone_since = reachable, at
        floor.touch_agent(agent.id)
    if agent.shift is not None:
        agent.shift.phone_gone = (agent.shift.phone_gone or at) if reachable is False else None


def _reachable(floor: Floor, agent: Agent) -> bool | None:
    """None when nobody told. While a phone is in a call its device counts as in use, reachable or not: then only
    its contacts tell."""
    members = floor.memberships(agent.seat)
    contacts = floor.contacts.get(agent.seat or "")
    if any(part.state in CONNECTED for _, part in parts_of(agent, floor.calls.values())):
        return bool(contacts) if contacts is not None else True
    if members:
        return not all(member.status in GONE for member in members)
    return bool(contacts) if contacts is not None else None


HANDLERS: Mapping[type[Signal], Callable[[Floor, Any], None]] = {
    AgentSeated: seated,
    PhoneChanged: phone_changed,
}
