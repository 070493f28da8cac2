"""The callers, each with a number of their own, and their ledger: what SIPp itself saw of each call.

One SIPp process plays the callers of one kind. Its log is the ledger; nothing of the server's is read here.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from cti_server.demo.asterisk_root import require_tools
from cti_server.demo.pbx import DemoPbx
from cti_server.demo.ports import free_ports

LATE_S = 20  # a SIPp that waits for an answer which never comes ends so long after the last call should have


@dataclass(frozen=True, slots=True)
class Kind:
    """Callers of one kind: their share of all, when they hang up if nobody else has, and how far that varies."""

    what: str
    share: float
    stay_s: float


PATIENT = Kind("stays", 0.7, 45)
KINDS = (PATIENT, Kind("hangs up while it rings", 0.15, 0.3), Kind("hangs up while talking", 0.15, 1.7))


@dataclass(slots=True)
class Placed:
    """One call as its caller saw it. Times are seconds of the epoch; `ended_by` is "they", "we" or "" where SIPp
    saw no end."""

    number: str
    call_id: str
    begun: float
    answered: float | None = None
    ended: float | None = None
    ended_by: str = ""


class Callers:
    """Calls at a steady rate, which end by themselves after `calls`. Killed with its owner, and reaped by close().

    `numbers` are used once each, so there must be as many as calls.
    """

    def __init__(self, pbx: DemoPbx, kind: Kind, line: str, numbers: Sequence[str], rate: float) -> None:
        require_tools("sipp", "setpriv")
        self._folder = Path(tempfile.mkdtemp(prefix="cti-chaos-"))
        scenario = Template(Path(__file__).with_name("caller.xml").read_text(encoding="utf-8"))
        (self._folder / "scenario.xml").write_text(scenario.substitute(stay_ms=int(kind.stay_s * 1000)))
        rows = "".join(f"{number};{line}\n" for number in numbers)
        (self._folder / "calls.csv").write_text(f"SEQUENTIAL\n{rows}")
        with free_ports(5) as (signalling, control, media, _, _):  # its video is two above its voice
            options = f"-i 127.0.0.1 -p {signalling} -mi 127.0.0.1 -mp {media} -ci 127.0.0.1 -cp {control}"
        limit = int(len(numbers) / rate + kind.stay_s + LATE_S)
        options += f" -nostdin -sf scenario.xml -inf calls.csv -r {max(1, round(rate * 100))} -rp 100s"
        options += f" -m {len(numbers)} -l 2000 -skip_rlimit -timeout {limit}s -trace_err -error_file errors.log"
        options += " -trace_logs -log_file calls.log"
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "sipp", f"127.0.0.1:{pbx.config.sip_port}", *options.split()],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TERM": "vt100"},
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def ledger(self) -> dict[str, Placed]:
        """The calls that were begun so far, by number."""
        found: dict[str, Placed] = {}
        log = self._folder / "calls.log"
        for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
            what, number, call_id, seconds, micros = line.split()
            at = float(seconds) + float(micros) / 1e6
            if what == "begun":
                found[number] = Placed(number, call_id, at)
            elif what == "answered":
                found[number].answered = at
            else:
                found[number].ended, found[number].ended_by = at, what
        return found

    def errors(self) -> str:
        log = self._folder / "errors.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def close(self) -> None:
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(3)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def fresh_numbers(seed: int) -> Iterator[str]:
    """Numbers of mobile phones as a Chinese provider sends them, none twice; the seed says where they begin."""
    first = random.Random(seed).randrange(10**6)
    return (f"0139{(first + n) % 10**8:08d}" for n in itertools.count())


class Load:
    """All callers of a run: `rate` a second for `seconds`, of all kinds, to one line."""

    def __init__(self, pbx: DemoPbx, line: str, rate: float, seconds: float, seed: int) -> None:
        numbers = fresh_numbers(seed)
        self._callers: list[Callers] = []
        try:
            for kind in KINDS:
                calls = max(1, round(rate * kind.share * seconds))
                own = [next(numbers) for _ in range(calls)]
                self._callers.append(Callers(pbx, kind, line, own, rate * kind.share))
        except BaseException:
            self.close()
            raise

    @property
    def running(self) -> bool:
        return any(callers.running for callers in self._callers)

    def ledger(self) -> dict[str, Placed]:
        found: dict[str, Placed] = {}
        for callers in self._callers:
            found |= callers.ledger()
        return found

    def errors(self) -> str:
        return "".join(callers.errors() for callers in self._callers)

    def close(self) -> None:
        for callers in self._callers:
            callers.close()
