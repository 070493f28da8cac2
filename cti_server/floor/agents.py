"""The agents of one PBX: where each sits, and which state each wants to be in.

    signed out ──shift begins──▶ not ready ◀──chosen──▶ ready ──offer──▶ reserved ──answer──▶ talking ◀▶ hold
                                     ▲                    ▲                                      │
                                     └───── wish ─────────┴──────────── wrap-up ◀────────────────┘

The *wish* is what the agent is to be while no call concerns them, ready or not; one made during a call is pending
until the call is over. The *state* follows from the wish and the agent's calls. In `handlers/`, `states.py` says
how; `shift.py` says what changes a wish, and `pauses.py` what the PBX is then ordered to do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Reasons that the system sets and nobody chooses.
SIGNED_IN, SIGNED_OUT, ON_CALL = "signed_in", "signed_out", "on_call"
NO_ANSWER, REJECTED, WRAP_UP_EXPIRED = "no_answer", "rejected", "wrap_up_expired"
PHONE_UNREACHABLE, CONNECTION_LOST, LEFT_QUEUES = "phone_unreachable", "connection_lost", "left_queues"

#: all of them; no reason of a center may have one of these codes
SYSTEM_REASONS = frozenset(
    {
        SIGNED_IN,
        SIGNED_OUT,
        ON_CALL,
        NO_ANSWER,
        REJECTED,
        WRAP_UP_EXPIRED,
        PHONE_UNREACHABLE,
        CONNECTION_LOST,
        LEFT_QUEUES,
    }
)

BUSY = frozenset({"reserved", "talking", "hold", "wrap_up"})


@dataclass(frozen=True, slots=True)
class By:
    """Who caused a state: `agent`, `supervisor`, `system` or `pbx` (from its CLI or by a feature code)."""

    kind: str
    name: str | None = None

    def view(self) -> dict[str, str | None]:
        return {"kind": self.kind, "name": self.name}


@dataclass(frozen=True, slots=True)
class Because:
    """What caused a state: the event, and the call, queue and number that it was about."""

    event: str
    call: str | None = None
    queue: str | None = None
    number: str | None = None

    def view(self) -> dict[str, str | None]:
        return {"event": self.event, "call": self.call, "queue": self.queue, "number": self.number}


SYSTEM, PBX = By("system"), By("pbx")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an agent is to be while no call concerns them: since when (`at`), set by whom and why."""

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
    """An agent at work. `queues` maps each queue to the penalty.

    `asked` is the pause last ordered from the PBX (None: none that counts); `confirmed` means that its members
    have shown it.
    """

    since: float
    extension: str | None
    kind: str
    queues: dict[str, int]
    wish: Wish
    asked: bool | None = None
    asked_reason: str | None = None
    asked_at: float = 0.0
    confirmed: bool = True
    joined: bool = False  # the PBX has shown a membership since the shift began
    added: set[str] = field(default_factory=set)  # queues of which the seat is a member because we made it one
    joining: set[str] = field(default_factory=set)  # queues ordered to be joined that do not show it yet
    trouble: str | None = None  # what the PBX refused last
    phone_gone: float | None = None  # since when the phone cannot be reached


@dataclass(frozen=True, slots=True)
class State:
    """What an agent is: `ready`, `talking` …, with its reason.

    `until` is when it ends by itself. `began` is when it truly began, for a floor that learns of it late (after a
    restart). `busy_from` is when the first of the calls came that make the agent busy now.
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
    """An agent of the record, their shift while they are at work, and their state. `home` is their own phone's
    seat, `seat` the one they sit at now."""

    id: int
    name: str
    seat: str | None
    home: str | None = None
    extension: str | None = None
    role: str = "agent"
    shift: Shift | None = None
    state: State = SIGNED_OUT_STATE
    since: float | None = None
    was: tuple[str, str | None, float] | None = None  # before a restart: state, reason, and when that began
    phone_reachable: bool | None = None
    phone_since: float | None = None
    desktop_gone: float | None = 0.0  # since when no desktop of theirs is connected
    busy_since: float = 0.0  # when the current run of calls and wrap-ups began

    @property
    def at_work(self) -> bool:
        return self.shift is not None

    @property
    def pending(self) -> Wish | None:
        """The wish that was made during the current calls and waits for their end."""
        if self.shift is None or self.state.name not in BUSY or self.shift.wish.at <= self.busy_since:
            return None
        return self.shift.wish

    def take(self, state: State, at: float) -> None:
        """Be in this state from `at` on; `since` stays while name and reason do."""
        if (state.name, state.reason) != (self.state.name, self.state.reason) or self.since is None:
            first = self._began(state, at) if self.since is None else at
            if state.name in BUSY and self.state.name not in BUSY:
                self.busy_since = state.busy_from
            self.since = first
        self.state = state

    def _began(self, state: State, at: float) -> float:
        """When this state began that a restarted floor finds them in."""
        was, self.was = self.was, None
        if was is not None and was[:2] == (state.name, state.reason):
            return was[2]
        return state.began if state.began is not None else at
