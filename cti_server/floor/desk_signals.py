"""What the floor learns from desks, from the record and from the clock: who is at work and where they sit, which
state they chose, whether a desktop of theirs is connected, what became of a wrap-up. `signals.py` has what the PBX
reports.
"""

from __future__ import annotations

from dataclasses import dataclass

from .agents import Because, By
from .signals import Signal


@dataclass(frozen=True, slots=True)
class AgentSignal(Signal):
    """Something about one agent of the record."""

    agent: int


@dataclass(frozen=True, slots=True)
class AgentSeated(AgentSignal):
    """An agent of the record whose own phone is at `seat` (None: no phone). A shift may take them elsewhere."""

    name: str
    seat: str | None
    extension: str | None = None
    role: str = "agent"


@dataclass(frozen=True, slots=True)
class ShiftBegan(AgentSignal):
    """The agent is at work at this seat, for these queues: (name, penalty). They begin not ready."""

    seat: str
    extension: str | None
    kind: str
    queues: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ShiftRestored(ShiftBegan):
    """The shift goes on after a restart of the server, with the wish of that time: `chosen_at` is when it was
    made, `since` when the shift began, `added` the queues of which the server had made the seat a member. `was` is
    the state that was written last, with its reason and when it began."""

    since: float
    ready: bool
    reason: str | None
    by: By
    because: Because
    chosen_at: float
    added: tuple[str, ...] = ()
    was: tuple[str, str | None, float] | None = None


@dataclass(frozen=True, slots=True)
class ShiftEnded(AgentSignal):
    """The agent goes home."""


@dataclass(frozen=True, slots=True)
class StateChosen(AgentSignal):
    """Somebody wants the agent ready, or not ready for a reason. During a call it takes effect after the call."""

    ready: bool
    reason: str | None
    by: By


@dataclass(frozen=True, slots=True)
class DesktopSeen(AgentSignal):
    """The first of the agent's desktops has connected, or the last one has gone."""

    connected: bool


@dataclass(frozen=True, slots=True)
class OrderFailed(AgentSignal):
    """The PBX did not do what the floor ordered for this agent; the next snapshot orders it again."""

    detail: str


@dataclass(frozen=True, slots=True)
class WrapUpSignal(Signal):
    """Something about an agent's wrap-up of a call."""

    call: str
    agent: int


@dataclass(frozen=True, slots=True)
class WrapUpFinished(WrapUpSignal):
    """The agent is done with the call."""


@dataclass(frozen=True, slots=True)
class WrapUpWanted(WrapUpSignal):
    """The agent wants wrap-up after this call, though its queue does not ask for any; or no longer wants it."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class WrapUpExtended(WrapUpSignal):
    """The agent needs the queue's wrap-up time once more."""


@dataclass(frozen=True, slots=True)
class WrapUpCoded(WrapUpSignal):
    """The agent chose the outcome of the call, or took it back."""

    code: str | None


@dataclass(frozen=True, slots=True)
class Tick(Signal):
    """Time went on: whatever is due by `at` happens. Send one at `Floor.next_due()`."""
