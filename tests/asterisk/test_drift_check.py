"""A drift check while calls go on: lists and events come on one connection, and the events are the newer ones; and
only what two looks show alike is held against the floor."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti_server.asterisk import snapshot
from cti_server.asterisk.link import Link
from cti_server.asterisk.session import Session
from cti_server.floor.apply import Floor
from cti_server.floor.signals import (
    EntryRow,
    LegEnded,
    LegRow,
    LegStarted,
    MemberChanged,
    MemberStatus,
    QueueJoined,
    Signal,
    Snapshot,
)
from cti_server.settings import PbxSettings
from cti_server.wire.ami import AmiDecoder
from tests.asterisk.test_session import ACCOUNT, BANNER, lines, logged_in, pbx

CHANNEL = (
    b"Channel: PJSIP/1001-0",
    b"ChannelState: 6",
    b"CallerIDNum: 1001",
    b"CallerIDName: Li Wei",
    b"Uniqueid: demo-1.1",
    b"Linkedid: demo-1.1",
)
HANGUP = lines(b"Event: Hangup", b"Timestamp: 1795326406.5", *CHANNEL, b"Cause: 16")
ENDS = {"Status": b"StatusComplete", "QueueStatus": b"QueueStatusComplete", "BridgeList": b"BridgeListComplete"}


async def test_a_hangup_between_two_lists_is_told_after_the_snapshot_that_still_has_its_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(snapshot, "DRIFT_GAP_S", 0)
    statuses = 0

    def answer(name: str, action_id: bytes) -> bytes:
        nonlocal statuses
        own = b"ActionID: " + action_id
        if name == "CoreStatus":
            started = (b"CoreStartupDate: 2026-11-22", b"CoreStartupTime: 05:00:00")
            return lines(b"Response: Success", own, *started)
        rows = hangup = b""
        if name == "Status":
            statuses += 1
            rows = lines(b"Event: Status", own, *CHANNEL)
            hangup = HANGUP if statuses == 2 else b""
        end = lines(b"Event: " + ENDS[name], own, b"EventList: Complete", b"ListItems: %d" % bool(rows))
        return lines(b"Response: Success", own, b"EventList: start") + rows + end + hangup

    told: list[Signal] = []
    link = Link(PbxSettings(), told.append)
    async with pbx(logged_in(answer)) as port:
        session = await Session.open("127.0.0.1", port, ACCOUNT, on_event=link._on_event)
        try:
            await link._synchronise(session, drift_check=True)
        finally:
            session.close()

    lists, ended = told
    assert isinstance(lists, Snapshot)
    assert [row.leg for row in lists.legs] == ["demo-1.1"]
    assert isinstance(ended, LegEnded)


def leg(name: str, *, up: bool = True, age_s: float = 3.0) -> LegRow:
    return LegRow(name, name, f"PJSIP/trunk-0000000{name[-1]}", up, "100", None, "400", None, age_s)


def member(seat: str, *, paused: bool = False, at: float = 10.0) -> MemberChanged:
    return MemberChanged(at, "support", seat, seat, seat, MemberStatus.IDLE, paused, None)


FIRST = Snapshot(
    10.0,
    1,
    (leg("x.1"), leg("x.2", up=False), leg("x.3")),
    ("support", "sales"),
    (member("PJSIP/1001"), member("PJSIP/1002"), member("PJSIP/1003")),
    (EntryRow("support", "x.1", 1, 3.0), EntryRow("support", "x.3", 2, 1.0)),
)
SECOND = Snapshot(
    11.0,
    1,
    (leg("x.1", age_s=4.0), leg("x.2", age_s=4.0), leg("x.4", age_s=0.0)),
    ("support", "vip"),
    (member("PJSIP/1001", at=11.0), member("PJSIP/1002", paused=True, at=11.0)),
    (EntryRow("support", "x.1", 1, 4.0),),
)


def test_only_what_two_looks_show_alike_counts() -> None:
    check = snapshot.compared(FIRST, SECOND)
    assert [row.leg for row in check.legs] == ["x.1"]
    assert [m.interface for m in check.members] == ["PJSIP/1001"]
    assert [(e.leg, e.wait_s) for e in check.entries] == [("x.1", 4.0)]
    assert check.queues == ("support",)
    assert check.unsettled.since == FIRST.at
    assert check.unsettled.legs == {"x.2", "x.3", "x.4"}
    assert check.unsettled.members == {("support", "PJSIP/1002"), ("support", "PJSIP/1003")}
    assert check.unsettled.waits == {("x.3", "support")}
    assert check.unsettled.queues == {"sales", "vip"}


def test_what_both_looks_show_and_the_floor_does_not_is_still_mended() -> None:
    floor = Floor("demo")
    floor.apply(Snapshot(1.0, 1))
    for at, gone in ((2.0, "x.7"), (10.5, "x.8")):  # both lack the two, but one began after the first look
        floor.apply(LegStarted(at, gone, gone, "PJSIP/trunk-00000007", True, "100", None, "400"))
        floor.apply(QueueJoined(at, gone, gone, "support", 1))
    floor.apply(member("PJSIP/1009", at=2.0))
    floor.apply(snapshot.compared(FIRST, replace(FIRST, at=11.0)))
    books = floor.books
    assert sorted(books.legs()) == ["x.1", "x.2", "x.3", "x.8"]
    assert sorted(books.queues["support"].waiting) == ["x.1", "x.3", "x.8"]
    assert sorted(books.queues["support"].members) == ["PJSIP/1001", "PJSIP/1002", "PJSIP/1003"]


async def test_the_space_of_a_parked_call_is_asked_for_on_the_account_that_may() -> None:
    parked_leg = replace(leg("x.1"), parked=True)
    rows = AmiDecoder().feed(
        BANNER
        + lines(b"Event: ParkedCall", b"ParkeeUniqueid: x.1", b"ParkingSpace: 703", b"ParkingLot: default")
        + lines(b"Event: ParkedCall", b"ParkeeUniqueid: x.9", b"ParkingSpace: 704")
    )
    (found, other) = snapshot.in_spaces([parked_leg, leg("x.2")], rows)
    assert (found.space, other.space) == ("703", None)
    floor = Floor("demo")
    floor.apply(Snapshot(1.0, 1, (parked_leg,)))
    (call,) = floor.calls.values()
    assert (call.state, call.park_space) == ("parked", None)
    floor.apply(Snapshot(31.0, 1, (found,), drift_check=True))
    assert call.park_space == "703"


async def test_a_row_that_a_name_has_forged_names_no_space() -> None:
    forged = (b"ParkeeCallerIDName: x", b"ParkingSpace: 1", b"ParkeeUniqueid: x.1", b"ParkingSpace: 703")
    rows = AmiDecoder().feed(BANNER + lines(b"Event: ParkedCall", *forged))
    (found,) = snapshot.in_spaces([replace(leg("x.1"), parked=True)], rows)
    assert found.space is None
