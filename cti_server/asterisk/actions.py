"""AMI actions, one frozen dataclass each: those of every connection and those for queues. The rest: call_actions.

`role` names the account that an action is sent on; an account has only the rights that its role needs.
`idempotent` says whether an action may be sent again when no answer came; any other is never sent twice.
An action with CR, LF or NUL in a value is refused when wire.ami encodes it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

#: channel variables that moves and the dialplan set on a leg; a server that was restarted reads hold, mute and
#: recording from them
DESK_VARIABLES = ("CTI_HELD", "CTI_MUTED", "CTI_RECORDING")


class Role(StrEnum):
    """The AMI accounts. Each value is the name of its setting in PbxSettings."""

    EVENTS = "events"
    AGENT = "agent"
    CALL = "call"
    ORIGINATE = "originate"
    NOTIFY = "notify"  # optional: it needs write=system, which the four others never have


@dataclass(frozen=True, slots=True)
class Action:
    """One AMI action. Of an action with `is_list`, the answer goes on until the event that ends the list."""

    name: ClassVar[str]
    role: ClassVar[Role] = Role.EVENTS
    idempotent: ClassVar[bool] = True
    is_list: ClassVar[bool] = False

    def headers(self) -> list[tuple[str, str]]:
        """Its headers in the order in which they are sent, without Action and ActionID."""
        return []


def new_action_id() -> str:
    """128 random bits, so that no caller can put the id into a name and forge a row of the answer."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Challenge(Action):
    name = "Challenge"

    def headers(self) -> list[tuple[str, str]]:
        return [("AuthType", "MD5")]


@dataclass(frozen=True, slots=True)
class Login(Action):
    """`key` is the MD5 of challenge and secret, so that the secret itself is not sent."""

    name = "Login"
    user: str
    key: str
    events: bool

    def headers(self) -> list[tuple[str, str]]:
        events = "on" if self.events else "off"
        return [("AuthType", "MD5"), ("Username", self.user), ("Key", self.key), ("Events", events)]


@dataclass(frozen=True, slots=True)
class Ping(Action):
    name = "Ping"


@dataclass(frozen=True, slots=True)
class Logoff(Action):
    name = "Logoff"


@dataclass(frozen=True, slots=True)
class CoreStatus(Action):
    name = "CoreStatus"


@dataclass(frozen=True, slots=True)
class Status(Action):
    """All channels, each with its DESK_VARIABLES."""

    name = "Status"
    is_list = True

    def headers(self) -> list[tuple[str, str]]:
        return [("Variables", ",".join(DESK_VARIABLES))]


@dataclass(frozen=True, slots=True)
class QueueStatus(Action):
    """All queues, their members and waiting callers."""

    name = "QueueStatus"
    is_list = True


@dataclass(frozen=True, slots=True)
class BridgeList(Action):
    """All bridges. Those of parking lots do not say who is in which space: see ParkedCalls."""

    name = "BridgeList"
    is_list = True


@dataclass(frozen=True, slots=True)
class Getvar(Action):
    """The value of a global variable or a dialplan function: HINT(101@ext-local), IFMODULE(app_queue.so)."""

    name = "Getvar"
    variable: str

    def headers(self) -> list[tuple[str, str]]:
        return [("Variable", self.variable)]


# --- queues: role agent ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueuePause(Action):
    """Pause or unpause a member in one queue, or in all of its queues (None)."""

    name = "QueuePause"
    role = Role.AGENT
    interface: str
    paused: bool
    reason: str | None = None
    queue: str | None = None

    def headers(self) -> list[tuple[str, str]]:
        lines = [("Interface", self.interface), ("Paused", flag(self.paused))]
        return lines + given(("Reason", self.reason), ("Queue", self.queue))


@dataclass(frozen=True, slots=True)
class QueueAdd(Action):
    """Add a dynamic member. If it is there already, Asterisk answers "Unable to add interface: Already there"."""

    name = "QueueAdd"
    role = Role.AGENT
    queue: str
    interface: str
    member: str | None = None
    penalty: int = 0
    paused: bool = False
    reason: str | None = None
    seat: str | None = None  # the device whose state counts, where the interface is a Local channel

    def headers(self) -> list[tuple[str, str]]:
        lines = [("Queue", self.queue), ("Interface", self.interface), ("Penalty", str(self.penalty))]
        lines.append(("Paused", flag(self.paused)))
        return lines + given(("Reason", self.reason), ("MemberName", self.member), ("StateInterface", self.seat))


@dataclass(frozen=True, slots=True)
class QueueRemove(Action):
    """Remove a dynamic member. For one of queues.conf Asterisk answers "Member not dynamic"."""

    name = "QueueRemove"
    role = Role.AGENT
    queue: str
    interface: str

    def headers(self) -> list[tuple[str, str]]:
        return [("Queue", self.queue), ("Interface", self.interface)]


@dataclass(frozen=True, slots=True)
class QueuePenalty(Action):
    name = "QueuePenalty"
    role = Role.AGENT
    queue: str
    interface: str
    penalty: int

    def headers(self) -> list[tuple[str, str]]:
        return [("Interface", self.interface), ("Penalty", str(self.penalty)), ("Queue", self.queue)]


def flag(value: bool) -> str:
    """A truth value as Asterisk reads it in a header."""
    return "true" if value else "false"


def given(*lines: tuple[str, str | None]) -> list[tuple[str, str]]:
    """Those of the headers that have a value."""
    return [(name, value) for name, value in lines if value is not None]
