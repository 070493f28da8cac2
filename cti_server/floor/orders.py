"""What the floor wants done at the PBX. The floor only asks; the attachment carries the orders out, in order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """A change to one agent's queue memberships."""

    agent: int
    interface: str


@dataclass(frozen=True, slots=True)
class Pause(Order):
    """Pause the interface in all its queues, so that none rings it, or unpause it."""

    paused: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Join(Order):
    """Make the interface a member of a queue, paused at first, so that nothing rings before the agent is ready."""

    queue: str
    penalty: int
    name: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Leave(Order):
    """Take the interface out of a queue."""

    queue: str
