"""Desk phone, softphone and browser of one extension, rung directly: one agent, one offer, whichever they answer.

A queue's member names them by a hint (`PJSIP/1001&PJSIP/991001`); the seat is the first of them.
"""

from __future__ import annotations

import pytest

from cti_server.asterisk.snapshot import devices_of
from cti_server.floor.apply import Floor
from cti_server.floor.calls import Call
from cti_server.floor.desk_signals import AgentSeated
from cti_server.floor.signals import (
    DialStatus,
    LegAnswered,
    LegBridged,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegRang,
    LegRenamed,
    LegRow,
    LegStarted,
    MemberChanged,
    MemberStatus,
    Snapshot,
)
from tests.floor.test_while_away import restart

DESK, SOFT, BROWSER = "PJSIP/1001", "SIP/1001-soft", "PJSIP/991001"
CALLER = "x.1"


@pytest.mark.parametrize(
    ("hint", "devices"),
    [
        ("PJSIP/1001", [DESK]),
        ("PJSIP/1001&SIP/1001-soft&PJSIP/991001", [DESK, SOFT, BROWSER]),
        ("PJSIP/1001&Custom:DND1001,CustomPresence:1001", [DESK]),
        ("Custom:DND1001", []),
        ("", []),
    ],
)
def test_a_hint_names_the_phones_of_an_extension(hint: str, devices: list[str]) -> None:
    assert devices_of(hint) == devices


def member(*also: str) -> MemberChanged:
    interface = "Local/1001@from-queue/n"
    idle = MemberStatus.IDLE
    return MemberChanged(0.6, "support", interface, DESK, "Li Wei", idle, paused=False, reason=None, also=also)


def rung(*devices: str) -> tuple[Floor, Call]:
    """A caller of a direct line, and these devices of extension 1001 ringing for them."""
    floor = Floor("demo")
    floor.apply(Snapshot(0.5, 1))
    floor.apply(AgentSeated(0.5, 1, "Li Wei", DESK))
    floor.apply(member(SOFT, BROWSER))
    floor.apply(LegStarted(1.0, CALLER, CALLER, "PJSIP/trunk-00000001", True, "13900000001", None, "1001"))
    for number, device in enumerate(devices, 2):
        leg, channel = f"x.{number}", f"{device}-0000000{number}"
        floor.apply(LegStarted(2.0, leg, CALLER, channel, False, "1001", None, None))
        floor.apply(LegDialled(2.0, leg, CALLER, CALLER, channel, "1001"))
        floor.apply(LegRang(2.1, leg, CALLER))
    call = floor.books.call_of(CALLER)
    assert call is not None
    return floor, call


def parts(call: Call) -> list[tuple[int | None, str, str | None]]:
    return [(part.agent, part.state.value, part.outcome) for part in call.parts]


def test_three_devices_ring_for_one_agent_and_the_offer_ends_with_the_last() -> None:
    floor, call = rung(DESK, SOFT, BROWSER)
    assert parts(call) == [(1, "ringing", None)]
    for leg, device in (("x.2", DESK), ("x.3", SOFT)):
        floor.apply(LegDialEnded(5.0, leg, CALLER, f"{device}-0", DialStatus.BUSY))
        floor.apply(LegEnded(5.1, leg, CALLER, 17))
        assert parts(call) == [(1, "ringing", None)], device
    floor.apply(LegDialEnded(9.0, "x.4", CALLER, f"{BROWSER}-0", DialStatus.BUSY))
    floor.apply(LegEnded(9.1, "x.4", CALLER, 17))
    assert parts(call) == [(1, "left", "rejected")]


@pytest.mark.parametrize("taken", ["x.2", "x.3"])
def test_whichever_device_is_answered_the_agent_talks(taken: str) -> None:
    floor, call = rung(DESK, SOFT)
    other = "x.3" if taken == "x.2" else "x.2"
    floor.apply(LegAnswered(6.0, taken, CALLER))
    floor.apply(LegDialEnded(6.0, taken, CALLER, "taken", DialStatus.ANSWER))
    floor.apply(LegDialEnded(6.0, other, CALLER, "other", DialStatus.CANCEL))
    floor.apply(LegEnded(6.1, other, CALLER, 26))
    for leg in (CALLER, taken):
        floor.apply(LegBridged(6.2, leg, CALLER, "b1"))
    assert parts(call) == [(1, "talking", None)]
    assert call.parts[0].leg == taken
    assert floor.agents[1].state.name == "talking"
    for leg in (taken, CALLER):
        floor.apply(LegEnded(30.0, leg, CALLER, 16))
    assert (call.outcome, call.parts[0].outcome) == ("answered", "answered")


def test_a_softphone_that_dials_is_its_agents() -> None:
    floor, _ = rung()
    floor.apply(LegStarted(3.0, "y.1", "y.1", f"{SOFT}-00000007", False, "1001", None, "1002"))
    call = floor.books.call_of("y.1")
    assert call is not None
    assert (call.direction.value, call.parts[0].agent) == ("internal", 1)
    floor.apply(LegRenamed(3.1, "y.1", f"{SOFT}-00000008"))
    assert call.part_of(DESK) is call.parts[0]


def test_a_device_with_an_agent_or_a_queue_of_its_own_stays_theirs() -> None:
    floor = Floor("demo")
    floor.apply(Snapshot(0.5, 1))
    floor.apply(AgentSeated(0.5, 1, "Li Wei", DESK))
    floor.apply(AgentSeated(0.5, 2, "Zhang Min", SOFT))
    floor.apply(member(SOFT))
    floor.apply(LegStarted(3.0, "y.1", "y.1", f"{SOFT}-00000007", False, "1001", None, "1002"))
    call = floor.books.call_of("y.1")
    assert call is not None
    assert call.parts[0].agent == 2


def test_a_restart_knows_whose_softphone_talks() -> None:
    floor, call = rung(SOFT)
    floor.apply(LegAnswered(6.0, "x.2", CALLER))
    for leg in (CALLER, "x.2"):
        floor.apply(LegBridged(6.2, leg, CALLER, "b1"))
    rows = tuple(
        LegRow(one.id, CALLER, one.channel, one.up, one.number, one.name, one.exten, "b1", 5.0)
        for one in call.legs.values()
    )
    after = restart(floor, Snapshot(11.0, 1, rows, members=(member(SOFT),)))
    (again,) = after.calls.values()
    assert [(leg.id, leg.device) for leg in again.legs_at(DESK)] == [("x.2", DESK)]
    assert parts(again) == [(1, "talking", None)]
