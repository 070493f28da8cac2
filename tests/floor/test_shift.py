"""Agents at work: what they are to be, what waits for the end of a call, and what the PBX is ordered to do."""

from __future__ import annotations

from typing import Any

import pytest

from cti_server.floor.agents import Because, By
from cti_server.floor.apply import Floor
from cti_server.floor.descriptions import Description, WrapUpRule
from cti_server.floor.desk_signals import (
    AgentSeated,
    DesktopSeen,
    OrderFailed,
    ShiftBegan,
    ShiftEnded,
    ShiftRestored,
    StateChosen,
    Tick,
    WrapUpCoded,
    WrapUpExtended,
    WrapUpFinished,
    WrapUpWanted,
)
from cti_server.floor.orders import Join, Leave, Order, Pause
from cti_server.floor.signals import (
    DialStatus,
    LegAnswered,
    LegBridged,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegFetched,
    LegHangupAsked,
    LegStarted,
    MemberChanged,
    MemberConnected,
    MemberOffered,
    MemberRemoved,
    MemberStatus,
    PhoneChanged,
    QueueDescribed,
    QueueJoined,
    QueueLeft,
    Signal,
    Snapshot,
)
from cti_server.floor.views import state_view
from tests.floor.fold import Viewer, fresh

ANNA, BOB = 1, 2
SEAT = "PJSIP/1001"
AGENT = By("agent", "Anna")


def describe(mode: str, wrap_up_s: float, extensions: int, code_required: bool) -> Description:
    return Description("Support", "支持", 5.0, WrapUpRule(mode, wrap_up_s, extensions, code_required))


class Stage:
    """A floor with Anna at 1001 and Bob at 1002, and a PBX that does what it is ordered."""

    def __init__(self, mode: str = "forced", wrap_up_s: float = 20.0, code_required: bool = False) -> None:
        self.floor = Floor("main", desktop_grace_s=30.0, phone_grace_s=10.0)
        self.orders: list[Order] = []
        self.obeys = True
        self.at = 100.0
        self.members: dict[tuple[str, str], MemberChanged] = {}
        self.play(
            Snapshot(self.at, boot=1),
            AgentSeated(self.at, ANNA, "Anna", SEAT, "1001"),
            AgentSeated(self.at, BOB, "Bob", "PJSIP/1002", "1002"),
            QueueDescribed(self.at, "support", describe(mode, wrap_up_s, 1, code_required)),
        )

    def play(self, *signals: Signal) -> None:
        """Apply these; what is ordered because of them happens at once, and is told as a PBX tells it."""
        for signal in signals:
            self.at = max(self.at, signal.at)
            self.floor.apply(signal)
            while ordered := self.floor.take_orders():
                self.orders += ordered
                for order in ordered if self.obeys else ():
                    for told in self._obey(order):
                        self.floor.apply(told)

    def _obey(self, order: Order) -> list[Signal]:
        match order:
            case Join():
                return [self.member(order.queue, order.interface, paused=True, reason=order.reason, dynamic=True)]
            case Leave():
                self.members.pop((order.queue, order.interface))
                return [MemberRemoved(self.at, order.queue, order.interface)]
            case Pause():
                return [
                    self.member(queue, one, paused=order.paused, reason=order.reason, dynamic=before.dynamic)
                    for (queue, one), before in list(self.members.items())
                    if one == order.interface
                ]
        raise AssertionError(order)

    def member(self, queue: str, interface: str, **fields: Any) -> MemberChanged:
        before = self.members.get((queue, interface))
        known = {"paused": False, "reason": None, "status": MemberStatus.IDLE} | fields
        seat = known.pop("seat", before.seat if before is not None else interface)
        made = MemberChanged(self.at, queue, interface, seat, "Anna", **known)
        self.members[queue, interface] = made
        return made

    def sign_in(self, at: float = 101.0) -> None:
        self.play(DesktopSeen(at, ANNA, True), ShiftBegan(at, ANNA, SEAT, "1001", "desk", (("support", 3),)))

    def ready(self, at: float = 102.0) -> None:
        self.play(StateChosen(at, ANNA, True, None, AGENT))

    def ring(self, call: str, at: float, seat: str = SEAT) -> None:
        """A caller joins the queue if they have not, and one phone rings."""
        if self.floor.books.leg_of(call) is None:
            self.play(
                LegStarted(at, call, call, f"PJSIP/trunk-{call}", True, "13800138000", None, "4000"),
                QueueJoined(at, call, call, "support", 1),
            )
        leg = f"{call}-{seat[-4:]}"
        self.play(
            LegStarted(at, leg, call, f"{seat}-0000000{call[-1]}", False, None, None, None),
            MemberOffered(at, call, call, "support", seat, leg),
            LegDialled(at, leg, call, call, f"{seat}-0000000{call[-1]}", None),
        )

    def answer(self, call: str, at: float) -> None:
        leg = f"{call}-1001"
        self.play(
            QueueLeft(at, call, call, "support"),
            LegAnswered(at, leg, call),
            LegDialEnded(at, leg, call, "", DialStatus.ANSWER),
            MemberConnected(at, call, call, "support", SEAT, leg),
            LegBridged(at, call, call, "b1"),
            LegBridged(at, leg, call, "b1"),
        )

    def no_answer(self, call: str, at: float, seat: str = SEAT, status: DialStatus = DialStatus.NO_ANSWER) -> None:
        leg = f"{call}-{seat[-4:]}"
        if status is DialStatus.BUSY:
            self.play(LegHangupAsked(at, leg, call))
        self.play(LegDialEnded(at, leg, call, "", status), LegEnded(at, leg, call, 19))

    def hang_up(self, call: str, at: float) -> None:
        self.play(
            LegHangupAsked(at, call, call), LegEnded(at, f"{call}-1001", call, 16), LegEnded(at, call, call, 16)
        )

    @property
    def anna(self) -> dict[str, Any]:
        return state_view(self.floor.agents[ANNA])

    def state(self) -> tuple[str, str | None]:
        return self.anna["name"], self.anna["reason"]

    def pauses(self) -> list[tuple[bool, str | None]]:
        """The pauses that were ordered since the last look."""
        found = [(o.paused, o.reason) for o in self.orders if isinstance(o, Pause)]
        self.orders.clear()
        return found


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.sign_in()
    return made


