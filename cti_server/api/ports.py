"""What the API needs from the live side, and gets at the start: a floor to read, and commands to give."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import REGISTRY, CollectorRegistry

from cti_server.api.known_holders import KnownHolders
from cti_server.commands import Asking, CallCommand, Ruling, Sitting
from cti_server.desk import Desk
from cti_server.floor.agents import By
from cti_server.ivr.identify import Caller
from cti_server.lookup.identify import Lookup
from cti_server.lookup.shapes import Card
from cti_server.provider.client import Provider
from cti_server.record.center.agents import Agent
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer
from cti_server.rules import rights
from cti_server.rules.facts import Role
from cti_server.rules.identity import RoleMap
from cti_server.rules.rights import EVERYBODY, Oversight
from cti_server.wire.text import Encodings


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
    """The floors of all PBXs as they are now, as JSON in the shapes of `api.live_shapes`. Only `card` waits."""

    def calls(self) -> Sequence[LiveCall]:
        """Every live call, also those in wrap-up, the oldest first."""
        ...

    def calls_of(self, agent: int) -> Sequence[LiveCall]:
        """The calls in which this agent has a part that is not over."""
        ...

    def agents_with(self, customer: int) -> frozenset[int]:
        """The agents who have a live call of this customer."""
        ...

    def call(self, call: str) -> LiveCall | None: ...

    def parts(self, call: str) -> Sequence[Mapping[str, Any]]:
        """All parts of a live call, as `PartView`, in order; empty for a call that is over."""
        ...

    def part_state(self, call: str, agent: int) -> str | None:
        """The agent's state in a live call (`PartView.state`); None for a call that they were never in."""
        ...

    async def card(self, call: str) -> Card | None:
        """The card, read from the record now; None for a call that is over."""
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
        """The `ShiftView` of an agent at work; None for any other."""
        ...

    def at_seat(self, pbx: str, seat: str) -> int | None:
        """The agent who is at work at this seat."""
        ...

    def team(self) -> Sequence[Mapping[str, Any]]:
        """Every agent, as `TeamMember`, by name."""
        ...

    def links(self) -> Mapping[str, Mapping[str, Any]]:
        """The `LinkView` of each PBX, by its name."""
        ...

    def lag_ms(self) -> int:
        """How long, in ms, the oldest event has been waiting for the journal."""
        ...


class Commands(Protocol):
    """What a person does beside call control. Each may raise CommandRefused.

    A command that answers a request id takes time: the event `command.done` with that id has its result.
    """

    async def begin_shift(self, agent: Agent, phone: Sitting) -> str:
        """Begin the agent's work at this phone, in their queues; answers the request id."""
        ...

    async def end_shift(self, agent: int) -> str:
        """End the agent's work; answers the request id."""
        ...

    async def set_state(self, agent: int, state: str, reason: str | None, by: By | None = None) -> str:
        """Make the agent ready or not ready, after their call if they have one; answers the request id.

        `by` is who chose it; None is the agent.
        """
        ...

    async def choose_customer(self, call: str, customer: int, agent: int) -> None:
        """Take the agent's word for who calls: remember it, put it on the interaction, send the new card."""
        ...

    async def finish_wrap_up(self, call: str, agent: int, code: str | None = None) -> None:
        """End the agent's wrap-up of a live call. The caller has written it to the record."""
        ...

    async def note_code(self, call: str, agent: int, code: str | None) -> None:
        """Show the wrap-up code that the agent chose for a live call; None takes it back."""
        ...

    async def extend_wrap_up(self, call: str, agent: int) -> None:
        """Give the agent the time for this wrap-up once more."""
        ...

    async def want_wrap_up(self, call: str, agent: int, wanted: bool) -> None:
        """Give the agent time after this call though its queue gives none, or take it back."""
        ...

    async def signed_out(self, agent: int) -> None:
        """Close the agent's websockets."""
        ...


class CallControl(Protocol):
    """Call commands. Each accepted command ends in one event `command.done`, whether it worked or failed."""

    async def ask(self, asking: Asking, command: CallCommand, key: str | None = None) -> str:
        """Begin a command; answers the request id. Raises CommandRefused.

        A repeat, with the same `key` or while the command runs, does nothing and answers the first request's id.
        """
        ...

    async def decide(self, asking: Asking, number: str) -> Ruling:
        """What the dial policy says of a number as a person writes it."""
        ...

    async def handover(self, call: str, agent: int) -> Mapping[str, Any] | None:
        """The `HandoverView` that a colleague left for this agent; None when nobody gave them the call."""
        ...


class Clock(Protocol):
    def __call__(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class SignOn:
    """Sign-in through an identity provider. `name` is what its button says. `login_claim` names an account's
    login; `roles` maps groups to roles, None where roles are ours to give. `may_create`: whoever is not known gets
    an account."""

    provider: Provider
    name: str = ""
    login_claim: str = "preferred_username"
    roles: RoleMap | None = None
    may_create: bool = False


@dataclass(frozen=True, slots=True)
class Deps:
    """Everything that the routes use.

    `positions` gives the number of the last event handed to desktops, by stream. `identify` is
    `ivr.identify.IdentifyDialogue.answer`, for AGI scripts that ask over HTTP; without an `identify_token` that
    is off. `encodings` are those of each PBX, for the names that such a script sends. `desktop` is the folder of
    the built desktop, None without one. `softphone_url` is the Asterisk websocket where browser phones register,
    and `softphone_ice` has their STUN and TURN servers. `sealer` opens the record's secrets. `oversight` says
    whom a supervisor supervises; await `teams_changed` after a change of teams.
    `second_factor_roles` are those that must have a second factor. `sign_on` is there with an identity provider;
    `origins` then has the addresses to which it sends people back. Without `password_sign_in` passwords count only
    for agents with `break_glass`. `known_holders` are asked while the record is away.
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
    encodings: Mapping[str, Encodings] = field(default_factory=dict)
    identify_token: str | None = None
    cookie_secure: bool = False
    origins: tuple[str, ...] = ()
    desktop: Path | None = None
    softphone_url: str | None = None
    softphone_ice: tuple[str, ...] = ()
    sealer: Sealer = field(default_factory=Sealer)
    oversight: Callable[[int], Oversight] = lambda agent: EVERYBODY
    teams_changed: Callable[[], Awaitable[None]] | None = None
    second_factor_roles: tuple[Role, ...] = ()
    sign_on: SignOn | None = None
    password_sign_in: bool = True
    known_holders: KnownHolders = field(default_factory=KnownHolders)
