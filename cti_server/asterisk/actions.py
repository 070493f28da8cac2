"""What we ask Asterisk to do: typed, immutable, and unable to carry CR, LF or NUL (wire.ami refuses them).

`role` names the account that an action goes out on; each account may do no more than its role needs.
`idempotent` says whether it may be sent again when no answer came. Those that may not are never sent twice.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

#: channel variables that the desk's moves and the dialplan leave on a leg, so that a restarted server finds them
DESK_VARIABLES = ("CTI_HELD", "CTI_MUTED", "CTI_RECORDING")


class Role(StrEnum):
    EVENTS = "events"
    AGENT = "agent"
    CALL = "call"
    ORIGINATE = "originate"
    NOTIFY = "notify"  # optional: it needs write=system, which the four others never have


@dataclass(frozen=True, slots=True)
class Action:
    """One AMI action; `headers` gives its lines without Action and ActionID."""

    name: ClassVar[str]
    role: ClassVar[Role] = Role.EVENTS
    idempotent: ClassVar[bool] = True
    is_list: ClassVar[bool] = False

    def headers(self) -> list[tuple[str, str]]:
        return []


def new_action_id() -> str:
    """128 random bits: a list row counts only with the id of its action, and a caller cannot guess it."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Challenge(Action):
    name = "Challenge"

    def headers(self) -> list[tuple[str, str]]:
        return [("AuthType", "MD5")]


@dataclass(frozen=True, slots=True)
class Login(Action):
    """`key` is the MD5 of challenge and secret, so the secret itself never travels."""

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
    """All channels, with what stands on each of hold, mute and recording."""

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
    """All bridges. ParkedCalls would tell of parking spaces too, but needs a right that can transfer calls."""

    name = "BridgeList"
    is_list = True


@dataclass(frozen=True, slots=True)
class Getvar(Action):
    """A global variable, or what a dialplan function says: HINT(101@ext-local), IFMODULE(app_queue.so)."""

    name = "Getvar"
    variable: str

    def headers(self) -> list[tuple[str, str]]:
        return [("Variable", self.variable)]


# --- queues: role agent ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueuePause(Action):
    """Pause or unpause a member in one queue, or in every queue it is in (None)."""

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
    """A dynamic member. Of one who is there already Asterisk says "Unable to add interface: Already there"."""

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
    """Only dynamic members can be removed; one from queues.conf is told "Member not dynamic"."""

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
    """As Asterisk writes a yes."""
    return "true" if value else "false"


def given(*lines: tuple[str, str | None]) -> list[tuple[str, str]]:
    """Those lines that have a value."""
    return [(name, value) for name, value in lines if value is not None]
