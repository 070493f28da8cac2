"""What happened on the floor: an event names its audience and carries the new view of the object it is about.

Whoever holds an old snapshot and puts each view in its place then holds a fresh one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CALL_STARTED = "call.started"
CALL_QUEUED = "call.queued"
CALL_ANSWERED = "call.answered"
CALL_TRANSFERRED = "call.transferred"
CALL_PARKED = "call.parked"
CALL_CONFERENCED = "call.conferenced"
CALL_IDENTIFIED = "call.identified"
CALL_CHANGED = "call.changed"
CALL_ENDED = "call.ended"
PART_CHANGED = "part.changed"
CARD_CHANGED = "card.changed"
QUEUE_CHANGED = "queue.changed"
QUEUE_REMOVED = "queue.removed"
MEMBER_CHANGED = "member.changed"
ME_CHANGED = "me.changed"
TEAM_CHANGED = "team.changed"
LINK_CHANGED = "link.changed"
#: for replicas only: a process begins to tell this floor, and has kept the whole of it
FLOOR_BEGAN = "floor.began"

NUMBERED = "numbered"  # reason in `call.changed`: the caller's number came late, or was corrected

#: what happened to a part: `happened` in `part.changed`
OFFERED = "offered"
ANSWERED = "answered"
OFFER_ENDED = "offer_ended"
HELD = "held"
RETRIEVED = "retrieved"
NOT_REACHED = "not_reached"  # the number that this agent dialled; `reason` says why
LEFT = "left"
WRAPPED = "wrapped"
CHANGED = "changed"

NOBODY: frozenset[int] = frozenset()
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class About:
    """Whose an event is: all agents and all queues (as `pbx/queue`) that its call has been with, or its queue.
    Only grows, so that a team that was told of a call is told to its end."""

    agents: frozenset[int]
    queues: frozenset[str]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. Its audience is these agents and whoever opened one of these topics, or everyone.

    `call` is the id of the call that it is about, if any. Of those who opened the floor, only who supervises one
    of the agents or queues of `about` is told.
    """

    kind: str
    at: float
    body: dict[str, Any]
    agents: frozenset[int] = field(default=NOBODY)
    topics: frozenset[str] = field(default=NOTHING)
    everyone: bool = False
    call: str | None = None
    about: About | None = None
