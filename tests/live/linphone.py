"""linphonec (Debian: linphone-cli), driven over its standard input: two lines, REFER with Replaces, 302."""

from __future__ import annotations

import os
import re
import subprocess
import threading

from cti_server.demo.pbx import DemoPbx
from tests.live.real_phone import RealPhone

CONFIG = """\
[sip]
sip_port={sip}
sip_tcp_port=0
sip_tls_port=0
bind_address=127.0.0.1
default_proxy=0
guess_hostname=0
use_ipv6=0
inc_timeout=120

[rtp]
audio_rtp_port={first}-{last}
bind_address=127.0.0.1

[net]
mtu=1400

[proxy_0]
reg_proxy=<sip:{server};transport=udp>
reg_identity=sip:{extension}@{server}
reg_expires=300
reg_sendregister=1
publish=0

[auth_info_0]
username={extension}
passwd={secret}
realm=asterisk
"""


class Linphone(RealPhone):
    """Several lines; each call has a number (`1`, `2`, …) in the order in which the phone got them."""

    def __init__(self, pbx: DemoPbx, extension: str) -> None:
        self._told = ""
        self._read_to = 0
        super().__init__(pbx, extension, "linphonec")

    def rings(self) -> None:
        self.wait(r"Receiving new incoming call from .*?, assigned id \d+")

    def answer(self) -> None:
        self.press("answer")
        self.wait(r"Call \d+ with .* connected\.")

    def hang_up(self) -> None:
        self.press("terminate")

    def hold(self) -> None:
        self.press("pause")
        self.wait(r"Call \d+ with .* is now paused\.")

    def resume(self) -> None:
        self.press("resume")
        self.wait(r"Media streams established with .* for call \d+")

    def dial(self, number: str) -> None:
        """Takes the next line; the call on this one is to be held first."""
        self.press(f"call {self.address(number)}")

    def transfer(self, number: str) -> None:
        self.press(f"transfer {self.address(number)}")

    def complete(self, first: int = 1, second: int = 2) -> None:
        """Its transfer key with two calls at hand: REFER with Replaces, which connects the two others."""
        self.press(f"transfer {first} --to-call {second}")

    def forward(self, number: str, call: int = 1) -> None:
        """A call that rings is sent on: 302 Moved Temporarily."""
        self.press(f"redirect {call} {self.address(number)}")

    def press(self, command: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()

    def wait(self, words: str) -> str:
        """The next words that match this pattern, after those that were waited for before."""

        def next_ones() -> str | None:
            found = re.compile(words).search(self._told, self._read_to)
            if found is not None:
                self._read_to = found.end()
            return found and found[0]

        return self._until(next_ones, lambda: f"no {words!r}; {self._told[self._read_to :]}")

    # --- its program -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        first, last = self._voice
        places = {"sip": self.port, "first": first, "last": last, "server": self.server}
        config = self.folder / "linphonerc"
        config.write_text(CONFIG.format(**places, extension=self.extension, secret=self.pbx.config.phone_password))
        # It makes its folders itself, but not this one, and its address book goes there.
        (self.folder / ".local" / "share" / "linphone").mkdir(parents=True)
        process = self._run(["linphonec", "-c", str(config)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        threading.Thread(
            target=self._listen, args=(process,), name=f"linphone {self.extension}", daemon=True
        ).start()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        while data := os.read(process.stdout.fileno(), 65536):
            with self._heard:
                self._told += data.decode("utf-8", "replace")
                self._heard.notify_all()

    def _quit(self) -> None:
        self.press("quit")
