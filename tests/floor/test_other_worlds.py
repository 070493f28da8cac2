"""What agents and callers do elsewhere: places in a queue, who waits, talks or ended it. One small world each."""

from __future__ import annotations

import random

import pytest

from cti_server.floor import events as kinds
from cti_server.floor.apply import Floor
from cti_server.floor.books import PLACES
from cti_server.floor.calls import Call, device_of
from cti_server.floor.line import Line
from cti_server.floor.parts import PartState
from cti_server.floor.possible import refusal_of
from cti_server.floor.signals import (
    CallerIdentified,
    DialStatus,
    LegAnswered,
    LegBridged,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegHangupAsked,
    LegHeld,
    LegNumbered,
    LegParked,
    LegRetrieved,
    LegStarted,
    LegTransferred,
    LegUnbridged,
    MemberOffered,
    QueueAbandoned,
    QueueJoined,
    QueueLeft,
)
from cti_server.floor.standing import Standing, scene_at
from cti_server.floor.verbs import Verb
from tests.floor.audit import faults
from tests.floor.test_edges import answered, caller, floor_with_agents


def call_with(floor: Floor, leg: str) -> Call:
    call = floor.books.call_of(leg)
    assert call is not None
    return call


def colleagues() -> tuple[Floor, Call]:
    """1001 has called 1002, and they talk."""
    floor = floor_with_agents()
    floor.apply(LegStarted(1.0, "a.1", "a.1", "PJSIP/1001-00000001", False, "1001", None, "1002"))
    floor.apply(LegStarted(1.1, "a.2", "a.1", "PJSIP/1002-00000002", False, "1002", None, None))
    floor.apply(LegDialled(1.1, "a.2", "a.1", "a.1", "PJSIP/1002-00000002", "1002"))
    for leg in ("a.1", "a.2"):
        floor.apply(LegBridged(2.0, leg, "a.1", "b1"))
    call = call_with(floor, "a.1")
    return floor, call


def places(floor: Floor, *legs: str) -> list[int | None]:
    return [call_with(floor, leg).position for leg in legs]


@pytest.mark.parametrize(
    ("channel", "device"),
    [
        ("PJSIP/1001-0000001a", "PJSIP/1001"),
        ("PJSIP/desk-12-0000001a", "PJSIP/desk-12"),
        ("SIP/1001-0000001A", "SIP/1001"),
        ("IAX2/1001-3953", "IAX2/1001"),
        ("DAHDI/25-1", "DAHDI/25"),
        ("DAHDI/i1/13800138000-2f", "DAHDI/i1/13800138000"),
        ("SCCP/1001-00000002", "SCCP/1001"),
        ("Mobile/lisa-9a3f", "Mobile/lisa"),
        ("USTM/1001@desk-0x7f3a2c0", "USTM/1001@desk"),
        ("Skinny/1001@desk-3", "Skinny/1001@desk"),
        ("Console/my-card", "Console/my-card"),
        ("AsyncGoto/PJSIP/1001-0000001a", "PJSIP/1001"),
        ("PJSIP/1001-0000001a<ZOMBIE>", "PJSIP/1001"),
        ("Local/1001@from-queue-0000001a;2", "Local/1001@from-queue"),
    ],
)
def test_the_device_behind_a_channel_of_any_driver(channel: str, device: str) -> None:
    assert device_of(channel) == device


# --- places in a queue -----------------------------------------------------------------------------------


def test_the_second_is_first_when_the_first_has_left() -> None:
    floor = floor_with_agents()
    one, two, three = caller(floor, 1, 1.0), caller(floor, 2, 2.0, None), caller(floor, 3, 3.0, None)
    floor.apply(QueueJoined(3.0, two, two, "support", 2))
    floor.apply(QueueJoined(4.0, three, three, "support", 3))
    assert places(floor, one, two, three) == [1, 2, 3]
    told = floor.apply(QueueLeft(5.0, one, one, "support"))
    assert places(floor, two, three) == [1, 2]
    assert {e.body["call"]["position"] for e in told if e.call and "call" in e.body and e.call.endswith(two)} == {
        1
    }


