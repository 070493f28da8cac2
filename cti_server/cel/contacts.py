"""Calls that CEL tells of → what is written of them: a contact of its own, or the end of one that was seen. Pure.

The end of a contact that was seen is taken from CEL only where the two agree about all that was seen: each agent,
each wait, at the same times. Where they differ, one of them is wrong, and nothing is changed. Of one whose end was
seen, only what came of it while nobody watched is taken.

What a snapshot found after a gap has the snapshot's time; CEL knows when it was. So two times agree also where
both are of the same gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cti_server.floor.calls import Call
from cti_server.record.calls import record_of
from cti_server.record.contacts.afterwards import Completed
from cti_server.record.contacts.history import Interaction
from cti_server.record.contacts.records import InteractionRecord, SegmentRecord, VisitRecord

MISSED_MS = 500  # talk before the PBX was heard again; of less it is not certain
AGREE_S = 2.0  # CEL's times may be whole seconds; what is rung at the same moment is told in any order
NOBODY = (None, "system", "unknown")  # whom a call was ended by, where no person is known

T = TypeVar("T", SegmentRecord, VisitRecord)


def contact_of(call: Call) -> InteractionRecord:
    """The contact of a call that nobody but CEL saw. CEL knows no hold: it counts as talk, and its time is
    unknown."""
    row = record_of(call)
    segments = tuple(replace(part, hold_ms=part.hold_ms or None, resume=None) for part in row.segments)
    return replace(row, complete=False, told_by="cel", resume=None, hold_ms=row.hold_ms or None, segments=segments)


def end_of(seen: Interaction, told: InteractionRecord, unwatched: Unwatched) -> Completed | None:
    """What CEL adds to a contact whose end was not seen; None where it does not tell the end, or tells another
    story than what was seen."""
    if told.ended_at is None or not _is_of(seen, told):
        return None
    parts = _matched(seen.segments, told.segments, unwatched.is_same_part)
    waits = _matched(seen.visits, told.visits, unwatched.is_same_visit)
    if parts is None or waits is None:
        return None
    ends = {s.position: _end_of_part(s, t) for s, t in parts if s.ended_at is None}
    begun = {s.position: _beginning_of_part(s, t) for s, t in parts if s.ended_at is not None and _was_later(s, t)}
    visits = {s.position: _end_of_visit(t) for s, t in waits if s.how in (None, "unseen") or s.left_at is None}
    new_parts = _further(told.segments, [t for _, t in parts], len(seen.segments))
    new_visits = _further(told.visits, [t for _, t in waits], len(seen.visits))
    values: dict[str, Any] = {
        "ended_at": told.ended_at,
        "ended_by": told.ended_by,
        "outcome": told.outcome,
        "queue": told.queue or seen.queue,
        "queued_at": seen.queued_at or told.queued_at,
        "answered_at": _earlier(seen.answered_at, told.answered_at),
        "wait_ms": told.wait_ms if told.wait_ms is not None else seen.wait_ms,
        **_sums(seen, ends | begun, new_parts),
        "told_by": "cel_end",
    }
    return Completed(values, ends | begun, visits, new_parts, new_visits)


def missed_of(seen: Interaction, told: InteractionRecord, unwatched: Unwatched) -> Completed | None:
    """What CEL adds to a contact whose end was seen: the waits, the talk and the rings of the time in which nobody
    watched. `told` may end earlier than the contact. None where it adds nothing, or tells another call."""
    if not _is_of(seen, told):
        return None
    parts: dict[int, Mapping[str, Any]] = {}
    met: list[SegmentRecord] = []
    for s in sorted(seen.segments, key=_answered_at):
        match = next((t for t in told.segments if t not in met and unwatched.is_of_part(s, t)), None)
        if match is not None:
            met.append(match)
            if s.ended_at is None and match.ended_at is not None:
                parts[s.position] = _end_of_part(s, match)
            elif _was_later(s, match):
                parts[s.position] = _beginning_of_part(s, match)
    alone = [t for t in told.segments if t not in met and unwatched.holds(t.offered_at, t.ended_at)]
    new_parts = _numbered(alone, len(seen.segments))
    visits: dict[int, Mapping[str, Any]] = {}
    joined: list[VisitRecord] = []
    for v in seen.visits:
        wait = next((t for t in told.visits if t not in joined and unwatched.is_same_wait(v, t)), None)
        if wait is not None:
            joined.append(wait)
            if wait.left_at is not None and (v.left_at is None or _left_later(v, wait)):
                visits[v.position] = _end_of_visit(wait)
    over = [t for t in told.visits if t not in joined and unwatched.holds(t.joined_at, t.left_at)]
    new_visits = _numbered(over, len(seen.visits))
    values: dict[str, Any] = {}
    if parts or new_parts:
        values |= {"answered_at": _earlier(seen.answered_at, told.answered_at), **_sums(seen, parts, new_parts)}
    if visits or new_visits:
        values |= {"queue": seen.queue or told.queue, "queued_at": _earlier(seen.queued_at, told.queued_at)}
    if told.wait_ms is not None and all(t.left_at is not None for t in told.visits):
        later = [v for v in seen.visits if not any(unwatched.is_same_wait(v, t) for t in told.visits)]
        wait_ms = told.wait_ms + sum(map(_waited_ms, later))
        if abs(wait_ms - (seen.wait_ms or 0)) > MISSED_MS and told.visits and unwatched.touches(told.visits):
            values["wait_ms"] = wait_ms
    if seen.ended_by in NOBODY and told.ended_by not in NOBODY and unwatched.had_the_end(told.segments):
        values["ended_by"] = told.ended_by
    return Completed(values, parts, visits, new_parts, new_visits) if values else None


@dataclass(frozen=True, slots=True)
class Unwatched:
    """The gaps that fell into a contact, from when the PBX was heard last to when it was heard again."""

    spans: Sequence[tuple[datetime, datetime]] = ()

    def holds(self, *moments: datetime | None) -> bool:
        """Whether all of these are of one gap."""
        return any(all(at is not None and begin <= at <= end for at in moments) for begin, end in self._wide())

    def concern(self, told: InteractionRecord) -> bool:
        """Whether anything came of this contact in a gap."""
        parts = (at for s in told.segments for at in (s.offered_at, s.answered_at, s.ended_at))
        waits = (at for visit in told.visits for at in (visit.joined_at, visit.left_at))
        return any(self.holds(at) for at in (*parts, *waits))

    def touches(self, visits: Sequence[VisitRecord]) -> bool:
        """Whether one of these waits ended in a gap."""
        return any(self.holds(visit.left_at) for visit in visits)

    def had_the_end(self, segments: Sequence[SegmentRecord]) -> bool:
        """Whether the last of these people left in a gap: what ended the call afterwards was no person."""
        ends = [segment.ended_at for segment in segments]
        return None not in ends and self.holds(max((at for at in ends if at is not None), default=None))

    def agree(self, one: datetime | None, other: datetime | None) -> bool:
        """Whether the two may be one moment: near each other, or of one gap."""
        if one is None or other is None:
            return one is other
        return _agree(one, other) or self.holds(one, other)

    def is_same_part(self, seen: SegmentRecord, told: SegmentRecord) -> bool:
        if seen.seat != told.seat or not self.agree(seen.offered_at, told.offered_at):
            return False
        if seen.answered_at is not None and not self.agree(seen.answered_at, told.answered_at):
            return False
        if seen.ended_at is None:
            return told.ended_at is not None
        return self.agree(seen.ended_at, told.ended_at) and (seen.answered_at is None) == (
            told.answered_at is None
        )

    def is_of_part(self, seen: SegmentRecord, told: SegmentRecord) -> bool:
        """Whether they are the same part, of which either may know more."""
        if seen.seat != told.seat:
            return False
        if seen.answered_at is not None and told.answered_at is not None:
            return self.agree(seen.answered_at, told.answered_at)
        return self.agree(seen.offered_at, told.offered_at)

    def is_same_visit(self, seen: VisitRecord, told: VisitRecord) -> bool:
        if not self.is_same_wait(seen, told):
            return False
        return seen.left_at is None or told.left_at is None or self.agree(seen.left_at, told.left_at)

    def is_same_wait(self, seen: VisitRecord, told: VisitRecord) -> bool:
        return seen.queue == told.queue and self.agree(seen.joined_at, told.joined_at)

    def _wide(self) -> list[tuple[datetime, datetime]]:
        """A snapshot takes its time, and so do the rows of a log."""
        more = timedelta(seconds=AGREE_S)
        return [(begin - more, end + more) for begin, end in self.spans]


def _is_of(seen: Interaction, told: InteractionRecord) -> bool:
    return told.direction == seen.direction and _agree(seen.started_at, told.started_at)


def _sums(
    seen: Interaction, parts: Mapping[int, Mapping[str, Any]], new: Sequence[SegmentRecord]
) -> dict[str, int]:
    """What all parts come to, with those values changed and those added."""
    return {
        name: sum(parts.get(s.position, {}).get(name, getattr(s, name)) or 0 for s in seen.segments)
        + sum(getattr(part, name) or 0 for part in new)
        for name in ("talk_ms", "ring_ms")
    }


def _answered_at(part: SegmentRecord) -> float:
    return part.answered_at.timestamp() if part.answered_at is not None else 0.0


def _was_later(seen: SegmentRecord, told: SegmentRecord) -> bool:
    """Whether the part was answered well before it was seen."""
    if seen.answered_at is None or told.answered_at is None:
        return False
    return (_answered_at(seen) - _answered_at(told)) * 1000 > MISSED_MS


def _beginning_of_part(seen: SegmentRecord, told: SegmentRecord) -> Mapping[str, Any]:
    """The talk before it was seen counts too."""
    missed_ms = round((_answered_at(seen) - _answered_at(told)) * 1000)
    return {
        "offered_at": _earlier(seen.offered_at, told.offered_at),
        "answered_at": told.answered_at,
        "ring_ms": told.ring_ms,
        "talk_ms": (seen.talk_ms or 0) + missed_ms,
    }


def _end_of_part(seen: SegmentRecord, told: SegmentRecord) -> Mapping[str, Any]:
    """The time in the call is certain; how much of it was hold is known only for what was seen."""
    there = (told.talk_ms or 0) + (told.hold_ms or 0)
    return {
        "answered_at": _earlier(seen.answered_at, told.answered_at),
        "ended_at": told.ended_at,
        "outcome": told.outcome,
        "ring_ms": told.ring_ms,
        "talk_ms": max(0, there - (seen.hold_ms or 0)),
    }


def _end_of_visit(told: VisitRecord) -> Mapping[str, Any]:
    return {"left_at": told.left_at, "how": told.how, "agent_id": told.agent_id, "seat": told.seat}


def _left_later(seen: VisitRecord, told: VisitRecord) -> bool:
    """Whether the wait was over well before that was seen."""
    return _waited_ms(seen) - _waited_ms(told) > MISSED_MS


def _waited_ms(visit: VisitRecord) -> int:
    return round((visit.left_at - visit.joined_at).total_seconds() * 1000) if visit.left_at is not None else 0


def _agree(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs((one - other).total_seconds()) <= AGREE_S


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one is not None and other is not None else one or other


def _matched(seen: Sequence[T], told: Sequence[T], same: Callable[[T, T], bool]) -> list[tuple[T, T]] | None:
    """Each that was seen with the one that CEL tells of; None where one of them has none."""
    left = list(told)
    found = []
    for one in seen:
        match = next((other for other in left if same(one, other)), None)
        if match is None:
            return None
        left.remove(match)
        found.append((one, match))
    return found


def _further(told: Sequence[T], matched: Sequence[T], after: int) -> tuple[T, ...]:
    """Those that began unseen, in positions of their own."""
    return _numbered([one for one in told if not any(one is other for other in matched)], after)


def _numbered(new: Sequence[T], after: int) -> tuple[T, ...]:
    return tuple(_place(one, after + number) for number, one in enumerate(new))


def _place(one: T, position: int) -> T:
    if isinstance(one, SegmentRecord):
        return replace(one, position=position, hold_ms=one.hold_ms or None, resume=None)
    return replace(one, position=position)
