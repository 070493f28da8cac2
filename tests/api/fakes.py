"""The live side as the API sees it: a real floor that a test puts calls on, and commands that only remember."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cti_server.commands import Asking, CallCommand, CommandRefused, Ruling, Sitting
from cti_server.control.targets import dialable
from cti_server.floor.agents import By
from cti_server.floor.apply import Floor
from cti_server.floor.calls import Call, Leg
from cti_server.floor.desk_signals import AgentSeated, DesktopSeen, ShiftBegan
from cti_server.floor.parts import Origin, Part, PartState
from cti_server.floor.replica import Replica
from cti_server.floor.signals import LinkChanged, LinkState, MemberChanged, MemberStatus
from cti_server.live.floors import Floors
from cti_server.lookup.shapes import Card
from cti_server.record.center.agents import Agent
from cti_server.rules.destinations import Destination, Site, destination, emergency_of
from cti_server.rules.dial_policy import DEFAULT, Who, decide, not_a_number
from tests.floor.replicas import replica_of

AT = 1_795_323_600.0  # 2026-11-22T05:00:00Z
PBX = "demo"


def part(agent: int | None, state: str, seat: str = "PJSIP/1001") -> Part:
    """What one agent has to do with a call."""
    over = state in ("left", "wrap_up")
    return Part(
        position=0,
        seat=seat,
        agent=agent,
        name="Li Wei",
        origin=Origin.OFFER,
        state=PartState(state),
        since=AT,
        offered_at=AT,
        answered_at=AT if state not in ("ringing", "left") else None,
        queue="support",
        reason="answered_elsewhere" if state == "left" else None,
        outcome=("answered" if state == "wrap_up" else "answered_elsewhere") if over else None,
    )


def call(
    call_id: str,
    *parts: Part,
    interaction: int | None = 1,
    customer: int | None = 1,
    queue: str = "support",
    parked: bool = False,
    waits: bool = False,
) -> Call:
    """A call with these parts; `parked`, or `waits` in its queue."""
    pbx, boot, linkedid = call_id.split(":")
    made = Call(pbx, int(boot), linkedid, AT, interaction=interaction, meant=queue)
    made.ani, made.dnis, made.match, made.first_leg = "+8613800138000", "85550000", "verified", linkedid
    made.customer = {"id": customer, "name": "李小明", "tier": "gold"} if customer is not None else None
    made.verdict = {"code": "covered", "rule": "contract", "contract": None}
    made.path = [{"step": "main-menu", "choice": "1", "at": AT}]
    made.waiting_since = AT if waits else None
    leg = Leg(linkedid, f"PJSIP/cti-trunk-{len(linkedid):08x}", AT, up=True, parked="701" if parked else None)
    made.put(leg)
    for position, one in enumerate(parts):
        one.position = position
        made.parts.append(one)
    if parts and all(one.state in (PartState.LEFT, PartState.WRAP_UP) for one in parts):
        made.outcome, made.ended_at = "answered", AT
    return made


class AsItIsNow(Mapping[str, Replica]):
    """The replica of a floor, made anew whenever it is asked for: tests put things on a floor without events."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def __getitem__(self, pbx: str) -> Replica:
        if pbx != self._floor.pbx:
            raise KeyError(pbx)
        return replica_of(self._floor.books)

    def __iter__(self) -> Iterator[str]:
        yield self._floor.pbx

    def __len__(self) -> int:
        return 1


