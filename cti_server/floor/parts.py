"""What one agent had to do with a call, and how its time is booked; becomes a segment in the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .times import iso, ms


class PartState(StrEnum):
    """What an agent does in a call."""

    RINGING = "ringing"
    TALKING = "talking"
    HOLD = "hold"
    CONSULTING = "consulting"
    WRAP_UP = "wrap_up"
    LEFT = "left"


CONNECTED = (PartState.TALKING, PartState.HOLD, PartState.CONSULTING)


class Origin(StrEnum):
    """How an agent came into a call."""

    OFFER = "offer"
    TRANSFER = "transfer"
    CONSULT = "consult"
    PICKUP = "pickup"
    OUTBOUND = "outbound"
    INTERNAL = "internal"
    CONFERENCE = "conference"


@dataclass(slots=True)
class WrapUp:
    """What remains to be said of a call, and until when; the rules stand in `wrapup.py`. No limit at 0 s."""

    mode: str = "mandatory"
    limit_s: float = 0.0
    extensions_left: int = 0
    code_required: bool = False
    code: str | None = None
    wanted: bool = False
    ends_at: float | None = None
    owed: bool = False

    def view(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "ends_at": iso(self.ends_at),
            "extensions_left": self.extensions_left,
            "code": self.code,
            "code_required": self.code_required,
            "wanted": self.wanted,
        }


@dataclass(frozen=True, slots=True)
class Why:
    """Why this call came to this agent: as what, from which queue or colleague, after how long a wait."""

    kind: str
    queue: str | None = None
    given_by: str | None = None
    penalty: int | None = None
    waited_s: float | None = None

    def view(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "queue": self.queue,
            "from": self.given_by,
            "penalty": self.penalty,
            "waited_ms": ms(self.waited_s) if self.waited_s is not None else None,
        }


@dataclass(slots=True)
class Part:
    """What one agent had to do with a call, from the first ring to the end of wrap-up."""

    position: int
    seat: str
    agent: int | None
    name: str
    origin: Origin
    state: PartState
    since: float
    offered_at: float | None = None
    answered_at: float | None = None
    ended_at: float | None = None
    queue: str | None = None
    leg: str | None = None
    ring_s: float = 0.0
    talk_s: float = 0.0
    hold_s: float = 0.0
    reason: str | None = None
    outcome: str | None = None
    wrapped_at: float | None = None
    why: Why | None = None
    met_customer: bool = False
    wrap: WrapUp = field(default_factory=WrapUp)

    @property
    def open(self) -> bool:
        """The agent's phone still rings or is connected."""
        return self.outcome is None

    def enter(self, state: PartState, at: float) -> None:
        """Change the state and book the time spent in the one before."""
        spent = max(0.0, at - self.since)
        match self.state:
            case PartState.RINGING:
                self.ring_s += spent
            case PartState.TALKING:
                self.talk_s += spent
            case PartState.CONSULTING if not self.met_customer:
                self.talk_s += spent  # the colleague who is consulted works; the one who consults holds a caller
            case PartState.HOLD | PartState.CONSULTING:
                self.hold_s += spent
        self.state, self.since = state, max(at, self.since)

    def answer(self, at: float) -> bool:
        """The agent took it; False when they had already."""
        if self.state is not PartState.RINGING or not self.open:
            return False
        self.enter(PartState.TALKING, at)
        self.answered_at, self.reason = at, None
        return True

    def end(self, at: float, outcome: str, *, wrap_up: bool, reason: str | None = None) -> None:
        """The agent's part is over but, perhaps, for wrap-up."""
        if not self.open:
            return
        self.enter(PartState.WRAP_UP if wrap_up else PartState.LEFT, at)
        self.ended_at, self.outcome, self.reason = at, outcome, reason or outcome
        if wrap_up:
            self.wrap.ends_at = at + self.wrap.limit_s if self.wrap.limit_s else None
        else:
            self.wrapped_at = at
            self.wrap.owed = self.answered_at is not None and self.wrap.code_required and self.wrap.code is None

    def end_unseen(self, *, wrap_up: bool) -> None:
        """It is over, nobody saw when: no time is claimed, and none is booked after what was seen."""
        if self.open:
            self.state = PartState.WRAP_UP if wrap_up else PartState.LEFT
            self.outcome = "answered" if self.answered_at is not None else "unseen"
            self.reason = "unseen"
            if not wrap_up:
                self.wrapped_at = self.since  # nothing follows, so nothing waits in anybody's tray
                self.wrap.owed = (
                    self.answered_at is not None and self.wrap.code_required and self.wrap.code is None
                )
            self.wrapped_at = None if wrap_up else self.since  # else a restart would bring back a wrap-up

    def view(self) -> dict[str, Any]:
        return {
            "agent": self.agent,
            "seat": self.seat,
            "name": self.name,
            "state": self.state.value,
            "since": iso(self.since),
            "reason": self.reason,
            "origin": self.origin.value,
            "queue": self.queue,
            "offered_at": iso(self.offered_at),
            "answered_at": iso(self.answered_at),
            "talk_ms": ms(self.talk_s),
            "hold_ms": ms(self.hold_s),
            "leg": self.leg,
            "from": self.why.given_by if self.why is not None else None,
            "why": self.why.view() if self.why is not None else None,
            "wrap_up": self.wrap.view() if self.answered_at is not None and self.agent is not None else None,
        }