def test_a_failed_pick_returns_to_the_place_before_the_others() -> None:
    floor = floor_with_agents()
    one, two = caller(floor, 1, 1.0), caller(floor, 2, 2.0, None)
    floor.apply(QueueJoined(3.0, two, two, "support", 2))
    floor.apply(QueueLeft(4.0, one, one, "support"))  # an agent picked them, and does not answer
    assert places(floor, two) == [1]
    floor.apply(QueueJoined(9.0, one, one, "support", 1))
    assert places(floor, one, two) == [1, 2]


def test_who_stands_far_back_learns_their_place_when_they_come_near() -> None:
    floor, legs = floor_with_agents(), []
    for n in range(PLACES + 3):
        leg = f"c.{n}"
        floor.apply(LegStarted(1.0, leg, leg, f"PJSIP/trunk-{n:08x}", True, "1", None, "400"))
        floor.apply(QueueJoined(2.0 + n, leg, leg, "support", n + 1))
        legs.append(leg)
    assert places(floor, legs[PLACES - 1], legs[PLACES]) == [PLACES, None]
    floor.apply(QueueLeft(99.0, legs[0], legs[0], "support"))
    assert places(floor, legs[PLACES], legs[PLACES + 1]) == [PLACES, None]


def test_a_line_of_any_joins_and_leaves_is_as_a_list_would_be() -> None:
    chance = random.Random(7)
    line, plain = Line(), list[str]()
    for turn in range(4000):
        if plain and chance.random() < 0.45:
            leg = chance.choice(plain)
            assert line.leave(leg) == plain.index(leg)
            plain.remove(leg)
        else:
            place = chance.choice((None, 1, 2, chance.randint(1, 30)))
            line.join(f"c.{turn}", place)
            plain.insert(len(plain) if place is None else min(place - 1, len(plain)), f"c.{turn}")
        assert line.first(len(line)) == plain


# --- who gave up, and who ended it ------------------------------------------------------------------------


def test_a_caller_behind_a_local_channel_gives_up() -> None:
    floor = floor_with_agents()
    leg = caller(floor, queue=None)
    for half in ("1", "2"):
        floor.apply(
            LegStarted(1.5, f"l.{half}", leg, f"Local/600@groups-00000001;{half}", False, None, None, "600")
        )
    floor.apply(QueueJoined(2.0, "l.2", leg, "support", 1))
    floor.apply(LegHangupAsked(30.0, leg, leg))
    floor.apply(QueueAbandoned(30.0, "l.2", leg, "support"))
    floor.apply(QueueLeft(30.0, "l.2", leg, "support"))
    call = call_with(floor, leg)
    for ended in ("l.1", "l.2", leg):
        floor.apply(LegEnded(30.1, ended, leg, 16))
    assert (call.outcome, call.ended_by) == ("abandoned", "caller")


def test_who_hung_up_as_a_consultation_began_ended_the_call() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    floor.apply(LegHeld(5.0, mine, leg))
    floor.apply(LegHangupAsked(5.1, leg, leg))
    floor.apply(LegStarted(5.2, "a.9", leg, "PJSIP/1002-00000009", False, "1002", None, None))
    floor.apply(LegDialled(5.2, "a.9", leg, mine, "PJSIP/1002-00000009", "1002"))
    floor.apply(LegEnded(5.3, leg, leg, 16))
    for other in ("a.9", mine):
        floor.apply(LegEnded(9.0, other, leg, 16))
    assert call.ended_by == "caller"


def test_who_left_a_conference_long_before_did_not_end_it() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    floor.apply(LegHangupAsked(5.0, mine, leg))
    floor.apply(LegEnded(5.1, mine, leg, 16))  # the dialplan plays the caller a survey
    floor.apply(LegEnded(60.0, leg, leg, 16))
    assert call.ended_by == "system"


# --- who talks, who holds ---------------------------------------------------------------------------------


def test_a_call_held_by_the_desk_and_by_the_phone_is_on_hold_until_both_end() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    (part,) = call_with(floor, leg).parts
    for signal in (LegHeld(5.0, mine, leg), LegHeld(6.0, mine, leg), LegRetrieved(7.0, mine, leg)):
        floor.apply(signal)
        floor.apply(signal)  # told twice
        assert part.state is PartState.HOLD
    floor.apply(LegRetrieved(8.0, mine, leg))
    assert part.state is PartState.TALKING


