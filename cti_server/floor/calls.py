"""A call, its legs and its parts: what they hold, how time is counted in them, and how a desktop sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .parts import CONNECTED, Part, PartState
from .people import people
from .signals import DialStatus, Recording
from .times import iso, ms
from .visits import Visit

MAX_PARTS = 200  # segments of one call; past it repeated rings of one agent add to their last segment
MAX_STEPS = 100  # IVR steps kept of one call, the first ones
MAX_EARLY_IDENTITIES = 1000  # lookups of legs not heard of yet; past it the oldest goes, and is asked for again


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


#: what a call between agents takes over from a customer's call that is merged into it
CUSTOMERS_CALL = (
    "direction",
    "first_leg",
    "ani_raw",
    "ani",
    "ani_name",
    "dnis",
    "line",
    "language",
    "queue",
    "position",
    "path",
    "queued_at",
    "waiting_since",
    "wait_s",
    "customer",
    "verdict",
    "match",
    "chosen_by",
    "abandoned",
    "left_queue_unanswered",
    "transferred",
    "hangup_by",
)


@dataclass(slots=True)
class Leg:
    """One channel."""

    id: str
    channel: str
    started_at: float
    number: str | None = None
    name: str | None = None
    exten: str | None = None
    up: bool = False
    ringing: bool = False
    bridge: str | None = None
    conference: bool = False
    parked: str | None = None
    dialled: bool = False
    dialled_by: str | None = None
    dialled_number: str | None = None
    hangup_asked: bool = False
    muted: bool = False
    recording: Recording = Recording.OFF

    @property
    def local(self) -> bool:
        """A Local channel's half: plumbing, nobody speaks on it."""
        return self.channel.startswith("Local/")

    @property
    def twin(self) -> str | None:
        """The channel name of the other half of a Local pair."""
        if not self.local or ";" not in self.channel:
            return None
        stem, half = self.channel.rsplit(";", 1)
        return f"{stem};{'2' if half == '1' else '1'}"

    @property
    def device(self) -> str:
        """`PJSIP/1001-00000003` is a channel of device `PJSIP/1001`."""
        return device_of(self.channel)


def device_of(channel: str) -> str:
    """The device a channel name belongs to; for a Local half the `Local/exten@context` it was made by."""
    stem = channel.split(";", 1)[0]
    head, dash, tail = stem.rpartition("-")
    return head if dash and len(tail) >= 8 and all(c in "0123456789abcdef" for c in tail) else stem


