"""Streams that no PBX should send: signals lost, repeated, out of order, of calls never heard of."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti_server.floor import topics
from cti_server.floor.apply import Floor
from cti_server.floor.calls import MAX_EARLY_IDENTITIES, MAX_PARTS, MAX_STEPS
from cti_server.floor.desk_signals import AgentSeated
from cti_server.floor.signals import (
    CallerIdentified,
    EntryRow,
    LegBridged,
    LegDialled,
    LegEnded,
    LegRow,
    LegStarted,
    MemberChanged,
    MemberConnected,
    MemberDidNotAnswer,
    MemberOffered,
    MemberStatus,
    QueueJoined,
    QueueLeft,
    Signal,
    Snapshot,
    StepTaken,
)
from cti_server.record.calls import call_of, record_of
from tests.floor.fold import Desktop, Viewer, fresh
from tests.floor.test_transcripts import seated, stored
from tests.transcripts.play import Transcript, names

ALL = {name: [*Transcript.load(name).signals()] for name in names()}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(names()), st.integers(0, 2**32), st.floats(0, 0.5))
def test_a_mangled_stream_never_raises_and_desktops_still_agree(name: str, seed: int, rate: float) -> None:
    chance = random.Random(seed)
    signals: list[Signal] = list(seated())
    for signal in ALL[name]:
        if chance.random() > rate:
            signals.append(signal)
        if chance.random() < rate:
            signals.insert(chance.randrange(len(signals) + 1), signal)
    floor = Floor("demo")
    desktops = [Desktop(floor, Viewer(1)), Desktop(floor, Viewer(2)), Desktop(floor, Viewer(0, (topics.FLOOR,)))]
    for signal in signals:
        for event in floor.apply(signal):
            for desktop in desktops:
                desktop.take(event)
    for desktop in desktops:
        assert desktop.state == fresh(floor, desktop.viewer)

    # The end: a snapshot of an empty PBX leaves no call open, whatever was lost.
    for event in floor.apply(Snapshot(1e10, floor.books.boot)):
        for desktop in desktops:
            desktop.take(event)
    assert not [c for c in floor.calls.values() if not c.ended]
    for desktop in desktops:
        assert desktop.state == fresh(floor, desktop.viewer)


@pytest.mark.parametrize(
    "last",
    [
        LegBridged(4.0, "x.2", "x.1", "b1"),  # its answer was lost
        MemberOffered(4.0, "x.1", "x.1", "sales", "PJSIP/1001", "x.2"),  # the caller's joining was lost
    ],
)
def test_what_follows_a_lost_signal_is_told(last: Signal) -> None:
    floor = Floor("demo")
    for signal in seated():
        floor.apply(signal)
    floor.apply(LegStarted(1.0, "x.1", "x.1", "PJSIP/trunk-00000001", True, "100", None, "400"))
    floor.apply(LegStarted(3.0, "x.2", "x.1", "PJSIP/1001-00000002", False, None, None, "s"))
    if isinstance(last, LegBridged):
        floor.apply(MemberOffered(3.1, "x.1", "x.1", "sales", "PJSIP/1001", "x.2"))
    else:
        floor.apply(MemberConnected(3.1, "x.1", "x.1", "sales", "PJSIP/1001", "x.2"))
    desktop = Desktop(floor, Viewer(1))
    for event in floor.apply(last):
        desktop.take(event)
    assert desktop.state == fresh(floor, desktop.viewer)


def test_signals_of_legs_never_heard_of_are_counted() -> None:
    floor = Floor("demo")
    assert floor.apply(LegEnded(1.0, "x.1", "x.1", 16)) == []
    assert floor.books.unknown_legs == 1


def test_lookups_of_legs_never_heard_of_are_bounded() -> None:
    floor = Floor("demo")
    for n in range(MAX_EARLY_IDENTITIES + 10):
        floor.apply(CallerIdentified(1.0, f"x.{n}", None, "none"))
    assert len(floor.books.early) == MAX_EARLY_IDENTITIES
    assert "x.9" not in floor.books.early


def test_a_lookup_ahead_of_its_call_waits_for_it() -> None:
    floor = Floor("demo")
    floor.apply(CallerIdentified(1.0, "x.1", None, "verified", {"id": 7, "name": "Li", "tier": None}))
    (event,) = floor.apply(LegStarted(2.0, "x.1", "x.1", "PJSIP/trunk-00000001", False, "100", None, "400"))
    assert event.kind == "call.started"
    assert event.body["call"]["customer"]["id"] == 7
    assert event.body["call"]["match"] == "verified"


@pytest.fixture
def waiting() -> Floor:
    """A caller waits in a queue."""
    floor = Floor("demo")
    floor.apply(LegStarted(1.0, "x.1", "x.1", "PJSIP/trunk-00000001", True, "100", None, "400"))
    floor.apply(QueueJoined(2.0, "x.1", "x.1", "support", 1))
    return floor


def test_the_segments_of_one_call_are_bounded(waiting: Floor) -> None:
    for n in range(MAX_PARTS + 50):
        waiting.apply(MemberOffered(3.0 + n, "x.1", "x.1", "support", "PJSIP/1001", None))
        waiting.apply(MemberDidNotAnswer(3.5 + n, "x.1", "x.1", "support", "PJSIP/1001"))
    (call,) = waiting.calls.values()
    assert len(call.parts) == MAX_PARTS
    assert sum(p.ring_s for p in call.parts) == pytest.approx((MAX_PARTS + 50) * 0.5)


def test_the_steps_of_one_call_are_bounded(waiting: Floor) -> None:
    for n in range(MAX_STEPS + 5):
        waiting.apply(StepTaken(3.0 + n, "x.1", "x.1", "menu", str(n)))
    (call,) = waiting.calls.values()
    assert len(call.path) == MAX_STEPS


def test_a_clock_that_jumps_back_makes_no_negative_time(waiting: Floor) -> None:
    waiting.apply(MemberOffered(10.0, "x.1", "x.1", "support", "PJSIP/1001", None))
    waiting.apply(MemberDidNotAnswer(4.0, "x.1", "x.1", "support", "PJSIP/1001"))
    waiting.apply(LegEnded(3.0, "x.1", "x.1", 16))
    (call,) = waiting.take_changed()
    assert call.parts[0].ring_s == 0
    assert call.wait_s >= 0


def test_a_dialled_leg_without_a_dialler_is_no_offer() -> None:
    """Click to dial: the agent's own phone rings first, and answering it is not answering the customer."""
    floor = Floor("demo")
    for signal in seated():
        floor.apply(signal)
    floor.apply(LegStarted(1.0, "x.1", "x.1", "PJSIP/1001-00000001", False, "1001", None, "s"))
    events = floor.apply(LegDialled(1.1, "x.1", "x.1", None, "PJSIP/1001-00000001", "1001"))
    assert "offered" not in [e.body.get("happened") for e in events]