def test_who_asks_an_expert_outside_is_consulting_them() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    floor.apply(LegHeld(5.0, mine, leg))
    floor.apply(LegUnbridged(5.0, mine, leg, "b3"))
    floor.apply(LegStarted(5.1, "x.1", leg, "PJSIP/trunk-00000077", False, None, None, "s"))
    floor.apply(LegDialled(5.1, "x.1", leg, mine, "PJSIP/trunk-00000077", "13900006666"))
    for other in (mine, "x.1"):
        floor.apply(LegBridged(6.0, other, leg, "b9"))
    (part,) = call.parts
    assert (part.state, scene_at(call, part).standing) == (PartState.CONSULTING, Standing.CONSULTING)
    floor.apply(LegEnded(7.0, leg, leg, 16))  # the customer has left: the agent talks with the expert
    assert part.state is PartState.TALKING
    floor.apply(LegEnded(9.0, "x.1", leg, 16))


def test_an_agent_whom_a_colleague_gave_away_hears_ringing_and_talks_with_nobody() -> None:
    floor, call = colleagues()
    floor.apply(LegTransferred(4.0, "a.2", "a.1", False, target="1003"))
    for leg in ("a.1", "a.2"):
        floor.apply(LegUnbridged(4.0, leg, "a.1", "b1"))
    floor.apply(LegEnded(4.0, "a.2", "a.1", 16))
    floor.apply(LegStarted(4.1, "a.3", "a.1", "PJSIP/1003-00000003", False, "1003", None, None))
    floor.apply(LegDialled(4.1, "a.3", "a.1", "a.1", "PJSIP/1003-00000003", "1003"))
    assert call.parts[0].state is PartState.HOLD
    for leg in ("a.1", "a.3"):
        floor.apply(LegBridged(8.0, leg, "a.1", "b2"))
    assert call.parts[0].state is PartState.TALKING
    assert round(call.parts[0].hold_s, 1) == 3.9


def test_an_agent_whom_a_colleague_parks_is_on_hold_and_only_the_other_has_left() -> None:
    floor, call = colleagues()
    floor.apply(LegUnbridged(4.0, "a.1", "a.1", "b1"))
    floor.apply(LegParked(4.0, "a.1", "a.1", "701", "PJSIP/1002"))
    assert [(p.agent, p.state) for p in call.parts] == [(1, PartState.HOLD), (2, PartState.LEFT)]
    assert (call.state, floor.agents[1].state.name) == ("parked", "hold")
    assert scene_at(call, call.parts[0]).standing is Standing.WAITING  # there is nobody whom they could retrieve


def test_a_consulted_colleague_who_is_parked_after_the_caller_has_left_waits_there() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    half = "Local/00@cti-consult-00000001"
    for one in (leg, mine):
        floor.apply(LegBridged(3.1, one, leg, "b1"))
    floor.apply(LegHeld(5.0, mine, leg))
    floor.apply(LegStarted(5.0, "h.1", leg, f"{half};1", False, None, None, "00"))
    floor.apply(LegStarted(5.0, "h.2", leg, f"{half};2", True, None, None, "00"))
    floor.apply(LegBridged(5.1, "h.1", leg, "b2"))
    floor.apply(LegUnbridged(5.1, mine, leg, "b1"))
    floor.apply(LegBridged(5.1, mine, leg, "b2"))
    floor.apply(LegStarted(5.2, "h.3", leg, "PJSIP/1002-00000005", False, "1002", None, None))
    floor.apply(LegDialled(5.2, "h.3", leg, "h.2", "PJSIP/1002-00000005", "1002"))
    floor.apply(LegAnswered(7.0, "h.3", leg))
    for one in ("h.2", "h.3"):
        floor.apply(LegBridged(7.1, one, leg, "b3"))
    floor.apply(LegHangupAsked(8.0, leg, leg))
    floor.apply(LegUnbridged(8.0, leg, leg, "b1"))
    floor.apply(LegEnded(8.0, leg, leg, 16))
    floor.apply(LegTransferred(11.0, mine, leg, False, None, None, target="park"))
    for one in (mine, "h.1"):
        floor.apply(LegUnbridged(11.0, one, leg, "b2"))
    floor.apply(LegParked(11.0, "h.1", leg, "710", "PJSIP/1001"))
    floor.apply(LegEnded(11.1, mine, leg, 16))
    assert [(p.agent, p.open, p.state) for p in call.parts][1] == (2, True, PartState.HOLD)
    assert scene_at(call, call.parts[1]).standing is Standing.WAITING
    assert call.state == "parked"


