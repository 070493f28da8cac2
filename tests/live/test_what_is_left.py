"""A worker that dies in the middle of a test leaves nothing behind that runs or is mounted."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

WORKER = """
import asyncio, pathlib, sys, tempfile
from cti_server.demo.calls import Deskphone, place_call
from tests.conftest import PostgresServer
from tests.live.center import center
from tests.live.two_browsers import office

async def main():
    folder = pathlib.Path(sys.argv[1])
    postgres = PostgresServer()
    postgres.execute("CREATE DATABASE cti")
    async with center(postgres.url("cti"), folder) as site, office(site, folder):
        await site.start()
        phone = Deskphone(site.pbx, "1001")
        caller = place_call(site.pbx, "13800138000", "4008004000")
        print("up", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


def descendants(pid: int) -> dict[int, str]:
    """All that this process started and what those started, each with its name."""
    found: dict[int, str] = {}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found[child] = Path(f"/proc/{child}/comm").read_text().strip()
            found |= descendants(child)
    return found


def running(pid: int) -> bool:
    """Not gone, and not a dead one whom nobody has taken note of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_whatever_a_worker_started_ends_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "up\n"
        started = descendants(worker.pid)
        names = set(started.values())
        assert {"asterisk", "sipp", "postgres", "chromium"} <= names, names
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    deadline = time.monotonic() + 20
    while left := {pid: name for pid, name in started.items() if running(pid)}:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    assert "/lab" not in Path("/proc/mounts").read_text()
