"""What the API needs of the live side and is given at the start: a floor to read, commands to give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import REGISTRY, CollectorRegistry

from cti_server.commands import Asking, CallCommand, Sitting
from cti_server.desk import Desk
from cti_server.floor.agents import By
from cti_server.ivr.identify import Caller
from cti_server.lookup.identify import Lookup
from cti_server.lookup.shapes import Card
from cti_server.record.center.agents import Agent
from cti_server.record.database import Database
from cti_server.rules import rights


class LiveCall(Protocol):
    """A call on a floor. `thing` says who may see it; `view` makes its `CallView`."""

    @property
    def id(self) -> str: ...
    @property
    def interaction(self) -> int | None: ...
    @property
    def customer(self) -> int | None: ...
    @property
    def thing(self) -> rights.Call: ...
    @property
    def view(self) -> Callable[[], Mapping[str, Any]]: ...


class Floor(Protocol):
    """The floors of all PBXs as they are now, as JSON of the shapes in `api.shapes`. Reading never blocks."""

    def calls(self) -> Sequence[LiveCall]:
        """Every live call, those in wrap-up too, the oldest first."""
        ...

    def calls_of(self, agent: int) -> Sequence[LiveCall]:
        """The calls in which this agent has a part that is not over."""
        ...

    def agents_with(self, customer: int) -> frozenset[int]:
        """Whose live call is this customer's."""
        ...

    def call(self, call: str) -> LiveCall | None: ...

    def parts(self, call: str) -> Sequence[Mapping[str, Any]]:
        """All parts of a live call, as `PartView`, the first first; empty for a call that is over."""
        ...

    def part_state(self, call: str, agent: int) -> str | None:
        """What the agent does in a live call (`PartView.state`); None for a call that they never were in."""
        ...

    async def card(self, call: str) -> Card | None:
        """The card, read from the record now; None when the call is over meanwhile."""
        ...

    def queues(self) -> Sequence[Mapping[str, Any]]:
        """Every queue, as `QueueView`."""
        ...

    def members(self, pbx: str, queue: str) -> Sequence[Mapping[str, Any]] | None:
        """The members of a queue, as `MemberView`; None where there is no such queue."""
        ...

    def serves(self, agent: int) -> frozenset[str]:
        """The queues that this agent serves, as `pbx/queue`."""
        ...

    def agent_state(self, agent: int) -> Mapping[str, Any]:
        """The agent's state, as `AgentStateView`."""
        ...

    def shift(self, agent: int) -> Mapping[str, Any] | None:
        """`{"seat", "extension", "kind", "since"}` of an agent at work."""
        ...

    def at_seat(self, pbx: str, seat: str) -> int | None:
        """The agent who is at work there."""
        ...

    def team(self) -> Sequence[Mapping[str, Any]]:
        """Every agent, as `TeamMember`."""
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


class Clock(Protocol):
    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything the routes use.

    `positions` tells the last event of each stream that desktops were given.
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
    positions: Callable[[], Mapping[str, int]] = dict
    registry: CollectorRegistry = REGISTRY
    default_pbx: str = "main"
    identify_token: str | None = None
    cookie_secure: bool = False
    origins: tuple[str, ...] = ()
    desktop: Path | None = None
    softphone_url: str | None = None
    softphone_ice: tuple[str, ...] = ()
