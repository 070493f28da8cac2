"""A call center large enough to measure: a real Asterisk with a hundred phones, and callers that keep coming."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template

from cti_server.demo.asterisk_root import require_tools
from cti_server.demo.calls import PhoneHabits, trunk_far_end
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import free_ports
from cti_server.demo.seed_data import CUSTOMERS

FIRST = 2001
SALES = 50  # phones of the queue `bench`, rung one at a time
TEAMS = 10  # queues team0 … team9: TEAM phones each, all rung at once
TEAM = 5
EXTENSIONS = [str(FIRST + n) for n in range(SALES + TEAMS * TEAM)]
SALES_LINE, TEAM_LINE = "4008007000", "400800710"  # and the team's number
ALL_EVENTS = "bench-all"
HABITS = PhoneHabits(ring_s=1.0, talk_s=2.0)


def queues() -> dict[str, list[str]]:
    """The extensions of each queue."""
    teams = {f"team{t}": EXTENSIONS[SALES + t * TEAM : SALES + (t + 1) * TEAM] for t in range(TEAMS)}
    return {"bench": EXTENSIONS[:SALES], **teams}


class BigPbx(DemoPbx):
    """The demo PBX, its dialplan and roles as they are shipped, with a hundred phones and their queues added.

    One SIPp process plays all phones: their contact is where the trunk's far end listens.
    """

    def __init__(self, name: str, fastagi: str) -> None:
        super().__init__(free_config(name, fastagi=fastagi))

    def _prepare(self) -> None:
        super()._prepare()
        config = self.config
        phones = "".join(
            f"\n[{one}](cti-phone)\naors = {one}\nmedia_address = 127.0.0.1\nbind_rtp_to_media_address = yes\n"
            f"\n[{one}]\ntype = aor\ncontact = sip:{one}@127.0.0.1:{config.trunk_port}\n"
            for one in EXTENSIONS
        )
        lines = f"exten => {SALES_LINE},1,Goto(cti-line,bench,1)\n" + "".join(
            f"exten => {TEAM_LINE}{team},1,Goto(cti-line,team{team},1)\n" for team in range(TEAMS)
        )
        added = {
            "pjsip.conf": phones,
            "queues.conf": "".join(_queue(name, seats) for name, seats in queues().items()),
            "extensions.conf": f"[from-trunk-cti](+)\n{lines}",
            "manager.conf": f"[{ALL_EVENTS}]\nsecret = {config.secrets['cti-events']}\nread = all\nwrite = \n",
        }
        for file, text in added.items():
            with (self.work / "etc" / file).open("a", encoding="utf-8") as out:
                out.write("\n" + text)


def _queue(name: str, seats: Sequence[str]) -> str:
    strategy = "rrmemory" if name == "bench" else "ringall"
    members = "".join(f"member = PJSIP/{seat},0,Agent {seat},PJSIP/{seat}\n" for seat in seats)
    # Without autofill app_queue rings for one caller at a time, however many agents are idle.
    return f"[{name}](cti-queue)\nstrategy = {strategy}\nautofill = yes\n{members}\n"


@contextlib.contextmanager
def phones(pbx: DemoPbx, habits: PhoneHabits = HABITS) -> Iterator[None]:
    """All phones, which ring and answer as `habits` say."""
    played = trunk_far_end(pbx, habits)
    try:
        yield
    finally:
        played.close()


def known_numbers() -> list[str]:
    """Numbers of the demo's customers, as a Chinese provider sends them."""
    numbers = [phone.partition("x")[0] for who in CUSTOMERS for phone in who.phones.split()]
    return ["0" + n.removeprefix("+86") if n.startswith("+86") else "00" + n[1:] for n in dict.fromkeys(numbers)]


def plan() -> list[tuple[str, str]]:
    """(number, line) of calls: four of five ring one phone after the other, the fifth a team of five at once."""
    numbers = known_numbers()
    return [
        (numbers[n % len(numbers)], SALES_LINE if n % 5 else f"{TEAM_LINE}{n // 5 % TEAMS}")
        for n in range(len(numbers) * 5 * TEAMS)
    ]


class Callers:
    """Calls at a steady rate: `pairs` are (number, line), one after the other, again and again.

    Ends by itself after `calls` calls; killed with its owner, and reaped by close().
    """

    def __init__(
        self, pbx: DemoPbx, pairs: Sequence[tuple[str, str]], *, rate: float, calls: int, stay_s: float = 60
    ) -> None:
        require_tools("sipp", "setpriv")
        self._folder = Path(tempfile.mkdtemp(prefix="cti-bench-"))
        scenario = Template(Path(__file__).with_name("caller.xml").read_text(encoding="utf-8"))
        (self._folder / "scenario.xml").write_text(scenario.substitute(stay_ms=int(stay_s * 1000)))
        rows = "".join(f"{ani};{line}\n" for ani, line in pairs)
        (self._folder / "calls.csv").write_text(f"SEQUENTIAL\n{rows}")
        with free_ports(5) as (signalling, control, media, _, _):  # its video is two above its voice
            options = f"-i 127.0.0.1 -p {signalling} -mi 127.0.0.1 -mp {media} -ci 127.0.0.1 -cp {control}"
        limit = int(calls / rate + stay_s + 30)
        options += f" -nostdin -sf scenario.xml -inf calls.csv -r {round(rate * 10)} -rp 10s -m {calls} -l 2000"
        options += f" -skip_rlimit -timeout {limit}s -trace_err -error_file errors.log"
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
