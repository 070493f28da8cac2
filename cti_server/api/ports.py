"""What the API needs of the live side and is given at the start: a floor to read, commands to give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import REGISTRY, CollectorRegistry

from cti_server.api.desk import Desk
from cti_server.floor.agents import By
from cti_server.ivr.identify import Caller
from cti_server.lookup.identify import Lookup
from cti_server.lookup.shapes import Card
from cti_server.record.center.agents import Agent
from cti_server.record.database import Database


class CommandRefused(Exception):
    """A command could not be begun: no account for it, the call is over. Becomes a problem."""

    def __init__(self, status: int, code: str, detail: str, remedy: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.remedy = remedy


class Floor(Protocol):
    """The floor of all PBXs as it is now, as JSON of the shapes in `api.shapes`. Reading never blocks."""

    def calls(self) -> Sequence[Mapping[str, Any]]:
        """Every live call, those in wrap-up too, the oldest first."""
        ...

    def call(self, call: str) -> Mapping[str, Any] | None: ...

    async def card(self, call: str) -> Card | None:
        """The card, read from the record now; None when the call is over meanwhile."""
        ...

    def queues(self) -> Sequence[Mapping[str, Any]]: ...

    def agent_state(self, agent: int) -> Mapping[str, Any]:
        """The agent's state, as `api.shapes.AgentStateView`."""
        ...

    def shift(self, agent: int) -> Mapping[str, Any] | None:
        """`{"seat", "extension", "kind", "since"}` of an agent at work."""
        ...

    def at_seat(self, pbx: str, seat: str) -> int | None:
        """The agent who is at work there."""
        ...

    def team(self) -> Sequence[Mapping[str, Any]]:
        """Every agent, as `api.shapes.TeamMember`."""
        ...

    def links(self) -> Mapping[str, Mapping[str, Any]]:
        """Of each PBX `{"state": "live|connecting|stale|refused", "since", "detail"}`."""
        ...

    def lag_ms(self) -> int:
        """How long the oldest thing that happened has been waiting for the journal."""
        ...


class Commands(Protocol):
    """What a person does. All may raise CommandRefused; results that take time arrive as events."""

    async def begin_shift(self, agent: Agent, phone: Sitting) -> str:
        """The agent is at work at this phone, and joins their queues; answers the request id."""
        ...

    async def end_shift(self, agent: int) -> str:
        """The agent goes home; answers the request id."""
        ...

    async def set_state(self, agent: int, state: str, reason: str | None, by: By | None = None) -> str:
        """Make the agent ready or not ready, after their call if there is one; answers the request id that
        `command.done` will carry. `by` is who chose it, the agent without one.
        """
        ...

    async def choose_customer(self, call: str, customer: int, agent: int) -> None:
        """The agent says who calls: remember it, put it on the interaction, send the new card."""
        ...

    async def finish_wrap_up(self, call: str, agent: int, code: str | None = None) -> None:
        """The agent is done with a live call, whose record is written already."""
        ...

    async def note_code(self, call: str, agent: int, code: str | None) -> None:
        """The agent chose the outcome of a live call, or took it back."""
        ...

    async def extend_wrap_up(self, call: str, agent: int) -> None:
        """The agent needs their time once more."""
        ...

    async def want_wrap_up(self, call: str, agent: int, wanted: bool) -> None:
        """The agent wants time after this call, though its queue gives none by itself."""
        ...

    async def signed_out(self, agent: int) -> None:
        """Close the agent's websockets."""
        ...


class Verb(StrEnum):
    """What an agent does with a call; the last part of the route, and `command` in `command.done`."""

    DIAL = "dial"
    ANSWER = "answer"
    HANGUP = "hangup"
    HOLD = "hold"
    RETRIEVE = "retrieve"
    MUTE = "mute"
    UNMUTE = "unmute"
    DTMF = "dtmf"
    TRANSFER = "transfer"
    CONSULT = "consult"
    ALTERNATE = "alternate"
    COMPLETE = "complete"
    CANCEL = "cancel"
    CONFERENCE = "conference"
    DROP = "drop"
    PARK = "park"
    PICK_UP = "pick-up"
    RECORD_START = "recording/start"
    RECORD_PAUSE = "recording/pause"
    RECORD_RESUME = "recording/resume"
    RECORD_STOP = "recording/stop"
    RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True)
class AgentTarget:
    """A colleague, wherever they sit now."""

    id: int


@dataclass(frozen=True, slots=True)
class QueueTarget:
    name: str


@dataclass(frozen=True, slots=True)
class NumberTarget:
    """An extension inside, or a number outside as a person writes it."""

    number: str


Target = AgentTarget | QueueTarget | NumberTarget


@dataclass(frozen=True, slots=True)
class CallCommand:
    """One thing to do with a call. `call` is None to dial; `said` is what the sender typed for the one who
    takes the call; `leg` is who is to be dropped.
    """

    verb: Verb
    call: str | None = None
    target: Target | None = None
    said: str | None = None
    digits: str | None = None
    leg: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks. `supervises`: may pick up and drop in any call; `may_pick`: may take a caller who waits."""

    agent: int
    name: str
    supervises: bool = False
    may_pick: bool = False


class CallControl(Protocol):
    """Call commands. The outcome of an accepted one arrives as one `command.done`, failures too."""

    async def ask(self, asking: Asking, command: CallCommand, key: str | None = None) -> str:
        """Begin it; answers the request id. The same `key`, or the same command while it runs, answers the
        first's id and does nothing. Raises CommandRefused.
        """
        ...

    async def handover(self, call: str, agent: int) -> Mapping[str, Any] | None:
        """What the colleague who gave this agent the call says of it (`HandoverView`), None without one."""
        ...


@dataclass(frozen=True, slots=True)
class Sitting:
    """A phone that an agent sits down at."""

    seat: str
    extension: str | None
    kind: str
    queues: tuple[tuple[str, int], ...]  # the queues they serve from there, with their penalties


class Clock(Protocol):
    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything the routes use.

    `identify` is `ivr.identify.IdentifyDialogue.answer`, for AGI scripts that ask over HTTP; `identify_token`
    None turns that off. `desktop` is the folder of the built desktop, None without one. `softphone_url` is the
    websocket of Asterisk that browsers register at, `softphone_ice` what helps their voice through firewalls.
    """

    database: Database
    desk: Desk
    floor: Floor
    commands: Commands
    control: CallControl
    lookup: Lookup
    identify: Callable[[Caller, str], Awaitable[dict[str, str]]]
    now: Clock
    registry: CollectorRegistry = REGISTRY
    default_pbx: str = "main"
    identify_token: str | None = None
    cookie_secure: bool = False
    origins: tuple[str, ...] = ()
    desktop: Path | None = None
    softphone_url: str | None = None
    softphone_ice: tuple[str, ...] = ()
