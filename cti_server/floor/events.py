"""What happened on the floor: an event names its audience and carries the whole new view of its thing.

Whoever holds an old snapshot and replaces each thing by the view in each event holds the fresh snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CALL_STARTED = "call.started"
CALL_QUEUED = "call.queued"
CALL_OFFERED = "call.offered"
CALL_ANSWERED = "call.answered"
CALL_OFFER_ENDED = "call.offer_ended"
CALL_HELD = "call.held"
CALL_RETRIEVED = "call.retrieved"
CALL_TRANSFERRED = "call.transferred"
CALL_PARKED = "call.parked"
CALL_CONFERENCED = "call.conferenced"
CALL_IDENTIFIED = "call.identified"
CALL_CHANGED = "call.changed"
CALL_ENDED = "call.ended"
CALL_WRAPPED = "call.wrapped"
QUEUE_CHANGED = "queue.changed"
AGENT_CHANGED = "me.changed"
TEAM_CHANGED = "team.changed"
LINK_CHANGED = "link.changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `agents` are the ids of the agents it concerns; supervisors see all.

    `everyone` is for what each desktop shows (the state of the link). `call` is the id of the call, if any.
    """

    kind: str
    at: float
    body: dict[str, Any]
    agents: frozenset[int] = field(default_factory=frozenset)
    everyone: bool = False
    call: str | None = None
