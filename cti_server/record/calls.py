"""A call of the floor ↔ its interaction: what is written while it goes on, and how a restart brings it back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from cti_server.floor.calls import Call, Direction
from cti_server.floor.parts import Origin, Part, PartState, WrapUp
from cti_server.floor.times import ms
from cti_server.floor.visits import How, Visit

from . import resume
from .contacts.history import Interaction, Segment
from .contacts.records import InteractionRecord, SegmentRecord, VisitRecord


def record_of(call: Call) -> InteractionRecord:
    """The record of a call as it is now. Durations count up to the last change of state, not to this moment."""
    made: dict[str, Any] = {
        "direction": call.direction.value,
        "match_standing": call.match,
        # A call may go on when its caller has hung up: a restart would not know who ended it.
        "ended_by": call.ended_by or ("caller" if call.hangup_by == "caller" else None),
        "outcome": call.outcome,
    }
    going_on = resume.of_call(call)
    return InteractionRecord(
        pbx=call.pbx,
        boot=call.boot,
        linkedid=call.linkedid,
        customer_id=call.customer["id"] if call.customer is not None else None,
        ani_raw=call.ani_raw,
        ani_e164=call.ani,
        ani_name=call.ani_name,
        dnis=call.dnis,
        line_id=call.line,
        queue=call.queue,
        ivr_path=[{**step, "at": _iso(step["at"])} for step in call.path],
        language=call.language,
        verdict=call.verdict,
        started_at=_moment(call.started_at),
        queued_at=_moment_or_none(call.queued_at),
        answered_at=_moment_or_none(call.answered_at),
        ended_at=_moment_or_none(call.ended_at),
        wait_ms=ms(call.wait_s) if call.queued_at is not None else None,
        ring_ms=sum(ms(p.ring_s) for p in call.parts),
        talk_ms=sum(ms(p.talk_s) for p in call.parts),
        hold_ms=sum(ms(p.hold_s) for p in call.parts),
        complete=call.ended and call.complete,
        joined=sorted(call.joined) or None,
        aliases=tuple(call.aliases),
        resume=going_on,
        segments=tuple(_segment_of(part, goes_on=going_on is not None) for part in call.parts),
        visits=tuple(_visit_record(position, visit) for position, visit in enumerate(call.visits)),
        **made,
    )


def _segment_of(part: Part, *, goes_on: bool) -> SegmentRecord:
    made: dict[str, Any] = {"origin": part.origin.value, "outcome": part.outcome}
    return SegmentRecord(
        position=part.position,
        agent_id=part.agent,
        seat=part.seat,
        queue=part.queue,
        offered_at=_moment_or_none(part.offered_at),
        answered_at=_moment_or_none(part.answered_at),
        ended_at=_moment_or_none(part.ended_at),
        ring_ms=ms(part.ring_s),
        talk_ms=ms(part.talk_s),
        hold_ms=ms(part.hold_s),
        wrapped_at=_moment_or_none(part.wrapped_at),
        wrap_code=part.wrap.code,
        wrap_ends_at=_moment_or_none(part.wrap.ends_at),
        owed=part.wrap.owed,
        resume=resume.of_part(part) if goes_on else None,
        **made,
    )


def _visit_record(position: int, visit: Visit) -> VisitRecord:
    return VisitRecord(
        position=position,
        queue=visit.queue,
        joined_at=_moment(visit.joined),
        left_at=_moment_or_none(visit.left),
        how=visit.how,
        agent_id=visit.agent,
        seat=visit.seat,
        place=visit.place,
    )


def call_of(row: Interaction) -> Call:
    """The call as of an interaction that was open, or not wrapped up, when the last process went away, with the
    legs that it had then. A row of an older version has no `resume`: the columns must do, and the next snapshot
    brings the legs. Raises ValueError for a contact that is not a call of a PBX."""
    if row.pbx is None or row.boot is None or row.linkedid is None:
        raise ValueError(f"interaction {row.id} is not a call of a PBX")
    customer = (
        {"id": row.customer_id, "name": row.customer_name, "tier": row.customer_tier} if row.customer_id else None
    )
    call = Call(
        pbx=row.pbx,
        boot=row.boot,
        linkedid=row.linkedid,
        started_at=row.started_at.timestamp(),
        direction=Direction(row.direction),
        parts=[_part_of(segment, row) for segment in row.segments],
        visits=[_visit_of(visit) for visit in row.visits],
        aliases=list(row.aliases),
        first_leg=row.linkedid,  # a call's linkedid is the id of the leg that began it
        customer_leg=row.linkedid if row.direction == "inbound" else None,
        ani_raw=row.ani_raw,
        ani=row.ani_e164,
        ani_name=row.ani_name,
        dnis=row.dnis,
        line=row.line_id,
        language=row.language,
        meant=row.queue if not row.visits or row.visits[-1].queue != row.queue else None,
        path=[{**step, "at": _seconds(step["at"])} for step in row.ivr_path],
        queued_at=_at(row.queued_at),
        waiting_since=None,
        wait_s=(row.wait_ms or 0) / 1000,
        answered_at=_at(row.answered_at),
        ended_at=_at(row.ended_at),
        customer=customer,
        verdict=row.verdict,
        match=row.match_standing or "pending",
        outcome=row.outcome,
        ended_by=row.ended_by if row.outcome is not None else None,
        hangup_by=row.ended_by if row.outcome is None else None,
        complete=row.complete or row.outcome is None,
        transferred=any(s.outcome == "transferred" for s in row.segments),
        joined=set(row.joined or ()),
        interaction=row.id,
    )
    if row.resume is not None:
        resume.call_goes_on(call, row.resume)
    return call


def _part_of(segment: Segment, row: Interaction) -> Part:
    talk, hold, ring = ((n or 0) / 1000 for n in (segment.talk_ms, segment.hold_ms, segment.ring_ms))
    offered, answered, ended = _at(segment.offered_at), _at(segment.answered_at), _at(segment.ended_at)
    if segment.outcome is None:
        state = PartState.TALKING if answered is not None else PartState.RINGING
    else:
        state = PartState.LEFT if segment.wrapped_at is not None or answered is None else PartState.WRAP_UP
    # The current state began where the booked times end.
    began = answered + talk + hold if answered is not None else offered
    part = Part(
        position=segment.position,
        seat=segment.seat or "",
        agent=segment.agent_id,
        name=segment.agent_name or segment.seat or "",
        origin=Origin(segment.origin),
        state=state,
        since=ended if ended is not None else (began or row.started_at.timestamp()),
        offered_at=offered,
        answered_at=answered,
        ended_at=ended,
        queue=segment.queue,
        ring_s=ring,
        talk_s=talk,
        hold_s=hold,
        reason=segment.outcome,
        outcome=segment.outcome,
        wrapped_at=_at(segment.wrapped_at),
        met_customer=answered is not None and segment.origin != "consult",
        wrap=WrapUp(code=segment.wrap_code, ends_at=_at(segment.wrap_ends_at), owed=segment.owed),
    )
    if segment.resume is not None:
        resume.part_goes_on(part, segment.resume)
    return part


def _visit_of(visit: VisitRecord) -> Visit:
    return Visit(
        queue=visit.queue,
        joined=visit.joined_at.timestamp(),
        left=_at(visit.left_at),
        how=How(visit.how) if visit.how is not None else None,
        agent=visit.agent_id,
        seat=visit.seat,
        place=visit.place,
    )


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _moment_or_none(at: float | None) -> datetime | None:
    return None if at is None else _moment(at)


def _at(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _iso(at: float) -> str:
    return _moment(at).isoformat()


def _seconds(text: object) -> float:
    return datetime.fromisoformat(cast(str, text)).timestamp()
