"""The commands that people give the live side, and their refusal; shared by the API and call control."""

from __future__ import annotations

from dataclasses import dataclass

from cti_server.floor.verbs import Verb
from cti_server.rules.destinations import Destination
from cti_server.rules.dial_policy import Decision
from cti_server.rules.facts import Reason, Role


class CommandRefused(Exception):
    """A command was refused before anything was done. `code` is for programs, `detail` and `remedy` for people;
    `reason` has what a rule decided, for the desktop to word."""

    def __init__(self, code: str, detail: str, remedy: str | None = None, reason: Reason | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.remedy = remedy
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AgentTarget:
    """A colleague, wherever they sit now."""

    id: int


@dataclass(frozen=True, slots=True)
class QueueTarget:
    name: str


@dataclass(frozen=True, slots=True)
class NumberTarget:
    """An extension, or a number outside as a person writes it."""

    number: str


Target = AgentTarget | QueueTarget | NumberTarget


@dataclass(frozen=True, slots=True)
class CallCommand:
    """One command for a call. `call` is None to dial. `said` is what the sender typed for whoever takes the call,
    `digits` are the keys to press, and `leg` is the leg to drop.
    """

    verb: Verb
    call: str | None = None
    target: Target | None = None
    said: str | None = None
    digits: str | None = None
    leg: str | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """The agent who asks. With `supervises` they may pick up and drop in any call; with `may_pick` they may take a
    caller who waits. With `dial_anywhere` no rule of the dial policy holds for them, but its limits do, and they
    dial outside on shift only.
    """

    agent: int
    name: str
    supervises: bool = False
    may_pick: bool = False
    login: str = ""
    role: Role = "agent"
    dial_anywhere: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the dial policy says of one number."""

    to: Destination
    decision: Decision


@dataclass(frozen=True, slots=True)
class Sitting:
    """A phone that an agent sits down at."""

    seat: str
    extension: str | None
    kind: str
    queues: tuple[tuple[str, int], ...]  # the queues they serve from there, with their penalties
