"""A phone of another maker on a desk: its program, started on ports of its own and registered at the PBX."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from cti_server.demo.asterisk_root import require_tools
from cti_server.demo.pbx import DemoPbx
from cti_server.demo.ports import free_ports

LIMIT_S = 30.0
POLITE_S = 2.0
VOICE_PORTS = 10  # two for each call of a phone with several lines, and some that a call before has not let go yet

Found = TypeVar("Found")


class RealPhone(ABC):
    """Rings, answers, holds and transfers by its own keys and its own SIP; what it notices it tells.

    Every wait is for something that the phone told; LIMIT_S is how long a failure takes. Blocking: from asyncio,
    use a thread. The program is killed with the thread that starts it, so that thread must last.
    """

    def __init__(self, pbx: DemoPbx, extension: str, *programs: str) -> None:
        require_tools("setpriv", *programs)
        self.pbx, self.extension = pbx, extension
        self.server = f"127.0.0.1:{pbx.config.sip_port}"
        self.folder = Path(tempfile.mkdtemp(prefix=f"cti-{programs[0]}-"))
        with free_ports(3 + VOICE_PORTS) as (
            sip,
            _,
            control,
            *voice,
        ):  # beside its own port a phone may take one for TLS
            self.port, self._control, self._voice = sip, control, (voice[0], voice[-1])
        self._heard = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start()
            self._until_registered()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- its keys --------------------------------------------------------------------------------------------

    @abstractmethod
    def rings(self) -> None:
        """Waits until it rings."""

    @abstractmethod
    def answer(self) -> None:
        """Picks up, and waits until both sides agree."""

    @abstractmethod
    def hang_up(self) -> None:
        """Ends the present call; one that rings is declined."""

    @abstractmethod
    def hold(self) -> None:
        """Its hold key: re-INVITE, sendonly."""

    @abstractmethod
    def resume(self) -> None:
        """Its hold key once more."""

    @abstractmethod
    def dial(self, number: str) -> None:
        """A new call."""

    @abstractmethod
    def transfer(self, number: str) -> None:
        """Its transfer key, blind: REFER."""

    def pull_the_plug(self) -> None:
        """It dies: no BYE, no un-REGISTER."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def address(self, number: str) -> str:
        return f"sip:{number}@{self.server}"

    # --- its program -----------------------------------------------------------------------------------------

    @abstractmethod
    def _start(self) -> None:
        """Starts the program with `_run`, and whatever reads it."""

    @abstractmethod
    def _quit(self) -> None:
        """Asks the program to end, so that it hangs up and un-registers."""

    def _run(self, command: list[str], *, stdin: int, stdout: int | None) -> subprocess.Popen[bytes]:
        with (self.folder / "out.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=stdin,
                stdout=log if stdout is None else stdout,
                stderr=log,
                cwd=self.folder,
                env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8"},
            )
        return self._process

    @property
    def log(self) -> str:
        """What the program printed."""
        return (self.folder / "out.log").read_text(errors="replace")

    def _until(self, find: Callable[[], Found | None], what: Callable[[], str]) -> Found:
        """What `find` finds, looked for whenever the phone told something."""
        deadline = time.monotonic() + LIMIT_S
        with self._heard:
            while (found := find()) is None:
                left = deadline - time.monotonic()
                if left <= 0 or not self._heard.wait(left):
                    raise AssertionError(f"{self.extension}: {what()}")
        return found

    def _until_registered(self) -> None:
        """The phone's own word for it may come before anybody listens, so the PBX is asked."""
        deadline = time.monotonic() + LIMIT_S
        while f":{self.port}" not in self.pbx.cli("pjsip show contacts"):
            assert self._process is not None
            alive = self._process.poll() is None and time.monotonic() < deadline
            assert alive, f"{self.extension} did not register: {self.log[-2000:]}"
            time.sleep(0.05)

    def close(self) -> None:
        """Ends it, politely if it listens."""
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(OSError):
                self._quit()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POLITE_S)
            if process.poll() is None:
                process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