def a_pair(floor: Floor, number: int, leg: str, asks: str, beside: str, at: float, asked: str) -> str:
    """An agent asks somebody, by a Local pair whose near half comes to them in a bridge of their own; returns the
    phone that rings behind it. `beside` is the bridge that they leave."""
    half, near, rung = f"Local/00@cti-consult-0000000{number}", f"h{number}", f"r{number}"
    floor.apply(LegHeld(at, asks, leg))
    floor.apply(LegStarted(at, f"{near}.1", leg, f"{half};1", False, None, None, "00"))
    floor.apply(LegStarted(at, f"{near}.2", leg, f"{half};2", True, None, None, "00"))
    floor.apply(LegBridged(at + 0.1, f"{near}.1", leg, f"b{number}"))
    floor.apply(LegUnbridged(at + 0.1, asks, leg, beside))
    floor.apply(LegBridged(at + 0.1, asks, leg, f"b{number}"))
    floor.apply(LegStarted(at + 0.2, rung, leg, f"PJSIP/{asked}-0000000{number}", False, asked, None, None))
    floor.apply(LegDialled(at + 0.2, rung, leg, f"{near}.2", f"PJSIP/{asked}-0000000{number}", asked))
    return rung


def comes(floor: Floor, number: int, leg: str, at: float) -> None:
    """Whom the pair of this number rings answers."""
    floor.apply(LegAnswered(at, f"r{number}", leg))
    for one in (f"h{number}.2", f"r{number}"):
        floor.apply(LegBridged(at + 0.1, one, leg, f"far{number}"))


def test_who_was_consulted_and_asks_somebody_else_once_the_caller_has_left_holds_a_colleague() -> None:
    """They say nothing to anybody while the other phone rings: their colleague hears music."""
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    for one in (leg, mine):
        floor.apply(LegBridged(3.1, one, leg, "b0"))
    his = a_pair(floor, 1, leg, mine, "b0", 5.0, "1002")
    comes(floor, 1, leg, 7.0)
    floor.apply(LegHangupAsked(8.0, leg, leg))
    floor.apply(LegUnbridged(8.0, leg, leg, "b0"))
    floor.apply(LegEnded(8.0, leg, leg, 16))
    a_pair(floor, 2, leg, his, "far1", 10.0, "1003")
    comes(floor, 2, leg, 13.0)
    floor.apply(LegHangupAsked(15.0, his, leg))
    floor.apply(LegEnded(15.0, his, leg, 16))
    consulted = call.parts[1]
    assert (consulted.talk_s, consulted.hold_s) == (pytest.approx(5.0, abs=0.3), pytest.approx(3.0, abs=0.3))


def test_a_colleague_who_is_parked_behind_two_local_pairs_waits_there() -> None:
    """Alice asked Bob, the caller left, Bob asked Chen and gave her to Alice: what is parked is the first pair."""
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    for one in (leg, mine):
        floor.apply(LegBridged(3.1, one, leg, "b0"))
    his = a_pair(floor, 1, leg, mine, "b0", 5.0, "1002")
    comes(floor, 1, leg, 7.0)
    floor.apply(LegUnbridged(8.0, leg, leg, "b0"))
    floor.apply(LegEnded(8.0, leg, leg, 16))
    a_pair(floor, 2, leg, his, "far1", 10.0, "1003")
    floor.apply(LegUnbridged(12.0, his, leg, "b2"))
    floor.apply(LegUnbridged(12.0, "h2.1", leg, "b2"))
    floor.apply(LegBridged(12.0, "h2.1", leg, "far1"))
    floor.apply(LegTransferred(12.0, his, leg, True, "h2.1", leg, target=None))
    floor.apply(LegEnded(12.1, his, leg, 16))
    comes(floor, 2, leg, 13.0)
    floor.apply(LegTransferred(15.0, mine, leg, False, None, None, target="park"))
    for one in (mine, "h1.1"):
        floor.apply(LegUnbridged(15.0, one, leg, "b1"))
    floor.apply(LegParked(15.0, "h1.1", leg, "710", "PJSIP/1001"))
    floor.apply(LegEnded(15.1, mine, leg, 16))
    hers = call.parts[2]
    assert (hers.agent, hers.open, hers.state) == (3, True, PartState.HOLD)
    assert scene_at(call, hers).standing is Standing.WAITING


