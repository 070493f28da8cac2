"""Queue visits: each wait of a call in a queue, how it ended, and who answered."""

from __future__ import annotations

import pytest

from cti_server.floor.apply import Floor
from cti_server.floor.calls import MAX_VISITS, Call
from cti_server.floor.desk_signals import AgentSeated
from cti_server.floor.signals import (
    LegEnded,
    LegHangupAsked,
    LegStarted,
    MemberConnected,
    MemberOffered,
    QueueAbandoned,
    QueueJoined,
    QueueLeft,
    Signal,
    Snapshot,
)
from tests.floor.test_transcripts import play, seated, unmerged
from tests.transcripts.play import Transcript

CALLER = ("x.1", "x.1")


@pytest.fixture
def floor() -> Floor:
    made = Floor("demo")
    made.apply(AgentSeated(0.0, 7, "Anna", "PJSIP/1001"))
    made.apply(LegStarted(1.0, *CALLER, "PJSIP/trunk-00000001", True, "100", None, "400"))
    return made


def visits(floor: Floor, *signals: Signal) -> list[tuple[str, str | None, float | None, int | None]]:
    for signal in signals:
        floor.apply(signal)
    (call,) = floor.calls.values()
    return [(v.queue, v.how, v.wait_s, v.agent) for v in call.visits]


def test_a_consultation_with_a_queue_that_comes_late_is_no_wait_of_the_caller(floor: Floor) -> None:
    """The agent asked a queue, and gave the caller to it before the queue had heard of the question: half of the
    consultation joins behind the caller, and is gone at once."""
    half = LegStarted(9.9, "x.3", "x.1", "Local/00@cti-consult-queue-00000001;2", True, None, None, "00")
    told = visits(
        floor,
        QueueJoined(10.0, *CALLER, "sales", 1),
        half,
        QueueJoined(10.1, "x.3", "x.1", "sales", 2),
        QueueAbandoned(10.2, "x.3", "x.1", "sales"),
        QueueLeft(10.2, "x.3", "x.1", "sales"),
        LegEnded(10.3, "x.3", "x.1", 16),
    )
    assert told == [("sales", None, None, None)]
    (call,) = floor.calls.values()
    assert (call.state, call.position, call.waiting_since) == ("queued", 1, 10.0)


def test_a_call_that_passes_three_queues_has_three_visits_each_with_its_own_wait(floor: Floor) -> None:
    told = visits(
        floor,
        QueueJoined(10.0, *CALLER, "sales", 1),
        QueueAbandoned(40.0, *CALLER, "sales"),  # app_queue's word for its own time limit, too
        QueueLeft(40.0, *CALLER, "sales"),
        QueueJoined(41.0, *CALLER, "support", 3),
        QueueLeft(46.0, *CALLER, "support"),
        QueueJoined(47.0, *CALLER, "vip", 1),
        MemberOffered(50.0, *CALLER, "vip", "PJSIP/1001", None),
        QueueLeft(54.5, *CALLER, "vip"),
        MemberConnected(54.6, *CALLER, "vip", "PJSIP/1001", None),
    )
    assert told == [
        ("sales", "timed_out", 30.0, None),
        ("support", "moved_on", 5.0, None),
        ("vip", "answered", 7.5, 7),
    ]
    (call,) = floor.calls.values()
    assert (call.queue, [v.place for v in call.visits], call.visits[2].seat) == ("vip", [1, 3, 1], "PJSIP/1001")


def test_a_caller_who_gives_up_ends_the_visit_so(floor: Floor) -> None:
    told = visits(
        floor,
        QueueJoined(10.0, *CALLER, "sales", 1),
        LegHangupAsked(12.0, *CALLER),
        QueueAbandoned(12.0, *CALLER, "sales"),
        QueueLeft(12.1, *CALLER, "sales"),
    )
    assert told == [("sales", "abandoned", 2.0, None)]


def test_joining_the_next_queue_without_leaving_the_one_before_moves_on(floor: Floor) -> None:
    told = visits(floor, QueueJoined(10.0, *CALLER, "sales", 1), QueueJoined(15.0, *CALLER, "vip", 1))
    assert told == [("sales", "moved_on", 5.0, None), ("vip", None, None, None)]


def test_a_wait_whose_end_nobody_saw_claims_no_time(floor: Floor) -> None:
    floor.apply(QueueJoined(10.0, *CALLER, "sales", 1))
    floor.apply(Snapshot(60.0, boot=9))
    (call,) = floor.take_changed()
    assert [(v.how, v.left) for v in call.visits] == [("unseen", None)]


def test_the_visits_of_one_call_are_bounded(floor: Floor) -> None:
    for n in range(MAX_VISITS + 20):
        floor.apply(QueueJoined(10.0 + n, *CALLER, f"q{n}", 1))
    (call,) = floor.calls.values()
    assert len(call.visits) == MAX_VISITS
    assert call.queue == f"q{MAX_VISITS + 19}"


#: scenario → of each call, the oldest first, its visits
RECORDED = {
    "answered": [[("sales", "answered")]],
    "caller-hangs-up-in-queue": [[("sales", "abandoned")]],
    "queue-timeout": [[("sales", "timed_out")]],
    "blind-transfer-to-queue": [[("sales", "answered"), ("support", "answered")]],
    "left-in-ivr": [[]],
    "linkedid-merge": [[("sales", "answered")], [("vip", "answered")]],
}


@pytest.mark.parametrize("scenario", RECORDED)
def test_recorded_calls_have_the_visits_that_they_had(scenario: str) -> None:
    transcript = Transcript.load(scenario)
    calls = unmerged(play([*seated(), *transcript.signals()], Floor("demo")))
    told = [_of(call) for call in sorted(calls.values(), key=lambda c: c.started_at)]
    assert told == RECORDED[scenario]


def _of(call: Call) -> list[tuple[str, str | None]]:
    return [(visit.queue, visit.how) for visit in call.visits]
