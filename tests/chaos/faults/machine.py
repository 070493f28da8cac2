"""What a machine does to a server: its disk is full, its clock jumps, the name of the PBX cannot be resolved."""

from __future__ import annotations

import asyncio
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.figures import Figure
from tests.chaos.run import Fault, Options, Run, under_load
from tests.record.disks import small_disk

from .database import nobody_harmed, until_ready
from .killed import card_after
from .manager import COMES_S, login_after

DISK = "48m"
FULL_S = 14.0  # a write that succeeded proves for 10 s that the next will
AHEAD_S = 3600
NAME = "pbx.chaos.invalid"
NOBODY_S = 8.0
MOVED_S = 8.0


async def disk_full(options: Options) -> list[Figure]:
    """The record is an SQLite file on a disk that has no byte left for a while."""
    with (
        tempfile.TemporaryDirectory(prefix="cti-chaos-") as folder,
        small_disk(Path(folder) / "disk", DISK) as disk,
    ):
        async with under_load("disk-full", options, 8 + FULL_S + 10, sqlite=disk.folder / "cti.db") as run:
            was = time.time()
            await asyncio.to_thread(disk.fill)
            await asyncio.sleep(FULL_S)
            said = await _why(run)
            run.note("/readyz meanwhile", said, "says so", "full" in said)
            disk.clear()
            back = time.time()
            run.worst("from room to ready", [await until_ready(run, back)], 10)
            run.worst("from room to a card", [await card_after(run, back)], 10)
            nobody_harmed(run, was, time.time())
            await run.finish()
    return run.figures


async def _why(run: Run) -> str:
    async with run.site.servers[0].center.client(timeout=3) as api:
        answer = await api.get("/readyz")
        return str(answer.json().get("detail", answer.status_code))


async def clock_moved(options: Options) -> list[Figure]:
    """The server's clock jumps ahead by an hour, and back; the PBX's does not."""
    with tempfile.TemporaryDirectory(prefix="cti-chaos-") as folder:
        library, ahead = Path(folder) / "clock.so", Path(folder) / "ahead"
        if shutil.which("cc") is None:
            return [Figure("not run", "needs a C compiler:  apt-get install gcc libc6-dev")]
        source = Path(__file__).with_name("clock.c")
        await asyncio.to_thread(_made, source, library)
        _set(ahead, 0)
        settings = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(ahead)}
        async with under_load("clock-moved", options, 30, settings=settings) as run:
            was = time.time()
            _set(ahead, AHEAD_S)
            await asyncio.sleep(MOVED_S)
            _set(ahead, 0)
            await asyncio.sleep(2)
            run.worst("cards go on afterwards", [await card_after(run, time.time())], 3)
            nobody_harmed(run, was, time.time())
            await run.finish()
    return run.figures


def _made(source: Path, library: Path) -> None:
    command = ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)


def _set(ahead: Path, seconds: int) -> None:
    """In place: the processes have it mapped."""
    with ahead.open("r+b" if ahead.exists() else "wb") as file:
        file.write(struct.pack("=q", seconds))


async def name_dead(options: Options) -> list[Figure]:
    """The PBX is known by a name, the connection is lost, and nobody can say where that name is for a while."""
    if shutil.which("unshare") is None:
        return [Figure("not run", "needs unshare, of util-linux")]
    with tempfile.TemporaryDirectory(prefix="cti-chaos-") as folder:
        hosts, resolv = Path(folder) / "hosts", Path(folder) / "resolv.conf"
        known = f"127.0.0.1 localhost\n127.0.0.1 {NAME}\n"
        hosts.write_text(known)
        resolv.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        script = f'mount --bind {hosts} /etc/hosts && mount --bind {resolv} /etc/resolv.conf && exec "$@"'
        before = ("unshare", "--mount", "sh", "-c", script, "sh")
        settings = {"CTI_AMI_HOST": NAME}
        async with under_load("name-dead", options, 8 + NOBODY_S + 14, settings=settings, before=before) as run:
            [server] = run.site.servers
            was = time.time()
            hosts.write_text("127.0.0.1 localhost\n")
            server.ami.reset()
            await asyncio.sleep(NOBODY_S)
            said = await _why(run)
            run.note("/readyz meanwhile", said, "says so", "link" in said)
            hosts.write_text(known)
            back = time.time()
            login = await login_after(server, back)
            run.worst(
                "from the name's return to the login", [None if login is None else login - back], COMES_S / 2
            )
            run.worst("from its return to a card", [await card_after(run, back)], COMES_S / 2)
            nobody_harmed(run, was, time.time())
            await run.finish()
    return run.figures


FAULTS = (
    Fault("disk-full", f"the record's disk is full for {FULL_S:g} s (SQLite)", disk_full),
    Fault("clock-moved", "the server's clock jumps ahead by an hour, and back", clock_moved),
    Fault("name-dead", "the PBX's name cannot be resolved", name_dead),
)