def test_signing_in_joins_the_queues_not_ready(stage: Stage) -> None:
    assert stage.orders == [Join(ANNA, SEAT, "support", 3, "Anna", "signed_in")]
    assert stage.state() == ("not_ready", "signed_in")
    assert stage.anna["by"] == {"kind": "agent", "name": "Anna"}
    assert stage.anna["because"]["event"] == "signed_in"
    assert stage.anna["on_shift"] is True


def test_a_member_of_the_pbx_own_files_is_paused_not_added() -> None:
    stage = Stage()
    stage.play(stage.member("support", SEAT))
    assert stage.state() == ("ready", None)
    stage.sign_in()
    assert stage.orders == [Pause(ANNA, SEAT, True, "signed_in")]
    assert stage.state() == ("not_ready", "signed_in")
    stage.orders.clear()
    stage.play(ShiftEnded(150.0, ANNA))
    assert stage.orders == [Pause(ANNA, SEAT, True, "signed_out")]
    assert stage.state() == ("signed_out", None)


def test_going_home_leaves_what_the_shift_joined(stage: Stage) -> None:
    stage.orders.clear()
    stage.play(ShiftEnded(150.0, ANNA))
    assert stage.orders == [Pause(ANNA, SEAT, True, "signed_out"), Leave(ANNA, SEAT, "support")]
    assert stage.state() == ("signed_out", None)
    assert stage.anna["on_shift"] is False