@dataclass(slots=True)
class Call:
    """Everything that shares one linkedid, and what became of it."""

    pbx: str
    boot: int
    linkedid: str
    started_at: float
    direction: Direction = Direction.INBOUND
    legs: dict[str, Leg] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)  # linkedids merged into this one
    merged_into: str | None = None  # the id of the call that took this one in
    first_leg: str | None = None
    ani_raw: str | None = None
    ani: str | None = None
    ani_name: str | None = None
    dnis: str | None = None
    line: int | None = None
    language: str | None = None
    queue: str | None = None
    position: int | None = None
    path: list[dict[str, Any]] = field(default_factory=list)
    queued_at: float | None = None
    waiting_since: float | None = None
    wait_s: float = 0.0
    answered_at: float | None = None
    ended_at: float | None = None
    customer: dict[str, Any] | None = None
    verdict: dict[str, Any] | None = None  # {"code", "rule", "contract"}
    match: str = "pending"
    chosen_by: str | None = None
    # how it ended
    outcome: str | None = None
    ended_by: str | None = None
    complete: bool = True
    # what the outcome is told from
    abandoned: bool = False
    left_queue_unanswered: bool = False
    transferred: bool = False
    was_parked: bool = False
    hangup_by: str | None = None
    last_dial: DialStatus | None = None
    given_by: str | None = None  # the colleague who transferred it last
    fetched: str | None = None  # how an agent asked for its caller: the next phone that rings is theirs
    made_inside: bool = False  # begun by the dialplan, to bring somebody into another call
    interaction: int | None = None

    @property
    def id(self) -> str:
        return f"{self.pbx}:{self.boot}:{self.linkedid}"

    @property
    def ended(self) -> bool:
        return self.outcome is not None

    @property
    def wrapping_up(self) -> bool:
        return any(p.state is PartState.WRAP_UP for p in self.parts)

    def become(self, customers: Call) -> None:
        """Take over whose call it is, and how that one came here."""
        for name in CUSTOMERS_CALL:
            setattr(self, name, getattr(customers, name))

    def reopen(self) -> None:
        """A leg of it lives after all: it was taken for ended unseen."""
        self.outcome = self.ended_by = self.ended_at = None
        self.complete = True

    def part_of(self, seat: str) -> Part | None:
        """The open part of the agent at this seat."""
        return next((p for p in reversed(self.parts) if p.seat == seat and p.open), None)

    def has_leg_of(self, part: Part) -> bool:
        """A leg of the agent's phone is there, or the one the queue made to reach them (a Local one may lead
        to a mobile)."""
        return part.leg in self.legs or any(leg.device == part.seat for leg in self.legs.values())

    def part_on(self, leg: Leg) -> Part | None:
        """The open part that this leg belongs to: by its device, or because the queue reached the agent by it."""
        return self.part_of(leg.device) or next((p for p in self.open_parts() if p.leg == leg.id), None)

    def open_parts(self) -> Iterator[Part]:
        return (p for p in self.parts if p.open)

    def connected(self) -> list[Part]:
        return [p for p in self.parts if p.open and p.state in CONNECTED]

    def reach(self, leg: Leg) -> list[Leg]:
        """The legs that hear this one: those in its bridge, through Local pairs, without itself."""
        by_channel = {other.channel: other for other in self.legs.values()}
        seen, todo = {leg.id}, [leg]
        while todo:
            here = todo.pop()
            near = [o for o in self.legs.values() if here.bridge is not None and o.bridge == here.bridge]
            if here.twin is not None and (twin := by_channel.get(here.twin)) is not None:
                near.append(twin)
            for other in near:
                if other.id not in seen:
                    seen.add(other.id)
                    todo.append(other)
        return [self.legs[i] for i in seen if i != leg.id and not self.legs[i].local]

    @property
    def state(self) -> str:
        if self.ended:
            return "ended"
        if any(leg.parked is not None for leg in self.legs.values()):
            return "parked"
        connected = self.connected()
        talking = [p for p in connected if p.state is PartState.TALKING]
        if self.in_conference():
            return "conference"
        if talking:
            return "talking"
        if connected:
            return "held"
        if any(p.state is PartState.RINGING for p in self.open_parts()):
            return "ringing"
        if self.waiting_since is not None:
            return "queued"
        if self.answered_at is not None and any(leg.bridge and not leg.local for leg in self.legs.values()):
            return "talking"
        return "ivr"

    def in_conference(self) -> bool:
        """Three people or more hear each other, or a ConfBridge room holds a leg."""
        people = [leg for leg in self.legs.values() if not leg.local and leg.bridge is not None]
        return any(leg.conference for leg in people) or any(len(self.reach(leg)) >= 2 for leg in people)

    def others(self) -> list[dict[str, Any]]:
        """The third parties: neither the first caller of an inbound call nor an agent of ours."""
        seats = {part.seat for part in self.parts}
        return [
            {
                "number": leg.dialled_number or leg.number,
                "name": leg.name,
                "state": "talking" if leg.up else "ringing",
            }
            for leg in self.legs.values()
            if not leg.local
            and leg.device not in seats
            and not (leg.id == self.first_leg and self.direction is Direction.INBOUND)
        ]

    def agents_view(self) -> dict[str, Any]:
        """Of each agent the part that matters now: an open one, else an unfinished wrap-up, else the last."""
        shown: dict[str, Part] = {}
        for part in self.parts:
            key = str(part.agent) if part.agent is not None else part.seat
            before = shown.get(key)
            if before is None or part.open or before.state is not PartState.WRAP_UP:
                shown[key] = part
        return {key: part.view() | {"muted": self.is_muted(part)} for key, part in shown.items()}

    def is_muted(self, part: Part) -> bool:
        """Nobody hears this agent."""
        return part.open and any(leg.muted for leg in self.legs.values() if leg.device == part.seat)

    @property
    def recording(self) -> Recording:
        """What is kept of the call now: one recording that goes on counts before one that is paused."""
        states = {leg.recording for leg in self.legs.values()}
        return next((s for s in (Recording.ON, Recording.PAUSED) if s in states), Recording.OFF)

    @property
    def park_space(self) -> str | None:
        return next((leg.parked for leg in self.legs.values() if leg.parked), None)

    def view(self) -> dict[str, Any]:
        """What a desktop needs of a live call; the shape that docs/api.md describes as CallView."""
        held = [p.since for p in self.open_parts() if p.state is PartState.HOLD]
        return {
            "call": self.id,
            "interaction": self.interaction,
            "pbx": self.pbx,
            "direction": self.direction.value,
            "state": self.state,
            "ani": self.ani or self.ani_raw,
            "ani_name": self.ani_name,
            "dnis": self.dnis,
            "queue": self.queue,
            "position": self.position if self.waiting_since is not None else None,
            "path": [{"step": s["step"], "choice": s["choice"], "at": iso(s["at"])} for s in self.path],
            "started_at": iso(self.started_at),
            "queued_at": iso(self.queued_at),
            "waiting_since": iso(self.waiting_since),
            "answered_at": iso(self.answered_at),
            "ended_at": iso(self.ended_at),
            "wait_ms": ms(self.wait_s) if self.waiting_since is None and self.queued_at is not None else None,
            "held_since": iso(min(held)) if held else None,
            "customer": self.customer,
            "verdict": self.verdict["code"] if self.verdict is not None else None,
            "match": self.match,
            "agents": self.agents_view(),
            "people": people(self),
            "recording": self.recording.value,
            "park_space": self.park_space,
            "others": self.others(),
            "outcome": self.outcome,
            "ended_by": self.ended_by,
            "complete": self.complete,
            "merged_into": self.merged_into,
        }