def test_an_agent_whom_a_colleague_sent_into_a_queue_waits_and_holds_nobody() -> None:
    floor, call = colleagues()
    part = call.parts[0]
    floor.apply(LegTransferred(4.0, "a.2", "a.1", True, None, None))
    for leg in ("a.1", "a.2"):
        floor.apply(LegUnbridged(4.0, leg, "a.1", "b1"))
    floor.apply(LegEnded(4.1, "a.2", "a.1", 16))
    floor.apply(QueueJoined(4.2, "a.1", "a.1", "support", 1))
    here = scene_at(call, part)
    assert (part.state, here.standing) == (PartState.HOLD, Standing.WAITING)
    refused = {verb: refusal_of(verb, here) for verb in (Verb.PARK, Verb.RETRIEVE, Verb.TRANSFER, Verb.HANGUP)}
    assert [verb for verb, refusal in refused.items() if refusal is None] == [Verb.HANGUP]


def test_an_agent_who_is_twice_in_a_room_goes_on_by_the_leg_that_stays() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    first = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    floor.apply(LegStarted(6.0, "again", leg, "PJSIP/1001-0000000f", True, "1001", None, None))
    for one in (leg, first, "again"):
        floor.apply(LegBridged(7.0, one, leg, "room", conference=True))
    floor.apply(LegUnbridged(9.0, first, leg, "room"))
    floor.apply(LegEnded(9.0, first, leg, 16))
    (part,) = call.parts
    assert (part.state, part.leg, scene_at(call, part).standing) == (
        PartState.TALKING,
        "again",
        Standing.CONFERENCE,
    )


def test_an_agent_who_hangs_up_in_the_moment_of_the_answer_has_ended_the_call() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    floor.apply(LegBridged(3.1, mine, leg, "b1"))
    floor.apply(LegHangupAsked(3.11, mine, leg))
    floor.apply(LegBridged(3.12, leg, leg, "b1"))  # the caller comes into the bridge as the agent leaves it
    for one in (mine, leg):
        floor.apply(LegUnbridged(3.13, one, leg, "b1"))
        floor.apply(LegEnded(3.13, one, leg, 26))
    assert call.ended_by == "agent"


def test_two_lines_of_one_phone_that_are_left_with_each_other_talk() -> None:
    floor, call = colleagues()
    floor.apply(LegTransferred(4.0, "a.2", "a.1", False, None, None, target="1001"))  # back to who called
    for leg in ("a.1", "a.2"):
        floor.apply(LegUnbridged(4.0, leg, "a.1", "b1"))
    floor.apply(LegEnded(4.1, "a.2", "a.1", 16))
    floor.apply(LegStarted(4.2, "a.3", "a.1", "PJSIP/1001-00000003", False, "1001", None, None))
    floor.apply(LegDialled(4.2, "a.3", "a.1", "a.1", "PJSIP/1001-00000003", "1001"))
    assert call.parts[0].state is PartState.HOLD
    for leg in ("a.1", "a.3"):
        floor.apply(LegBridged(6.0, leg, "a.1", "b2"))
    assert (call.parts[0].state, call.state) == (PartState.TALKING, "talking")


def called_back(*, agent_declines: bool) -> Call:
    """The PBX calls a customer, who answers; then it rings an agent, who does not speak with them."""
    floor = floor_with_agents()
    floor.apply(LegStarted(1.0, "k.1", "k.1", "PJSIP/trunk-00000001", False, "13900000001", None, "s"))
    floor.apply(LegDialled(1.0, "k.1", "k.1", None, "PJSIP/trunk-00000001", "13900000001"))
    floor.apply(LegAnswered(5.0, "k.1", "k.1"))
    floor.apply(LegStarted(6.0, "k.2", "k.1", "PJSIP/1001-00000002", False, "1001", None, None))
    floor.apply(LegDialled(6.0, "k.2", "k.1", "k.1", "PJSIP/1001-00000002", "1001"))
    call = call_with(floor, "k.1")
    if agent_declines:
        floor.apply(LegDialEnded(9.0, "k.2", "k.1", "PJSIP/1001-00000002", DialStatus.BUSY))
        floor.apply(LegEnded(9.0, "k.2", "k.1", 17))
        floor.apply(LegEnded(9.1, "k.1", "k.1", 16))
    else:
        floor.apply(LegHangupAsked(9.0, "k.1", "k.1"))
        floor.apply(LegEnded(9.0, "k.2", "k.1", 26))
        floor.apply(LegEnded(9.1, "k.1", "k.1", 16))
    return call


