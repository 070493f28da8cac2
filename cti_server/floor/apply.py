"""The call floor: apply(signal) → events. This file keeps the books and says what changed; what each signal
means stands in `legs.py`, `talks.py`, `queueing.py`, `desk.py`, `seats.py`, `shift.py`, `pauses.py`,
`wrapup.py` and `reconcile.py`: one function a signal, found through one table.

After a signal every touched thing is viewed again and compared with what was last told of it. An event is
told exactly when the view differs, so that old snapshot + events = fresh snapshot holds by construction, and
a signal that arrives twice tells nothing new.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from . import events as kinds
from .agents import Agent, parts_of, standing_of
from .calls import Call, Direction, Leg
from .events import Event
from .orders import Order
from .parts import Origin, Part, PartState
from .queues import Queue
from .signals import CallerIdentified, LinkState, MemberChanged, Signal
from .times import iso


class Floor:
    """The floor of one PBX.

    `apply` is the only way in. `take_changed` gives the calls that the record does not know yet in this form.
    """

    def __init__(self, pbx: str, *, desktop_grace_s: float = 30.0, phone_grace_s: float = 10.0) -> None:
        self.pbx = pbx
        self.desktop_grace_s, self.phone_grace_s = desktop_grace_s, phone_grace_s
        self.clock = 0.0  # when the last signal happened
        self.boot = 0
        self.link = LinkState.CONNECTING
        self.link_since = 0.0
        self.link_detail: str | None = None
        self.calls: dict[str, Call] = {}
        self.queues: dict[str, Queue] = {}
        self.agents: dict[int, Agent] = {}
        self.seats: dict[str, int] = {}  # seat → agent
        self.interfaces: dict[str, str] = {}  # member interface → seat
        self.contacts: dict[str, set[str]] = {}  # seat → where its phones registered from, once told
        self.leaving: dict[tuple[str, str], int] = {}  # (queue, interface) that rings though its agent went home
        self.early: OrderedDict[str, CallerIdentified] = OrderedDict()
        self.bridges: dict[str, Call] = {}
        self.unknown_legs = 0  # signals about legs that no snapshot and no start told of
        self._by_leg: dict[str, Call] = {}
        self._by_linkedid: dict[str, Call] = {}
        self._changed: dict[str, Call] = {}
        self._told: dict[tuple[str, str], Any] = {}
        self._touched: dict[str, tuple[Call, str, int | None, str | None]] = {}
        self._touched_queues: set[str] = set()
        self._touched_agents: set[int] = set()
        self._link_touched = False
        self._orders: list[Order] = []
        self._shifts: dict[int, Agent] = {}

    # --- in and out ------------------------------------------------------------------------------------

    def apply(self, signal: Signal) -> list[Event]:
        """What happened because of this signal, in order; empty when it was known already."""
        handler = HANDLERS.get(type(signal))
        if handler is None:
            raise TypeError(f"no handler for {type(signal).__name__}")
        self.clock = max(self.clock, signal.at)
        handler(self, signal)
        return self._tell(signal.at)

    def take_changed(self) -> list[Call]:
        """The calls that changed since the last take, each once, ended ones among them."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    @property
    def has_changed(self) -> bool:
        return bool(self._changed)

    def take_orders(self) -> list[Order]:
        """What is to be done at the PBX because of the signals since the last take, in order."""
        orders, self._orders = self._orders, []
        return orders

    def take_shifts(self) -> list[Agent]:
        """The agents whose shift, or what they are to be in it, changed since the last take."""
        changed, self._shifts = list(self._shifts.values()), {}
        return changed

    def next_due(self) -> float | None:
        """When a Tick would change something."""
        return shift.next_due(self)

    def stored(self, call: Call, interaction: int) -> None:
        """The record gave the call its row: later views name it (the writer names it in the earlier)."""
        call.interaction = interaction
        if (told := self._told.get(("call", call.id))) is not None:
            told["interaction"] = interaction

    def snapshot(self) -> dict[str, Any]:
        """The floor as a fresh desktop gets it."""
        seated = self.seated()
        return {
            "link": self.link_view(),
            "calls": {call.id: call.view() for call in self.calls.values()},
            "queues": {name: queue.view(seated) for name, queue in sorted(self.queues.items())},
            "agents": {str(agent.id): agent.view() for agent in self.agents.values()},
        }

    def team_member(self, agent: int) -> dict[str, Any]:
        """One agent as their colleagues see them."""
        one = self.agents[agent]
        return one.team_view({member.queue for member in self.memberships(one.seat)})

    def link_view(self) -> dict[str, Any]:
        return {
            "pbx": self.pbx,
            "state": self.link.value,
            "since": iso(self.link_since),
            "detail": self.link_detail,
        }

    def restore(self, call: Call) -> None:
        """A call that the record left open; the next snapshot tells whether it still lives.

        It counts as not told, so that desktops which resume hear of it as it is then.
        """
        self.add_call(call)

    # --- finding things --------------------------------------------------------------------------------

    def call_of(self, leg: str, linkedid: str) -> Call | None:
        """The call of a leg that is known, after following its linkedid to the call it merged into."""
        call = self._by_leg.get(leg)
        if call is None or self._by_linkedid.get(linkedid) is call:
            return call
        target = self._by_linkedid.get(linkedid)
        if target is None:
            call.aliases.append(linkedid)
            self._by_linkedid[linkedid] = call
            return call
        return self.merge(target, call)

    def call_with(self, linkedid: str) -> Call | None:
        return self._by_linkedid.get(linkedid)

    def call_with_leg(self, leg: str) -> Call | None:
        return self._by_leg.get(leg)

    def leg_of(self, leg: str) -> Leg | None:
        call = self._by_leg.get(leg)
        return call.legs.get(leg) if call is not None else None

    def is_seat(self, device: str) -> bool:
        """An agent of the record sits there, or a queue has a member there."""
        return device in self.seats or device in self._member_seats()

    def seat_of(self, interface: str) -> str:
        """The device behind a member's interface: itself, or what a Local member names as its state."""
        return self.interfaces.get(interface, interface)

    def _member_seats(self) -> Iterable[str]:
        return self.interfaces.values()

    def member_name(self, seat: str) -> str | None:
        """What the queues call whoever sits there."""
        return next((m.name for m in self.memberships(seat)), None)

    def short_abandon_s(self, queue: str | None) -> float:
        """Below this a caller who gave up counts apart."""
        known = self.queues.get(queue) if queue is not None else None
        return known.short_abandon_s if known is not None else Queue("").short_abandon_s

    def seated(self) -> dict[str, Agent]:
        """Who of the record sits at which seat."""
        return {seat: self.agents[number] for seat, number in self.seats.items()}

    def agent_at(self, seat: str) -> Agent | None:
        number = self.seats.get(seat)
        return self.agents.get(number) if number is not None else None

    def queue(self, name: str) -> Queue:
        if name not in self.queues:
            self.queues[name] = Queue(name)
            self._touched_queues.add(name)
        return self.queues[name]

    # --- keeping the books -----------------------------------------------------------------------------

    def add_call(self, call: Call) -> Call:
        self.calls[call.id] = call
        for linkedid in (call.linkedid, *call.aliases):
            self._by_linkedid[linkedid] = call
        return call

    def add_leg(self, call: Call, leg: Leg) -> Leg:
        if call.ended and call.merged_into is None:
            call.reopen()
        call.legs[leg.id] = leg
        self._by_leg[leg.id] = call
        return leg

    def drop_leg(self, call: Call, leg: str) -> Leg | None:
        self._by_leg.pop(leg, None)
        gone = call.legs.pop(leg, None)
        if gone is not None and gone.bridge and not any(o.bridge == gone.bridge for o in call.legs.values()):
            self.bridges.pop(gone.bridge, None)
        return gone

    def merge(self, into: Call, younger: Call) -> Call:
        """Two calls turned out to be one: the PBX says which linkedid lives on, and that call takes all."""
        if into is younger:
            return into
        younger_seats = {p.seat for p in into.parts if p.open}
        rooms = (*into.legs.values(), *younger.legs.values())
        joined_as = Origin.CONFERENCE if any(leg.conference for leg in rooms) else Origin.CONSULT
        if into.was_parked and not into.connected():
            joined_as = Origin.PICKUP
        for part in younger.parts:
            if part.seat in younger_seats:
                continue  # the consulting agent's own leg; their part in the older call goes on
            part.position = len(into.parts)
            if part.origin is Origin.INTERNAL:
                part.origin = joined_as
                part.why = reasons.why(self, into, part)
            into.parts.append(part)
        for leg in list(younger.legs.values()):
            self.drop_leg(younger, leg.id)
            self.add_leg(into, leg)
        for linkedid in (younger.linkedid, *younger.aliases):
            into.aliases.append(linkedid)
            self._by_linkedid[linkedid] = into
        if into.direction is Direction.INTERNAL and younger.direction is not Direction.INTERNAL:
            for part in into.parts:
                part.origin = joined_as
            into.become(younger)  # a customer came into a call between agents: it is the customer's from now on
            for part in into.parts:
                part.why = reasons.why(self, into, part)
        into.answered_at = into.answered_at or younger.answered_at
        younger.parts = []
        younger.merged_into, younger.outcome = into.id, "merged"
        self.touch(younger, kinds.CALL_ENDED)
        self.touch(into)
        return into

    def touch(
        self, call: Call, kind: str = kinds.CALL_CHANGED, agent: int | None = None, reason: str | None = None
    ) -> None:
        """The call may have changed; of several kinds that one signal brings the first that is special counts."""
        known = self._touched.get(call.id)
        if known is None or known[1] == kinds.CALL_CHANGED or kind == kinds.CALL_ENDED:
            self._touched[call.id] = (call, kind, agent, reason)

    def touch_queue(self, name: str) -> None:
        self._touched_queues.add(name)

    def touch_agent(self, agent: int) -> None:
        self._touched_agents.add(agent)

    def order(self, order: Order) -> None:
        self._orders.append(order)

    def touch_link(self) -> None:
        self._link_touched = True

    def parts_of(self, agent: int) -> list[tuple[Call, Part]]:
        """What this agent has to do with calls now, wrap-ups among it."""
        return parts_of(self.agents[agent], self.calls.values())

    def memberships(self, seat: str | None) -> list[MemberChanged]:
        return [m for queue in self.queues.values() for m in queue.members.values() if m.seat == seat]

    # --- telling ---------------------------------------------------------------------------------------

    def _tell(self, at: float) -> list[Event]:
        told: list[Event] = []
        if self._link_touched:
            self._link_touched = False
            told.append(Event(kinds.LINK_CHANGED, at, self.link_view(), everyone=True))
        touched, self._touched = self._touched, {}
        for call, kind, agent, reason in touched.values():
            told.extend(self._tell_call(call, kind, agent, reason, at))
        queues, self._touched_queues = self._touched_queues, set()
        for name in sorted(queues):
            view = self.queues[name].view(self.seated())
            before = self._told.get(("queue", name))
            if before != view:
                self._told["queue", name] = view
                told.append(Event(kinds.QUEUE_CHANGED, at, {"queue": view}, _serving(before) | _serving(view)))
        agents, self._touched_agents = self._touched_agents, set()
        for number in sorted(agents):
            told.extend(self._tell_agent(self.agents[number], at))
        return told

    def _tell_call(
        self, call: Call, kind: str, agent: int | None, reason: str | None, at: float
    ) -> Iterable[Event]:
        view = call.view()
        before = self._told.get(("call", call.id))
        for part in call.parts:
            if part.agent is not None and part.agent in self.agents:
                self._touched_agents.add(part.agent)
        if before == view:
            return
        self._changed[call.id] = call
        self._told["call", call.id] = view
        if call.ended and not call.wrapping_up:
            self._forget(call)
        body = {"call": view, "agent": agent, "reason": reason}
        yield Event(kind, at, body, _audience(before) | _audience(view), call=call.id)

    def _forget(self, call: Call) -> None:
        self.calls.pop(call.id, None)
        self._told.pop(("call", call.id), None)
        for linkedid in (call.linkedid, *call.aliases):
            if self._by_linkedid.get(linkedid) is call:
                del self._by_linkedid[linkedid]
        for leg in call.legs:
            self._by_leg.pop(leg, None)

    def _tell_agent(self, agent: Agent, at: float) -> Iterable[Event]:
        pauses.settle(self, agent)
        agent.take(standing_of(agent, self.calls.values(), self.memberships(agent.seat)), at)
        kept = (agent.seat, agent.shift.since, agent.shift.wish) if agent.shift is not None else None
        if kept != self._told.get(("shift", str(agent.id))):
            self._told["shift", str(agent.id)] = kept
            self._shifts[agent.id] = agent
        view = agent.view()
        if view == self._told.get(("agent", str(agent.id))):
            return
        self._told["agent", str(agent.id)] = view
        body = {"agent": agent.id, "state": view}
        yield Event(kinds.AGENT_CHANGED, at, body, frozenset({agent.id}))


def _serving(queue: dict[str, Any] | None) -> frozenset[int]:
    """The agents of the record who serve a queue."""
    members = queue["members"] if queue is not None else ()
    return frozenset(member["agent"] for member in members if member["agent"] is not None)


def _audience(view: dict[str, Any] | None) -> frozenset[int]:
    """The agents for whom this view is about their own call."""
    if view is None:
        return frozenset()
    return frozenset(
        part["agent"]
        for part in view["agents"].values()
        if part["agent"] is not None and part["state"] != PartState.LEFT
    )


# The table is filled by the files that know what the signals mean; importing them here, last, keeps it whole.
Handler = Callable[[Floor, Any], None]
HANDLERS: dict[type[Signal], Handler] = {}

from . import desk, legs, pauses, queueing, reconcile, seats, shift, talks, wrapup  # noqa: E402
from . import why as reasons  # noqa: E402

for module in (legs, talks, queueing, desk, seats, shift, pauses, wrapup, reconcile):
    HANDLERS.update(module.HANDLERS)
