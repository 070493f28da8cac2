"""A drift check while calls go on: lists and events come on one connection, and the events are the newer ones."""

from __future__ import annotations

import pytest

from cti_server.asterisk import snapshot
from cti_server.asterisk.link import Link
from cti_server.asterisk.session import Session
from cti_server.floor.signals import LegEnded, Signal, Snapshot
from cti_server.settings import PbxSettings
from tests.asterisk.test_session import ACCOUNT, lines, logged_in, pbx

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
