"""Limits how often things are sent that change often and go to many desktops: queues, members, colleagues' states.

The latest view of each queue and each member goes out at most twice a second: one call changes the members of a
queue a dozen times. One event a second has the colleagues who changed.

A server that starts knows people before it knows which queues they serve. Until then it says nothing of them: a
desktop that resumes would lose its queues, and show colleagues without any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor import topics
from cti_server.floor.events import Event

QUEUES_EVERY_S = 0.5  # a queue's numbers go to each of its members
TEAM_EVERY_S = 1.0  # `team.changed` goes to each desktop that shows the team


class Paced:
    """Holds back events that come too often, or too early. `member` makes a colleague's view when the event goes
    out; `knows_members` says whether the PBX has told who serves its queues, or is away and cannot tell."""

    def __init__(
        self, member: Callable[[int], Mapping[str, Any]], knows_members: Callable[[], bool] = lambda: True
    ) -> None:
        self._member = member
        self._knows_members = knows_members
        self._starting = True
        self._early: dict[int, Event] = {}  # each agent's state, until `knows_members`
        self._queues: dict[tuple[str, ...], Event] = {}  # of queues and of members
        self._queues_due = 0.0
        self._team: dict[int, float] = {}
        self._team_due = 0.0

    def take(self, events: Iterable[Event], *, at_once: bool = False) -> list[Event]:
        """The events to send now. Paced kinds are held back until they are due, or sent now with `at_once`.

        Call it again after `due_in_s`, also without new events.
        """
        out: list[Event] = []
        for event in events:
            if event.kind == kinds.QUEUE_CHANGED:
                self._hold((event.body["queue"]["queue"],), event)
                continue
            if event.kind == kinds.QUEUE_REMOVED:
                self._hold((event.body["queue"],), event)
                continue
            if event.kind == kinds.MEMBER_CHANGED:
                self._hold((event.body["queue"], event.body["interface"]), event)
                continue
            if event.kind == kinds.ME_CHANGED:
                self._team[event.body["agent"]] = event.at
                self._withdraw(event.body["agent"], event.body["queues"])
                if self._starting:
                    self._early[event.body["agent"]] = event
                    continue
            out.append(event)
        if self._starting and (at_once or self._knows_members()):
            self._starting = False
            out.extend(self._early.values())
            self._early.clear()
        now = time.monotonic()
        if self._queues and (at_once or now >= self._queues_due):
            self._queues_due = now + QUEUES_EVERY_S
            out.extend(self._queues.values())
            self._queues.clear()
        if self._team and not self._starting and (at_once or now >= self._team_due):
            self._team_due = now + TEAM_EVERY_S
            views = [self._member(agent) for agent in self._team]
            at = max(self._team.values())
            out.append(Event(kinds.TEAM_CHANGED, at, {"agents": views}, topics=frozenset({topics.TEAM})))
            self._team.clear()
        return out

    def _hold(self, key: tuple[str, ...], event: Event) -> None:
        """Replace the older view of the same thing; the newer one goes to the audience of both."""
        if (older := self._queues.pop(key, None)) is not None:
            event = replace(event, agents=event.agents | older.agents, topics=event.topics | older.topics)
        self._queues[key] = event

    def _withdraw(self, agent: int, serves: Collection[str]) -> None:
        """What is held back of a queue that the agent serves no more is not for them."""
        for key, event in self._queues.items():
            if agent in event.agents and key[0] not in serves:
                self._queues[key] = replace(event, agents=event.agents - {agent})

    @property
    def due_in_s(self) -> float | None:
        """Seconds until something held back is due; None when nothing is held back."""
        due = [self._queues_due] * bool(self._queues)
        due += [self._team_due] * bool(self._team and not self._starting)
        return max(0.0, min(due) - time.monotonic()) if due else None