def held_room(floor: Floor) -> None:
    """Agent 1 waits in a conference room: a call of their own, the first there is."""
    floor.apply(LegStarted(1.0, "a.1", "a.1", "PJSIP/1001-00000001", True, "1001", None, "8001"))
    floor.apply(LegBridged(1.1, "a.1", "a.1", "room", conference=True))


def customer_enters(floor: Floor, n: int) -> None:
    leg = f"c.{n}"
    floor.apply(LegStarted(1.0 + n, leg, leg, f"PJSIP/trunk-0000001{n}", True, f"1390000000{n}", None, "400"))
    floor.apply(QueueJoined(1.1 + n, leg, leg, "support", 1))
    floor.apply(QueueLeft(1.5 + n, leg, leg, "support"))
    floor.apply(LegBridged(1.6 + n, leg, leg, "room", conference=True))


def test_a_customer_brought_into_an_agents_own_call_stays_the_customer() -> None:
    floor = Floor("demo")
    for signal in seated():
        floor.apply(signal)
    held_room(floor)
    customer_enters(floor, 1)
    (call,) = (call for call in floor.calls.values() if call.is_customers)
    assert (call.direction, call.ani_raw, call.dnis, call.queue) == ("inbound", "13900000001", "400", "support")
    assert [(p.agent, p.origin) for p in call.parts] == [(1, "conference")]
    customer_enters(floor, 2)
    assert sorted(c.ani_raw or "" for c in floor.calls.values() if c.is_customers) == [
        "13900000001",
        "13900000002",
    ]


