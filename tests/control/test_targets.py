"""Whom a call can be sent to, and what the PBX is told to dial."""

from __future__ import annotations

from functools import partial

import pytest

from cti_server.asterisk import moves
from cti_server.commands import AgentTarget, CommandRefused, NumberTarget, QueueTarget, Target
from cti_server.control.targets import dialable, phone_of, resolve, seat_at
from cti_server.floor.apply import Floor
from cti_server.floor.books import Books
from cti_server.floor.descriptions import Description
from cti_server.floor.desk_signals import AgentSeated, ShiftBegan
from cti_server.floor.signals import MemberChanged, MemberStatus, QueueDescribed
from cti_server.rules.facts import DialForm

ME, BOB, GONE, NO_PHONE = 1, 2, 3, 4
CHINESE = partial(dialable, region="CN")


@pytest.fixture
def live() -> Floor:
    made = Floor("demo")
    made.apply(QueueDescribed(1.0, "sales", Description("Sales", "销售")))
    made.apply(AgentSeated(1.0, ME, "Alice", "PJSIP/1001", "1001"))
    made.apply(AgentSeated(1.0, BOB, "Bob", "PJSIP/1002", "1002"))
    made.apply(AgentSeated(1.0, GONE, "Chen", "PJSIP/1003", "1003"))
    made.apply(AgentSeated(1.0, NO_PHONE, "Tom", None))
    made.apply(ShiftBegan(2.0, BOB, "PJSIP/1102", "1102", "browser", (("sales", 0),)))
    interface = "PJSIP/1102"
    made.apply(MemberChanged(3.0, "sales", interface, interface, "Bob", MemberStatus.IDLE, False, None))
    return made


@pytest.fixture
def floor(live: Floor) -> Books:
    return live.books


def test_a_colleague_is_reached_where_they_sit_now(floor: Books) -> None:
    assert resolve(floor, ME, AgentTarget(BOB), CHINESE) == moves.Number("1102"), "not at their own desk"
    mine = phone_of(floor, BOB)
    assert mine is not None
    assert (mine.seat, mine.extension, mine.kind, mine.answers_itself) == ("PJSIP/1102", "1102", "browser", True)


def test_a_queue_and_a_number(floor: Books) -> None:
    assert resolve(floor, ME, QueueTarget("sales"), CHINESE) == moves.Queue("sales")
    assert resolve(floor, ME, NumberTarget("1002"), CHINESE) == moves.Number("1002")
    assert resolve(floor, ME, NumberTarget("021-6288 1234"), CHINESE) == moves.Number("+862162881234")


@pytest.mark.parametrize(
    ("target", "code", "says"),
    [
        (AgentTarget(ME), "bad_target", "that is you"),
        (AgentTarget(99), "bad_target", "no such colleague"),
        (AgentTarget(GONE), "agent_unreachable", "Chen is signed out"),
        (AgentTarget(NO_PHONE), "agent_unreachable", "Tom is signed out"),
        (QueueTarget("nowhere"), "bad_target", "no queue 'nowhere'"),
        (NumberTarget("1001"), "bad_target", "your own phone"),
        (NumberTarget("hello"), "bad_target", "letters"),
        (NumberTarget("13800138000/13900139000"), "bad_target", "ambiguous"),
        (NumberTarget("110/120"), "bad_target", "ambiguous"),
        (NumberTarget("0000"), "bad_target", "zeros"),
        (NumberTarget("+1" + "5" * 40), "bad_target", "too long"),
    ],
)
def test_what_is_no_target_is_said_to_be_none(floor: Books, target: Target, code: str, says: str) -> None:
    with pytest.raises(CommandRefused, match=says) as caught:
        resolve(floor, ME, target, CHINESE)
    assert caught.value.code == code


def test_a_colleague_whose_phone_is_lost_is_no_target(live: Floor, floor: Books) -> None:
    seat = "PJSIP/1102"
    live.apply(MemberChanged(4.0, "sales", seat, seat, "Bob", MemberStatus.UNAVAILABLE, False, None))
    with pytest.raises(CommandRefused, match="not reachable") as caught:
        resolve(floor, ME, AgentTarget(BOB), CHINESE)
    assert caught.value.code == "agent_unreachable"


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("1001", "1001"),
        ("13800138000", "+8613800138000"),
        ("+44 20 7946 0100", "+442079460100"),
        ("tel:+862162881234", "+862162881234"),
        ("10086", "10086"),
        ("sip:10086@192.0.2.1", "10086"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("+44 7700-900-123", "+447700900123"),
        ("+8613800138000;npdi;rn=+8613800139999", "+8613800138000"),
        ("(021) 6288-1234", "+862162881234"),
        ("９１００", "9100"),
    ],
)
def test_what_is_dialled_for_what_a_page_shows(written: str, dialled: str) -> None:
    assert dialable(written, "CN") == dialled


def test_a_number_that_is_one_of_our_phones_is_known_as_a_seat(floor: Books) -> None:
    assert seat_at(floor, moves.Number("1102")) == "PJSIP/1102"
    assert seat_at(floor, moves.Number("1001")) == "PJSIP/1001"
    assert seat_at(floor, moves.Number("+8613800138000")) is None
    assert seat_at(floor, moves.Queue("sales")) is None
    assert seat_at(floor, None) is None


@pytest.mark.parametrize(
    ("form", "written", "dialled"),
    [
        ("e164", "0755-1234 5678", "+8675512345678"),
        ("digits", "0755-1234 5678", "8675512345678"),
        ("national", "+86 755 1234 5678", "075512345678"),
        ("national", "+86 138 0013 8000", "13800138000"),
        ("national", "+44 20 7946 0100", "00442079460100"),
        ("national", "1002", "1002"),
    ],
)
def test_a_number_outside_is_dialled_in_the_form_that_the_routes_match(
    form: DialForm, written: str, dialled: str
) -> None:
    """`+86755…` matches no outbound route of a FreePBX whose patterns are 0X. and 1X."""
    assert dialable(written, "CN", form) == dialled