@pytest.mark.parametrize(("agent_declines", "outcome"), [(True, "no_agent"), (False, "abandoned")])
def test_a_customer_who_answered_our_call_was_reached(agent_declines: bool, outcome: str) -> None:
    assert called_back(agent_declines=agent_declines).outcome == outcome


def test_who_dials_at_their_phone_is_calling_and_is_asked_for_by_the_number_that_they_dialled() -> None:
    floor = floor_with_agents()
    floor.apply(LegStarted(1.0, "a.1", "a.1", "PJSIP/1001-00000001", False, "1001", None, "13900000009"))
    call = call_with(floor, "a.1")
    assert scene_at(call, call.parts[0]).standing is Standing.CALLING


def test_a_call_that_rings_its_agent_first_is_asked_for_again_once_the_customer_is_dialled() -> None:
    floor = floor_with_agents()
    floor.apply(LegStarted(1.0, "a.1", "a.1", "PJSIP/1001-00000001", False, "1001", None, "s"))
    floor.apply(LegDialled(1.0, "a.1", "a.1", None, "PJSIP/1001-00000001", "1001"))
    call = call_with(floor, "a.1")
    assert scene_at(call, call.parts[0]).standing is Standing.RINGING
    floor.apply(CallerIdentified(1.5, "a.1", "a.1", "none", None, None))
    floor.apply(LegAnswered(3.0, "a.1", "a.1"))
    assert scene_at(call, call.parts[0]).standing is Standing.CALLING
    floor.apply(LegStarted(3.1, "a.2", "a.1", "PJSIP/trunk-00000002", False, "13900000009", None, None))
    events = floor.apply(LegDialled(3.1, "a.2", "a.1", "a.1", "PJSIP/trunk-00000002", "13900000009"))
    assert (call.match, call.dnis) == ("pending", "13900000009")
    assert [e.body["reason"] for e in events if e.kind == kinds.CALL_CHANGED] == [kinds.NUMBERED]


def test_two_who_talk_through_a_mobile_are_no_conference() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    call = call_with(floor, leg)
    half = "Local/1001@mobile-00000001"
    floor.apply(LegStarted(3.0, "m.1", leg, f"{half};1", False, None, None, None))
    floor.apply(LegStarted(3.0, "m.2", leg, f"{half};2", False, None, None, "1001"))
    floor.apply(LegDialled(3.0, "m.1", leg, leg, f"{half};1", "1001"))
    floor.apply(MemberOffered(3.0, leg, leg, "support", "Local/1001@mobile/n", "m.1"))
    floor.apply(LegStarted(3.1, "m.3", leg, "PJSIP/trunk-00000009", False, "13800009999", None, None))
    floor.apply(LegDialled(3.1, "m.3", leg, "m.2", "PJSIP/trunk-00000009", "13800009999"))
    for one in ("m.3", "m.2", "m.1"):
        floor.apply(LegAnswered(5.0, one, leg))
    for one, bridge in (("m.2", "b1"), ("m.3", "b1"), ("m.1", "b2"), (leg, "b2")):
        floor.apply(LegBridged(5.1, one, leg, bridge))
    (part,) = call.connected()
    assert scene_at(call, part).standing is Standing.TALKING
    assert refusal_of(Verb.TRANSFER, scene_at(call, part)) is None


def test_an_agent_is_told_how_long_the_caller_waits_and_not_how_long_they_talked() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    floor.apply(LegTransferred(603.0, mine, leg, False, None, None, target="sales"))
    floor.apply(LegEnded(603.1, mine, leg, 16))
    floor.apply(QueueJoined(603.2, leg, leg, "sales", 1))
    floor.apply(MemberOffered(604.2, leg, leg, "sales", "PJSIP/1002", None))
    why = call.parts[-1].why
    assert why is not None
    assert (why.queue, round(why.waited_s or 0.0, 1)) == ("sales", 1.0)