def test_an_agent_reached_through_a_local_leg_to_a_mobile_is_not_lost_by_a_drift_check(waiting: Floor) -> None:
    waiting.apply(LegStarted(3.0, "x.2", "x.1", "Local/1001@from-queue-00000001;1", False, None, None, "s"))
    waiting.apply(MemberOffered(3.0, "x.1", "x.1", "support", "PJSIP/1001", "x.2"))
    caller = LegRow("x.1", "x.1", "PJSIP/trunk-00000001", True, "100", None, "400", None, 3.0)
    local = LegRow("x.2", "x.1", "Local/1001@from-queue-00000001;1", False, None, None, "s", None, 1.0)
    entry = EntryRow("support", "x.1", 1, 2.0)
    waiting.apply(Snapshot(4.0, 0, (caller, local), ("support",), (), (entry,)))
    (call,) = waiting.calls.values()
    assert [p.state for p in call.parts] == ["ringing"]
    waiting.apply(LegEnded(5.0, "x.2", "x.1", 16))
    assert [(p.state, p.outcome) for p in call.parts] == [("left", "no_answer")]


def test_the_end_of_a_call_is_told_as_such_even_when_a_ringing_phone_goes_last(waiting: Floor) -> None:
    waiting.apply(LegStarted(3.0, "x.2", "x.1", "PJSIP/1001-00000001", False, None, None, "s"))
    waiting.apply(MemberOffered(3.0, "x.1", "x.1", "support", "PJSIP/1001", "x.2"))
    waiting.apply(LegEnded(4.0, "x.1", "x.1", 16))
    told = [e.kind for e in waiting.apply(LegEnded(4.1, "x.2", "x.1", 26)) if e.call]
    assert told == ["call.ended", "part.changed"]


def test_an_agents_desktop_hears_of_the_queues_it_shows() -> None:
    floor = Floor("demo")
    floor.apply(AgentSeated(1.0, 3, "Chen", "PJSIP/1003"))
    desktop = Desktop(floor, Viewer(3))
    for event in floor.apply(
        MemberChanged(2.0, "support", "PJSIP/1003", "PJSIP/1003", "Chen", MemberStatus.IDLE, False, None)
    ):
        desktop.take(event)
    assert desktop.state["queues"]["support"]["ready"] == 1


def test_wrap_ups_that_nobody_finishes_end() -> None:
    floor = Floor("demo")
    for signal in [*seated(), *ALL["answered"]]:
        floor.apply(signal)
    (call,) = floor.calls.values()
    (part,) = call.parts
    assert part.state == "wrap_up"
    happened = [e.body.get("happened") for e in floor.apply(Snapshot(part.since + 5 * 3600, floor.books.boot))]
    assert "wrapped" in happened
    assert not floor.calls


def test_a_restored_call_is_told_again_so_that_a_resumed_desktop_is_right() -> None:
    first = Floor("demo")
    signals = [*seated(), *ALL["answered"]]
    middle = [n for n, s in enumerate(signals) if isinstance(s, Snapshot)][2]
    for signal in signals[:middle]:
        first.apply(signal)
    (call,) = first.calls.values()
    second = Floor("demo")
    second.restore(call_of(stored(record_of(call))))
    attached = replace(signals[middle], drift_check=False)  # what a server that starts asks for first
    events = [e for s in [*seated(), attached] for e in second.apply(s)]
    told = [(e.kind, (e.body.get("part") or e.body["call"])["state"]) for e in events if e.call]
    assert told == [("call.changed", "talking"), ("part.changed", "talking")]
