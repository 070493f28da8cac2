"""Real SIP calls into the demo PBX, played by SIPp: callers from the trunk, and phones that ring.

Every SIPp is bounded in time by SIPp itself and by its owner, and reaped on close. Durations are seconds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from cti_server.demo.asterisk_root import require_tools
from cti_server.demo.pbx import DemoPbx, free_ports
from cti_server.demo.sipua import register

LONGEST_CALL_S = 3600.0
_OWN = "[$to];tag=[pid]p[call_number]"  # a called phone's own address, which it got as To
_SCENARIOS = Path(__file__).with_name("sipp")


class Sipp:
    """One running SIPp. Close it (or use it as a context manager): it is killed and reaped whatever it is doing."""

    def __init__(
        self,
        scenario: str,
        pbx_port: int,
        *,
        local_port: int = 0,
        calls: int = 1,
        limit_s: float = LONGEST_CALL_S,
    ) -> None:
        require_tools("sipp")
        self._folder = Path(tempfile.mkdtemp(prefix="cti-sipp-"))
        (self._folder / "scenario.xml").write_text(scenario, encoding="utf-8")
        with free_ports(2) as (signalling, media):
            self.port = local_port or signalling
        command = [
            shutil.which("sipp") or "sipp",
            f"127.0.0.1:{pbx_port}",
            "-sf",
            "scenario.xml",
            "-i",
            "127.0.0.1",
            "-mi",
            "127.0.0.1",
        ]
        command += [
            "-p",
            str(self.port),
            "-mp",
            str(media - media % 2),
            "-nostdin",
            "-aa",
            "-trace_err",
            "-error_file",
            "errors.log",
        ]
        command += [
            "-timeout",
            f"{int(limit_s) + 1}s",
            "-skip_rlimit",
            *(["-m", str(calls)] if calls else []),
        ]
        # SIPp needs a terminal type for its screen, even one that nobody looks at.
        env = {**os.environ, "TERM": "vt100"}
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
        """Until the call is over; True when it went as the scenario says, from beginning to end."""
        return self._process.wait(limit_s) == 0

    def hang_up(self) -> None:
        """Ends the call now, from this side: SIPp sends BYE, or CANCEL before the answer."""
        for _ in range(2):  # the first asks it to finish, the second not to wait for that
            if self.running:
                self._process.send_signal(signal.SIGUSR1)

    def errors(self) -> str:
        """What SIPp did not expect."""
        log = self._folder / "errors.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def _wait_until_listening(self) -> None:
        """A phone that registers before it listens would miss the PBX's first question."""
        wanted = f"0100007F:{self.port:04X}"
        deadline = time.monotonic() + 5
        while wanted not in Path("/proc/net/udp").read_text():
            if not self.running or time.monotonic() > deadline:
                screen = (self._folder / "screen.log").read_text(errors="replace")
                self.close()
                raise RuntimeError(f"SIPp did not start:\n{screen[-2000:]}")
            time.sleep(0.01)

    def close(self) -> None:
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


@dataclass(frozen=True)
class Caller:
    """What a caller from the trunk does. `ani` None is withheld; `name` is sent as the display name."""

    ani: str | None
    did: str
    name: str = ""
    stay_s: float = 60.0
    """Hangs up this long after the PBX answered (waiting in the queue counts), if nobody else has."""
    answer_s: float = 30.0
    """Cancels when the PBX has not answered by then."""
    digits: Sequence[tuple[float, str]] = ()
    """Keys to press: (seconds to wait first, digits)."""
    dtmf: str = "info"
    """How digits travel: `info` (SIP INFO) or `rfc2833` (in the voice stream; SIPp needs root for that)."""


def call(pbx: DemoPbx, caller: Caller) -> Sipp:
    """Places the call; returns at once."""
    user = caller.ani if caller.ani is not None else "anonymous"
    host = "[local_ip]:[local_port]" if caller.ani is not None else "anonymous.invalid"
    display = _quoted(caller.name if caller.ani is not None else "Anonymous")
    own = f"{display}<sip:{user}@{host}>"
    presses = [
        _press(wait, digits, caller.dtmf, f"{own};tag=[pid]c[call_number]", "[$peer]")
        for wait, digits in caller.digits
    ]
    scenario = _fill(
        "caller.xml",
        dnis=caller.did,
        own=own,
        identity="" if caller.ani is not None else "Privacy: id\n      ",
        answer_ms=_ms(caller.answer_s),
        after_answer="".join(presses),
        stay_ms=_ms(caller.stay_s),
    )
    return Sipp(scenario, pbx.config.sip_port, limit_s=caller.answer_s + caller.stay_s + 30)


def place_call(pbx: DemoPbx, ani: str | None, did: str, name: str = "", **changes: object) -> Sipp:
    """Places a call from `ani` (None: withheld) to the line `did`. Further fields of Caller by keyword."""
    return call(pbx, dataclasses.replace(Caller(ani, did, name), **changes))  # type: ignore[arg-type]


