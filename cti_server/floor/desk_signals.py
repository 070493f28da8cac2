"""What the floor learns from desks, from the record and from the clock: who is at work and where they sit, what
state they chose, whether their desktop is there, what became of a wrap-up. What the PBX tells: `signals.py`.
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
    """An agent of the record whose own phone is at `seat` (None: has none). A shift may take them elsewhere."""

    name: str
    seat: str | None
    extension: str | None = None
    role: str = "agent"


@dataclass(frozen=True, slots=True)
class ShiftBegan(AgentSignal):
    """The agent is at work, at this seat, for these queues: (name, penalty). They begin not ready."""

    seat: str
    extension: str | None
    kind: str
    queues: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ShiftRestored(ShiftBegan):
    """The same after a restart of the server, with what was wanted then; who wanted it and since when."""

    since: float
    ready: bool
    reason: str | None
    by: By
    because: Because
    chosen_at: float


@dataclass(frozen=True, slots=True)
class ShiftEnded(AgentSignal):
    """The agent goes home."""


@dataclass(frozen=True, slots=True)
class StateChosen(AgentSignal):
    """Somebody wants the agent ready, or not ready for a reason. In a call it takes effect after it."""

    ready: bool
    reason: str | None
    by: By


@dataclass(frozen=True, slots=True)
class DesktopSeen(AgentSignal):
    """The first of the agent's desktops connected, or the last one went."""

    connected: bool


@dataclass(frozen=True, slots=True)
class OrderFailed(AgentSignal):
    """The PBX did not do what the floor ordered for this agent; what it is now must be looked at again."""

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
    """The agent wants time after this call, though its queue gives none by itself; or wants it no longer."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class WrapUpExtended(WrapUpSignal):
    """The agent needs the time once more."""


@dataclass(frozen=True, slots=True)
class WrapUpCoded(WrapUpSignal):
    """The agent chose the outcome of the call, or took it back."""

    code: str | None


@dataclass(frozen=True, slots=True)
class Tick(Signal):
    """Time went on: whatever was due by now happens."""
