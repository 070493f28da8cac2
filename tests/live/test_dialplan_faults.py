"""Whatever is wrong with the CTI server, a caller reaches the queue, no later than the deadline allows."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext

import pytest

from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import free_ports
from tests.live import fake_fastagi as fake
from tests.transcripts.tap import Tap, tap

LINE = "4008002000"
DEADLINE_S = 1.0  # CTI_DEADLINE of the dialplan
SLACK_S = 0.8  # for a busy machine; the measured overrun is under 5 ms


@pytest.fixture(scope="module")
def agi_port() -> int:
    """Where the dialplan of this file's PBX looks for the CTI server."""
    with free_ports(1) as (port,):
        return port


@pytest.fixture(scope="module")
def pbx(agi_port: int) -> Iterator[DemoPbx]:
    try:
        made = DemoPbx(free_config(fastagi=f"127.0.0.1:{agi_port}"))
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
    with made, Deskphone(made, "1002", PhoneHabits(ring_s=None)):
        yield made


@pytest.fixture
def events(pbx: DemoPbx) -> Iterator[Tap]:
    with tap(pbx.config.ami_port, pbx.config.secrets) as tape:
        yield tape


def identify(pbx: DemoPbx, events: Tap) -> tuple[float, dict[str, str]]:
    """Places a call; seconds until the lookup is over (it is answered then), and its variables in the queue."""
    with place_call(pbx, "13800138000", LINE) as caller:
        leg = events.event("Newchannel", Exten=LINE)
        up = events.event("Newstate", Uniqueid=leg["Uniqueid"], ChannelStateDesc="Up")
        events.event("QueueCallerJoin", Uniqueid=leg["Uniqueid"], Queue="sales")
        shown = pbx.cli(f"core show channel {leg['Channel']}")
        caller.hang_up()
        events.event("Hangup", Uniqueid=leg["Uniqueid"])
    lines = [line.split("=", 1) for line in shown.splitlines() if line.startswith(("CTI_", "QUEUE_PRIO="))]
    return float(up["Timestamp"]) - float(leg["Timestamp"]), dict(lines)


FAULTS: dict[str, tuple[Callable[[int], AbstractContextManager[None]], float]] = {
    "down": (lambda port: nullcontext(), 0.0),
    "never accepts": (lambda port: fake.listener(port, None), DEADLINE_S),
    "accepts and is silent": (lambda port: fake.listener(port, fake.silent), DEADLINE_S),
    "answers too late": (lambda port: fake.listener(port, fake.slow), DEADLINE_S),
    "answers line by line for ever": (lambda port: fake.listener(port, fake.endless), DEADLINE_S),
    "closes at once": (lambda port: fake.listener(port, fake.closing), 0.0),
    "speaks another protocol": (lambda port: fake.listener(port, fake.rubbish), DEADLINE_S),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_caller_reaches_the_queue(fault: str, pbx: DemoPbx, events: Tap, agi_port: int) -> None:
    broken, longest = FAULTS[fault]
    with broken(agi_port):
        took, variables = identify(pbx, events)
    assert took < longest + SLACK_S
    assert variables["CTI_STATUS"] == "down"
    assert variables["CTI_CUSTOMER"] == variables["CTI_AGENT"] == variables["CTI_PRIORITY"] == ""


def test_a_stopped_process_holds_nobody(pbx: DemoPbx, events: Tap, agi_port: int) -> None:
    """SIGSTOP: the kernel goes on accepting for it, and nobody answers."""
    program = (
        "import socket,time\n"
        f"s=socket.create_server(('127.0.0.1',{agi_port}))\n"
        "print('listening',flush=True)\n"
        "while True: c,_=s.accept(); c.recv(4096)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"listening\n"
        try:
            os.kill(server.pid, signal.SIGSTOP)
            took, variables = identify(pbx, events)
        finally:
            server.kill()
    assert took < DEADLINE_S + SLACK_S
    assert variables["CTI_STATUS"] == "down"


def test_what_the_server_says_reaches_the_queue(pbx: DemoPbx, events: Tap, agi_port: int) -> None:
    with fake.listener(agi_port, fake.healthy):
        took, variables = identify(pbx, events)
    assert took < DEADLINE_S
    assert variables["CTI_STATUS"] == "ok"
    assert variables["CTI_CUSTOMER"] == "7"
    assert variables["CTI_LANGUAGE"] == "zh"
    assert variables["QUEUE_PRIO"] == "5"


def test_hostile_values_are_dropped(pbx: DemoPbx, events: Tap, agi_port: int) -> None:
    with fake.listener(agi_port, fake.hostile):
        _, variables = identify(pbx, events)
    assert {name: variables[name] for name in ("CTI_PRIORITY", "CTI_LANGUAGE", "CTI_AGENT", "CTI_CUSTOMER")} == {
        "CTI_PRIORITY": "",
        "CTI_LANGUAGE": "",
        "CTI_AGENT": "",
        "CTI_CUSTOMER": "",
    }
    assert "QUEUE_PRIO" not in variables


def test_a_caller_who_gives_up_during_the_lookup_is_let_go(pbx: DemoPbx, events: Tap, agi_port: int) -> None:
    """The lookup hangs, the caller hangs up: the call ends then, not at the deadline."""
    with ExitStack() as stack:
        stack.enter_context(fake.listener(agi_port, fake.silent))
        caller = stack.enter_context(place_call(pbx, "13800138000", LINE))
        leg = events.event("Newchannel", Exten=LINE)
        with contextlib.suppress(AssertionError):
            events.wait(lambda m: False, "a moment in the lookup", limit_s=0.3)
        caller.hang_up()
        gone = events.event("Hangup", Uniqueid=leg["Uniqueid"])
        assert not any(m.get("Event") == "QueueCallerJoin" for m in events.messages)
    assert float(gone["Timestamp"]) - float(leg["Timestamp"]) < DEADLINE_S
