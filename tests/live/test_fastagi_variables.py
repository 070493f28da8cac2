"""All variables of an answer go out at once, and a real Asterisk sets each of them to what was sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from cti_server.asterisk.fastagi import AgiSession, FastAgiServer
from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.calls import Deskphone, PhoneHabits
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import free_ports
from tests.live import fake_fastagi as fake
from tests.live.test_dialplan_faults import DEADLINE_S, identify
from tests.transcripts.tap import tap

VALUES = {
    "CTI_HARD_1": "commas,, and, more",
    "CTI_HARD_2": "it's \"quoted\" and 'quoted'",
    "CTI_HARD_3": "back\\slash \\n \\",
    "CTI_HARD_4": "王小明 ñ € 𠮷",
    "CTI_HARD_5": "${EXTEN} $[1+1] f(x) [y] {z}",
    "CTI_HARD_6": "a;b|c&d=e ",
    "CTI_HARD_7": "",
    "CTI_HARD_8": "x" * 1500,
    "CTI_STATUS": "ok",
}


@pytest.fixture(scope="module")
def port() -> int:
    with free_ports(1) as (free,):
        return free


@pytest.fixture(scope="module")
def pbx(port: int) -> Iterator[DemoPbx]:
    try:
        made = DemoPbx(free_config(fastagi=f"127.0.0.1:{port}"))
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
    with made, Deskphone(made, "1002", PhoneHabits(ring_s=None)):
        yield made


@contextmanager
def served(port: int, values: Mapping[str, str]) -> Iterator[FastAgiServer]:
    """Our FastAGI on a thread of its own: what else a test does here waits for Asterisk."""
    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def answer(session: AgiSession) -> None:
        await session.finish(values)

    server = FastAgiServer("127.0.0.1", port, ["127.0.0.0/8"], {"identify": answer})

    async def serve() -> None:
        async with server:
            ready.set()
            await stop.wait()

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def test_each_value_arrives_unchanged_and_the_caller_waits_for_none(pbx: DemoPbx, port: int) -> None:
    with served(port, VALUES) as server:
        with tap(pbx.config.ami_port, pbx.config.secrets) as events:
            took, variables = identify(pbx, events)
        assert {name: variables[name] for name in VALUES} == VALUES
        assert took < DEADLINE_S / 2
        assert (server.served, dict(server.warnings)) == (1, {})


def test_without_the_end_behind_them_asterisk_sets_the_first_alone(pbx: DemoPbx, port: int) -> None:
    """What `finish` is built on: should an Asterisk read on by itself one day, this says so."""

    def leaves_it_open(peer: fake.socket.socket, stop: threading.Event) -> None:
        fake._request(peer)
        peer.sendall(b'SET VARIABLE CTI_CUSTOMER "7"\nSET VARIABLE CTI_STATUS "ok"\n')
        stop.wait()

    with fake.listener(port, leaves_it_open), tap(pbx.config.ami_port, pbx.config.secrets) as events:
        took, variables = identify(pbx, events)
    assert (variables["CTI_CUSTOMER"], variables["CTI_STATUS"]) == ("7", "down")
    assert took >= DEADLINE_S * 0.9
