"""A part: one agent's share of a call, and how its time is booked. It becomes a segment in the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from .descriptions import WrapUpRule


class PartState(StrEnum):
    """What an agent does in a call."""

    RINGING = "ringing"
    TALKING = "talking"
    HOLD = "hold"
    CONSULTING = "consulting"
    WRAP_UP = "wrap_up"
    LEFT = "left"


CONNECTED = frozenset({PartState.TALKING, PartState.HOLD, PartState.CONSULTING})


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
    """One agent's wrap-up of a call: what the queue asks for, and what the agent has entered so far.

    `ends_at` is None until the call is over, and where the queue sets no limit. `owed`: wrap-up ended without the
    code that the queue requires.
    """

    rule: WrapUpRule = field(default_factory=WrapUpRule)
    extensions_left: int = 0
    code: str | None = None
    wanted: bool = False
    ends_at: float | None = None
    owed: bool = False

    @property
    def lacks_code(self) -> bool:
        return self.rule.code_required and self.code is None


@dataclass(frozen=True, slots=True)
class Why:
    """Why this call came to this agent: the kind of reason, the queue, the colleague, the caller's wait."""

    kind: str
    queue: str | None = None
    given_by: str | None = None
    penalty: int | None = None
    waited_s: float | None = None


@dataclass(slots=True)
class Part:
    """One agent's share of a call, from the first ring to the end of wrap-up."""

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
    customer_gone: bool = False
    """The customer had left when the agent asked somebody: what they hold is a colleague."""
    wrap: WrapUp = field(default_factory=WrapUp)

    @property
    def open(self) -> bool:
        """The agent's phone still rings or is connected."""
        return self.outcome is None

    @property
    def live(self) -> bool:
        """The part is open, or in wrap-up."""
        return self.outcome is None or self.state is PartState.WRAP_UP

    def enter(self, state: PartState, at: float) -> None:
        """Change the state and book the time spent in the one before."""
        spent = max(0.0, at - self.since)
        match self.state:
            case PartState.RINGING:
                self.ring_s += spent
            case PartState.TALKING:
                self.talk_s += spent
            case PartState.CONSULTING if not self.met_customer and not self.customer_gone:
                self.talk_s += spent  # a consulted colleague is working; who consults keeps a caller on hold
            case PartState.HOLD | PartState.CONSULTING:
                self.hold_s += spent
        self.state, self.since = state, max(at, self.since)

    def answer(self, at: float) -> bool:
        """The agent took the call. False, with nothing changed, unless the part was ringing."""
        if self.state is not PartState.RINGING or not self.open:
            return False
        self.enter(PartState.TALKING, at)
        self.answered_at, self.reason = at, None
        return True

    def end(self, at: float, outcome: str, *, wrap_up: bool, reason: str | None = None) -> None:
        """The agent has left the call, and goes into wrap-up or not. Only the first end counts."""
        if not self.open:
            return
        self.enter(PartState.WRAP_UP if wrap_up else PartState.LEFT, at)
        self.ended_at, self.outcome, self.reason = at, outcome, reason or outcome
        if wrap_up:
            limit_s = self.wrap.rule.limit_s
            self.wrap.ends_at = at + limit_s if limit_s else None
        else:
            self._wrapped(at)

    def end_unseen(self, *, wrap_up: bool, until: float | None = None) -> None:
        """The part ended while nobody was watching: it gets no end time, and books no time past what was seen.

        `until` is when the PBX was heard last, None when that is not known.
        """
        if not self.open:
            return
        if until is not None:
            self.enter(self.state, until)
        self.state = PartState.WRAP_UP if wrap_up else PartState.LEFT
        self.outcome = "answered" if self.answered_at is not None else "unseen"
        self.reason = "unseen"
        if not wrap_up:
            self._wrapped(self.since)  # without this a restart would bring back a wrap-up

    def _wrapped(self, at: float) -> None:
        """No wrap-up follows; a missing code is owed all the same."""
        self.wrapped_at = at
        self.wrap.owed = self.answered_at is not None and self.wrap.lacks_code

    def close(self, at: float) -> None:
        """The wrap-up is over; a code that is still missing is owed."""
        self.enter(PartState.LEFT, at)
        self.wrapped_at = at
        self.wrap.owed = self.wrap.lacks_code

    def ring_again(self, at: float) -> None:
        """Reopen this part as ringing, as if it had not ended; its booked times add up."""
        self.enter(PartState.RINGING, at)
        self.ended_at = self.outcome = self.reason = self.wrapped_at = None
