"""A manager port that falls silent without closing: the link finds it by the last byte, whatever it waits for."""

from __future__ import annotations

import asyncio

import pytest

from cti_server.asterisk import link as module
from cti_server.asterisk import snapshot
from cti_server.asterisk.link import Link
from cti_server.floor.signals import LinkChanged, LinkState, Signal
from cti_server.settings import PbxSettings
from tests.asterisk.test_link_refused import Manager
from tests.asterisk.test_session import ACCOUNT, pbx

PING_S, SILENCE_S, LATE_S = 0.4, 1.0, 0.25


@pytest.mark.parametrize("waits_for", ["a pong", "a list"])
async def test_silence_is_counted_from_the_last_byte(monkeypatch: pytest.MonkeyPatch, waits_for: str) -> None:
    assert module.SILENCE_S <= 6, "a half-open connection is to be found within six seconds"
    monkeypatch.setattr(module, "PING_EVERY_S", PING_S)
    monkeypatch.setattr(module, "SILENCE_S", SILENCE_S)
    monkeypatch.setattr(snapshot, "DRIFT_GAP_S", 0.01)
    loop = asyncio.get_running_loop()
    lost: asyncio.Future[float] = loop.create_future()
    live = asyncio.Event()
    manager = Manager(refusals=0)
    said_at = 0.0

    def answer(name: str, action_id: bytes) -> bytes:
        nonlocal said_at
        if live.is_set() and (waits_for == "a list" or name == "Ping") and said_at:
            return b""
        if live.is_set():
            said_at = loop.time()
        return manager(name, action_id)

    def sink(signal: Signal) -> None:
        if isinstance(signal, LinkChanged) and signal.state is LinkState.LIVE:
            live.set()
        if isinstance(signal, LinkChanged) and signal.state is LinkState.STALE and not lost.done():
            lost.set_result(loop.time())

    every_s = 2 * PING_S - 0.01 if waits_for == "a list" else 600.0
    async with pbx(answer) as port:
        link = Link(PbxSettings(port=port, events=ACCOUNT), sink, snapshot_every_s=every_s)
        running = asyncio.create_task(link.run(), name="link")
        async with asyncio.timeout(10):
            found_at = await lost
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert SILENCE_S - 0.05 <= found_at - said_at <= SILENCE_S + LATE_S
