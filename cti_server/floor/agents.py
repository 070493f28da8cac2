"""The agents of one PBX: who sits where, and what state that puts them in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .calls import Call
from .parts import Part, PartState
from .signals import MemberChanged
from .times import iso

#: what an agent does in a call, the strongest first, and the state that it puts them in
CALL_STATES = (
    (PartState.TALKING, "talking"),
    (PartState.CONSULTING, "talking"),
    (PartState.HOLD, "hold"),
    (PartState.RINGING, "reserved"),
    (PartState.WRAP_UP, "wrap_up"),
)


@dataclass(slots=True)
class Agent:
    """An agent of the record, and the state last told of them."""

    id: int
    name: str
    seat: str | None
    state: str = "signed_out"
    reason: str | None = None
    since: float = 0.0

    def view(self) -> dict[str, Any]:
        return {"name": self.state, "reason": self.reason, "since": iso(self.since)}


def state_of(parts: Iterable[Part], memberships: list[MemberChanged]) -> tuple[str, str | None]:
    """(state, reason) from what an agent does in calls and how the queues see them.

    Without a membership they are signed out; paused everywhere is not ready, with the reason of the pause.
    """
    states = {part.state for part in parts}
    for part_state, name in CALL_STATES:
        if part_state in states:
            return name, None
    if not memberships:
        return "signed_out", None
    if all(member.paused for member in memberships):
        return "not_ready", next((m.reason for m in memberships if m.reason), None)
    return "ready", None


def parts_of(agent: Agent, calls: Iterable[Call]) -> list[Part]:
    """The agent's parts that are open or still in wrap-up."""
    return [
        part
        for call in calls
        for part in call.parts
        if part.agent == agent.id and (part.open or part.state is PartState.WRAP_UP)
    ]