@dataclass(frozen=True)
class PhoneHabits:
    """What a phone does with a call."""

    ring_s: float | None = 1.0
    """Rings this long, then answers; None: rings until the other side gives up."""
    talk_s: float = LONGEST_CALL_S
    """Hangs up this long after answering, if the other side has not."""
    refuse: str = ""
    """Answers with this status instead of ringing, e.g. "486 Busy Here"."""
    hold: Sequence[tuple[float, float]] = ()
    """Holds: (seconds to talk first, seconds on hold)."""
    digits: Sequence[tuple[float, str]] = ()
    """Keys pressed after the answer: (seconds to wait first, digits); sent as SIP INFO."""


class Deskphone:
    """A registered phone that takes call after call until closed."""

    def __init__(self, pbx: DemoPbx, extension: str, habits: PhoneHabits = PhoneHabits()) -> None:  # noqa: B008 - frozen
        self.extension = extension
        self._pbx = pbx
        self._sipp = _phone(pbx.config.sip_port, habits, 0)
        try:
            self._register(3600)
        except BaseException:
            self._sipp.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def becomes(self, habits: PhoneHabits) -> None:
        """Other habits from the next call on. Not while a call is on."""
        port = self._sipp.port
        self._sipp.close()
        self._sipp = _phone(self._pbx.config.sip_port, habits, port)

    def hang_up(self) -> None:
        """Ends the current calls from this side; afterwards the phone answers nothing until becomes()."""
        self._sipp.hang_up()

    def errors(self) -> str:
        return self._sipp.errors()

    def close(self) -> None:
        """Unregisters: its queue member becomes unavailable."""
        if self._pbx.running:
            with contextlib.suppress(RuntimeError):
                self._register(0)
        self._sipp.close()

    def _register(self, expires_s: int) -> None:
        register(
            self._pbx.config.sip_port,
            self.extension,
            self._pbx.config.phone_password,
            self._sipp.port,
            expires_s,
        )


def trunk_far_end(pbx: DemoPbx, habits: PhoneHabits = PhoneHabits()) -> Sipp:  # noqa: B008 - frozen
    """The telephone network beyond the trunk: takes the PBX's outbound calls as a phone with these habits would."""
    return _phone(pbx.config.sip_port, habits, pbx.config.trunk_port)


def _phone(pbx_port: int, habits: PhoneHabits, port: int) -> Sipp:
    if habits.refuse:
        first, after = habits.refuse, '<recv request="ACK" next="end"/>'
    else:
        ring_ms = _ms(LONGEST_CALL_S if habits.ring_s is None else habits.ring_s)
        first, after = (
            "180 Ringing",
            f'<recv request="CANCEL" timeout="{ring_ms}" ontimeout="answer" next="cancelled"/>',
        )
    after_answer = "".join(_hold(talk, held) for talk, held in habits.hold)
    after_answer += "".join(
        _press(wait, digits, "info", own=_OWN, peer="[$from]") for wait, digits in habits.digits
    )
    scenario = _fill(
        "phone.xml", first=first, after_ring=after, after_answer=after_answer, stay_ms=_ms(habits.talk_s)
    )
    return Sipp(scenario, pbx_port, local_port=port, calls=0, limit_s=24 * 3600)


def _hold(talk_s: float, held_s: float) -> str:
    parts = [(talk_s, "sendonly", 301), (held_s, "sendrecv", 302)]
    return "".join(
        _fill("reinvite.xml", wait_ms=_ms(wait), direction=way, cseq=cseq + int(talk_s * 10))
        for wait, way, cseq in parts
    )


def _press(wait_s: float, digits: str, how: str, own: str, peer: str) -> str:
    pause = f'  <pause milliseconds="{_ms(wait_s)}"/>\n'
    if how == "rfc2833":
        length = 300 * len(digits)
        return (
            pause
            + f'  <nop><action><exec play_dtmf="{digits}"/></action></nop>\n  <pause milliseconds="{length}"/>\n'
        )
    return pause + "".join(
        _fill("info.xml", digit=digit, cseq=400 + n, own=own, peer=peer) for n, digit in enumerate(digits)
    )


def _fill(name: str, **values: object) -> str:
    return Template((_SCENARIOS / name).read_text(encoding="utf-8")).substitute(values)


def _quoted(name: str) -> str:
    """A display name as a quoted-string (RFC 3261 §25.1), inside CDATA. SIPp reads [ ] as its own keywords."""
    if not name:
        return ""
    safe = (
        name.replace("\\", "\\\\").replace('"', '\\"').replace("[", "(").replace("]", ")").replace("]]>", "")
    )
    return f'"{safe}" '


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))


__all__ = ["Caller", "Deskphone", "PhoneHabits", "Sipp", "call", "place_call", "trunk_far_end"]