def test_a_queue_that_somebody_else_put_them_in_is_not_left() -> None:
    """At the end of the shift, and when the record no longer gives them the queue."""
    stage = Stage()
    stage.play(stage.member("support", SEAT, dynamic=True))
    stage.sign_in()
    assert stage.orders == [Pause(ANNA, SEAT, True, "signed_in")]
    stage.orders.clear()
    stage.play(ShiftBegan(120.0, ANNA, SEAT, "1001", "desk", ()))
    assert not [order for order in stage.orders if isinstance(order, Leave)]
    stage.play(ShiftEnded(150.0, ANNA))
    assert not [order for order in stage.orders if isinstance(order, Leave)]
    assert stage.orders[-1] == Pause(ANNA, SEAT, True, "signed_out")


def test_ready_and_not_ready_are_pauses_with_their_reason(stage: Stage) -> None:
    stage.pauses()
    stage.ready()
    assert (stage.state(), stage.pauses()) == (("ready", None), [(False, None)])
    stage.play(StateChosen(110.0, ANNA, False, "lunch", AGENT))
    assert (stage.state(), stage.pauses()) == (("not_ready", "lunch"), [(True, "lunch")])
    stage.play(StateChosen(111.0, ANNA, False, "lunch", AGENT))
    assert stage.pauses() == []  # twice changes nothing at the PBX


def test_the_phone_is_paused_from_the_answer_until_wrap_up_is_over(stage: Stage) -> None:
    stage.ready()
    stage.pauses()
    stage.ring("10.1", 110.0)
    assert (stage.state(), stage.pauses()) == (("reserved", None), [])
    stage.answer("10.1", 112.0)
    assert (stage.state(), stage.pauses()) == (("talking", None), [(True, "on_call")])
    stage.hang_up("10.1", 130.0)
    assert (stage.state(), stage.pauses()) == (("wrap_up", None), [])
    assert stage.anna["until"] == "1970-01-01T00:02:30.000Z"  # 130 s and the queue's 20
    (call,) = stage.floor.calls
    stage.play(WrapUpFinished(135.0, call, ANNA))
    assert (stage.state(), stage.pauses()) == (("ready", None), [(False, None)])


