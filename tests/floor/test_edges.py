"""The edges of the floor: merging, visits of consultations, reconnects, and who is told. One small world each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cti_server.floor.apply import Floor
from cti_server.floor.desk_signals import AgentSeated
from cti_server.floor.signals import (
    DialStatus,
    LegAnswered,
    LegBridged,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegHangupAsked,
    LegHeld,
    LegRow,
    LegStarted,
    LegTransferred,
    LegUnbridged,
    MemberChanged,
    MemberConnected,
    MemberOffered,
    MemberStatus,
    QueueAbandoned,
    QueueJoined,
    QueueLeft,
    Snapshot,
)
from cti_server.floor.visits import How
from tests.floor.fold import Desktop, Viewer, fresh
from tests.floor.replicas import replica_of
from tests.floor.test_hostile import ALL
from tests.floor.test_transcripts import seated
from tests.floor.world import as_it_is


def floor_with_agents() -> Floor:
    floor = Floor("demo")
    floor.apply(Snapshot(0.5, 1))
    for signal in seated():
        floor.apply(signal)
    return floor


def caller(floor: Floor, n: int = 1, at: float = 1.0, queue: str | None = "support") -> str:
    leg = f"c.{n}"
    floor.apply(LegStarted(at, leg, leg, f"PJSIP/trunk-0000000{n}", True, f"1390000000{n}", None, "400"))
    if queue:
        floor.apply(QueueJoined(at + 1, leg, leg, queue, 1))
    return leg


def answered(floor: Floor, leg: str, seat: str, at: float, queue: str = "support", mine: str | None = None) -> str:
    mine = mine or f"a{seat[-1]}.{leg}.{at:g}"
    channel = f"{seat}-0000000a"
    floor.apply(LegStarted(at, mine, leg, channel, False, seat[-4:], None, None))
    floor.apply(LegDialled(at, mine, leg, leg, channel, None))
    floor.apply(MemberOffered(at, leg, leg, queue, seat, mine))
    floor.apply(LegAnswered(at + 1, mine, leg))
    floor.apply(LegDialEnded(at + 1, mine, leg, channel, DialStatus.ANSWER))
    floor.apply(QueueLeft(at + 1, leg, leg, queue))
    floor.apply(MemberConnected(at + 1, leg, leg, queue, seat, mine))
    floor.apply(LegBridged(at + 1, leg, leg, f"b{at:g}"))
    floor.apply(LegBridged(at + 1, mine, leg, f"b{at:g}"))
    return mine


def member(at: float, queue: str, interface: str, seat: str) -> MemberChanged:
    return MemberChanged(at, queue, interface, seat, "m", MemberStatus.IDLE, False, None, 0, True)


# --- what is told ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["name", "extension", "role"])
def test_the_team_hears_that_a_colleague_is_called_otherwise(what: str) -> None:
    floor = floor_with_agents()
    changed: dict[str, Any] = {"name": "agent 1", "seat": "PJSIP/1001", "extension": None, "role": "agent"}
    changed[what] = "supervisor" if what == "role" else "new"
    before = replica_of(floor.books).team_topic()
    events = floor.apply(AgentSeated(5.0, 1, **changed))
    assert replica_of(floor.books).team_topic() != before
    # `team.changed` is made of the agents named by me.changed (push/paced.py).
    assert [e.body["agent"] for e in events if e.kind == "me.changed"] == [1]


def test_whoever_loses_a_membership_to_another_seat_is_told() -> None:
    """The state interface of a Local member is changed in queues.conf and reloaded: no removal in between."""
    floor = floor_with_agents()
    floor.apply(member(1.0, "support", "Local/1001@agents", "PJSIP/1001"))
    desktop = Desktop(floor, Viewer(1))
    for event in floor.apply(member(2.0, "support", "Local/1001@agents", "PJSIP/1002")):
        desktop.take(event)
    assert desktop.state == fresh(floor, Viewer(1))


# --- what is kept ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tape", ["conference", "desk-merge", "linkedid-merge"])
def test_nothing_is_kept_of_a_call_that_was_merged_and_is_over(tape: str) -> None:
    floor = Floor("demo")
    for signal in [*seated(), *ALL[tape]]:
        floor.apply(signal)
    assert set(floor._parts) <= set(floor.calls)


def test_a_leg_that_ends_waits_in_no_queue_though_its_call_goes_on() -> None:
    """A QueueCallerLeave that was lost; the end of the channel is proof enough."""
    floor = floor_with_agents()
    leg = caller(floor)
    floor.apply(LegStarted(3.0, "x.2", leg, "PJSIP/trunk-00000009", True, "1", None, None))
    floor.apply(LegEnded(4.0, leg, leg, 16))
    assert floor.books.waiting() == {}


# --- visits ------------------------------------------------------------------------------------------------


def test_two_waiting_callers_with_one_linkedid_keep_a_contact_each_and_no_visit_without_an_end() -> None:
    floor = floor_with_agents()
    one, two = caller(floor, 1, 1.0, "support"), caller(floor, 2, 3.0, "sales")
    floor.apply(QueueLeft(5.0, two, one, "sales"))  # the PBX names the first call's linkedid
    floor.apply(QueueLeft(6.0, one, one, "support"))
    calls = list(floor.calls.values())
    for leg in (one, two):
        floor.apply(LegEnded(7.0, leg, one, 16))
    assert [[v.queue for v in call.visits] for call in calls] == [["support"], ["sales"]]
    assert [v for call in calls for v in call.visits if v.how is None] == []


def test_who_answers_a_consultation_has_not_answered_the_callers_visit() -> None:
    """The caller left `support` by a key and reached agent 1 directly; agent 1 asks `support`, agent 2 answers."""
    floor = floor_with_agents()
    leg = caller(floor)
    floor.apply(QueueLeft(5.0, leg, leg, "support"))  # a key out of the queue
    (call,) = floor.calls.values()
    assert call.visits[0].how is How.MOVED_ON
    floor.apply(LegStarted(6.0, "a.1", leg, "PJSIP/1001-00000001", False, "1001", None, None))
    floor.apply(LegDialled(6.0, "a.1", leg, leg, "PJSIP/1001-00000001", "1001"))
    floor.apply(LegAnswered(7.0, "a.1", leg))
    floor.apply(LegDialEnded(7.0, "a.1", leg, "PJSIP/1001-00000001", DialStatus.ANSWER))
    for one in (leg, "a.1"):
        floor.apply(LegBridged(7.0, one, leg, "b1"))
    # Atxfer to the queue: the caller hears music, the agent is with a Local half whose twin waits.
    floor.apply(LegHeld(9.0, "a.1", leg))
    floor.apply(LegUnbridged(9.0, "a.1", leg, "b1"))
    for half, leg_id in (("1", "l.1"), ("2", "l.2")):
        floor.apply(LegStarted(9.0, leg_id, leg, f"Local/00@cti-consult-00000001;{half}", False, None, None, "00"))
    for one in ("a.1", "l.1"):
        floor.apply(LegBridged(9.1, one, leg, "b2"))
    floor.apply(QueueJoined(9.2, "l.2", leg, "support", 1))
    floor.apply(LegStarted(10.0, "a.2", leg, "PJSIP/1002-00000001", False, "1002", None, None))
    floor.apply(LegDialled(10.0, "a.2", leg, "l.2", "PJSIP/1002-00000001", None))
    floor.apply(MemberOffered(10.0, "l.2", leg, "support", "PJSIP/1002", "a.2"))
    floor.apply(LegAnswered(11.0, "a.2", leg))
    floor.apply(QueueLeft(11.0, "l.2", leg, "support"))
    floor.apply(MemberConnected(11.0, "l.2", leg, "support", "PJSIP/1002", "a.2"))
    assert [(v.how, v.agent) for v in call.visits] == [(How.MOVED_ON, None)]


def test_an_agents_own_visit_stays_when_a_customer_comes_into_their_call() -> None:
    """Agent 1 waits in `sales` for a colleague, then takes a customer's call into it: both queues were visited."""
    floor = floor_with_agents()
    floor.apply(LegStarted(1.0, "a.1", "a.1", "PJSIP/1001-00000001", True, "1001", None, "700"))
    floor.apply(QueueJoined(1.5, "a.1", "a.1", "sales", 1))
    leg = caller(floor, 2, 3.0, "support")
    answered(floor, leg, "PJSIP/1001", 5.0, mine="a.9")
    floor.apply(LegTransferred(8.0, "a.9", leg, True, "a.1", "a.1"))
    queues = sorted(v.queue for call in floor.calls.values() for v in call.visits)
    assert queues == ["sales", "support"]


