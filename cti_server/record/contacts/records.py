"""A contact as it is written: what the floor, an import or the demo passes to `interactions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeAlias

from cti_server.rules.facts import Channel, Direction, Outcome, ToldBy

CallKey: TypeAlias = tuple[str, int, str]
"""(pbx, boot, linkedid), which identifies a call."""
EndedBy = Literal["caller", "agent", "system", "other", "unknown"]
MatchStanding = Literal["verified", "shared", "guess", "none", "pending"]
Origin = Literal["offer", "transfer", "consult", "pickup", "outbound", "internal", "conference"]
SegmentOutcome = Literal[
    "answered",
    "no_answer",
    "answered_elsewhere",
    "rejected",
    "caller_left",
    "unavailable",
    "transferred",
    "forwarded",
    "unseen",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRecord:
    """One agent's part. `position` counts from 0 and does not change; `outcome` is None while the part goes on.

    `wrap_ends_at` is when the time for wrap-up is over; `owed` says that it ended without the required code.
    `resume` is for a server that restarts, see `record.resume`; None once the call has left the floor.
    """

    position: int
    origin: Origin
    agent_id: int | None = None
    seat: str | None = None
    queue: str | None = None
    offered_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ring_ms: int | None = None
    talk_ms: int | None = None
    hold_ms: int | None = None
    outcome: SegmentOutcome | None = None
    wrapped_at: datetime | None = None
    note: str | None = None
    wrap_code: str | None = None
    wrap_ends_at: datetime | None = None
    owed: bool = False
    resume: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRecord:
    """One wait in one queue. `position` counts from 0; `left_at` and `how` are None while the call waits.

    `how` is one of `floor.visits.How`. `agent_id` and `seat` name who answered. `place` is the call's position in
    the queue when it joined, from 1.
    """

    position: int
    queue: str
    joined_at: datetime
    left_at: datetime | None = None
    how: str | None = None
    agent_id: int | None = None
    seat: str | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionRecord:
    """One contact as it is written. `outcome` is None while it goes on; `complete` is true once its end was seen.

    A call has (pbx, boot, linkedid); other channels have none of the three. `aliases` are linkedids that were
    merged into this call; `joined` are the ids (`pbx:boot:linkedid`) of calls whose customers an agent joined to
    this one's. `verdict`, the steps of `ivr_path` and `resume` (see `record.resume`) are JSON.
    """

    channel: Channel = "voice"
    direction: Direction = "inbound"
    pbx: str | None = None
    boot: int | None = None
    linkedid: str | None = None
    customer_id: int | None = None
    match_standing: MatchStanding | None = None
    ani_raw: str | None = None
    ani_e164: str | None = None
    ani_name: str | None = None
    dnis: str | None = None
    line_id: int | None = None
    queue: str | None = None
    ivr_path: Sequence[dict[str, Any]] = ()
    language: str | None = None
    verdict: dict[str, Any] | None = None
    started_at: datetime
    queued_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    wait_ms: int | None = None
    ring_ms: int | None = None
    talk_ms: int | None = None
    hold_ms: int | None = None
    ended_by: EndedBy | None = None
    outcome: Outcome | None = None
    complete: bool = False
    told_by: ToldBy | None = None
    joined: Sequence[str] | None = None
    resume: dict[str, Any] | None = None
    aliases: tuple[str, ...] = ()
    segments: tuple[SegmentRecord, ...] = ()
    visits: tuple[VisitRecord, ...] = ()

    @property
    def key(self) -> CallKey:
        if self.pbx is None or self.boot is None or self.linkedid is None:
            raise ValueError("only a call of a PBX has a key")
        return self.pbx, self.boot, self.linkedid


OF_INTERACTION = [f.name for f in fields(InteractionRecord) if f.name not in ("aliases", "segments", "visits")]
OF_SEGMENT = [f.name for f in fields(SegmentRecord)]
OF_VISIT = [f.name for f in fields(VisitRecord)]
"""The fields of each record that are columns of its table, under the same names."""
