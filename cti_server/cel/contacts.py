"""Calls that CEL tells of → what is written of them: a contact of its own, or the end of one that was seen. Pure.

The end of a contact that was seen is taken from CEL only where the two agree about all that was seen: each agent,
each wait, at the same times. Where they differ, one of them is wrong, and nothing is changed. Of one that was seen
from the middle on, the beginning is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from cti_server.floor.calls import Call
from cti_server.record.calls import record_of
from cti_server.record.contacts.afterwards import Completed
from cti_server.record.contacts.history import Interaction
from cti_server.record.contacts.records import InteractionRecord, SegmentRecord, VisitRecord

MISSED_MS = 500  # talk before the PBX was heard again; of less it is not certain
AGREE_S = 2.0  # CEL's times may be whole seconds; what is rung at the same moment is told in any order

T = TypeVar("T", SegmentRecord, VisitRecord)


def contact_of(call: Call) -> InteractionRecord:
    """The contact of a call that nobody but CEL saw. CEL knows no hold: it counts as talk, and its time is
    unknown."""
    row = record_of(call)
    segments = tuple(replace(part, hold_ms=part.hold_ms or None, resume=None) for part in row.segments)
    return replace(row, complete=False, told_by="cel", resume=None, hold_ms=row.hold_ms or None, segments=segments)


def end_of(seen: Interaction, told: InteractionRecord) -> Completed | None:
    """What CEL adds to a contact whose end was not seen; None where it does not tell the end, or tells another
    story than what was seen."""
    if told.ended_at is None or told.direction != seen.direction or not _agree(seen.started_at, told.started_at):
        return None
    parts = _matched(seen.segments, told.segments, _same_part)
    waits = _matched(seen.visits, told.visits, _same_visit)
    if parts is None or waits is None:
        return None
    ends = {s.position: _end_of_part(s, t) for s, t in parts if s.ended_at is None}
    visits = {s.position: _end_of_visit(t) for s, t in waits if s.how in (None, "unseen") or s.left_at is None}
    new_parts = _further(told.segments, [t for _, t in parts], len(seen.segments))
    new_visits = _further(told.visits, [t for _, t in waits], len(seen.visits))
    talk = [ends.get(s.position, {"talk_ms": s.talk_ms})["talk_ms"] or 0 for s, _ in parts]
    ring = [ends.get(s.position, {"ring_ms": s.ring_ms})["ring_ms"] or 0 for s, _ in parts]
    values: dict[str, Any] = {
        "ended_at": told.ended_at,
        "ended_by": told.ended_by,
        "outcome": told.outcome,
        "queue": told.queue or seen.queue,
        "queued_at": seen.queued_at or told.queued_at,
        "answered_at": seen.answered_at or told.answered_at,
        "wait_ms": told.wait_ms if told.wait_ms is not None else seen.wait_ms,
        "talk_ms": sum(talk) + sum(part.talk_ms or 0 for part in new_parts),
        "ring_ms": sum(ring) + sum(part.ring_ms or 0 for part in new_parts),
        "told_by": "cel_end",
    }
    return Completed(values, ends, visits, new_parts, new_visits)


def beginning_of(seen: Interaction, told: InteractionRecord) -> Completed | None:
    """What CEL adds to a contact that was seen from the middle on: a wait that was over by then, and the talk that
    had begun. None where it adds nothing, or tells another story."""
    if told.direction != seen.direction or not _agree(seen.started_at, told.started_at):
        return None
    values: dict[str, Any] = {}
    parts: dict[int, dict[str, Any]] = {}
    first, began = _first(seen.segments), _first(told.segments)
    missed_ms = _earlier_ms(first, began)
    if first is not None and began is not None and missed_ms > MISSED_MS:
        parts[first.position] = {
            "offered_at": began.offered_at or first.offered_at,
            "answered_at": began.answered_at,
            "ring_ms": began.ring_ms,
            "talk_ms": (first.talk_ms or 0) + missed_ms,
        }
        values |= {
            "answered_at": told.answered_at,
            "ring_ms": told.ring_ms,
            "talk_ms": (seen.talk_ms or 0) + missed_ms,
        }
    over = [visit for visit in told.visits if visit.left_at is not None]
    if over and not seen.visits:
        values |= {"queue": seen.queue or told.queue, "queued_at": told.queued_at, "wait_ms": told.wait_ms}
    else:
        over = []
    return Completed(values, parts, {}, (), over) if values else None


def _first(segments: Sequence[SegmentRecord]) -> SegmentRecord | None:
    """The part that was answered first."""
    return next(iter(sorted((p for p in segments if p.answered_at is not None), key=_answered_at)), None)


def _answered_at(part: SegmentRecord) -> float:
    return part.answered_at.timestamp() if part.answered_at is not None else 0.0


def _earlier_ms(seen: SegmentRecord | None, told: SegmentRecord | None) -> int:
    """By how much CEL knows the same part to have been answered before it was seen."""
    if seen is None or told is None or seen.seat != told.seat:
        return 0
    return round((_answered_at(seen) - _answered_at(told)) * 1000)


def _end_of_part(seen: SegmentRecord, told: SegmentRecord) -> Mapping[str, Any]:
    """The time in the call is certain; how much of it was hold is known only for what was seen."""
    there = (told.talk_ms or 0) + (told.hold_ms or 0)
    return {
        "answered_at": seen.answered_at or told.answered_at,
        "ended_at": told.ended_at,
        "outcome": told.outcome,
        "ring_ms": told.ring_ms,
        "talk_ms": max(0, there - (seen.hold_ms or 0)),
    }


def _end_of_visit(told: VisitRecord) -> Mapping[str, Any]:
    return {"left_at": told.left_at, "how": told.how, "agent_id": told.agent_id, "seat": told.seat}


def _same_part(seen: SegmentRecord, told: SegmentRecord) -> bool:
    if seen.seat != told.seat or not _agree(seen.offered_at, told.offered_at):
        return False
    if seen.answered_at is not None and not _agree(seen.answered_at, told.answered_at):
        return False
    if seen.ended_at is None:
        return told.ended_at is not None
    return _agree(seen.ended_at, told.ended_at) and (seen.answered_at is None) == (told.answered_at is None)


def _same_visit(seen: VisitRecord, told: VisitRecord) -> bool:
    if seen.queue != told.queue or not _agree(seen.joined_at, told.joined_at):
        return False
    return seen.left_at is None or told.left_at is None or _agree(seen.left_at, told.left_at)


def _agree(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs((one - other).total_seconds()) <= AGREE_S


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
    new = [one for one in told if not any(one is other for other in matched)]
    return tuple(_place(one, after + number) for number, one in enumerate(new))


def _place(one: T, position: int) -> T:
    if isinstance(one, SegmentRecord):
        return replace(one, position=position, hold_ms=one.hold_ms or None, resume=None)
    return replace(one, position=position)
