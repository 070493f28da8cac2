"""The call floor: apply(signal) → events. The table of handlers, and the emitting of events.

What a signal means stands in one function, in the file of its theme in `handlers/`; `HANDLERS` finds it. Handlers
change the `Books` and touch what they changed. The floor then compares each touched object with what it last sent
about it, and emits an event exactly when the two differ: so *old snapshot + events = fresh snapshot* holds by
construction, and a signal that arrives twice emits nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import events as kinds
from . import topics, views
from .agents import Agent, Wish
from .books import Books
from .calls import Call
from .events import About, Event
from .handlers import desk, dialling, legs, pauses, queueing, reconcile, seats, shift, talks, wrapup
from .handlers.states import state_of
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

Handler = Callable[[Books, Any], None]
HANDLERS: Mapping[type[Signal], Handler] = {
    signal: handler
    for module in (legs, dialling, talks, queueing, desk, seats, shift, pauses, wrapup, reconcile)
    for signal, handler in module.HANDLERS.items()
}
Kept = tuple[str | None, float, Wish, frozenset[str]] | None
"""What the record keeps of a shift: the seat, when the shift began, and the wish."""


class Floor:
    """The floor of one PBX. `apply` is the only way in; `books` are there to be read.

    Call `take_orders`, `take_changed` and `take_shifts` after each batch of signals: each returns what has
    gathered since its last call, and forgets it.
    """

    def __init__(self, pbx: str, *, desktop_grace_s: float = 30.0, phone_grace_s: float = 10.0) -> None:
        self.books = Books(pbx, desktop_grace_s=desktop_grace_s, phone_grace_s=phone_grace_s)
        self._calls: dict[str, CallShown] = {}
        self._about_calls: dict[str, About] = {}
        self._parts: dict[str, dict[int, PartShown]] = {}  # by call and position
        self._queues: dict[str, QueueShown] = {}
        self._members: dict[tuple[str, str], MemberShown] = {}
        self._agents: dict[int, AgentShown] = {}
        self._kept: dict[int, Kept] = {}
        self._changed: dict[str, Call] = {}
        self._shifts: dict[int, Agent] = {}

    # --- reading ---------------------------------------------------------------------------------------

    @property
    def pbx(self) -> str:
        return self.books.pbx

    @property
    def agents(self) -> Mapping[int, Agent]:
        return self.books.agents

    @property
    def calls(self) -> Mapping[str, Call]:
        """By id: the calls that go on, and those that an agent still wraps up."""
        return self.books.calls

    @property
    def queues(self) -> Mapping[str, Queue]:
        return self.books.queues

    # --- in and out ------------------------------------------------------------------------------------

    def apply(self, signal: Signal) -> list[Event]:
        """Take in one signal and return the events it caused, in order; none when it said nothing new.

        Raises TypeError for a signal that no handler takes.
        """
        handler = HANDLERS.get(type(signal))
        if handler is None:
            raise TypeError(f"no handler for {type(signal).__name__}")
        if signal.at > self.books.clock:
            self.books.clock = signal.at
        handler(self.books, signal)
        return self._emit(signal.at)

    def take_changed(self) -> list[Call]:
        """The calls that changed since this was last asked, each once; ended calls included."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    def take_orders(self) -> list[Order]:
        """What the PBX must be asked to do because of the signals since this was last asked, in order."""
        orders, self.books.orders = self.books.orders, []
        return orders

    def take_shifts(self) -> list[Agent]:
        """The agents whose shift, seat or wish changed since this was last asked."""
        changed, self._shifts = list(self._shifts.values()), {}
        return changed

    def next_due(self) -> float | None:
        """The time at which the floor needs a `Tick`; None while nothing is due."""
        return self.books.due.next()

    def stored(self, call: Call, interaction: int) -> None:
        """The record gave the call this row. Views made from now on name it; the writer adds it to those of the
        same batch that were made before."""
        call.interaction = interaction

    def tell_again(self, calls: Iterable[str]) -> None:
        """With the next signal everybody concerned is told of these calls, also where nothing has changed but the
        number of their row. Those that are not on the floor any more are passed over."""
        for call in calls:
            if (found := self.calls.get(call)) is not None:
                self._calls.pop(call, None)
                self.books.touch(found)

    def restore(self, call: Call) -> None:
        """Put back a call that was on the floor; the next snapshot shows whether it still lives.

        Nothing counts as sent about it, so its next change reaches the desktops that resume. No snapshot speaks of
        a call that is over and only wrapped up, nor of a part that is over in one that goes on: these are told
        with the first signal, because an agent may have finished in the record without the floor having said so.
        """
        self.books.add_call(call)
        for leg in () if call.ended else tuple(call.legs.values()):
            self.books.add_leg(call, leg)
            if leg.bridge is not None:
                self.books.bridges[leg.bridge] = call
        call.audience = {part.agent for part in call.parts if part.live and part.agent is not None}
        gave = next((part for part in reversed(call.parts) if part.outcome == "transferred"), None)
        if call.not_taken and gave is not None:
            self.books.given_away[gave.seat] = call
        # A part that is over may have been in wrap-up when the last process died, and its agent still shows it.
        told_anew = [p for p in call.parts if p.answered_at is not None and (call.ended or not p.live)]
        for part in told_anew:
            self.books.touch_part(call, part)
        if call.ended or told_anew:
            self.books.touch(call)

    # --- events ----------------------------------------------------------------------------------------

    def _emit(self, at: float) -> list[Event]:
        """The events for what was touched: the link, calls, parts, cards, queues, members, agents."""
        books = self.books
        events: list[Event] = []
        if books.touched_link:
            books.touched_link = False
            events.append(Event(kinds.LINK_CHANGED, at, views.link_view(books), everyone=True))
        if books.touched_calls:
            self._emit_calls(at, events)
        if books.touched_queues:
            queues, books.touched_queues = books.touched_queues, set()
            for name in sorted(queues):
                if (queue := books.queues.get(name)) is not None:
                    self._emit_queue(queue, at, events)
                else:
                    self._emit_no_queue(name, at, events)
        if books.touched_members:
            members, books.touched_members = books.touched_members, set()
            for name, interface in sorted(members):
                if (queue := books.queues.get(name)) is not None:
                    self._emit_member(queue, interface, at, events)
                else:
                    self._members.pop((name, interface), None)  # with its queue
        if books.touched_agents:
            agents, books.touched_agents = books.touched_agents, set()
            for number in sorted(agents):
                if (agent := books.agents.get(number)) is not None:
                    self._emit_agent(agent, at, events)
        return events

    def _emit_calls(self, at: float, events: list[Event]) -> None:
        books = self.books
        calls, books.touched_calls = books.touched_calls, {}
        parts, books.touched_parts = books.touched_parts, {}
        cards, books.touched_cards = books.touched_cards, {}
        for call, kind, reason in calls.values():
            self._emit_call(call, kind, reason, at, events)
            for part in call.parts:
                # An agent's standing also follows from the other people's legs, so these are compared every time.
                is_offer = part.state is PartState.RINGING and part.origin is Origin.OFFER
                if part.outcome is None and not is_offer:
                    parts.setdefault((call.id, part.position), (call, part, kinds.CHANGED, None))
        # The parts that go on come first: a desktop that holds the call for one of them need not drop it between.
        for call, part, happened, reason in sorted(parts.values(), key=lambda entry: not entry[1].live):
            if call.merged_into is None:
                self._emit_part(call, part, happened, reason, at, events)
        for call in cards.values():
            if call.audience:
                body = {"call": call.id}
                to_topics = frozenset({topics.call(call.id)})
                events.append(
                    Event(kinds.CARD_CHANGED, at, body, frozenset(call.audience), to_topics, call=call.id)
                )
        for call, _, _ in calls.values():
            if call.ended and not call.wrapping_up:
                self._forget(call)

    def _emit_call(self, call: Call, kind: str, reason: str | None, at: float, events: list[Event]) -> None:
        shown, about = call_shown(call), views.about(call)
        looks_the_same = shown == self._calls.get(call.id)
        # Whose call it is counts as well: a team that it comes to has not been told of it before.
        if looks_the_same and about == self._about_calls.get(call.id):
            return
        self._calls[call.id], self._about_calls[call.id] = shown, about
        self._changed[call.id] = call
        agents = call.audience
        if call.merged_into is None:
            # An agent who has just left the call learns it from their own part.
            still_in_call = {part.agent for part in call.parts if part.live}
            agents = {agent for agent in agents if agent in still_in_call}
        body = {"call": views.call_view(call, shown), "reason": reason}
        to_topics = frozenset({topics.FLOOR, topics.call(call.id)})
        if looks_the_same:  # news for that team's supervisors; fifty phones that ring have it already
            agents, to_topics = set(), frozenset({topics.OF_TEAMS})
        events.append(Event(kind, at, body, frozenset(agents), to_topics, call=call.id, about=about))

    def _emit_part(
        self, call: Call, part: Part, happened: str, reason: str | None, at: float, events: list[Event]
    ) -> None:
        shown = part_shown(call, part)
        sent = self._parts.setdefault(call.id, {})
        if shown == sent.get(part.position):
            return
        sent[part.position] = shown
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
            "leaves": not part.live and agent not in call.audience,
        }
        agents = frozenset({agent}) if agent is not None else kinds.NOBODY
        events.append(Event(kinds.PART_CHANGED, at, body, agents, frozenset({topics.call(call.id)}), call=call.id))

    def _shows_another(self, call: Call, part: Part) -> bool:
        """Whether the agent's desktop still needs the call for another of their parts in it."""
        others = (p for p in call.parts if p.agent == part.agent and p.live and p is not part)
        return any(other.position in self._parts[call.id] for other in others)

    def _forget(self, call: Call) -> None:
        self._calls.pop(call.id, None)
        self._about_calls.pop(call.id, None)
        self._parts.pop(call.id, None)
        self.books.forget_call(call)

    def _emit_queue(self, queue: Queue, at: float, events: list[Event]) -> None:
        shown = queue_shown(queue)
        if shown == self._queues.get(queue.name):
            return
        self._queues[queue.name] = shown
        body = {"queue": views.queue_view(self.books, queue, shown)}
        events.append(
            Event(kinds.QUEUE_CHANGED, at, body, topics=self._topics_of(queue.name), about=self._about(queue.name))
        )

    def _emit_no_queue(self, name: str, at: float, events: list[Event]) -> None:
        if self._queues.pop(name, None) is not None:
            body = {"pbx": self.pbx, "queue": name}
            events.append(
                Event(kinds.QUEUE_REMOVED, at, body, topics=self._topics_of(name), about=self._about(name))
            )

    def _about(self, queue: str) -> About:
        return About(kinds.NOBODY, frozenset({f"{self.pbx}/{queue}"}))

    def _topics_of(self, queue: str) -> frozenset[str]:
        return frozenset({topics.FLOOR, topics.queue(self.pbx, queue), topics.serving(self.pbx, queue)})

    def _emit_member(self, queue: Queue, interface: str, at: float, events: list[Event]) -> None:
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
        to_topics = frozenset({topics.queue(self.pbx, queue.name)})
        events.append(Event(kinds.MEMBER_CHANGED, at, body, topics=to_topics))

    def _emit_agent(self, agent: Agent, at: float, events: list[Event]) -> None:
        pauses.settle(self.books, agent)
        agent.take(state_of(self.books, agent), at)
        shift.put_due(self.books, agent)
        kept: Kept = None
        if (at_work := agent.shift) is not None:
            kept = (agent.seat, at_work.since, at_work.wish, frozenset(at_work.added))
        if kept != self._kept.get(agent.id):
            self._kept[agent.id] = kept
            self._shifts[agent.id] = agent
        shown, before = agent_shown(agent, self.books.serves(agent)), self._agents.get(agent.id)
        if shown == before:
            return
        self._agents[agent.id] = shown
        body = views.agent_view(self.books, agent, shown)
        events.append(Event(kinds.ME_CHANGED, at, body, frozenset({agent.id})))
        for name in sorted(shown.serves - (before.serves if before is not None else frozenset())):
            view = views.queue_view(self.books, self.books.queues[name])
            own = frozenset({agent.id})
            events.append(Event(kinds.QUEUE_CHANGED, at, {"queue": view}, own, about=self._about(name)))