def test_a_caller_who_leaves_while_the_agent_hears_an_announcement_waited_until_then() -> None:
    floor = floor_with_agents()
    leg = caller(floor)  # in the queue since 2.0
    call = call_with(floor, leg)
    floor.apply(MemberOffered(2.1, leg, leg, "support", "PJSIP/1001", None))
    floor.apply(LegHangupAsked(3.5, leg, leg))
    floor.apply(QueueAbandoned(8.5, leg, leg, "support"))
    floor.apply(QueueLeft(8.5, leg, leg, "support"))
    floor.apply(LegEnded(8.6, leg, leg, 16))
    assert (call.outcome, round(call.wait_s, 1), call.visits[-1].left) == ("short_abandon", 1.5, 3.5)


def test_a_parked_caller_whom_nobody_fetches_was_not_transferred_to_anybody() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    for one in (leg, mine):
        floor.apply(LegBridged(3.1, one, leg, "b1"))
    for one in (leg, mine):
        floor.apply(LegUnbridged(9.0, one, leg, "b1"))
    floor.apply(LegParked(9.0, leg, leg, "701", "PJSIP/1001"))
    floor.apply(LegEnded(9.1, mine, leg, 16))
    floor.apply(LegHangupAsked(20.0, leg, leg))
    floor.apply(LegEnded(20.1, leg, leg, 16))
    assert (call.outcome, call.ended_by) == ("transfer_failed", "caller")


def test_a_customer_whom_an_agent_drops_has_not_hung_up() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    floor.apply(LegHangupAsked(9.0, leg, leg, at_desk=True))
    assert not call.legs[leg].hangup_asked
    floor.apply(LegEnded(9.1, leg, leg, 16))
    floor.apply(LegEnded(9.1, mine, leg, 16))
    assert (call.outcome, call.ended_by) == ("answered", "agent")


def test_who_is_left_alone_in_a_room_holds_and_the_screen_says_so() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    for one in (leg, mine):
        floor.apply(LegBridged(5.0, one, leg, "room", conference=True))
    floor.apply(LegUnbridged(9.0, leg, leg, "room"))
    floor.apply(LegEnded(9.0, leg, leg, 16))
    (part,) = call.parts
    assert (part.state, scene_at(call, part).standing) == (PartState.HOLD, Standing.ALONE)
    floor.apply(LegEnded(30.0, mine, leg, 16))
    assert (round(part.talk_s), round(part.hold_s)) == (5, 21)


# --- numbers that come late -------------------------------------------------------------------------------


def test_a_number_that_comes_late_is_the_callers_until_an_agent_is_rung() -> None:
    floor = floor_with_agents()
    floor.apply(LegStarted(1.0, "c.1", "c.1", "DAHDI/4-1", False, None, None, "400"))
    call = call_with(floor, "c.1")
    floor.apply(LegNumbered(3.0, "c.1", "c.1", "02085551234", "Anna"))
    assert (call.ani_raw, call.ani_name, call.match) == ("02085551234", "Anna", "pending")
    floor.apply(QueueJoined(4.0, "c.1", "c.1", "support", 1))
    answered(floor, "c.1", "PJSIP/1001", 5.0)
    floor.apply(LegNumbered(7.0, "c.1", "c.1", "1001", "Li Wei"))  # what a transfer makes of it
    assert call.ani_raw == "02085551234"


def test_on_a_call_that_the_pbx_began_the_number_is_the_centers_own() -> None:
    floor = floor_with_agents()
    floor.apply(LegStarted(1.0, "c.1", "c.1", "PJSIP/trunk-00000001", False, None, None, None))
    floor.apply(LegNumbered(1.0, "c.1", "c.1", "4008004000", "Callback"))
    floor.apply(LegDialled(1.0, "c.1", "c.1", None, "PJSIP/trunk-00000001", "13900139000"))
    call = call_with(floor, "c.1")
    assert (call.direction, call.ani_raw, call.dnis) == ("outbound", None, "13900139000")
    assert faults(floor) == []


