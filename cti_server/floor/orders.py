"""What the floor wants done at the PBX. It only says so; one function of the attachment does it, in order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """Something to do for one agent's membership of queues."""

    agent: int
    interface: str


@dataclass(frozen=True, slots=True)
class Pause(Order):
    """Let no queue ring this interface, or let them again."""

    paused: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Join(Order):
    """Become a member of a queue, paused, so that nothing rings before the agent is ready."""

    queue: str
    penalty: int
    name: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Leave(Order):
    """Stop being a member of a queue."""

    queue: str
