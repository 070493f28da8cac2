"""dialplans/agi-bin/cti_identify.py, started by a real Asterisk, asking a small HTTP server."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.calls import place_call
from cti_server.demo.pbx import DemoPbx, free_config
from tests.transcripts.tap import Tap, tap

LINE, TOKEN = "4008003000", "a-token"


class Identify(ThreadingHTTPServer):
    """Answers POST /api/identify as told; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, dict[str, Any]]] = []
        self.answer = b""
        self.dribble = False
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Identify

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.headers["Authorization"], body))
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            for byte in self.server.answer:
                self.wfile.write(bytes([byte]))
                if self.server.dribble:
                    time.sleep(0.2)

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture(scope="module")
def server() -> Iterator[Identify]:
    with Identify() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture(scope="module")
def pbx(server: Identify) -> Iterator[DemoPbx]:
    try:
        made = DemoPbx(free_config(fastagi=""))
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
    with made:
        port = server.server_address[1]
        conf = f"[cti]\nurl = http://127.0.0.1:{port}\ntoken = {TOKEN}\ndeadline = 0.7 ; seconds\n"
        (made.work / "etc" / "cti_identify.conf").write_text(conf)
        yield made


@pytest.fixture
def events(pbx: DemoPbx) -> Iterator[Tap]:
    with tap(pbx.config.ami_port, pbx.config.secrets) as tape:
        yield tape


def identify(pbx: DemoPbx, events: Tap, name: str) -> dict[str, str]:
    """The call's CTI_ variables once the lookup is over."""
    with place_call(pbx, "13800138000", LINE, name) as caller:
        leg = events.event("Newchannel", Exten=LINE)
        events.event("Newstate", Uniqueid=leg["Uniqueid"], ChannelStateDesc="Up")
        shown = pbx.cli(f"core show channel {leg['Channel']}")
        caller.hang_up()
    lines = [line.split("=", 1) for line in shown.splitlines() if line.startswith("CTI_")]
    return dict(lines)


def test_it_asks_and_sets_the_variables(pbx: DemoPbx, events: Tap, server: Identify) -> None:
    server.dribble = False
    variables = {"CTI_STATUS": "ok", "CTI_CUSTOMER": 7, "CTI_PRIORITY": "5", "CTI_AGENT": "x\ny", "PATH": "/tmp"}
    server.answer = json.dumps({"variables": variables}).encode()
    got = identify(pbx, events, "Wang 'Q' 王")
    assert (got["CTI_STATUS"], got["CTI_CUSTOMER"], got["CTI_PRIORITY"], got["CTI_AGENT"]) == ("ok", "7", "5", "")
    authorization, question = server.asked[-1]
    assert authorization == f"Bearer {TOKEN}"
    assert question["pbx"] == pbx.config.name
    assert question["ani"] == "13800138000"
    assert question["ani_name"] == "Wang 'Q' 王"
    assert question["dnis"] == LINE
    assert question["uniqueid"].startswith(f"{pbx.config.name}-")


@pytest.mark.parametrize("answer", [b"<html>", b'{"variables": 3}', b"", b"\xff\xfe"])
def test_rubbish_sets_nothing(answer: bytes, pbx: DemoPbx, events: Tap, server: Identify) -> None:
    server.dribble = False
    server.answer = answer
    assert identify(pbx, events, "x")["CTI_STATUS"] == "down"


def test_a_dribbling_server_holds_nobody(pbx: DemoPbx, events: Tap, server: Identify) -> None:
    server.dribble = True
    server.answer = json.dumps({"variables": {"CTI_STATUS": "ok"}}).encode()
    assert identify(pbx, events, "x")["CTI_STATUS"] == "down"
