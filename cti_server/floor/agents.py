"""The agents of one PBX: who sits where, what they want to be, and the state that this and their calls make.

    signed out ──shift begins──▶ not ready ◀──chosen──▶ ready ──offer──▶ reserved ──answer──▶ talking ◀▶ hold
                                     ▲                    ▲                                      │
                                     └───── wish ─────────┴──────────── wrap-up ◀────────────────┘

What the agent wants outside calls is the *wish*. A wish that is made during a call is pending until it is over.
This file only tells the state; what changes a wish, and what the PBX is ordered to do then, stands in `shift.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .calls import Call
from .parts import Part, PartState
from .signals import MemberChanged, MemberStatus
from .times import iso

#: what an agent does in a call, the strongest first, the state that it puts them in, and what led there
CALL_STATES = (
    (PartState.TALKING, "talking", "call_answered"),
    (PartState.CONSULTING, "talking", "call_answered"),
    (PartState.HOLD, "hold", "hold"),
    (PartState.RINGING, "reserved", "call_offered"),
    (PartState.WRAP_UP, "wrap_up", "call_ended"),
)

#: reasons that no person chooses
SIGNED_IN, SIGNED_OUT, ON_CALL = "signed_in", "signed_out", "on_call"
NO_ANSWER, REJECTED, WRAP_UP_EXPIRED = "no_answer", "rejected", "wrap_up_expired"
PHONE_UNREACHABLE, CONNECTION_LOST, LEFT_QUEUES = "phone_unreachable", "connection_lost", "left_queues"

BUSY = frozenset({"reserved", "talking", "hold", "wrap_up"})
GONE = (MemberStatus.UNAVAILABLE, MemberStatus.INVALID)


@dataclass(frozen=True, slots=True)
class By:
    """Who brought it about: `agent`, `supervisor`, `system` or `pbx` (from the CLI, by a feature code)."""

    kind: str
    name: str | None = None

    def view(self) -> dict[str, Any]:
        return {"kind": self.kind, "name": self.name}


@dataclass(frozen=True, slots=True)
class Because:
    """What happened that brought it about."""

    event: str
    call: str | None = None
    queue: str | None = None
    number: str | None = None

    def view(self) -> dict[str, Any]:
        return {"event": self.event, "call": self.call, "queue": self.queue, "number": self.number}


SYSTEM, PBX = By("system"), By("pbx")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent is to be while no call concerns them, since when, by whom and why."""

    ready: bool
    reason: str | None
    by: By
    because: Because
    at: float

    @property
    def name(self) -> str:
        return "ready" if self.ready else "not_ready"


@dataclass(slots=True)
class Shift:
    """An agent at work. `asked` is the pause last ordered of the PBX; `confirmed` once its members show it."""

    since: float
    extension: str | None
    kind: str
    queues: dict[str, int]
    wish: Wish
    asked: bool | None = None
    asked_reason: str | None = None
    asked_at: float = 0.0
    confirmed: bool = True
    joined: bool = False  # a member of some queue was seen since the shift began
    joining: set[str] = field(default_factory=set)  # queues that were to be joined and do not show it yet
    trouble: str | None = None  # what the PBX refused of what was ordered last
    phone_gone: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """The state an agent is in."""

    name: str
    reason: str | None
    by: By | None
    because: Because | None
    until: float | None = None
    began: float | None = None  # since when it must have been so, for a floor that has just come to know it
    busy_from: float = 0.0  # when the first of the calls came that make the agent busy


@dataclass(slots=True)
class Agent:
    """An agent of the record, their shift while they are at work, and the state last told of them."""

    id: int
    name: str
    seat: str | None
    home: str | None = None
    extension: str | None = None
    role: str = "agent"
    shift: Shift | None = None
    standing: Standing = field(default_factory=lambda: Standing("signed_out", None, None, None))
    since: float | None = None
    phone_reachable: bool | None = None
    phone_since: float | None = None
    desktop_gone: float | None = 0.0  # since when no desktop of theirs is connected
    busy_since: float = 0.0  # when the present run of calls and wrap-ups began

    def view(self) -> dict[str, Any]:
        now, shift = self.standing, self.shift
        pending = (
            shift.wish if shift is not None and now.name in BUSY and shift.wish.at > self.busy_since else None
        )
        return {
            "name": now.name,
            "reason": now.reason,
            "since": iso(self.since),
            "by": now.by.view() if now.by is not None else None,
            "because": now.because.view() if now.because is not None else None,
            "pending": (
                {"name": pending.name, "reason": pending.reason, "by": pending.by.view()} if pending else None
            ),
            "until": iso(now.until),
            "phone": {"seat": self.seat, "reachable": self.phone_reachable, "since": iso(self.phone_since)},
            "on_shift": shift is not None,
        }

    def team_view(self, queues: Iterable[str]) -> dict[str, Any]:
        """What colleagues see: what the agent does, but not the number of whom they do it with."""
        state = self.view()
        if state["because"] is not None:
            state["because"] = {**state["because"], "number": None}
        return {
            "agent": self.id,
            "name": self.name,
            "extension": self.extension,
            "role": self.role,
            "state": state,
            "queues": sorted(queues),
        }

    def take(self, standing: Standing, at: float) -> None:
        """Be in this state from now on; the time counts on while name and reason stay."""
        if (standing.name, standing.reason) != (self.standing.name, self.standing.reason) or self.since is None:
            first = standing.began if self.since is None and standing.began is not None else at
            if standing.name in BUSY and self.standing.name not in BUSY:
                self.busy_since = standing.busy_from
            self.since = first
        self.standing = standing


def standing_of(agent: Agent, calls: Iterable[Call], memberships: list[MemberChanged]) -> Standing:
    """The agent's state, from their calls, else from what they want, else from how the queues see them."""
    parts = parts_of(agent, calls)
    for part_state, name, event in CALL_STATES:
        for call, part in parts:
            if part.state is part_state:
                until = part.wrap.ends_at if part.state is PartState.WRAP_UP else None
                because = Because(event, call.id, part.queue, call.ani or call.ani_raw)
                first = min(p.offered_at if p.offered_at is not None else p.since for _, p in parts)
                return Standing(name, None, None, because, until, part.since, first)
    if agent.shift is not None:
        return _at_work(agent.shift, memberships)
    if not memberships:
        return Standing("signed_out", None, None, None)
    if is_paused(memberships):
        reason = next((m.reason for m in memberships if m.reason), None)
        if reason == SIGNED_OUT:
            return Standing("signed_out", None, None, None)
        return Standing("not_ready", reason, PBX, Because("paused_in_pbx"))
    return Standing("ready", None, PBX, Because("unpaused_in_pbx"))


def _at_work(shift: Shift, memberships: list[MemberChanged]) -> Standing:
    wish = shift.wish
    if not memberships and shift.joined:
        return Standing("not_ready", LEFT_QUEUES, PBX, Because("paused_in_pbx"))
    return Standing(wish.name, wish.reason, wish.by, wish.because, began=wish.at)


def is_paused(memberships: list[MemberChanged]) -> bool:
    """No queue rings this phone."""
    return bool(memberships) and all(member.paused for member in memberships)


def parts_of(agent: Agent, calls: Iterable[Call]) -> list[tuple[Call, Part]]:
    """The agent's parts that are open or still in wrap-up, with their calls."""
    return [
        (call, part)
        for call in calls
        for part in call.parts
        if part.agent == agent.id and (part.open or part.state is PartState.WRAP_UP)
    ]
