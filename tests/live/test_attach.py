"""A PBX that works, and nothing of ours in it: attached by the guided command, the first card, and gone again
without a trace."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cti_server.attach.ledger import digests
from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from cti_server.demo.ports import free_ports
from tests.live.center import until
from tests.live.stock import LINE, PHONES, SUPPORT, StockPbx

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

CUSTOMERS = "客户号,客户名称,手机号码\nC-1,王先生,13800138000\n"


@pytest.fixture
def pbx() -> Iterator[StockPbx]:
    try:
        with StockPbx() as made:
            yield made
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)


@dataclass
class Machine:
    """The machine that the server is installed on: its settings folder, its commands, its service."""

    folder: Path
    environ: dict[str, str]
    service: subprocess.Popen[bytes] | None = field(default=None)

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cti_server", *words]
        return subprocess.run(
            command, env=self.environ | environ, cwd="/", capture_output=True, text=True, timeout=200
        )

    def serve(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            command = [sys.executable, "-m", "cti_server", "serve"]
            self.service = subprocess.Popen(command, env=self.environ, cwd="/", stdout=log, stderr=log)

    def stop(self) -> None:
        service, self.service = self.service, None
        if service is not None and service.poll() is None:
            service.send_signal(signal.SIGTERM)
            service.wait(20)


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    with free_ports(2) as (http, fastagi):
        pass
    given = {
        "CTI_CONFIG": str(tmp_path / "cti-server.env"),
        "CTI_DATABASE_URL": f"sqlite:///{tmp_path}/cti.db",
        "CTI_HTTP_PORT": str(http),
        "CTI_FASTAGI_PORT": str(fastagi),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    made = Machine(tmp_path, {k: v for k, v in os.environ.items() if not k.startswith("CTI_")} | given)
    yield made
    made.stop()


@pytest.fixture
def phones(pbx: StockPbx) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def attached(machine: Machine, pbx: StockPbx) -> subprocess.CompletedProcess[str]:
    """The guided command, with every answer as it proposes it; the service is started when it asks for it."""
    options = ("--yes", "--etc", str(pbx.etc), "--asterisk", str(pbx.command), "--name", "main")
    going = asyncio.create_task(
        asyncio.to_thread(machine.run, "attach", *options, "--region", "CN", "--call", "13800138000")
    )
    await until(lambda: Path(machine.environ["CTI_CONFIG"]).exists() or going.done(), "the settings", 60)
    machine.serve()
    return await going


async def test_attached_by_the_guided_command_and_gone_again(
    pbx: StockPbx, machine: Machine, phones: ExitStack
) -> None:
    before = digests(pbx.etc)
    (machine.folder / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    for words in (("migrate",), ("import", "customers", str(machine.folder / "customers.csv"))):
        done = await asyncio.to_thread(machine.run, *words, CTI_CONFIG="")
        assert done.returncode == 0, done.stderr
    for number in PHONES:
        phones.enter_context(await asyncio.to_thread(Deskphone, pbx, number, PhoneHabits(ring_s=0.3)))
    began = time.monotonic()
    done = await attached(machine, pbx)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"minutes to the first card: {(time.monotonic() - began) / 60:.1f}")
    assert "4008001000" in done.stdout
    assert "王先生" in done.stdout, "the card of the customer whose number called"
    assert f"queue: {SUPPORT}" in done.stdout
    assert "rings: Agent 2001, Agent 2002" in done.stdout

    phones.enter_context(await asyncio.to_thread(place_call, pbx, "13800138000", LINE))
    await until(lambda: "Up!Queue" in pbx.cli("core show channels concise"), "a call in the queue")
    await asyncio.to_thread(machine.stop)

    undone = await asyncio.to_thread(machine.run, "attach", "--undo", "--yes", "--asterisk", str(pbx.command))
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert digests(pbx.etc) == before
    members = pbx.cli(f"queue show {SUPPORT}")
    assert "paused" not in members
    assert "manager_cti" not in pbx.cli("manager show users")
    assert "cti-events" not in pbx.cli("manager show users")
    assert "no existence" in pbx.cli("dialplan show cti-identify")
