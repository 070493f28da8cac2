"""The call floor: apply(signal) → events. The table, and the telling.

What each signal means stands in one file a theme (`legs.py`, `talks.py`, `queueing.py`, `desk.py`, `seats.py`,
`shift.py`, `pauses.py`, `wrapup.py`, `reconcile.py`): one function a signal, found through one table. They change
the `Books` and touch what they changed. What was touched is then compared with what was told of it last, and an
event is told exactly when it differs: so *old snapshot + events = fresh snapshot* holds by construction, and a
signal that arrives twice tells nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import desk, legs, pauses, queueing, reconcile, seats, shift, talks, topics, views, wrapup
from . import events as kinds
from .agents import Agent, Wish
from .books import Books
from .calls import Call
from .events import Event
from .orders import Order
from .parts import Origin, Part, PartState
from .queues import Queue
from .shown import (
    AgentShown,
    CallShown,
    MemberShown,
    PartShown,
    QueueShown,
    agent_shown,
    call_shown,
    member_shown,
    part_shown,
    queue_shown,
)
from .signals import Signal
from .states import state_of

Handler = Callable[[Books, Any], None]
HANDLERS: Mapping[type[Signal], Handler] = {
    signal: handler
    for module in (legs, talks, queueing, desk, seats, shift, pauses, wrapup, reconcile)
    for signal, handler in module.HANDLERS.items()
}
Kept = tuple[str | None, float, Wish] | None
"""What is written of a shift: seat, since when, and the wish."""


class Floor:
    """The floor of one PBX. `apply` is the only way in; `books` are there to be read.

    Call `take_orders`, `take_changed` and `take_shifts` after each batch of signals: they give what has gathered
    since the last time, and forget it.
    """

    def __init__(self, pbx: str, *, desktop_grace_s: float = 30.0, phone_grace_s: float = 10.0) -> None:
        self.books = Books(pbx, desktop_grace_s=desktop_grace_s, phone_grace_s=phone_grace_s)
        self._calls: dict[str, CallShown] = {}
        self._parts: dict[tuple[str, int], PartShown] = {}
        self._queues: dict[str, QueueShown] = {}
        self._members: dict[tuple[str, str], MemberShown] = {}
        self._agents: dict[int, AgentShown] = {}
        self._kept: dict[int, Kept] = {}
        self._changed: dict[str, Call] = {}
        self._shifts: dict[int, Agent] = {}

    # --- what is there ---------------------------------------------------------------------------------

    @property
    def pbx(self) -> str:
        return self.books.pbx

    @property
    def agents(self) -> Mapping[int, Agent]:
        return self.books.agents

    @property
    def calls(self) -> Mapping[str, Call]:
        """By id: those that go on, and those that somebody wraps up."""
        return self.books.calls

    @property
    def queues(self) -> Mapping[str, Queue]:
        return self.books.queues

    # --- in and out ------------------------------------------------------------------------------------

    def apply(self, signal: Signal) -> list[Event]:
        """What happened because of this signal, in order; empty when it was known already."""
        handler = HANDLERS.get(type(signal))
        if handler is None:
            raise TypeError(f"no handler for {type(signal).__name__}")
        if signal.at > self.books.clock:
            self.books.clock = signal.at
        handler(self.books, signal)
        return self._tell(signal.at)

    def take_changed(self) -> list[Call]:
        """The calls that changed since the last take, each once, ended ones among them."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    def take_orders(self) -> list[Order]:
        """What is to be done at the PBX because of the signals since the last take, in order."""
        orders, self.books.orders = self.books.orders, []
        return orders

    def take_shifts(self) -> list[Agent]:
        """The agents whose shift, or what they are to be in it, changed since the last take."""
        changed, self._shifts = list(self._shifts.values()), {}
        return changed

    def next_due(self) -> float | None:
        """When a Tick would change something."""
        return self.books.due.next()

    def stored(self, call: Call, interaction: int) -> None:
        """The record gave the call its row: later views name it (the writer names it in the earlier)."""
        call.interaction = interaction

    def restore(self, call: Call) -> None:
        """A call that the record left open; the next snapshot tells whether it still lives.

        It counts as not told, so that desktops which resume hear of it as it is then.
        """
        self.books.add_call(call)
        call.audience = {part.agent for part in call.parts if part.live and part.agent is not None}

    # --- telling ---------------------------------------------------------------------------------------

    def _tell(self, at: float) -> list[Event]:
        """The events of what was touched: the link, calls, parts, cards, queues, members, agents."""
        books = self.books
        events: list[Event] = []
        if books.touched_link:
            books.touched_link = False
            events.append(Event(kinds.LINK_CHANGED, at, views.link_view(books), everyone=True))
        if books.touched_calls:
            self._tell_calls(at, events)
        if books.touched_queues:
            queues, books.touched_queues = books.touched_queues, set()
            for name in sorted(queues):
                self._tell_queue(books.queues[name], at, events)
        if books.touched_members:
            members, books.touched_members = books.touched_members, set()
            for name, interface in sorted(members):
                self._tell_member(books.queues[name], interface, at, events)
        if books.touched_agents:
            agents, books.touched_agents = books.touched_agents, set()
            for number in sorted(agents):
                if (agent := books.agents.get(number)) is not None:
                    self._tell_agent(agent, at, events)
        return events

    def _tell_calls(self, at: float, events: list[Event]) -> None:
        books = self.books
        calls, books.touched_calls = books.touched_calls, {}
        parts, books.touched_parts = books.touched_parts, {}
        cards, books.touched_cards = books.touched_cards, {}
        for call, kind, reason in calls.values():
            self._tell_call(call, kind, reason, at, events)
            for part in call.parts:
                # How these stand in the call follows from the legs of the others, too.
                is_offer = part.state is PartState.RINGING and part.origin is Origin.OFFER
                if part.outcome is None and not is_offer:
                    parts.setdefault((call.id, part.position), (call, part, kinds.CHANGED, None))
        for call, part, happened, reason in parts.values():
            if call.merged_into is None:
                self._tell_part(call, part, happened, reason, at, events)
        for call in cards.values():
            if call.audience:
                body = {"call": call.id}
                told_to = frozenset({topics.call(call.id)})
                events.append(Event(kinds.CARD_CHANGED, at, body, frozenset(call.audience), told_to, call=call.id))
        for call, _, _ in calls.values():
            if call.ended and not call.wrapping_up:
                self._forget(call)

    def _tell_call(self, call: Call, kind: str, reason: str | None, at: float, events: list[Event]) -> None:
        shown = call_shown(call)
        if shown == self._calls.get(call.id):
            return
        self._calls[call.id] = shown
        self._changed[call.id] = call
        agents = call.audience
        if call.merged_into is None:
            # Who leaves the call with this is told so by their part.
            here = {part.agent for part in call.parts if part.live}
            agents = {agent for agent in agents if agent in here}
        body = {"call": views.call_view(call, shown), "reason": reason}
        told_to = frozenset({topics.FLOOR, topics.call(call.id)})
        events.append(Event(kind, at, body, frozenset(agents), told_to, call=call.id))

    def _tell_part(
        self, call: Call, part: Part, happened: str, reason: str | None, at: float, events: list[Event]
    ) -> None:
        shown = part_shown(call, part)
        if shown == self._parts.get((call.id, part.position)):
            return
        self._parts[call.id, part.position] = shown
        self._changed[call.id] = call
        agent, view = part.agent, None
        if agent is not None and agent in self.books.agents:
            if part.live and agent not in call.audience:
                call.audience.add(agent)
                view = views.call_view(call, self._calls[call.id])
            elif not part.live and not self._shows_another(call, part):
                call.audience.discard(agent)
        body = {
            "agent": agent,
            "call": call.id,
            "part": views.part_view(call, part, shown),
            "happened": happened,
            "reason": reason,
            "view": view,
        }
        agents = frozenset({agent}) if agent is not None else kinds.NOBODY
        events.append(Event(kinds.PART_CHANGED, at, body, agents, frozenset({topics.call(call.id)}), call=call.id))

    def _shows_another(self, call: Call, part: Part) -> bool:
        """The agent's desktop holds the call for another of their parts in it."""
        others = (p for p in call.parts if p.agent == part.agent and p.live and p is not part)
        return any((call.id, other.position) in self._parts for other in others)

    def _forget(self, call: Call) -> None:
        self._calls.pop(call.id, None)
        for part in call.parts:
            self._parts.pop((call.id, part.position), None)
        self.books.forget_call(call)

    def _tell_queue(self, queue: Queue, at: float, events: list[Event]) -> None:
        shown = queue_shown(queue)
        if shown == self._queues.get(queue.name):
            return
        self._queues[queue.name] = shown
        told_to = {topics.FLOOR, topics.queue(self.pbx, queue.name), topics.serving(self.pbx, queue.name)}
        body = {"queue": views.queue_view(self.books, queue, shown)}
        events.append(Event(kinds.QUEUE_CHANGED, at, body, topics=frozenset(told_to)))

    def _tell_member(self, queue: Queue, interface: str, at: float, events: list[Event]) -> None:
        member = queue.members.get(interface)
        shown = member_shown(self.books, member) if member is not None else None
        if shown == self._members.get((queue.name, interface)):
            return
        if shown is None:
            del self._members[queue.name, interface]
        else:
            self._members[queue.name, interface] = shown
        view = views.member_view(self.books, member, shown) if member is not None else None
        body = {"pbx": self.pbx, "queue": queue.name, "interface": interface, "member": view}
        told_to = frozenset({topics.queue(self.pbx, queue.name)})
        events.append(Event(kinds.MEMBER_CHANGED, at, body, topics=told_to))

    def _tell_agent(self, agent: Agent, at: float, events: list[Event]) -> None:
        pauses.settle(self.books, agent)
        agent.take(state_of(self.books, agent), at)
        shift.put_due(self.books, agent)
        kept: Kept = (agent.seat, agent.shift.since, agent.shift.wish) if agent.shift is not None else None
        if kept != self._kept.get(agent.id):
            self._kept[agent.id] = kept
            self._shifts[agent.id] = agent
        shown, before = agent_shown(agent, self.books.serves(agent)), self._agents.get(agent.id)
        if shown == before:
            return
        self._agents[agent.id] = shown
        body = {
            "agent": agent.id,
            "pbx": self.pbx,
            "state": views.state_view(agent, shown),
            "queues": sorted(shown.serves),
        }
        events.append(Event(kinds.ME_CHANGED, at, body, frozenset({agent.id})))
        for name in sorted(shown.serves - (before.serves if before is not None else frozenset())):
            view = views.queue_view(self.books, self.books.queues[name])
            events.append(Event(kinds.QUEUE_CHANGED, at, {"queue": view}, frozenset({agent.id})))