# --- wrap-up and merging ------------------------------------------------------------------------------------


def test_an_open_wrap_up_is_not_lost_when_its_caller_is_joined_with_another_of_the_agent() -> None:
    """Agent 1 gave B to agent 2 and writes it up; answers A; agent 2 calls them about B and joins the callers."""
    floor = floor_with_agents()
    a, b = caller(floor, 1, 1.0, "support"), caller(floor, 2, 1.5, "sales")
    mine = answered(floor, b, "PJSIP/1001", 3.0, "sales", mine="b.1")
    floor.apply(LegTransferred(5.0, mine, b, False, target="1002"))
    floor.apply(LegEnded(5.1, mine, b, 16))
    call_b = floor.books.call_with(b)
    assert call_b is not None
    assert [(p.agent, p.state.value) for p in call_b.parts] == [(1, "wrap_up")]
    answered(floor, a, "PJSIP/1001", 7.0, mine="a.1")
    floor.apply(QueueLeft(9.0, b, a, "sales"))  # the PBX names the first call's linkedid
    parts = [part for call in floor.calls.values() for part in call.parts]
    assert sorted((p.agent, p.state.value) for p in parts) == [(1, "talking"), (1, "wrap_up")]


def test_a_member_reached_at_a_mobile_is_rung_and_does_not_call_out() -> None:
    """The Local half that the queue made is up before the member confirms (a key to take the call)."""
    floor = floor_with_agents()
    floor.apply(member(0.9, "support", "Local/1001@agents", "PJSIP/1001"))
    leg = caller(floor)
    channel = "Local/1001@agents-00000001;1"
    floor.apply(LegStarted(3.0, "l.1", leg, channel, False, None, None, "1001"))
    floor.apply(MemberOffered(3.0, leg, leg, "support", "Local/1001@agents", "l.1"))
    floor.apply(LegDialled(3.0, "l.1", leg, leg, channel, None))
    desktop = Desktop(floor, Viewer(1))
    for event in floor.apply(LegAnswered(4.0, "l.1", leg)):
        desktop.take(event)
    (part,) = next(iter(fresh(floor, Viewer(1))["parts"].values())).values()
    assert desktop.state == fresh(floor, Viewer(1))
    assert part["standing"] == "ringing"


