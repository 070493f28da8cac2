"""baresip (Debian: baresip-core), driven by its ctrl_tcp module: JSON in netstrings, events as they happen."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from cti_server.demo.pbx import DemoPbx
from tests.live.real_phone import LIMIT_S, RealPhone

MODULES = Path("/usr/lib/baresip/modules")
# aubridge joins what is heard to what is said, so that no sound card is needed; whoever talks to it hears an echo.
CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{sip}
call_max_calls 4
module_path {modules}
audio_player aubridge,talk
audio_source aubridge,talk
audio_alert aubridge,bell
rtp_ports {first}-{last}
module g711.so
module aubridge.so
module uuid.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


class Baresip(RealPhone):
    """One line; blind transfer by REFER, hold by re-INVITE, 486 for a call that it declines."""

    def __init__(self, pbx: DemoPbx, extension: str) -> None:
        self._events: list[dict[str, Any]] = []
        self._socket: socket.socket | None = None
        super().__init__(pbx, extension, "baresip")

    def rings(self) -> None:
        self.wait("CALL_INCOMING")

    def answer(self) -> None:
        self.press("accept")
        self.wait("CALL_ESTABLISHED")

    def hang_up(self) -> None:
        self.press("hangup")

    def hold(self) -> None:
        self.press("hold")

    def resume(self) -> None:
        self.press("resume")

    def dial(self, number: str) -> None:
        self.press("dial", self.address(number))

    def transfer(self, number: str) -> None:
        self.press("transfer", self.address(number))

    def keys(self, digits: str) -> None:
        """Presses keys during the call."""
        for digit in digits:
            self.press("sndcode", digit)

    def press(self, command: str, params: str = "") -> None:
        """A key of its menu, by name."""
        assert self._socket is not None
        message = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._socket.sendall(b"%d:%s," % (len(message), message))

    def wait(self, kind: str) -> dict[str, Any]:
        """The next event of this kind; each is taken once."""

        def next_one() -> dict[str, Any] | None:
            found = next((event for event in self._events if event.get("type") == kind), None)
            if found is not None:
                self._events.remove(found)
            return found

        return self._until(next_one, lambda: f"no {kind}; {self._events}")

    def told(self, kind: str) -> bool:
        """Whether there is an event of this kind that nobody waited for."""
        with self._heard:
            return any(event.get("type") == kind for event in self._events)

    # --- its program -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        first, last = self._voice
        places = {"sip": self.port, "control": self._control, "first": first, "last": last, "modules": MODULES}
        account = f"<sip:{self.extension}@{self.server};transport=udp>;auth_user={self.extension};regint=300"
        secret = self.pbx.config.phone_password
        (self.folder / "config").write_text(CONFIG.format(**places))
        (self.folder / "accounts").write_text(f"{account};auth_pass={secret};answermode=manual\n")
        (self.folder / "contacts").write_text("")
        process = self._run(["baresip", "-f", str(self.folder)], stdin=subprocess.DEVNULL, stdout=None)
        self._socket = self._connect(process)
        threading.Thread(
            target=self._listen, args=(self._socket,), name=f"baresip {self.extension}", daemon=True
        ).start()

    def _connect(self, process: subprocess.Popen[bytes]) -> socket.socket:
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self._control))
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"baresip did not start: {self.log[-2000:]}") from None
                time.sleep(0.02)

    def _listen(self, connection: socket.socket) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                rest += data
                while (colon := rest.find(b":")) > 0 and len(rest) > (end := colon + 1 + int(rest[:colon])):
                    event = json.loads(rest[colon + 1 : end].decode("utf-8", "replace"), strict=False)
                    rest = rest[end + 1 :]
                    with self._heard:
                        self._events.append(event)
                        self._heard.notify_all()

    def _quit(self) -> None:
        if self._socket is not None:
            self.press("quit")

    def close(self) -> None:
        super().close()
        if self._socket is not None:
            self._socket.close()
