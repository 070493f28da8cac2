"""Agents at work when something goes wrong: orders late or refused, a PBX that forgot, phones taken twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti_server.floor.agents import Because
from cti_server.floor.apply import Floor
from cti_server.floor.desk_signals import (
    OrderFailed,
    ShiftBegan,
    ShiftEnded,
    ShiftRestored,
    StateChosen,
    WrapUpExtended,
)
from cti_server.floor.orders import Join, Leave, Pause
from cti_server.floor.parts import PartState, WrapUp
from cti_server.floor.signals import (
    LegAnswered,
    LegBridged,
    LegDialled,
    LegEnded,
    LegStarted,
    MemberRemoved,
    PhoneChanged,
    QueueDescribed,
    Snapshot,
)
from cti_server.floor.views import agent_view, member_of_team
from tests.floor.test_shift import AGENT, ANNA, BOB, SEAT, Stage, describe


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.sign_in()
    return made


def at_lunch(stage: Stage) -> None:
    stage.play(StateChosen(110.0, ANNA, False, "lunch", AGENT))


def test_a_restarted_pbx_that_forgot_the_pause_makes_nobody_ready() -> None:
    stage = Stage()
    stage.play(stage.member("support", SEAT))
    stage.sign_in()
    at_lunch(stage)
    stage.pauses()
    stage.at = 300.0
    stage.play(Snapshot(300.0, boot=2, queues=("support",), members=(stage.member("support", SEAT),)))
    assert stage.state() == ("not_ready", "lunch")
    assert stage.pauses() == [(True, "lunch")]


def test_a_second_thought_before_the_first_order_is_done_is_ordered_too(stage: Stage) -> None:
    stage.ready()
    stage.pauses()
    stage.obeys = False
    at_lunch(stage)
    stage.ready(110.1)
    assert stage.pauses() == [(True, "lunch"), (False, None)]


def test_a_phone_is_taken_by_one_agent_at_work_only(stage: Stage) -> None:
    stage.play(ShiftBegan(120.0, BOB, SEAT, "1001", "desk", (("support", 0),)))
    assert stage.anna["phone"]["seat"] == SEAT
    assert stage.floor.agents[BOB].shift is None


def test_who_goes_home_in_wrap_up_is_signed_out() -> None:
    stage = Stage(mode="mandatory", code_required=True)
    stage.sign_in()
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    stage.hang_up("10.1", 130.0)
    assert stage.state() == ("wrap_up", None)
    (call,) = stage.floor.calls.values()
    stage.play(ShiftEnded(140.0, ANNA))
    assert stage.state() == ("signed_out", None)
    assert [(p.state, p.wrapped_at, p.wrap.owed) for p in call.parts] == [(PartState.LEFT, 140.0, True)]


def test_lunch_chosen_while_the_phone_rings_in_vain_stays_lunch(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.play(StateChosen(111.0, ANNA, False, "lunch", AGENT))
    stage.no_answer("10.1", 125.0)
    assert stage.state() == ("not_ready", "lunch")


def test_after_a_lost_link_nobody_counts_contacts_of_before(stage: Stage) -> None:
    stage.play(PhoneChanged(103.0, SEAT, "sip:a", True), PhoneChanged(104.0, SEAT, "sip:a", False))
    member = stage.member("support", SEAT, paused=True, reason="signed_in", dynamic=True)
    stage.play(Snapshot(105.0, boot=1, queues=("support",), members=(member,)))
    stage.ready(106.0)
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    stage.at = 113.0
    stage.play(stage.member("support", SEAT, paused=True, reason="on_call", dynamic=True))
    assert stage.anna["phone"]["reachable"] is True


def test_who_was_taken_out_of_the_queues_joins_them_again_by_being_ready(stage: Stage) -> None:
    stage.ready()
    stage.members.clear()
    stage.play(MemberRemoved(120.0, "support", SEAT))
    assert stage.state() == ("not_ready", "left_queues")
    stage.play(StateChosen(130.0, ANNA, True, None, AGENT))
    assert stage.state() == ("ready", None)
    assert stage.members["support", SEAT].paused is False


def test_phones_that_could_not_be_signed_out_are_with_the_next_snapshot(stage: Stage) -> None:
    stage.ready()
    stage.obeys = False
    stage.play(ShiftEnded(150.0, ANNA), OrderFailed(150.1, ANNA, "connection lost"))
    stage.orders.clear()
    stage.obeys = True
    member = stage.members["support", SEAT]
    stage.play(Snapshot(160.0, boot=1, queues=("support",), members=(member,)))
    assert stage.orders == [Pause(ANNA, SEAT, True, "signed_out"), Leave(ANNA, SEAT, "support")]
    stage.orders.clear()
    stage.play(Snapshot(190.0, boot=1, queues=("support",)))
    assert stage.orders == []


def test_a_queue_that_could_not_be_joined_is_tried_again() -> None:
    stage = Stage()
    stage.obeys = False
    stage.play(ShiftBegan(101.0, ANNA, SEAT, "1001", "desk", (("support", 3), ("sales", 1))))
    member = stage.member("support", SEAT, paused=True, reason="signed_in", dynamic=True)
    stage.play(member, OrderFailed(101.1, ANNA, "timeout"))
    stage.orders.clear()
    stage.play(Snapshot(130.0, boot=1, queues=("support", "sales"), members=(member,)))
    assert [o for o in stage.orders if isinstance(o, Join)] == [Join(ANNA, SEAT, "sales", 1, "Anna", "signed_in")]


def test_a_shift_begun_again_leaves_the_queues_that_are_not_served_any_more() -> None:
    stage = Stage()
    stage.play(ShiftBegan(101.0, ANNA, SEAT, "1001", "desk", (("support", 3), ("sales", 1))))
    stage.orders.clear()
    stage.play(ShiftBegan(120.0, ANNA, SEAT, "1001", "desk", (("support", 3),)))
    assert stage.orders[0] == Leave(ANNA, SEAT, "sales")
    assert ("support", SEAT) in stage.members


def test_a_restart_does_not_forget_the_extension_of_ones_own_phone() -> None:
    stage = Stage()
    wish = (101.0, True, None, AGENT, Because("chosen"), 102.0)
    stage.play(ShiftRestored(200.0, ANNA, SEAT, None, "other", (("support", 3),), *wish))
    assert stage.floor.agents[ANNA].extension == "1001"


def test_colleagues_do_not_learn_whose_call_it_is(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    assert stage.anna["because"]["number"] == "13800138000"
    seen = member_of_team(agent_view(stage.floor.books, stage.floor.agents[ANNA]))["state"]["because"]
    assert seen == {"event": "call_answered", "call": "main:1:10.1", "queue": "support", "number": None}


def test_who_was_only_asked_has_nothing_to_wrap_up(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    bob = "10.1-1002"
    stage.play(
        LegStarted(120.0, bob, "10.1", "PJSIP/1002-00000009", False, None, None, None),
        LegDialled(120.0, bob, "10.1", "10.1-1001", "PJSIP/1002-00000009", None),
        LegAnswered(121.0, bob, "10.1"),
        LegBridged(121.0, bob, "10.1", "b2"),
        LegBridged(121.1, "10.1-1001", "10.1", "b2"),
    )
    assert stage.floor.agents[BOB].state.name == "talking"
    stage.play(LegEnded(130.0, bob, "10.1", 16))
    assert stage.floor.agents[BOB].state.name == "signed_out"  # he is not at work, and owes nothing
    stage.play(LegBridged(130.1, "10.1-1001", "10.1", "b1"))
    stage.hang_up("10.1", 140.0)
    assert stage.state() == ("wrap_up", None)


def test_what_has_no_wrap_up_is_not_in_wrap_up_after_a_restart() -> None:
    stage = Stage(mode="optional")
    stage.sign_in()
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    (call,) = stage.floor.calls.values()
    stage.play(Snapshot(300.0, boot=2))  # its end was not seen
    assert [(p.state, p.wrapped_at is not None, p.ended_at) for p in call.parts] == [(PartState.LEFT, True, None)]


def test_extra_time_that_was_taken_is_not_given_again_after_a_restart(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    stage.hang_up("10.1", 130.0)
    (call,) = stage.floor.calls.values()
    stage.play(WrapUpExtended(140.0, call.id, ANNA))
    (part,) = call.parts
    assert (part.wrap.ends_at, part.wrap.extensions_left) == (170.0, 0)

    part.wrap = WrapUp(ends_at=170.0)  # as the record brings it back
    after = Floor("main")
    after.restore(call)
    after.apply(QueueDescribed(200.0, "support", describe("forced", 20.0, 1, False)))
    assert (part.wrap.rule.mode, part.wrap.extensions_left) == ("forced", 0)


@pytest.mark.parametrize("interface", [SEAT, "Local/1001@from-queue/n"])
def test_a_member_added_at_the_pbx_ends_nobodys_lunch(stage: Stage, interface: str) -> None:
    at_lunch(stage)
    stage.pauses()
    stage.at = 120.0
    stage.play(stage.member("sales", interface, seat=SEAT))
    assert stage.state() == ("not_ready", "lunch")
    assert stage.pauses() == [(True, "lunch")]
    assert stage.members["sales", interface].paused
    stage.play(StateChosen(130.0, ANNA, True, None, AGENT))
    assert not any(member.paused for member in stage.members.values())


def test_a_member_added_at_the_pbx_before_a_pause_is_confirmed_ends_it_neither(stage: Stage) -> None:
    stage.ready()
    stage.obeys = False
    at_lunch(stage)
    stage.play(replace(stage.member("sales", SEAT), at=111.0))
    stage.play(stage.member("support", SEAT, paused=True, reason="lunch"))
    stage.play(stage.member("sales", SEAT, paused=True, reason="lunch"))
    stage.play(replace(stage.member("support", SEAT, paused=True, reason="lunch"), at=140.0))
    assert stage.state() == ("not_ready", "lunch")


def test_a_member_added_paused_serves_with_the_others_of_an_agent_who_is_ready(stage: Stage) -> None:
    stage.ready()
    stage.play(stage.member("sales", SEAT, paused=True))
    assert stage.state() == ("ready", None)
    assert not any(member.paused for member in stage.members.values())