def test_a_waiting_callers_second_queue_is_not_timed_out_by_the_firsts_rule() -> None:
    """Leave-empty is no time limit: app_queue says Abandon for both; `timed_out` says that a limit was reached."""
    floor = floor_with_agents()
    leg = caller(floor)
    floor.apply(QueueAbandoned(2.0, leg, leg, "support"))  # at the moment of joining: nobody is there
    floor.apply(QueueLeft(2.0, leg, leg, "support"))
    floor.apply(QueueJoined(3.0, leg, leg, "sales", 1))
    floor.apply(LegHangupAsked(9.0, leg, leg))
    floor.apply(QueueAbandoned(9.0, leg, leg, "sales"))
    floor.apply(QueueLeft(9.0, leg, leg, "sales"))
    (call,) = floor.calls.values()
    assert [v.how for v in call.visits][-1] is How.ABANDONED


@pytest.mark.parametrize("reconnected", [False, True])
def test_who_enters_a_room_after_a_reconnect_is_in_its_call(reconnected: bool) -> None:
    """A snapshot gives legs their bridges, but the books do not learn which call a bridge is: `books.bridges`."""
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0, mine="a.1")
    (call,) = floor.calls.values()
    for one in (leg, mine):
        floor.apply(LegUnbridged(5.0, one, leg, "b3"))
    if not reconnected:
        for one in (leg, mine):
            floor.apply(LegBridged(6.0, one, leg, "room", conference=True))
    else:  # the link was lost while they went into the room
        legs = tuple(
            LegRow(one.id, leg, one.channel, True, one.number, None, None, "room", 3.0, conference=True)
            for one in call.legs.values()
        )
        floor.apply(replace(as_it_is(floor, 6.0, whole=True, drift_check=False), boot=1, legs=legs))
    floor.apply(LegStarted(8.0, "a.3", "a.3", "PJSIP/1003-00000001", False, "1003", None, "s"))
    floor.apply(LegDialled(8.0, "a.3", "a.3", None, "PJSIP/1003-00000001", "1003"))
    floor.apply(LegAnswered(9.0, "a.3", "a.3"))
    floor.apply(LegBridged(9.0, "a.3", "a.3", "room", conference=True))
    assert [(c.linkedid, sorted(str(p.agent) for p in c.parts)) for c in floor.calls.values()] == [
        (leg, ["1", "3"])
    ]
