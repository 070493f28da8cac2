"""What many desktops show and what changes often is told at most so often: queues, members, states of colleagues.

Of each queue and each member only the latest view goes out, twice a second: one call changes the members of a queue
a dozen times. One event a second names the colleagues who changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor import topics
from cti_server.floor.events import Event

QUEUES_EVERY_S = 0.5  # a queue's numbers go to each of its members
TEAM_EVERY_S = 1.0  # this one goes to each desktop that shows the team


class Paced:
    """Holds back what is told too often. `member` gives the view of a colleague at the moment of telling."""

    def __init__(self, member: Callable[[int], Mapping[str, Any]]) -> None:
        self._member = member
        self._queues: dict[tuple[str, ...], Event] = {}  # of queues and of members
        self._queues_due = 0.0
        self._team: dict[int, float] = {}
        self._team_due = 0.0

    def take(self, events: Iterable[Event], *, at_once: bool = False) -> list[Event]:
        """The events that go out now: these, but the paced kinds only when they are due, or `at_once`."""
        out: list[Event] = []
        for event in events:
            if event.kind == kinds.QUEUE_CHANGED:
                self._hold((event.body["queue"]["queue"],), event)
                continue
            if event.kind == kinds.MEMBER_CHANGED:
                self._hold((event.body["queue"], event.body["interface"]), event)
                continue
            if event.kind == kinds.ME_CHANGED:
                self._team[event.body["agent"]] = event.at
            out.append(event)
        now = time.monotonic()
        if self._queues and (at_once or now >= self._queues_due):
            self._queues_due = now + QUEUES_EVERY_S
            out.extend(self._queues.values())
            self._queues.clear()
        if self._team and (at_once or now >= self._team_due):
            self._team_due = now + TEAM_EVERY_S
            views = [self._member(agent) for agent in self._team]
            at = max(self._team.values())
            out.append(Event(kinds.TEAM_CHANGED, at, {"agents": views}, topics=frozenset({topics.TEAM})))
            self._team.clear()
        return out

    def _hold(self, key: tuple[str, ...], event: Event) -> None:
        """The newer view takes the place of the older, and goes to whom either was for."""
        if (older := self._queues.pop(key, None)) is not None:
            event = replace(event, agents=event.agents | older.agents, topics=event.topics | older.topics)
        self._queues[key] = event

    @property
    def due_in_s(self) -> float | None:
        """How long what is held back may still wait; None when nothing is."""
        due = [self._queues_due] * bool(self._queues) + [self._team_due] * bool(self._team)
        return max(0.0, min(due) - time.monotonic()) if due else None