class FakeFloor(Floors):
    """Reads a real floor. What there is no signal for (a card, a lag) is what the test says."""

    def __init__(self) -> None:
        self.floor = Floor(PBX)
        self.floor.apply(LinkChanged(AT, LinkState.LIVE))
        self.cards: dict[str, Card] = {}
        self.lag = 0
        super().__init__(AsItIsNow(self.floor))

    def show(self, *calls: Call) -> None:
        """These calls are on the floor, and no others."""
        for gone in list(self.floor.calls.values()):
            self.floor.books.forget_call(gone)
        for one in calls:
            self.floor.restore(one)
            for there in one.parts:
                if there.agent is not None:
                    self.sit(there.agent, there.seat)

    def serve(self, queue: str, agents: Mapping[int, str] | None = None, waiting: Iterable[str] = ()) -> None:
        """There is this queue, and these agents serve it, each at a seat."""
        there = self.floor.books.queue(queue)
        for agent, seat in (agents or {}).items():
            self.sit(agent, seat)
            self.floor.apply(
                MemberChanged(AT, queue, seat, seat, f"agent {agent}", MemberStatus.IDLE, False, None)
            )
        there.waiting.update(dict.fromkeys(waiting, AT))

    def sit(self, agent: int, seat: str | None, name: str = "") -> None:
        """The floor knows this agent, and the phone that is theirs."""
        extension = seat.rpartition("/")[2] if seat is not None else None
        self.floor.apply(AgentSeated(AT, agent, name or f"agent {agent}", seat, extension, "agent"))
        self.floor.apply(DesktopSeen(AT, agent, connected=True))

    def begin_shift(self, agent: int, seat: str, kind: str = "desk") -> None:
        """The agent is at work there."""
        self.sit(agent, seat)
        self.floor.apply(ShiftBegan(AT, agent, seat, seat.rpartition("/")[2], kind, ()))

    async def card(self, call: str) -> Card | None:
        return self.cards.get(call)

    def lag_ms(self) -> int:
        return self.lag


class FakeCommands:
    """Remembers what was asked, or refuses it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refusal: CommandRefused | None = None

    def _ask(self, *what: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(what)

    async def begin_shift(self, agent: Agent, phone: Sitting) -> str:
        self._ask("begin_shift", agent.id, phone)
        return "r-1"

    async def end_shift(self, agent: int) -> str:
        self._ask("end_shift", agent)
        return "r-1"

    async def set_state(self, agent: int, state: str, reason: str | None, by: By | None = None) -> str:
        self._ask("set_state", agent, state, reason)
        return "r-1"

    async def choose_customer(self, call: str, customer: int, agent: int) -> None:
        self._ask("choose_customer", call, customer, agent)

    async def finish_wrap_up(self, call: str, agent: int, code: str | None = None) -> None:
        self._ask("finish_wrap_up", call, agent, code)

    async def note_code(self, call: str, agent: int, code: str | None) -> None:
        self._ask("note_code", call, agent, code)

    async def extend_wrap_up(self, call: str, agent: int) -> None:
        self._ask("extend_wrap_up", call, agent)

    async def want_wrap_up(self, call: str, agent: int, wanted: bool) -> None:
        self._ask("want_wrap_up", call, agent, wanted)

    async def signed_out(self, agent: int) -> None:
        self._ask("signed_out", agent)


class FakeControl:
    """Remembers the call commands that were asked, or refuses them."""

    def __init__(self) -> None:
        self.asked: list[tuple[Asking, CallCommand, str | None]] = []
        self.refusal: CommandRefused | None = None
        self.handovers: dict[tuple[str, int], dict[str, Any]] = {}

    async def ask(self, asking: Asking, command: CallCommand, key: str | None = None) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((asking, command, key))
        return f"r-{len(self.asked)}"

    async def decide(self, asking: Asking, number: str) -> Ruling:
        """By the default policy, on shift, in China."""
        here = Site("CN")
        try:
            to = destination(emergency_of(number, here) or dialable(number, "CN"), here)
        except CommandRefused as refused:
            return Ruling(Destination("unknown", number), not_a_number(refused.detail))
        who = Who(asking.login, asking.role, on_shift=True)
        return Ruling(to, decide(DEFAULT, who, to, datetime.now(UTC)))

    async def handover(self, call: str, agent: int) -> Mapping[str, Any] | None:
        return self.handovers.get((call, agent))
