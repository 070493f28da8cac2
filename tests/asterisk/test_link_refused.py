"""A login that Asterisk refuses: it is tried again, not too soon, until the administrator has mended it."""

from __future__ import annotations

import asyncio

import pytest

from cti_server.asterisk import link as module
from cti_server.asterisk.link import Link
from cti_server.floor.signals import LinkChanged, LinkState, Signal
from cti_server.settings import PbxSettings
from tests.asterisk.test_session import ACCOUNT, lines, logged_in, pbx

LISTS = {"Status": b"StatusComplete", "QueueStatus": b"QueueStatusComplete", "BridgeList": b"BridgeListComplete"}


def empty_pbx(name: str, action_id: bytes) -> bytes:
    """Answers for a PBX on which nothing goes on."""
    own = b"ActionID: " + action_id
    if name == "CoreStatus":
        started = (b"CoreStartupDate: 2026-11-22", b"CoreStartupTime: 05:00:00")
        return lines(b"Response: Success", own, *started)
    end = lines(b"Event: " + LISTS[name], own, b"EventList: Complete", b"ListItems: 0")
    return lines(b"Response: Success", own, b"EventList: start") + end


class Manager:
    """A manager port that refuses the first logins, and notes when each came."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.logins: list[float] = []

    def __call__(self, name: str, action_id: bytes) -> bytes:
        answer = logged_in(empty_pbx)(name, action_id)
        if name != "Login":
            return answer
        self.logins.append(asyncio.get_running_loop().time())
        if len(self.logins) <= self.refusals:
            return lines(b"Response: Error", b"ActionID: " + action_id, b"Message: Authentication failed")
        return answer + lines(b"Event: FullyBooted", b"Privilege: system,all", b"Status: Fully Booted")


async def test_who_mends_manager_conf_needs_no_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.REFUSED_AGAIN_S == 60
    monkeypatch.setattr(module, "REFUSED_AGAIN_S", 0.2)
    told: list[LinkChanged] = []
    live = asyncio.Event()

    def sink(signal: Signal) -> None:
        if isinstance(signal, LinkChanged):
            told.append(signal)
            if signal.state is LinkState.LIVE:
                live.set()

    manager = Manager(refusals=2)
    async with pbx(manager) as port:
        running = asyncio.create_task(Link(PbxSettings(port=port, events=ACCOUNT), sink).run())
        async with asyncio.timeout(10):
            await live.wait()
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    states = [signal.state for signal in told]
    # Refused, and refused still while it is tried again; then as after any other beginning.
    assert states == [LinkState.CONNECTING, *[LinkState.REFUSED] * 4, LinkState.CONNECTING, LinkState.LIVE]
    assert told[1].detail == (
        "Asterisk refused AMI user cti-events: Authentication failed; the login is tried again every 0.2 s"
    )
    assert told[-1].detail is None
    first, second, third = manager.logins
    assert second - first >= 0.2
    assert third - second >= 0.2
