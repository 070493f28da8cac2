"""What many desktops show and what changes often is told at most so often: queues, and the states of colleagues.

Of each queue only the latest view goes out, twice a second; one event a second names the colleagues who changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.events import Event

QUEUES_EVERY_S = 0.5  # a queue's view goes to each of its members: told more often, it is most of what is sent
TEAM_EVERY_S = 1.0  # this one goes to everybody


class Paced:
    """Holds back what is told too often. `member` gives the view of a colleague at the moment of telling."""

    def __init__(self, member: Callable[[int], Mapping[str, Any]]) -> None:
        self._member = member
        self._queues: dict[str, Event] = {}
        self._queues_due = 0.0
        self._team: dict[int, float] = {}
        self._team_due = 0.0

    def take(self, events: Iterable[Event], *, at_once: bool = False) -> list[Event]:
        """The events that go out now: these, but the paced kinds only when they are due, or `at_once`."""
        kept: list[Event] = []
        for event in events:
            if event.kind == kinds.QUEUE_CHANGED:
                name = event.body["queue"]["queue"]
                before = self._queues.pop(name, None)
                agents = event.agents | (before.agents if before is not None else frozenset())
                self._queues[name] = replace(event, agents=agents)
                continue
            if event.kind == kinds.AGENT_CHANGED:
                self._team[event.body["agent"]] = event.at
            kept.append(event)
        now = time.monotonic()
        if self._queues and (at_once or now >= self._queues_due):
            self._queues_due = now + QUEUES_EVERY_S
            kept.extend(self._queues.values())
            self._queues.clear()
        if self._team and (at_once or now >= self._team_due):
            self._team_due = now + TEAM_EVERY_S
            views = [self._member(agent) for agent in self._team]
            kept.append(Event(kinds.TEAM_CHANGED, max(self._team.values()), {"agents": views}, everyone=True))
            self._team.clear()
        return kept

    @property
    def due_in_s(self) -> float | None:
        """How long what is held back may still wait; None when nothing is."""
        due = [self._queues_due] * bool(self._queues) + [self._team_due] * bool(self._team)
        return max(0.0, min(due) - time.monotonic()) if due else None
