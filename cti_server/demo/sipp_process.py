"""One SIPp process: started on free ports of 127.0.0.1, steered while it runs, and always reaped."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from cti_server.demo.asterisk_root import require_tools
from cti_server.demo.ports import free_ports

# The number in a steering MESSAGE. A ringing phone declines at 4 and answers at any other; a call that is up ends
# at any but 1 to 3.
_STEPS = {"hold": 1, "retrieve": 2, "press": 3, "decline": 4, "answer": 9, "hangup": 9}
LONGEST_CALL_S = 3600.0
START_LIMIT_S = 5.0
POLITE_S = 0.2


class Sipp:
    """Plays a scenario. It ends after `limit_s` at most, dies with its owner, and is reaped by close()."""

    def __init__(
        self,
        scenario: str,
        pbx_port: int,
        *,
        local_port: int = 0,
        calls: int = 1,
        limit_s: float,
        echo: bool = False,
    ) -> None:
        require_tools("sipp", "setpriv")
        with free_ports(5) as (signalling, control, media, _, _):  # its video is two above its voice
            self.port = local_port or signalling
            self.media_port = media  # where it receives voice
        self._steps = 0
        options = (
            f"-i 127.0.0.1 -p {self.port} -mi 127.0.0.1 -mp {media} -ci 127.0.0.1 -cp {control} -nostdin -aa "
        )
        options += (
            "-sf scenario.xml -trace_err -error_file errors.log -trace_logs -log_file calls.log -skip_rlimit "
        )
        options += f"-cid_str %u-%p@%s -timeout {int(limit_s) + 1}s"
        # Killed with its owner: strictly, with the thread that starts it, so that thread must last.
        command = ["setpriv", "--pdeathsig", "KILL", "sipp", f"127.0.0.1:{pbx_port}", *options.split()]
        command += ["-m", str(calls)] if calls else []
        command += ["-rtp_echo"] if echo else []  # it sends back what it hears
        self._folder = Path(tempfile.mkdtemp(prefix="cti-sipp-"))
        (self._folder / "scenario.xml").write_text(scenario, encoding="utf-8")
        env = {**os.environ, "TERM": "vt100"}  # SIPp draws a screen even if nobody looks at it
        with (self._folder / "screen.log").open("wb") as screen:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=screen, stderr=screen, env=env
            )
        self._wait_until_listening()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, limit_s: float = 60) -> bool:
        """Waits until the call is over; True when it followed the scenario from beginning to end. Raises
        TimeoutExpired."""
        return self._process.wait(limit_s) == 0

    def hang_up(self) -> None:
        """Ends the call now, from this side: BYE, or CANCEL before the answer."""
        self.steer("hangup")

    def press(self, digits: str) -> None:
        """Presses keys, one after the other."""
        for digit in digits:
            self.steer("press", digit)
            time.sleep(0.2)  # the PBX reads a repeated INFO within a key's length as the same key

    def steer(self, what: str, digit: str = "") -> None:
        """Tells the latest call of this SIPp what to do: answer, decline, hold, retrieve, press or hangup.

        SIPp has no command for that, but it passes any message to the call with the same Call-ID, and our
        scenarios take a MESSAGE for an instruction from their owner.
        """
        self._steps += 1
        lines = ["MESSAGE sip:steer@127.0.0.1 SIP/2.0", f"Call-ID: {self._call_id()}", "CSeq: 1 MESSAGE"]
        lines += ["Via: SIP/2.0/UDP 127.0.0.1", "From: <sip:owner@127.0.0.1>;tag=1", "To: <sip:steer@127.0.0.1>"]
        lines += [
            f"X-Do: {_STEPS[what]}",
            f"X-Digit: {digit}",
            f"X-CSeq: {300 + self._steps}",
            "Content-Length: 0",
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), ("127.0.0.1", self.port))

    def _call_id(self) -> str:
        """The latest call's id. A caller's is known beforehand (SIPp counts from 1); a phone logs what it gets."""
        log = self._folder / "calls.log"
        received = log.read_text().split() if log.exists() else []
        return received[-1] if received else f"1-{self._process.pid}@127.0.0.1"

    def errors(self) -> str:
        """SIPp's error log: what it did not expect."""
        log = self._folder / "errors.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def close(self) -> None:
        """Ends SIPp. A call that is still up is hung up first, for the PBX would not notice that SIPp is gone."""
        if self.running:
            self.hang_up()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(POLITE_S)
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_until_listening(self) -> None:
        """A phone that registered before it listened would miss the PBX's first request."""
        wanted = f"0100007F:{self.port:04X}"
        deadline = time.monotonic() + START_LIMIT_S
        while wanted not in Path("/proc/net/udp").read_text():
            if not self.running or time.monotonic() > deadline:
                screen = (self._folder / "screen.log").read_text(errors="replace")
                self.close()
                raise RuntimeError(f"SIPp did not start:\n{screen[-2000:]}")
            time.sleep(0.01)
