"""The agents of one PBX: who sits where, and what they want to be.

    signed out ──shift begins──▶ not ready ◀──chosen──▶ ready ──offer──▶ reserved ──answer──▶ talking ◀▶ hold
                                     ▲                    ▲                                      │
                                     └───── wish ─────────┴──────────── wrap-up ◀────────────────┘

What the agent wants outside calls is the *wish*. A wish that is made during a call is pending until it is over.
What their wish and their calls make of it, the *state*, is told in `states.py`; what changes a wish, and what the
PBX is ordered to do then, stands in `shift.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: reasons that no person chooses
SIGNED_IN, SIGNED_OUT, ON_CALL = "signed_in", "signed_out", "on_call"
NO_ANSWER, REJECTED, WRAP_UP_EXPIRED = "no_answer", "rejected", "wrap_up_expired"
PHONE_UNREACHABLE, CONNECTION_LOST, LEFT_QUEUES = "phone_unreachable", "connection_lost", "left_queues"

BUSY = frozenset({"reserved", "talking", "hold", "wrap_up"})


@dataclass(frozen=True, slots=True)
class By:
    """Who brought it about: `agent`, `supervisor`, `system` or `pbx` (from the CLI, by a feature code)."""

    kind: str
    name: str | None = None

    def view(self) -> dict[str, str | None]:
        return {"kind": self.kind, "name": self.name}


@dataclass(frozen=True, slots=True)
class Because:
    """What happened that brought it about."""

    event: str
    call: str | None = None
    queue: str | None = None
    number: str | None = None

    def view(self) -> dict[str, str | None]:
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
class State:
    """What an agent is: `ready`, `talking` …, with its reason.

    `until` is when it ends by itself. `began` is since when it must have been so, for a floor that comes to
    know it only now. `busy_from` is when the first of the calls came that make the agent busy.
    """

    name: str
    reason: str | None = None
    by: By | None = None
    because: Because | None = None
    until: float | None = None
    began: float | None = None
    busy_from: float = 0.0


SIGNED_OUT_STATE = State("signed_out")


@dataclass(slots=True)
class Agent:
    """An agent of the record, their shift while they are at work, and the state last taken."""

    id: int
    name: str
    seat: str | None
    home: str | None = None
    extension: str | None = None
    role: str = "agent"
    shift: Shift | None = None
    state: State = SIGNED_OUT_STATE
    since: float | None = None
    phone_reachable: bool | None = None
    phone_since: float | None = None
    desktop_gone: float | None = 0.0  # since when no desktop of theirs is connected
    busy_since: float = 0.0  # when the present run of calls and wrap-ups began

    @property
    def at_work(self) -> bool:
        return self.shift is not None

    @property
    def pending(self) -> Wish | None:
        """What was wished during the present calls, and waits for their end."""
        if self.shift is None or self.state.name not in BUSY or self.shift.wish.at <= self.busy_since:
            return None
        return self.shift.wish

    def take(self, state: State, at: float) -> None:
        """Be in this state from now on; the time counts on while name and reason stay."""
        if (state.name, state.reason) != (self.state.name, self.state.reason) or self.since is None:
            first = state.began if self.since is None and state.began is not None else at
            if state.name in BUSY and self.state.name not in BUSY:
                self.busy_since = state.busy_from
            self.since = first
        self.state = state