def test_a_choice_during_a_call_waits_for_its_end(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    stage.play(StateChosen(120.0, ANNA, False, "lunch", AGENT))
    assert stage.state() == ("talking", None)
    assert stage.anna["pending"] == {
        "name": "not_ready",
        "reason": "lunch",
        "by": {"kind": "agent", "name": "Anna"},
    }
    stage.hang_up("10.1", 130.0)
    assert stage.anna["pending"]["reason"] == "lunch"
    stage.play(Tick(150.0))
    assert (stage.state(), stage.anna["pending"]) == (("not_ready", "lunch"), None)


def test_a_phone_that_rang_in_vain_is_not_rung_again(stage: Stage) -> None:
    stage.ready()
    stage.pauses()
    stage.ring("10.1", 110.0)
    stage.no_answer("10.1", 125.0)
    assert (stage.state(), stage.pauses()) == (("not_ready", "no_answer"), [(True, "no_answer")])
    assert stage.anna["by"]["kind"] == "system"
    assert stage.anna["because"] == {
        "event": "offer_unanswered",
        "call": "main:1:10.1",
        "queue": "support",
        "number": "13800138000",
    }


def test_a_rejected_offer_is_told_as_such(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.no_answer("10.1", 112.0, status=DialStatus.BUSY)
    assert stage.state() == ("not_ready", "rejected")


def test_nobody_is_to_blame_when_all_phones_rang(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.ring("10.1", 110.0, seat="PJSIP/1002")
    stage.no_answer("10.1", 125.0)
    stage.no_answer("10.1", 125.0, seat="PJSIP/1002")
    assert stage.state() == ("ready", None)


def test_who_is_rung_while_a_colleague_picks_the_caller_did_not_fail(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.play(LegFetched(111.0, "10.1", "10.1", "picked"))
    stage.no_answer("10.1", 111.1)
    assert stage.state() == ("ready", None)
    (call,) = stage.floor.calls.values()
    assert [part.outcome for part in call.parts] == ["answered_elsewhere"]


def test_who_was_rung_before_me_does_not_excuse_me(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 105.0, seat="PJSIP/1002")
    stage.no_answer("10.1", 109.0, seat="PJSIP/1002")
    stage.ring("10.1", 110.0)
    stage.no_answer("10.1", 125.0)
    assert stage.state() == ("not_ready", "no_answer")


def test_a_pause_from_the_pbx_shows_up_and_counts(stage: Stage) -> None:
    stage.ready()
    stage.pauses()
    stage.at = 120.0
    stage.play(stage.member("support", SEAT, paused=True, reason="coffee", dynamic=True))
    assert stage.state() == ("not_ready", "coffee")
    assert stage.anna["by"] == {"kind": "pbx", "name": None}
    assert stage.anna["because"]["event"] == "paused_in_pbx"
    stage.at = 130.0
    stage.play(stage.member("support", SEAT, dynamic=True))
    assert stage.state() == ("ready", None)
    assert stage.pauses() == []  # nobody argues with it


def test_several_queues_tell_one_after_the_other_and_nobody_argues(stage: Stage) -> None:
    stage.play(stage.member("sales", SEAT, paused=True, reason="signed_in"))
    stage.pauses()
    stage.at = 120.0
    stage.play(stage.member("support", SEAT, dynamic=True), stage.member("sales", SEAT))
    assert (stage.state(), stage.pauses()) == (("ready", None), [])
    stage.at = 130.0
    stage.play(stage.member("support", SEAT, paused=True, reason="coffee", dynamic=True))
    assert stage.state() == ("ready", None)  # sales still rings
    stage.play(stage.member("sales", SEAT, paused=True, reason="coffee"))
    assert (stage.state(), stage.pauses()) == (("not_ready", "coffee"), [])


def test_what_the_pbx_said_before_it_obeyed_is_no_wish_of_anybody(stage: Stage) -> None:
    stage.ready()
    stage.obeys = False
    stage.play(StateChosen(110.0, ANNA, False, "lunch", AGENT))
    stage.play(MemberChanged(110.1, "support", SEAT, SEAT, "Anna", MemberStatus.IN_USE, False, None, dynamic=True))
    assert stage.state() == ("not_ready", "lunch")
    paused = MemberChanged(110.2, "support", SEAT, SEAT, "Anna", MemberStatus.IDLE, True, "lunch", dynamic=True)
    stage.play(paused)
    assert stage.anna["by"]["kind"] == "agent"


def test_an_order_that_failed_is_given_again_when_something_happens(stage: Stage) -> None:
    stage.ready()
    stage.obeys = False
    stage.pauses()
    stage.play(StateChosen(110.0, ANNA, False, "lunch", AGENT), OrderFailed(110.1, ANNA, "Interface not found"))
    shift = stage.floor.agents[ANNA].shift
    assert shift is not None
    assert shift.trouble == "Interface not found"
    stage.play(stage.member("support", SEAT, dynamic=True))
    assert stage.pauses() == [(True, "lunch"), (True, "lunch")]
    assert stage.state() == ("not_ready", "lunch")


def test_a_desktop_that_is_gone_makes_not_ready_after_the_grace(stage: Stage) -> None:
    stage.ready()
    stage.play(DesktopSeen(200.0, ANNA, False))
    assert stage.floor.next_due() == 230.0
    stage.play(Tick(229.0))
    assert stage.state() == ("ready", None)
    stage.play(Tick(230.0))
    assert stage.state() == ("not_ready", "connection_lost")
    assert stage.floor.next_due() is None
    stage.play(DesktopSeen(240.0, ANNA, True))
    assert stage.state() == ("not_ready", "connection_lost")  # until they say that they are back


def test_a_reload_is_not_a_loss(stage: Stage) -> None:
    stage.ready()
    stage.play(DesktopSeen(200.0, ANNA, False), DesktopSeen(202.0, ANNA, True), Tick(300.0))
    assert stage.state() == ("ready", None)


def test_the_end_of_the_desktop_does_not_end_the_call(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    stage.play(DesktopSeen(120.0, ANNA, False), Tick(150.0))
    assert stage.state() == ("talking", None)
    assert stage.anna["pending"]["reason"] == "connection_lost"


def test_a_phone_that_is_lost_makes_not_ready_after_the_grace(stage: Stage) -> None:
    stage.ready()
    stage.at = 200.0
    stage.play(stage.member("support", SEAT, status=MemberStatus.UNAVAILABLE, dynamic=True))
    assert stage.anna["phone"] == {"seat": SEAT, "reachable": False, "since": "1970-01-01T00:03:20.000Z"}
    stage.play(Tick(210.0))
    assert stage.state() == ("not_ready", "phone_unreachable")


def test_a_phone_that_is_lost_in_mid_call_is_told_at_once(stage: Stage) -> None:
    stage.ready()
    stage.play(PhoneChanged(103.0, SEAT, "sip:1001@192.0.2.1", True))
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    stage.play(PhoneChanged(120.0, SEAT, "sip:1001@192.0.2.1", False))
    assert stage.state() == ("talking", None)
    assert stage.anna["phone"]["reachable"] is False
    stage.play(PhoneChanged(125.0, SEAT, "sip:1001@192.0.2.9", True))
    assert stage.anna["phone"]["reachable"] is True


def test_a_forced_wrap_up_ends_at_its_limit_and_can_be_extended_once(stage: Stage) -> None:
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    stage.hang_up("10.1", 130.0)
    (call,) = stage.floor.calls
    stage.play(WrapUpExtended(140.0, call, ANNA), WrapUpExtended(141.0, call, ANNA), Tick(169.9))
    assert stage.state() == ("wrap_up", None)
    stage.play(Tick(170.0))
    assert stage.state() == ("ready", None)


def test_a_forced_end_without_the_required_code_is_owed() -> None:
    stage = Stage(code_required=True)
    stage.sign_in()
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    stage.hang_up("10.1", 130.0)
    (call,) = stage.floor.calls.values()
    stage.play(Tick(150.0))
    assert stage.state() == ("not_ready", "wrap_up_expired")
    assert [part.wrap.owed for part in call.parts] == [True]


def test_a_code_given_during_the_call_counts() -> None:
    stage = Stage(code_required=True)
    stage.sign_in()
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    (call,) = stage.floor.calls.values()
    stage.play(WrapUpCoded(120.0, call.id, ANNA, "fault/cable"))
    stage.hang_up("10.1", 130.0)
    stage.play(Tick(150.0))
    assert stage.state() == ("ready", None)
    assert [(p.wrap.owed, p.wrap.code) for p in call.parts] == [(False, "fault/cable")]


@pytest.mark.parametrize(("wanted", "after"), [(False, "ready"), (True, "wrap_up")])
def test_an_optional_wrap_up_comes_only_when_asked_for(wanted: bool, after: str) -> None:
    stage = Stage(mode="optional")
    stage.sign_in()
    stage.ready()
    stage.pauses()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    assert stage.pauses() == []
    (call,) = stage.floor.calls
    stage.play(WrapUpWanted(120.0, call, ANNA, wanted))
    stage.hang_up("10.1", 130.0)
    assert stage.state() == (after, None)


def test_a_mandatory_wrap_up_outlasts_its_limit() -> None:
    stage = Stage(mode="mandatory")
    stage.sign_in()
    stage.ready()
    stage.ring("10.1", 110.0)
    stage.answer("10.1", 112.0)
    stage.hang_up("10.1", 130.0)
    stage.play(Tick(1000.0))
    assert stage.state() == ("wrap_up", None)
    assert stage.anna["until"] == "1970-01-01T00:02:30.000Z"


def test_free_seating_takes_the_phone_of_who_is_not_at_work(stage: Stage) -> None:
    stage.play(ShiftBegan(120.0, ANNA, "PJSIP/1002", "1002", "desk", (("support", 3),)))
    assert (Leave(ANNA, SEAT, "support"), stage.anna["phone"]["seat"]) == (stage.orders[2], "PJSIP/1002")
    assert stage.floor.agents[BOB].seat is None
    stage.play(ShiftEnded(130.0, ANNA))
    assert (stage.anna["phone"]["seat"], stage.floor.agents[BOB].seat) == (SEAT, None)
    stage.play(AgentSeated(131.0, BOB, "Bob", "PJSIP/1002", "1002"))
    assert stage.floor.agents[BOB].seat == "PJSIP/1002"


def test_what_the_record_says_again_changes_nothing(stage: Stage) -> None:
    before = [fresh(stage.floor, Viewer(agent, ("floor",))) for agent in (ANNA, BOB)]
    again = (
        AgentSeated(130.0, ANNA, "Anna", SEAT, "1001"),
        AgentSeated(130.0, BOB, "Bob", "PJSIP/1002", "1002"),
        QueueDescribed(130.0, "support", describe("forced", 20.0, 1, False)),
    )
    assert [event for signal in again for event in stage.floor.apply(signal)] == []
    assert [fresh(stage.floor, Viewer(agent, ("floor",))) for agent in (ANNA, BOB)] == before


def test_a_restarted_server_wants_what_was_wanted_before() -> None:
    stage = Stage()
    stage.play(stage.member("support", SEAT, paused=True, reason="on_call", dynamic=True))
    because = Because("chosen")
    stage.play(
        ShiftRestored(
            200.0, ANNA, SEAT, "1001", "desk", (("support", 3),), 101.0, True, None, AGENT, because, 102.0
        )
    )
    assert (stage.state(), stage.pauses()) == (("ready", None), [(False, None)])
    assert stage.floor.next_due() == 230.0  # no desktop has come back yet


def test_what_was_pending_before_a_restart_is_pending_after_it() -> None:
    before = Stage()
    before.sign_in()
    before.ready()
    before.ring("10.1", 110.0)
    before.answer("10.1", 112.0)
    before.play(StateChosen(120.0, ANNA, False, "lunch", AGENT))
    before.hang_up("10.1", 130.0)
    (call,) = before.floor.calls.values()

    after = Floor("main")
    after.restore(call)
    after.apply(AgentSeated(200.0, ANNA, "Anna", SEAT, "1001"))
    wish = (101.0, False, "lunch", AGENT, Because("chosen"), 120.0)
    after.apply(ShiftRestored(200.0, ANNA, SEAT, "1001", "desk", (), *wish))
    after.apply(Snapshot(201.0, boot=1))
    anna = state_view(after.agents[ANNA])
    assert (anna["name"], anna["since"]) == ("wrap_up", "1970-01-01T00:02:10.000Z")
    assert anna["pending"]["reason"] == "lunch"


def test_a_restarted_pbx_is_joined_again(stage: Stage) -> None:
    stage.ready()
    stage.orders.clear()
    stage.members.clear()
    stage.play(Snapshot(300.0, boot=2, queues=("support",)))
    assert stage.orders[0] == Join(ANNA, SEAT, "support", 3, "Anna", "signed_in")
    assert stage.state() == ("ready", None)
    assert stage.members["support", SEAT].paused is False


def test_a_queue_that_others_took_the_agent_out_of_is_not_joined_again(stage: Stage) -> None:
    stage.ready()
    stage.orders.clear()
    stage.play(MemberRemoved(120.0, "support", SEAT))
    assert stage.state() == ("not_ready", "left_queues")
    assert stage.orders == []


def test_old_snapshot_and_events_give_the_state_that_a_fresh_one_shows(stage: Stage) -> None:
    told: dict[int, Any] = {}
    for signal in (
        StateChosen(102.0, ANNA, True, None, AGENT),
        PhoneChanged(103.0, SEAT, "sip:a", True),
        DesktopSeen(104.0, ANNA, False),
        Tick(140.0),
        StateChosen(150.0, ANNA, False, "lunch", AGENT),
        ShiftEnded(160.0, ANNA),
    ):
        for event in stage.floor.apply(signal):
            if event.kind == "me.changed":
                told[event.body["agent"]] = event.body["state"]
        assert told[ANNA] == state_view(stage.floor.agents[ANNA])
