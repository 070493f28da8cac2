"""Of two CTI servers one answers, whatever is wrong with the other, and no caller is held longer than for one."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext

import pytest

from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import free_ports
from tests.live import fake_fastagi as fake
from tests.live.test_dialplan_faults import DEADLINE_S, LINE, SLACK_S
from tests.live.test_dialplan_faults import identify as identified
from tests.live.test_fastagi_dropped import dropping
from tests.transcripts.tap import tap

SHARE_S = DEADLINE_S / 2  # of the first server
CONNECT_S = 2.0  # Asterisk's own limit for connecting
FIRST = fake.setting({"CTI_CUSTOMER": "1", "CTI_STATUS": "ok"})
SECOND = fake.setting({"CTI_CUSTOMER": "2", "CTI_STATUS": "ok"})

Ports = tuple[int, int]


@pytest.fixture(scope="module")
def ports() -> Ports:
    with free_ports(2) as (first, second):
        return first, second


@pytest.fixture(scope="module")
def pbx(ports: Ports) -> Iterator[DemoPbx]:
    first, second = ports
    site = {"CTI_FASTAGI_2": f"127.0.0.1:{second}"}
    try:
        made = DemoPbx(free_config(fastagi=f"127.0.0.1:{first}", site=site))
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
    with made, Deskphone(made, "1002", PhoneHabits(ring_s=None)):
        yield made


@pytest.fixture(autouse=True)
def in_favour(pbx: DemoPbx) -> None:
    """No server is asked last for what the last test did to it."""
    pbx.cli("dialplan set global CTI_LAST_UNTIL 0")


def identify(pbx: DemoPbx) -> tuple[float, dict[str, str]]:
    with tap(pbx.config.ami_port, pbx.config.secrets) as events:
        return identified(pbx, events)


Broken = Callable[[int], AbstractContextManager[None]]


def refuses(port: int) -> AbstractContextManager[None]:
    return nullcontext()


def listens(behaviour: fake.Behaviour | None) -> Broken:
    return lambda port: fake.listener(port, behaviour)


#: what is wrong with a server, and for how long it holds the caller at the most who may wait for it without limit
FAULTS: dict[str, tuple[Broken, bool]] = {
    "refuses": (refuses, False),
    "closes at once": (listens(fake.closing), False),
    "never accepts": (listens(None), True),
    "accepts and is silent": (listens(fake.silent), True),
    "answers too late": (listens(fake.slow), True),
    "goes on for ever": (listens(fake.endless), True),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_second_is_asked_where_the_first(fault: str, pbx: DemoPbx, ports: Ports) -> None:
    broken, holds = FAULTS[fault]
    with broken(ports[0]), fake.listener(ports[1], SECOND):
        took, variables = identify(pbx)
    assert (variables["CTI_STATUS"], variables["CTI_CUSTOMER"]) == ("ok", "2")
    assert took < (SHARE_S if holds else 0.0) + SLACK_S
    assert not holds or took > SHARE_S * 0.9


@pytest.mark.parametrize("fault", FAULTS)
def test_the_queue_is_reached_in_time_where_both(fault: str, pbx: DemoPbx, ports: Ports) -> None:
    broken, holds = FAULTS[fault]
    with broken(ports[0]), broken(ports[1]):
        took, variables = identify(pbx)
    assert (variables["CTI_STATUS"], variables["CTI_CUSTOMER"]) == ("down", "")
    assert took < (DEADLINE_S if holds else 0.0) + SLACK_S


def test_the_second_has_all_the_time_that_the_first_has_left(pbx: DemoPbx, ports: Ports) -> None:
    def takes_its_time(peer: socket.socket, stop: threading.Event) -> None:
        time.sleep(DEADLINE_S * 0.7)
        SECOND(peer, stop)

    with fake.listener(ports[1], takes_its_time):
        took, variables = identify(pbx)
    assert variables["CTI_CUSTOMER"] == "2"
    assert DEADLINE_S * 0.6 < took < DEADLINE_S + SLACK_S


def test_the_first_alone_is_asked_where_it_is_well(pbx: DemoPbx, ports: Ports) -> None:
    asked: list[int] = []

    def noted(peer: socket.socket, stop: threading.Event) -> None:
        asked.append(1)
        SECOND(peer, stop)

    with fake.listener(ports[0], FIRST), fake.listener(ports[1], noted):
        took, variables = identify(pbx)
    assert (variables["CTI_STATUS"], variables["CTI_CUSTOMER"]) == ("ok", "1")
    assert took < SHARE_S
    assert not asked


def test_one_that_was_silent_is_asked_last_for_a_while(pbx: DemoPbx, ports: Ports) -> None:
    with fake.listener(ports[0], fake.silent), fake.listener(ports[1], SECOND):
        waited, _ = identify(pbx)
        took, variables = identify(pbx)
    assert waited > SHARE_S * 0.9
    assert took < SHARE_S * 0.9
    assert variables["CTI_CUSTOMER"] == "2"
    with fake.listener(
        ports[0], FIRST
    ):  # now the second is the one that does not answer: the first is asked after it
        took, variables = identify(pbx)
        assert variables["CTI_CUSTOMER"] == "1"
        assert took < SLACK_S
        assert f":{ports[1]}" in pbx.cli("dialplan show globals").partition("CTI_LAST=")[2].splitlines()[0]


def test_after_that_while_the_first_is_asked_again(pbx: DemoPbx, ports: Ports) -> None:
    with fake.listener(ports[1], SECOND):
        identify(pbx)
    pbx.cli("dialplan set global CTI_LAST_UNTIL 0")
    with fake.listener(ports[0], FIRST), fake.listener(ports[1], SECOND):
        _, variables = identify(pbx)
    assert variables["CTI_CUSTOMER"] == "1"


def test_of_a_host_that_drops_packets_only_the_first_call_waits(pbx: DemoPbx, ports: Ports) -> None:
    with dropping() as port, ExitStack() as stack:
        file = pbx.work / "etc" / "cti_site.conf"
        before = file.read_text()
        stack.callback(pbx.cli, "dialplan reload")
        stack.callback(file.write_text, before)
        file.write_text(before.replace(f"CTI_FASTAGI=127.0.0.1:{ports[0]}", f"CTI_FASTAGI=127.0.0.1:{port}"))
        pbx.cli("dialplan reload")
        with fake.listener(ports[1], SECOND):
            waited, variables = identify(pbx)
            assert waited < CONNECT_S + SLACK_S
            assert variables["CTI_STATUS"] == "down"
            took, variables = identify(pbx)
            assert took < SHARE_S
            assert variables["CTI_CUSTOMER"] == "2"


def test_a_caller_who_gives_up_is_let_go(pbx: DemoPbx, ports: Ports) -> None:
    with tap(pbx.config.ami_port, pbx.config.secrets) as events, ExitStack() as stack:
        for port in ports:
            stack.enter_context(fake.listener(port, fake.silent))
        caller = stack.enter_context(place_call(pbx, "13800138000", LINE))
        leg = events.event("Newchannel", Exten=LINE)
        with contextlib.suppress(AssertionError):
            events.wait(lambda m: False, "a moment in the second lookup", limit_s=SHARE_S + 0.05)
        caller.hang_up()
        gone = events.event("Hangup", Uniqueid=leg["Uniqueid"])
        assert not any(m.get("Event") == "QueueCallerJoin" for m in events.messages)
    assert float(gone["Timestamp"]) - float(leg["Timestamp"]) < DEADLINE_S
