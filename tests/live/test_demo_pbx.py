"""The demo PBX itself: nothing is left behind, two run side by side, calls do what they are told."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

from cti_server.demo.calls import Deskphone, PhoneHabits, dial, place_call
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import voice_ports
from tests.transcripts.tap import tap

PARENT = """
import sys, time
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.calls import Deskphone
pbx = DemoPbx(free_config()).__enter__()
phone = Deskphone(pbx, "1001")
print(pbx.work, flush=True)
time.sleep(600)
"""


def processes_of(work: str) -> list[str]:
    """Programs that still have to do with this work folder, or whose phone was started by its owner."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if work in command:
            found.append(command)
    return found


def test_nothing_is_left_when_the_parent_is_killed(demo_pbx: DemoPbx) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        work = parent.stdout.readline().strip()
        assert processes_of(work)
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        assert len(children) == 2  # the jail and the phone
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    deadline = time.monotonic() + 10
    while processes_of(work) or any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert work not in Path("/proc/mounts").read_text()
    assert "/lab" not in Path("/proc/mounts").read_text()
    subprocess.run(["rm", "-r", work], check=True)


def test_two_run_side_by_side(demo_pbx: DemoPbx) -> None:
    with DemoPbx(free_config("second")) as second:
        assert "second" in second.cli("core show settings")
        assert "demo" in demo_pbx.cli("core show settings")
        work = second.work
    assert not work.exists()


def test_ami_over_tls_with_its_certificate(demo_pbx: DemoPbx) -> None:
    trusting = ssl.create_default_context(cafile=str(demo_pbx.ami_certificate))
    with (
        socket.create_connection(("127.0.0.1", demo_pbx.config.ami_tls_port), 5) as plain,
        trusting.wrap_socket(plain, server_hostname="127.0.0.1") as ami,
    ):
        assert ami.recv(100).startswith(b"Asterisk Call Manager/")


def test_kill_and_start_again() -> None:
    with DemoPbx(free_config()) as pbx:
        pbx.kill9()
        assert not pbx.running
        pbx.start()
        assert "Asterisk 22" in pbx.cli("core show version") or os.environ.get("CTI_ASTERISK") == "system"


def test_a_phone_answers_holds_and_hangs_up_when_told(demo_pbx: DemoPbx) -> None:
    config = demo_pbx.config
    with (
        tap(config.ami_port, config.secrets) as events,
        Deskphone(demo_pbx, "1002", PhoneHabits(ring_s=None)) as phone,
    ):
        here = events.here()
        with place_call(demo_pbx, "13800138000", "4008002000", "Wang Xiaoming") as caller:
            called = events.event("AgentCalled", here)
            assert called["CallerIDName"] == "Wang Xiaoming"
            events.event("DialState", here, DialStatus="RINGING")
            phone.answer()
            events.event("AgentConnect", here)
            phone.hold()
            events.event("Hold", here)
            phone.retrieve()
            events.event("Unhold", here)
            phone.hang_up()
            assert events.event("AgentComplete", here)["Reason"] == "agent"
            assert caller.wait(10)


def test_phones_call_each_other(demo_pbx: DemoPbx) -> None:
    config = demo_pbx.config
    with tap(config.ami_port, config.secrets) as events, Deskphone(demo_pbx, "1003", PhoneHabits(ring_s=0.1)):
        here = events.here()
        with dial(demo_pbx, "1001", "1003") as call:
            events.event("DialEnd", here, DialStatus="ANSWER")
            events.event("BridgeEnter", here, BridgeNumChannels="2")  # before that a BYE would cross the answer
            call.hang_up()
            assert call.wait(10)


def test_browser_phones_reach_it_by_ws_and_wss(demo_pbx: DemoPbx) -> None:
    config = demo_pbx.config
    trusting = ssl.create_default_context(cafile=str(demo_pbx.ami_certificate))
    for port, tls in ((config.http_port, None), (config.https_port, trusting)):
        with socket.create_connection(("127.0.0.1", port), 5) as plain:
            secured = plain if tls is None else tls.wrap_socket(plain, server_hostname="127.0.0.1")
            secured.sendall(
                b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Protocol: sip\r\n\r\n"
            )
            assert secured.recv(4096).startswith(b"HTTP/1.1 101")


def test_instances_do_not_share_voice_ports(demo_pbx: DemoPbx) -> None:
    with voice_ports() as (first, last), voice_ports() as (other, _):
        ranges = {first, other, demo_pbx.config.rtp_ports[0]}
        assert len(ranges) == 3
        assert last - first == 999
    settings = demo_pbx.cli("rtp show settings")
    assert f"Port start:      {demo_pbx.config.rtp_ports[0]}" in settings


def test_a_dead_phone_is_noticed(demo_pbx: DemoPbx) -> None:
    """Browsers send voice all the time; the demo's deskphones are SIPp, which never does."""
    assert re.search(r"rtp_timeout +: 45\b", demo_pbx.cli("pjsip show endpoint 1101"))
    assert re.search(r"rtp_timeout +: 0\b", demo_pbx.cli("pjsip show endpoint 1001"))