def test_an_agent_behind_a_local_channel_who_consults_does_not_hear_the_caller_through_it() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    for half in ("1", "2"):
        channel = f"Local/1001@from-queue-00000001;{half}"
        floor.apply(LegStarted(3.0, f"l.{half}", leg, channel, False, None, None, "1001"))
    floor.apply(MemberOffered(3.0, leg, leg, "support", "PJSIP/1001", "l.1"))
    floor.apply(LegDialled(3.0, "l.1", leg, leg, "Local/1001@from-queue-00000001;1", None))
    floor.apply(LegStarted(3.1, "a.1", leg, "PJSIP/1001-00000001", False, "1001", None, None))
    floor.apply(LegDialled(3.1, "a.1", leg, "l.2", "PJSIP/1001-00000001", "1001"))
    for one, bridge in (("a.1", "b1"), ("l.2", "b1"), ("l.1", "b2"), (leg, "b2")):
        floor.apply(LegBridged(5.0, one, leg, bridge))
    (part,) = call_with(floor, leg).parts
    assert part.state is PartState.TALKING
    floor.apply(LegHeld(7.0, "a.1", leg))
    for half in ("1", "2"):
        channel = f"Local/1002@cti-phones-00000002;{half}"
        floor.apply(LegStarted(7.1, f"m.{half}", leg, channel, False, None, None, "1002"))
    floor.apply(LegBridged(7.1, "m.1", leg, "b3"))
    floor.apply(LegStarted(7.2, "a.2", leg, "PJSIP/1002-00000002", False, "1002", None, None))
    floor.apply(LegDialled(7.2, "a.2", leg, "m.2", "PJSIP/1002-00000002", "1002"))  # before the agent has left b1
    floor.apply(LegUnbridged(7.3, "a.1", leg, "b1"))
    floor.apply(LegBridged(7.3, "a.1", leg, "b3"))
    assert part.state is PartState.CONSULTING
    assert [p.origin for p in call_with(floor, leg).parts] == ["offer", "consult"]


def test_a_customer_takes_the_place_of_the_phones_second_line_that_gave_them_away() -> None:
    """Semi-attended, and the colleague answers at that very moment: no event says that the customer is there."""
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    floor.apply(LegStarted(5.0, "s.1", "s.1", "PJSIP/1001-00000005", True, "1001", None, "1002"))
    floor.apply(LegStarted(5.1, "a.2", "s.1", "PJSIP/1002-00000006", False, "1002", None, None))
    floor.apply(LegDialled(5.1, "a.2", "s.1", "s.1", "PJSIP/1002-00000006", "1002"))
    floor.apply(LegTransferred(6.0, mine, leg, True, "s.1", "s.1"))
    for one in (leg, mine):
        floor.apply(LegUnbridged(6.0, one, leg, "b3"))
    for one in ("a.2", "s.1"):
        floor.apply(LegBridged(6.0, one, leg, "b6"))
    for one in (mine, "s.1"):
        floor.apply(LegEnded(6.1, one, leg, 16))
    call = call_with(floor, leg)
    assert [(p.agent, p.state) for p in call.open_parts()] == [(2, PartState.TALKING)]
    assert call.state == "talking"


def test_a_caller_who_leaves_while_their_second_agent_asks_a_colleague_was_transferred() -> None:
    floor = floor_with_agents()
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0)
    call = call_with(floor, leg)
    floor.apply(LegTransferred(5.0, mine, leg, False, target="1002"))
    floor.apply(LegEnded(5.1, mine, leg, 16))
    floor.apply(LegStarted(5.2, "a.2", leg, "PJSIP/1002-00000006", False, "1002", None, None))
    floor.apply(LegDialled(5.2, "a.2", leg, leg, "PJSIP/1002-00000006", "1002"))
    assert call.not_taken
    for one in (leg, "a.2"):
        floor.apply(LegBridged(7.0, one, leg, "b7"))
    floor.apply(LegUnbridged(9.0, "a.2", leg, "b7"))
    floor.apply(LegStarted(9.1, "a.3", leg, "PJSIP/1003-00000007", False, "1003", None, None))
    floor.apply(LegDialled(9.1, "a.3", leg, "a.2", "PJSIP/1003-00000007", "1003"))
    floor.apply(LegHangupAsked(10.0, leg, leg))
    for one in (leg, "a.3", "a.2"):
        floor.apply(LegEnded(10.0, one, leg, 16))
    assert (call.outcome, call.ended_by) == ("transferred", "caller")
