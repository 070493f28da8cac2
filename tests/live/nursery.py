"""Servers for tests, started in a third of the time: a process that has imported the server forks for each.

Whatever `cti-server serve` does happens in the fork, in an environment of its own; only the second and a half in
which Python reads 900 modules is spent once a worker and not once a server. All servers end with their nursery,
and it ends with the worker.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PR_SET_PDEATHSIG = 1


class Server:
    """As much of a subprocess.Popen as a Center needs, for a process that is not our child."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it runs; how it ended only its parent knows."""
        return 0 if select.select([self._ended], [], [], 0)[0] else None

    def wait(self, limit_s: float) -> None:
        if not select.select([self._ended], [], [], limit_s)[0]:
            raise subprocess.TimeoutExpired("cti-server serve", limit_s)

    def send_signal(self, how: signal.Signals) -> None:
        signal.pidfd_send_signal(self._ended, how)


def start(environment: Mapping[str, str], log: Path) -> Server:
    """A server in this environment; what it prints is appended to `log`."""
    nursery = _nursery(os.getpid())
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    asked = {"environment": dict(environment), "log": str(log)}
    nursery.stdin.write(json.dumps(asked).encode() + b"\n")
    nursery.stdin.flush()
    made = Server(int(nursery.stdout.readline()))
    nursery.stdin.write(b"go\n")
    nursery.stdin.flush()
    return made


@functools.lru_cache(maxsize=1)
def _nursery(process: int) -> subprocess.Popen[bytes]:
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.live.nursery"]
    made = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    atexit.register(made.kill)
    return made


# --- in the nursery ----------------------------------------------------------------------------------------


def main() -> None:
    import cti_server.app
    from cti_server.cli import main as cti_server

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no dead child stays
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is for the tests, which then stop us
    for line in sys.stdin:
        asked = json.loads(line)
        start, go = os.pipe()  # not before its owner has hold of it
        child = os.fork()
        if child:
            os.close(start)
            print(child, flush=True)
            sys.stdin.readline()
            os.close(go)
            continue
        os.close(go)
        os.read(start, 1)
        os.close(start)
        _become(asked["environment"], Path(asked["log"]))
        sys.argv = ["cti-server", "serve"]
        cti_server()


def _become(environment: dict[str, str], log: Path) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for old, new in ((0, nothing), (1, written), (2, written)):
        os.dup2(new, old)
    os.environ.clear()
    os.environ.update(environment)


if __name__ == "__main__":
    main()
