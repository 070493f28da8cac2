"""The books of one PBX: the state of its floor, the indexes into it, and what the current signal touched.

Handlers look things up and never search, so the cost of a signal does not grow with the floor. A handler that
changes something must call the matching `touch_…`; `apply.py` then emits an event for each touched object whose
view differs from the one it sent last. This file does not know what any signal means.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from . import events as kinds
from .agents import Agent
from .calls import Call, Leg
from .descriptions import Description
from .due import DueTimes
from .orders import Order
from .parts import Part, PartState
from .queues import Queue
from .signals import CallerIdentified, LinkState, MemberChanged

PLACES = 20  # of a queue: who stands further back learns their place once they have come so far
MAX_ENDED = 1000  # linkedids; of one that comes again after so many others the record merges the two calls

#: what falls due: ("wrap_up", call, position), ("phone", "", agent) or ("desktop", "", agent)
DueKey = tuple[str, str, int]


class Books:
    """State, indexes and what was touched. The `Floor` owns it and passes it to every handler."""

    def __init__(self, pbx: str, *, desktop_grace_s: float, phone_grace_s: float) -> None:
        self.pbx = pbx
        self.desktop_grace_s, self.phone_grace_s = desktop_grace_s, phone_grace_s
        self.clock = 0.0  # when the last signal happened
        self.boot = 0
        self.link = LinkState.CONNECTING
        self.link_since = 0.0
        self.link_detail: str | None = None
        self.heard_until: float | None = None  # while the link is away: when the PBX was heard last
        # State.
        self.calls: dict[str, Call] = {}
        self.queues: dict[str, Queue] = {}
        self.descriptions: dict[str, Description] = {}  # of queues, also of those that the PBX does not have
        self.agents: dict[int, Agent] = {}
        self.seats: dict[str, int] = {}  # seat → agent
        self.further: dict[str, str] = {}  # device of an extension beside its seat → that seat
        self.contacts: dict[str, set[str]] = {}  # seat → contact addresses; no entry until the PBX reports one
        self.leaving: dict[tuple[str, str], int] = {}  # (queue, interface) not paused yet → agent who signed out
        self.early: OrderedDict[str, CallerIdentified] = OrderedDict()
        self.bridges: dict[str, Call] = {}
        self.given_away: dict[str, Call] = {}  # seat → the call that its agent gave to somebody who still rings
        self.nobody: set[str] = set()  # linkedids under which nobody calls
        self.ended: OrderedDict[str, None] = OrderedDict()  # linkedids of the calls that ended last
        self.pool: dict[str, str] = {}  # device of an agent of an agent pool → the phone that is logged in as it
        self.pool_interfaces: dict[str, str] = {}  # member interface → such a device
        self.due: DueTimes[DueKey] = DueTimes()
        self.unknown_legs = 0  # signals about legs that neither a snapshot nor a LegStarted announced
        # Indexes.
        self._calls_by_leg: dict[str, Call] = {}
        self._calls_by_linkedid: dict[str, Call] = {}
        self._parts: dict[int, dict[int, tuple[Call, Part]]] = {}  # agent → id(part) → live part and its call
        self._members: dict[str, dict[tuple[str, str], MemberChanged]] = {}  # seat → (queue, interface) → member
        self._serves: dict[str, frozenset[str]] = {}  # seat → its queues, once asked for
        self._seat_of: dict[str, str] = {}  # member interface → seat
        self._member_seats: Counter[str] = Counter()  # how many interfaces lead to a seat
        self._waits_in: dict[str, str] = {}  # leg → the queue that it waits in
        # What the current signal touched.
        self.touched_calls: dict[str, tuple[Call, str, str | None]] = {}
        self.touched_parts: dict[tuple[str, int], tuple[Call, Part, str, str | None]] = {}
        self.touched_cards: dict[str, Call] = {}
        self.touched_queues: set[str] = set()
        self.touched_members: set[tuple[str, str]] = set()
        self.touched_agents: set[int] = set()
        self.touched_link = False
        self.orders: list[Order] = []

    # --- calls and legs --------------------------------------------------------------------------------

    def call_of(self, leg: str) -> Call | None:
        """The call that this leg is in."""
        return self._calls_by_leg.get(leg)

    def call_with(self, linkedid: str) -> Call | None:
        """The call with this linkedid, or the call that it was merged into, or that its phone is lent to."""
        call = self._calls_by_linkedid.get(linkedid)
        return (self._calls_by_leg.get(call.lent) or call) if call is not None and call.lent is not None else call

    def leg_of(self, leg: str) -> Leg | None:
        call = self._calls_by_leg.get(leg)
        return call.legs.get(leg) if call is not None else None

    def legs(self) -> Collection[str]:
        """The ids of all legs on the floor."""
        return self._calls_by_leg.keys()

    def add_call(self, call: Call) -> Call:
        self.calls[call.id] = call
        self.name_call(call, (call.linkedid, *call.aliases))
        for part in call.parts:
            self.index_part(call, part)
        return call

    def name_call(self, call: Call, linkedids: Iterable[str]) -> None:
        """Index the call under these linkedids, too."""
        for linkedid in linkedids:
            self._calls_by_linkedid[linkedid] = call

    def forget_call(self, call: Call) -> None:
        self.calls.pop(call.id, None)
        for linkedid in (call.linkedid, *call.aliases):
            self.ended[linkedid] = None
        while len(self.ended) > MAX_ENDED:
            self.ended.popitem(last=False)
        for linkedid in (call.linkedid, *call.aliases):
            if self._calls_by_linkedid.get(linkedid) is call:
                del self._calls_by_linkedid[linkedid]
        for leg in call.legs:
            self._calls_by_leg.pop(leg, None)
        for seat in [seat for seat, given in self.given_away.items() if given is call]:
            del self.given_away[seat]
        for part in call.parts:
            self.drop_part(part)

    def add_leg(self, call: Call, leg: Leg) -> Leg:
        if call.ended and call.merged_into is None:
            call.reopen()
        leg.device = self.seat_at(leg.device)
        leg.ours = self.is_seat(leg.device)
        call.put(leg)
        self._calls_by_leg[leg.id] = call
        return leg

    def drop_leg(self, call: Call, leg: str) -> Leg | None:
        self._calls_by_leg.pop(leg, None)
        gone = call.drop(leg)
        if gone is not None and gone.bridge is not None:
            self.forget_bridge(call, gone.bridge)
        return gone

    def forget_bridge(self, call: Call, bridge: str) -> None:
        """Forget whose bridge this is, unless another leg of the call is still in it."""
        if not any(leg.bridge == bridge for leg in call.legs.values()):
            self.bridges.pop(bridge, None)

    # --- parts -----------------------------------------------------------------------------------------

    def parts_of(self, agent: int) -> list[tuple[Call, Part]]:
        """The agent's live parts, wrap-ups included, each with its call."""
        parts = self._parts.get(agent)
        if not parts:
            return []
        # `Part.live`, written out: this is asked with every signal, of all that an agent has not finished.
        return [e for e in parts.values() if e[1].outcome is None or e[1].state is PartState.WRAP_UP]

    def live_parts(self) -> list[tuple[Call, Part]]:
        """The live parts of all agents in the record. Linear in their number."""
        return [entry for of_agent in self._parts.values() for entry in of_agent.values() if entry[1].live]

    def index_part(self, call: Call, part: Part) -> None:
        """Update the index by agent and the due time of wrap-up; to be called after every change of the part."""
        if part.agent is None:
            return
        if part.live:
            self._parts.setdefault(part.agent, {})[id(part)] = (call, part)
        else:
            self.drop_part(part)
        is_timed = part.state is PartState.WRAP_UP and part.wrap.rule.mode == "forced"
        self.due.put(("wrap_up", call.id, part.position), part.wrap.ends_at if is_timed else None)

    def drop_part(self, part: Part) -> None:
        if part.agent is not None and (parts := self._parts.get(part.agent)) is not None:
            parts.pop(id(part), None)
            if not parts:
                del self._parts[part.agent]

    # --- seats, members and queues ---------------------------------------------------------------------

    def is_seat(self, device: str) -> bool:
        """Whether an agent of the record sits at this device, or a queue has or had a member there."""
        return device in self.seats or device in self._member_seats

    def seat_at(self, device: str) -> str:
        """The seat that this device belongs to, where an extension has several; else the device itself."""
        return self.further.get(device, device)

    def seat_of(self, interface: str) -> str:
        """The device behind a member's interface: the interface itself, or the state device of a Local member; for
        an agent of an agent pool the phone that is logged in."""
        seat = self._seat_of.get(interface, interface)
        return self.pool.get(seat, seat)

    def at_phone(self, member: MemberChanged) -> MemberChanged:
        """The member at the phone that is logged in as this agent of an agent pool; any other member unchanged."""
        phone = self.pool.get(member.seat)
        if phone is None:
            return member
        self.pool_interfaces[member.interface] = member.seat
        return replace(member, seat=phone)

    def agent_at(self, seat: str) -> Agent | None:
        number = self.seats.get(seat)
        return self.agents.get(number) if number is not None else None

    def memberships(self, seat: str | None) -> Collection[MemberChanged]:
        """The queue memberships of this seat."""
        return self._members.get(seat, {}).values() if seat is not None else ()

    def member_name(self, seat: str) -> str | None:
        """The name that the queues give to the member at this seat."""
        return next((member.name for member in self.memberships(seat)), None)

    def member_of(self, queue: str, seat: str) -> MemberChanged | None:
        """The member of this queue at this seat."""
        return next((member for member in self.memberships(seat) if member.queue == queue), None)

    def serves(self, agent: Agent) -> frozenset[str]:
        """The queues that this agent is a member of."""
        if agent.seat is None:
            return kinds.NOTHING
        if (found := self._serves.get(agent.seat)) is None:
            found = frozenset(member.queue for member in self.memberships(agent.seat))
            self._serves[agent.seat] = found
        return found

    def queue(self, name: str) -> Queue:
        """The queue of this name, created when it is new."""
        if name not in self.queues:
            self.queues[name] = Queue(name, self.descriptions.get(name, Description()))
            self.touched_queues.add(name)
        return self.queues[name]

    def remove_queue(self, name: str) -> None:
        """The PBX does not have this queue any more. Only for one without members in which nobody waits."""
        del self.queues[name]
        self.touched_queues.add(name)

    def put_member(self, member: MemberChanged) -> str | None:
        """The member is so from now on; returns the seat that it was at, where that was another."""
        key, seat = (member.queue, member.interface), member.seat
        queue = self.queue(member.queue)
        before = queue.members.get(member.interface)
        if queue.put(member):
            self.touch_queue(member.queue)
        moved_from = before.seat if before is not None and before.seat != seat else None
        if before is not None and moved_from is not None:
            self._drop_membership(before)
        if before is None or moved_from is not None:
            self._serves.pop(seat, None)
        self._members.setdefault(seat, {})[key] = member
        for device in member.also:
            if not self.is_seat(device):  # somebody else's, or a member by itself
                self.further[device] = seat
        former_seat = self._seat_of.get(member.interface)
        if former_seat != seat:
            self._seat_of[member.interface] = seat
            self._member_seats[seat] += 1
            if former_seat is not None:
                self._member_seats[former_seat] -= 1
                if not self._member_seats[former_seat]:
                    del self._member_seats[former_seat]
        self.touch_member(*key)
        return moved_from

    def drop_member(self, queue: str, interface: str) -> MemberChanged | None:
        """Take the member out of the queue and return it. Its device still counts as a seat."""
        member = self.queues[queue].take_out(interface) if queue in self.queues else None
        if member is not None:
            self._drop_membership(member)
            self.touch_member(queue, interface)
            self.touch_queue(queue)
        return member

    def _drop_membership(self, member: MemberChanged) -> None:
        self._serves.pop(member.seat, None)
        members = self._members.get(member.seat, {})
        members.pop((member.queue, member.interface), None)
        if not members:
            self._members.pop(member.seat, None)

    def waits_in(self, leg: str) -> str | None:
        """The queue that this leg waits in, None when it does not wait."""
        return self._waits_in.get(leg)

    def join_queue(self, leg: str, queue: str, since: float, place: int | None) -> None:
        self.leave_queue(leg)
        self.queue(queue).join(leg, since)
        self._waits_in[leg] = queue
        self.place_in_queue(leg, place)
        self.touch_queue(queue)

    def place_in_queue(self, leg: str, place: int | None) -> None:
        """The leg has this place in the queue where it waits; those behind move on."""
        queue = self.queues[self._waits_in[leg]]
        before = queue.line.leave(leg)
        index = queue.line.join(leg, place)
        self._number_places(queue, min(index, before if before is not None else index))

    def _number_places(self, queue: Queue, start: int) -> None:
        """Tell the first `PLACES` callers of the queue, from index `start` on, which place they have now."""
        for index, leg in enumerate(queue.line.first(PLACES, start), start):
            call = self._calls_by_leg.get(leg)
            if call is not None and call.position != index + 1 and not self.waits_beside(call, leg):
                call.position = index + 1
                self.touch(call)

    def waits_beside(self, call: Call, leg: str) -> bool:
        """Whether this leg is half of a Local pair, and another of its call waits in a queue, too: then it is a
        consultation that is over, for the caller was given to a queue meanwhile."""
        known = call.legs.get(leg)
        return known is not None and known.local and any(x in self._waits_in for x in call.legs if x != leg)

    def leave_queue(self, leg: str, queue: str | None = None) -> None:
        """The leg stops waiting in this queue; without a queue, wherever it waits."""
        name = self._waits_in.get(leg)
        if name is not None and queue in (None, name):
            del self._waits_in[leg]
            del self.queues[name].waiting[leg]
            if (place := self.queues[name].line.leave(leg)) is not None:
                self._number_places(self.queues[name], place)
            self.touch_queue(name)

    def waiting(self) -> Mapping[str, str]:
        """All waiting legs, each with its queue."""
        return self._waits_in

    # --- what was touched ------------------------------------------------------------------------------

    def touch(self, call: Call, kind: str = kinds.CALL_CHANGED, reason: str | None = None) -> None:
        """The call may have changed. When one signal brings several kinds, `call.ended` wins, else the first that
        is not `call.changed`."""
        before = self.touched_calls.get(call.id)
        if before is None or before[1] == kinds.CALL_CHANGED or kind == kinds.CALL_ENDED:
            self.touched_calls[call.id] = (call, kind, reason)

    def touch_part(self, call: Call, part: Part, happened: str = kinds.CHANGED, reason: str | None = None) -> None:
        """The part may have changed, and its call with it. The first `happened` other than `changed` wins."""
        self.index_part(call, part)
        key = (call.id, part.position)
        before = self.touched_parts.get(key)
        if before is None or before[2] == kinds.CHANGED:
            self.touched_parts[key] = (call, part, happened, reason)
        if part.agent is not None:
            self.touched_agents.add(part.agent)
        self.touch(call)

    def touch_all(self, call: Call, kind: str = kinds.CALL_CHANGED) -> None:
        """Something changed that concerns every agent in the call: touch the call and its live parts."""
        self.touch(call, kind)
        for part in call.parts:
            if part.live:
                self.touch_part(call, part)

    def touch_card(self, call: Call) -> None:
        """The call's card has changed."""
        self.touched_cards[call.id] = call

    def touch_queue(self, name: str) -> None:
        self.touched_queues.add(name)

    def touch_member(self, queue: str, interface: str) -> None:
        self.touched_members.add((queue, interface))

    def touch_agent(self, agent: int) -> None:
        self.touched_agents.add(agent)

    def touch_link(self) -> None:
        self.touched_link = True

    def order(self, order: Order) -> None:
        """Ask for something to be done at the PBX; `Floor.take_orders` hands it out."""
        self.orders.append(order)
