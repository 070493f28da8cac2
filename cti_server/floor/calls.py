"""A call and its legs: what they hold, who hears whom, and the state of the whole. What is sent: `shown.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .parts import CONNECTED, Part, PartState
from .signals import DialStatus, Recording
from .visits import Visit

MAX_PARTS = 200  # per call; past it, another ring of the same agent reopens their last part
MAX_VISITS = 200  # per call; past it, a new visit replaces the last one
MAX_STEPS = 100  # IVR steps per call; later ones are not kept
MAX_EARLY_IDENTITIES = 1000  # lookups of legs not announced yet; past it the oldest is dropped and looked up again


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


#: the fields that a call between agents takes over from a customer's call when the two merge
CUSTOMERS_CALL = (
    "direction",
    "first_leg",
    "customer_leg",
    "ani_raw",
    "ani",
    "ani_name",
    "dnis",
    "line",
    "language",
    "meant",
    "visits",
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


#: what Asterisk adds to a channel's name while one channel takes another's place
_MASQUERADES = re.compile(r"^AsyncGoto/|<(?:ZOMBIE|MASQ)>$")
#: every driver numbers the channels of a device: in eight digits (SIP, SCCP), fewer (IAX2, DAHDI), or by address
_SERIAL = re.compile(r"-(?:0x)?[0-9A-Za-z]+$")


def device_of(channel: str) -> str:
    """The device that a channel name belongs to: `PJSIP/1001` for `PJSIP/1001-00000003`, `IAX2/1001` for
    `IAX2/1001-3953`, `DAHDI/25` for `DAHDI/25-1`.

    For half of a Local pair it is the `Local/exten@context` that the pair was made from.
    """
    stem = _MASQUERADES.sub("", channel).split(";", 1)[0]
    return stem if stem.startswith("Console/") else _SERIAL.sub("", stem)


@dataclass(slots=True)
class Leg:
    """One channel. Once it is in a call, change its name by `Call.rename` and its bridge by `Call.bridge` only."""

    id: str
    channel: str
    started_at: float
    number: str | None = None
    name: str | None = None
    exten: str | None = None
    up: bool = False
    up_at: float | None = None
    ringing: bool = False
    bridge: str | None = None
    conference: bool = False
    parked: str | None = None
    dialled: bool = False
    dialled_by: str | None = None
    dialled_number: str | None = None
    dial_over: bool = False  # the attempt to reach it has ended
    hangup_asked: bool = False
    asked_at: float | None = None  # when it was
    aside: bool = False  # in a waiting room, where nobody hears anybody
    holds: int = 0  # how often this party has put the others on hold: by the phone's key, from the desk
    desk_holds: bool = False  # one of them is from the desk
    held_at: float | None = None
    held_in: str | None = None  # the bridge that it held: in another it hears somebody else
    home: str | None = None  # the id of its own call, where it is lent to a customer's (`handlers/lending.py`)
    muted: bool = False
    recording: Recording = Recording.OFF
    ours: bool = False  # the phone of an agent or of a queue member
    heard_at: float = 0.0  # when the last thing happened that was reported of it
    device: str = field(init=False)
    local: bool = field(init=False)  # half of a Local pair: plumbing, nobody speaks on it

    def __post_init__(self) -> None:
        self.rename(self.channel)

    def rename(self, channel: str) -> None:
        self.channel, self.device, self.local = channel, device_of(channel), channel.startswith("Local/")

    @property
    def phone_holds(self) -> bool:
        """The phone itself holds the call, whether or not the desk does too: only its own key ends that."""
        return self.holds > self.desk_holds

    @property
    def twin(self) -> str | None:
        """The channel name of the other half of a Local pair."""
        if not self.local or ";" not in self.channel:
            return None
        stem, half = self.channel.rsplit(";", 1)
        return f"{stem};{'2' if half == '1' else '1'}"


@dataclass(slots=True)
class Call:
    """All legs that share one linkedid, and what became of them.

    Use `put`, `drop`, `rename` and `bridge` for its legs: they keep the index by seat and the rooms up to date.
    """

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
    customer_leg: str | None = None  # the customer's own leg, remembered when it has gone
    ani_raw: str | None = None
    ani: str | None = None
    ani_name: str | None = None
    dnis: str | None = None
    line: int | None = None
    language: str | None = None
    meant: str | None = None  # the queue that it is bound for but has not joined yet
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
    # what `outcome.py` decides the outcome from
    abandoned: bool = False
    left_queue_unanswered: bool = False
    transferred: bool = False
    was_parked: bool = False
    refused: bool = False  # the PBX told the caller that nobody can be reached
    forwarded: bool = False  # an agent's phone sent the caller on to a number outside, which took the call
    reached: bool = False  # the customer whom we called has answered
    not_taken: bool = False  # given away, and nobody has taken it since; true once somebody was rung for it
    hangup_by: str | None = None  # who asked to hang up: the first of those who are left
    hangup_at: float = 0.0
    last_dial: DialStatus | None = None
    refused_with: int | None = None  # the cause with which the last phone or trunk ended that was rung in vain
    given_by: str | None = None  # the colleague who transferred it last
    fetched: str | None = None  # `LegFetched.why`, set until that agent answers: the next phone to ring is theirs
    made_inside: bool = False  # begun by the PBX itself on a Local channel, to bring somebody into another call
    joined: set[str] = field(default_factory=set)  # ids of the calls whose customers an agent joined to this one
    lent: str | None = None  # the leg of its phone, while that talks in a customer's call (`handlers/lending.py`)
    parted: set[str] = field(default_factory=set)  # ids of calls that it was part of for a while
    interaction: int | None = None
    id: str = field(init=False)
    #: the agents whose desktops hold this call
    audience: set[int] = field(default_factory=set)
    _seats: dict[str, dict[str, Leg]] = field(default_factory=dict)
    _halves: dict[str, Leg] = field(default_factory=dict)  # halves of Local pairs, by channel name
    _rung: dict[str, dict[str, Leg]] = field(default_factory=dict)  # by the leg that rang them
    _rooms: dict[str, tuple[Leg, ...]] | None = None

    def __post_init__(self) -> None:
        self.id = f"{self.pbx}:{self.boot}:{self.linkedid}"

    @property
    def queue(self) -> str | None:
        """The queue that the call is bound for, else the last one that it waited in."""
        return self.meant or (self.visits[-1].queue if self.visits else None)

    @property
    def number(self) -> str | None:
        """The caller's number: in E.164 when the lookup could tell it, else as the PBX sent it."""
        return self.ani or self.ani_raw

    @property
    def ended(self) -> bool:
        return self.outcome is not None

    @property
    def is_customers(self) -> bool:
        """A customer is in it: it is no call between agents, and not begun to bring somebody into another call."""
        return self.direction is not Direction.INTERNAL and not self.made_inside

    @property
    def wrapping_up(self) -> bool:
        return any(p.state is PartState.WRAP_UP for p in self.parts)

    def become(self, customers: Call) -> None:
        """Take over everything that makes the other call the customer's (`CUSTOMERS_CALL`)."""
        for name in CUSTOMERS_CALL:
            setattr(self, name, getattr(customers, name))

    def reopen(self) -> None:
        """Undo the end: the call was thought to have ended unseen, but one of its legs still lives."""
        self.outcome = self.ended_by = self.ended_at = None
        self.complete = True

    # --- legs ------------------------------------------------------------------------------------------

    def put(self, leg: Leg) -> None:
        self.legs[leg.id] = leg
        self._seats.setdefault(leg.device, {})[leg.id] = leg
        if leg.local:
            self._halves[leg.channel] = leg
        if leg.dialled_by is not None:
            self._rung.setdefault(leg.dialled_by, {})[leg.id] = leg
        self._rooms = None

    def drop(self, leg: str) -> Leg | None:
        gone = self.legs.pop(leg, None)
        if gone is not None:
            self._leave_seat(gone)
            self._halves.pop(gone.channel, None)
            self._rung.get(gone.dialled_by or "", {}).pop(gone.id, None)
            self._rooms = None
        return gone

    def dial(self, leg: Leg, by: str | None) -> None:
        """The leg `by` rings this one; None: the PBX itself does."""
        leg.dialled, leg.dialled_by = True, by
        if by is not None:
            self._rung.setdefault(by, {})[leg.id] = leg

    def rename(self, leg: Leg, channel: str, seat: str) -> None:
        """The leg has this channel name now, and is a phone of this seat."""
        self._leave_seat(leg)
        self._halves.pop(leg.channel, None)
        leg.rename(channel)
        leg.device = seat
        self.put(leg)

    def bridge(self, leg: Leg, bridge: str | None, *, conference: bool = False) -> None:
        if (leg.bridge, leg.conference) != (bridge, conference):
            leg.bridge, leg.conference = bridge, conference
            self._rooms = None

    def _leave_seat(self, leg: Leg) -> None:
        legs = self._seats.get(leg.device, {})
        legs.pop(leg.id, None)
        if not legs:
            self._seats.pop(leg.device, None)

    def legs_at(self, seat: str) -> list[Leg]:
        """The legs of the phone at this seat."""
        return list(self._seats.get(seat, {}).values())

    def reach(self, leg: Leg) -> tuple[Leg, ...]:
        """The other legs that hear this one, in its bridge and through Local pairs."""
        return tuple(other for other in self.room(leg) if other is not leg)

    def room(self, leg: Leg) -> tuple[Leg, ...]:
        """This leg and all that hear it, in its bridge and through Local pairs; empty when it is in no bridge."""
        if self._rooms is None:
            self._rooms = rooms_of(self.legs)
        return self._rooms.get(leg.bridge, ()) if leg.bridge is not None else ()

    def in_conference(self) -> bool:
        """Three people or more hear each other, or a ConfBridge room holds a leg."""
        return any(
            leg.bridge is not None and not leg.local and (leg.conference or len(self.room(leg)) > 2)
            for leg in self.legs.values()
        )

    def standing_leg(self, entering: Leg | None = None) -> Leg | None:
        """The phone that waits in this call for customers: in a waiting room, or alone in a room that somebody
        else (`entering`) comes into now. None for any other call."""
        if self.direction is not Direction.INTERNAL or len(self.legs) != 1:
            return None
        (leg,) = self.legs.values()
        return leg if leg.ours and (leg.aside or (leg.conference and leg is not entering)) else None

    # --- parts -----------------------------------------------------------------------------------------

    def part_of(self, seat: str) -> Part | None:
        """The open part of the agent at this seat."""
        return next((p for p in reversed(self.parts) if p.seat == seat and p.outcome is None), None)

    def has_leg_of(self, part: Part) -> bool:
        """Whether the call has a leg of the agent's phone, or one by which the queue reached them."""
        return part.leg in self.legs or part.seat in self._seats

    def legs_of(self, part: Part) -> list[Leg]:
        """The legs of the agent with this part: those of the phone at their seat, and where a Local channel led to
        them, the one that rang behind it (a mobile, another phone of theirs)."""
        found = dict(self._seats.get(part.seat, {}))
        if part.leg is not None and (leg := self.legs.get(part.leg)) is not None:
            found[leg.id] = leg
            if leg.local:
                for reached in self.behind(leg):
                    if reached.device == part.seat or not reached.ours:
                        found[reached.id] = reached
        # Nobody speaks on a Local channel: it counts only where what is behind it is not known.
        return [leg for leg in found.values() if not leg.local] or list(found.values())

    def behind(self, half: Leg) -> list[Leg]:
        """The legs that were rung at the far end of this half of a Local pair, through further pairs too."""
        found: list[Leg] = []
        twin = self._halves.get(half.twin or "")
        for leg in self._rung.get(twin.id, {}).values() if twin is not None else ():
            found += self.behind(leg) if leg.local else [leg]
        return found

    def beyond(self, half: Leg) -> list[Leg]:
        """The people in the bridge at the far end of this half of a Local pair, through further pairs too."""
        found: list[Leg] = []
        ends: list[Leg] = []
        halves = [half]
        while halves:
            twin = self._halves.get(halves.pop().twin or "")
            if twin is None or twin.bridge is None or twin in ends:
                continue
            ends.append(twin)
            there = [leg for leg in self.legs.values() if leg.bridge == twin.bridge and leg is not twin]
            halves += [leg for leg in there if leg.local]
            found += [leg for leg in there if not leg.local]
        return found

    def led_by(self, leg: Leg) -> Part | None:
        """The open part of an agent whom a Local channel reached at this leg."""
        if leg.dialled_by is None or leg.ours:
            return None
        return next((p for p in self.open_parts() if p.leg in self._halves_before(leg) or p.leg == leg.id), None)

    def _halves_before(self, leg: Leg) -> set[str]:
        """The near halves of the Local pairs that this leg was rung through."""
        found: set[str] = set()
        while (rung_by := self.legs.get(leg.dialled_by or "")) is not None and rung_by.local:
            near = self._halves.get(rung_by.twin or "")
            if near is None or near.id in found:
                break
            found.add(near.id)
            leg = near
        return found

    def part_on(self, leg: Leg) -> Part | None:
        """The open part that this leg belongs to: by its device, or because a queue reached the agent by it."""
        by_leg = self.part_of(leg.device) or next((p for p in self.open_parts() if p.leg == leg.id), None)
        return by_leg or self.led_by(leg)

    def open_parts(self) -> Iterator[Part]:
        return (p for p in self.parts if p.outcome is None)

    def connected(self) -> list[Part]:
        return [p for p in self.parts if p.outcome is None and p.state in CONNECTED]

    def is_muted(self, part: Part) -> bool:
        """Nobody hears this agent."""
        return part.open and any(leg.muted for leg in self._seats.get(part.seat, {}).values())

    def halves(self) -> Iterable[Leg]:
        """The halves of Local pairs."""
        return self._halves.values()

    # --- visits ----------------------------------------------------------------------------------------

    @property
    def visit(self) -> Visit | None:
        """The current wait in a queue; None while the call waits in none."""
        return next((visit for visit in reversed(self.visits) if visit.waiting), None)

    def visit_in(self, queue: str) -> Visit | None:
        """The wait in this queue that goes on."""
        return next((visit for visit in reversed(self.visits) if visit.waiting and visit.queue == queue), None)

    def stop_waiting(self, at: float | None) -> None:
        """The running wait, if there is one, is over; None: it counts for nothing, because nobody saw it."""
        if self.waiting_since is not None:
            self.wait_s += max(0.0, at - self.waiting_since) if at is not None else 0.0
            self.waiting_since = None

    # --- as a whole ------------------------------------------------------------------------------------

    @property
    def recording(self) -> Recording:
        """Whether the call is recorded now: one running recording outweighs any that are paused."""
        paused = Recording.OFF
        for leg in self.legs.values():
            if leg.recording is Recording.ON:
                return Recording.ON
            if leg.recording is Recording.PAUSED:
                paused = Recording.PAUSED
        return paused

    @property
    def park_space(self) -> str | None:
        return next((leg.parked for leg in self.legs.values() if leg.parked), None)

    @property
    def state(self) -> str:
        if self.outcome is not None:
            return "ended"
        if any(leg.parked is not None for leg in self.legs.values()):
            return "parked"
        if self.in_conference():
            return "conference"
        states = {p.state for p in self.parts if p.outcome is None}
        if PartState.TALKING in states:
            return "talking"
        if states & CONNECTED:
            return "held"
        if PartState.RINGING in states:
            return "ringing"
        if self.waiting_since is not None:
            return "queued"
        if self.answered_at is not None and any(leg.bridge and not leg.local for leg in self.legs.values()):
            return "talking"
        return "ivr" if self.direction is not Direction.OUTBOUND else "ringing"  # the customer's phone does


def rooms_of(legs: dict[str, Leg]) -> dict[str, tuple[Leg, ...]]:
    """For each bridge, the legs of all people who hear each other there: a Local pair joins two bridges into one
    room."""
    bridges: dict[str, list[Leg]] = {}
    halves: dict[str, Leg] = {}
    for leg in legs.values():
        if leg.bridge is not None:
            bridges.setdefault(leg.bridge, []).append(leg)
            if leg.local:
                halves[leg.channel] = leg
    joined: dict[str, list[Leg]] = dict(bridges)
    for half in halves.values():
        twin = halves.get(half.twin or "")
        if twin is None or half.bridge is None or twin.bridge is None:
            continue
        near, far = joined[half.bridge], joined[twin.bridge]
        if near is not far:
            room = [*near, *far]
            for bridge in {leg.bridge for leg in room if leg.bridge is not None}:
                joined[bridge] = room
    return {bridge: tuple(leg for leg in room if not leg.local) for bridge, room in joined.items()}
