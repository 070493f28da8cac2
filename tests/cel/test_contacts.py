"""What CEL adds to a contact that was seen: only what came of it in a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cti_server.cel.contacts import Unwatched, end_of, missed_of
from cti_server.record.contacts.history import Interaction, Segment, Visit
from cti_server.record.contacts.records import InteractionRecord, SegmentRecord, VisitRecord


def at(seconds: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


GAP = Unwatched([(at(2), at(8))])
TOLD = InteractionRecord(
    started_at=at(0),
    queued_at=at(1),
    answered_at=at(4),
    ended_at=at(20),
    wait_ms=3000,
    talk_ms=16_000,
    ring_ms=2000,
    outcome="answered",
    ended_by="caller",
    queue="sales",
    segments=(part := SegmentRecord(
        position=0, agent_id=1, seat="PJSIP/1001", origin="offer", offered_at=at(2), answered_at=at(4),
        ended_at=at(20), ring_ms=2000, talk_ms=16_000, outcome="answered",
    ),),
    visits=(wait := VisitRecord(
        position=0, queue="sales", joined_at=at(1), left_at=at(4), how="answered", agent_id=1, seat="PJSIP/1001",
    ),),
)  # fmt: skip


def seen(answered: float, ended: float | None = 20, **more: object) -> Interaction:
    """The same as the floor saw it: a snapshot found the two talking."""
    talk_ms = round(((ended or answered) - answered) * 1000)
    one = Segment(
        id=1, interaction_id=7, position=0, agent_id=1, seat="PJSIP/1001", origin="offer", offered_at=at(2),
        answered_at=at(answered), ended_at=at(ended) if ended is not None else None, ring_ms=6000, talk_ms=talk_ms,
        outcome="answered",
    )  # fmt: skip
    made = Interaction(
        id=7, started_at=at(0), answered_at=at(answered), ended_at=one.ended_at, talk_ms=talk_ms, ring_ms=6000,
        outcome="answered", segments=(one,),
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def visit(left: float | None, how: str) -> Visit:
    return Visit(
        position=0, queue="sales", joined_at=at(1), left_at=at(left) if left is not None else None, how=how
    )


def test_talk_that_began_in_the_gap_counts_from_its_beginning() -> None:
    missed = missed_of(seen(8), TOLD, GAP)
    assert missed is not None
    assert missed.segments[0]["answered_at"] == at(4)
    assert (missed.segments[0]["talk_ms"], missed.values["talk_ms"]) == (16_000, 16_000)
    assert missed.values["ring_ms"] == 2000
    assert [v.how for v in missed.new_visits] == ["answered"]
    assert (missed.values["queue"], missed.values["wait_ms"], missed.values["answered_at"]) == (
        "sales",
        3000,
        at(4),
    )


def test_what_was_seen_is_left_as_it_is() -> None:
    assert missed_of(seen(8), TOLD, Unwatched([(at(30), at(40))])) is None, "another gap"
    assert missed_of(seen(8), TOLD, Unwatched()) is None
    whole = seen(4, visits=(visit(4, "answered"),), queue="sales", queued_at=at(1), wait_ms=3000)
    assert missed_of(whole, TOLD, GAP) is None, "nothing is missing"
    assert missed_of(seen(8), replace(TOLD, direction="outbound"), GAP) is None, "another call"


def test_a_wait_whose_end_nobody_saw_ends_when_the_caller_was_answered() -> None:
    unseen = seen(8, visits=(visit(None, "unseen"),), queue="sales", queued_at=at(1), wait_ms=7000)
    missed = missed_of(unseen, TOLD, GAP)
    assert missed is not None
    assert missed.visits[0] == {"left_at": at(4), "how": "answered", "agent_id": 1, "seat": "PJSIP/1001"}
    assert (missed.values["wait_ms"], missed.new_visits) == (3000, ())


def test_waits_after_the_gap_count_beside_those_in_it() -> None:
    later = Visit(position=0, queue="support", joined_at=at(20), left_at=at(25), how="answered")
    missed = missed_of(seen(8, visits=(later,), queue="support", queued_at=at(20), wait_ms=5000), TOLD, GAP)
    assert missed is not None
    assert (missed.values["wait_ms"], missed.values["queued_at"], missed.values["queue"]) == (
        8000,
        at(1),
        "support",
    )
    assert [v.position for v in missed.new_visits] == [1]


def test_who_was_there_only_in_the_gap_gets_a_segment() -> None:
    first = replace(part, seat="PJSIP/1002", agent_id=2, offered_at=at(2), answered_at=at(3), ended_at=at(5))
    missed = missed_of(seen(8), replace(TOLD, segments=(first, replace(part, position=1, offered_at=at(5)))), GAP)
    assert missed is not None
    assert [(s.seat, s.position) for s in missed.new_segments] == [("PJSIP/1002", 1)]


def test_an_end_is_taken_though_a_snapshot_saw_the_answer_late() -> None:
    lost = seen(8, None, outcome="unseen")
    told = end_of(lost, TOLD, GAP)
    assert told is not None
    assert (told.values["talk_ms"], told.segments[0]["answered_at"]) == (16_000, at(4))
    assert end_of(lost, TOLD, Unwatched()) is None, "somebody watched: one of the two accounts is wrong"


def test_who_hung_up_in_the_gap_ended_the_call_though_it_was_over_after_it() -> None:
    """An agent hangs up, and the caller's channel runs on in the dialplan until the PBX is heard again."""
    told = replace(TOLD, ended_by="agent", segments=(replace(part, ended_at=at(7)),))
    by_nobody = missed_of(seen(4, ended_by="system"), told, GAP)
    assert by_nobody is not None
    assert by_nobody.values["ended_by"] == "agent"
    by_somebody = missed_of(seen(8, ended_by="caller"), told, GAP)
    assert by_somebody is not None
    assert "ended_by" not in by_somebody.values, "that was seen"
    later = missed_of(seen(8, ended_by="system"), replace(TOLD, ended_by="agent"), GAP)
    assert later is not None
    assert "ended_by" not in later.values, "they left when somebody watched"


def test_to_add_it_twice_is_to_add_it_once() -> None:
    once = missed_of(seen(8), TOLD, GAP)
    assert once is not None
    as_written = replace(
        seen(4), **once.values, visits=tuple(Visit(**{n: getattr(v, n) for n in VisitRecord.__slots__})
                                             for v in once.new_visits)
    )  # fmt: skip
    assert missed_of(as_written, TOLD, GAP) is None
