"""dialplans/agi-bin/cti_identify.py as Asterisk runs it, without Asterisk: environment in, question out."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "dialplans" / "agi-bin" / "cti_identify.py"


class Handler(BaseHTTPRequestHandler):
    asked: dict[str, Any]

    def do_POST(self) -> None:
        type(self).asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"variables": {"CTI_STATUS": "ok"}}')

    def log_message(self, *_: Any) -> None:
        return None


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("王".encode(), "王"),
        (b"J\xfcrgen", "J\ueffcrgen"),
        (b"\xd5\xc5\xc8\xfd", "\uefd5\uefc5\uefc8\ueffd"),
        (b"\xd0\x90\xd0", "А\uefd0"),
    ],
)
def test_a_name_that_is_not_utf_8_reaches_the_server_byte_by_byte(tmp_path: Path, name: bytes, sent: str) -> None:
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        once = threading.Thread(target=server.handle_request)
        once.start()
        conf = f"[cti]\nurl = http://127.0.0.1:{server.server_port}\ntoken = x\ndeadline = 30\n"
        (tmp_path / "cti_identify.conf").write_text(conf)
        environment = (
            b"agi_channel: DAHDI/7-1\nagi_uniqueid: x.1\nagi_callerid: +8613800138000\nagi_calleridname: "
            + name
            + b"\nagi_dnid: 400\n\n"
        )
        ran = subprocess.run(
            [sys.executable, str(SCRIPT), "demo"],
            input=environment + b"200 result=1\n" * 5,
            env={"AST_CONFIG_DIR": str(tmp_path)},
            capture_output=True,
            timeout=60,
            check=True,
        )
        once.join()
    assert Handler.asked == {
        "pbx": "demo",
        "uniqueid": "x.1",
        "channel": "DAHDI/7-1",
        "ani": "+8613800138000",
        "ani_name": sent,
        "dnis": "400",
        "secret": None,
    }
    assert b'SET VARIABLE CTI_STATUS "ok"' in ran.stdout or b'"CTI_STATUS" "ok"' in ran.stdout
