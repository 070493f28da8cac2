"""The queues of one PBX: who waits in them and which members serve them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .agents import Agent
from .parts import WrapUp
from .signals import MemberChanged
from .times import iso


@dataclass(slots=True)
class Queue:
    """One app_queue queue."""

    name: str
    title_en: str | None = None
    title_zh: str | None = None
    short_abandon_s: float = 5.0
    wrap_up: WrapUp = field(default_factory=WrapUp)  # what its calls ask of whoever takes them
    members: dict[str, MemberChanged] = field(default_factory=dict)  # by interface
    waiting: dict[str, float] = field(default_factory=dict)  # leg → since when

    def view(self, agents: Mapping[str, Agent]) -> dict[str, Any]:
        """What a desktop shows of it; `agents` tells who of the record sits at which seat."""
        return {
            "queue": self.name,
            "title_en": self.title_en or self.name,
            "title_zh": self.title_zh or self.name,
            "waiting": len(self.waiting),
            "longest_since": iso(min(self.waiting.values(), default=None)),
            "members": [_member_view(m, agents.get(m.seat)) for _, m in sorted(self.members.items())],
        }


def _member_view(member: MemberChanged, agent: Agent | None) -> dict[str, Any]:
    """The record's name for whoever sits there comes before the queue's."""
    return {
        "agent": agent.id if agent is not None else None,
        "name": agent.name if agent is not None else member.name,
        "seat": member.seat,
        "interface": member.interface,
        "status": member.status.value,
        "paused": member.paused,
        "reason": member.reason,
        "penalty": member.penalty,
    }
