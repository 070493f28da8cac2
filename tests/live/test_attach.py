"""A PBX that works, and nothing of ours in it: attached by the guided command, the first card, and gone again
without a trace."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from cti_server.attach.ledger import digests
from cti_server.attach.wanted import FILES
from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from cti_server.demo.ports import free_ports
from cti_server.demo.render import dialplans_folder
from cti_server.record.contacts import history
from cti_server.record.contacts.history import Filter
from cti_server.record.database import Database
from tests.live.center import until
from tests.live.stock import LINE, PHONES, RING_GROUP, SUPPORT, FreePbxLike, StockPbx

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

    async def is_ready(self) -> bool:
        """Whether the service says so."""
        async with httpx.AsyncClient(verify=False) as http:
            try:
                answer = await http.get(f"http://127.0.0.1:{self.environ['CTI_HTTP_PORT']}/readyz")
            except httpx.HTTPError:
                return False
        return answer.status_code == 200

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


async def attached(machine: Machine, pbx: StockPbx, *more: str) -> subprocess.CompletedProcess[str]:
    """The guided command, with every answer as it proposes it; the service is started when it asks for it."""
    options = ("--yes", "--etc", str(pbx.etc), "--asterisk", str(pbx.command), "--name", "main", *more)
    going = asyncio.create_task(
        asyncio.to_thread(machine.run, "attach", *options, "--region", "CN", "--call", "13800138000")
    )
    await until(lambda: Path(machine.environ["CTI_CONFIG"]).exists() or going.done(), "the settings", 60)
    if machine.service is None:
        machine.serve()
    return await going


async def filled(machine: Machine) -> None:
    """A record with one customer, before there are settings."""
    (machine.folder / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    for words in (("migrate",), ("import", "customers", str(machine.folder / "customers.csv"))):
        done = await asyncio.to_thread(machine.run, *words, CTI_CONFIG="")
        assert done.returncode == 0, done.stderr


async def test_attached_by_the_guided_command_and_gone_again(
    pbx: StockPbx, machine: Machine, phones: ExitStack
) -> None:
    before = digests(pbx.etc)
    await filled(machine)
    for number in PHONES:
        phones.enter_context(await asyncio.to_thread(Deskphone, pbx, number, PhoneHabits(ring_s=0.3)))
    began = time.monotonic()
    done = await attached(machine, pbx)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"minutes to the first card: {(time.monotonic() - began) / 60:.1f}")
    assert "numbers: 4008001000, 4008001001" in done.stdout, "the second leads to queues through a menu"
    by_hand = done.stdout.partition("[menu], extension 2")[2]
    assert by_hand.startswith(": before its Queue(), by hand"), done.stdout
    assert "王先生" in done.stdout, "the card of the customer whose number called"
    assert f"queue: {SUPPORT}" in done.stdout
    assert "rings: Agent 2001, Agent 2002" in done.stdout

    there = digests(pbx.etc)
    again = await attached(machine, pbx)
    assert again.returncode == 0, again.stdout + again.stderr
    assert digests(pbx.etc) == there, "a second run finds all as it is to be"

    phones.enter_context(await asyncio.to_thread(place_call, pbx, "13800138000", LINE))
    await until(lambda: "Up!Queue" in pbx.cli("core show channels concise"), "a call in the queue")
    early = await asyncio.to_thread(machine.run, "attach", "--undo", "--yes", "--asterisk", str(pbx.command))
    assert (early.returncode, digests(pbx.etc)) == (1, there), "a server that runs would pause its agents again"
    assert "systemctl stop cti-server" in early.stdout
    await asyncio.to_thread(machine.stop)

    undone = await asyncio.to_thread(machine.run, "attach", "--undo", "--yes", "--asterisk", str(pbx.command))
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert digests(pbx.etc) == before
    members = pbx.cli(f"queue show {SUPPORT}")
    assert "paused" not in members
    assert "manager_cti" not in pbx.cli("manager show users")
    assert "cti-events" not in pbx.cli("manager show users")
    assert "no existence" in pbx.cli("dialplan show cti-identify")


async def test_the_desk_may_come_later(pbx: StockPbx, machine: Machine) -> None:
    """Without what holds and transfers from the screen nothing is missed; with it each Queue() is prepared."""
    await filled(machine)
    before = digests(pbx.etc)
    done = await attached(machine, pbx, "--no-desk")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (pbx.etc / "extensions_cti_desk.conf").exists()
    assert "cti-leg" not in pbx.cli(f"dialplan show {LINE}@from-carrier")
    later = await attached(machine, pbx)
    assert later.returncode == 0, later.stdout + later.stderr
    assert "Queue(support,tkb(cti-leg^s^1)" in pbx.cli(f"dialplan show {LINE}@from-carrier")
    await asyncio.to_thread(machine.stop)
    undone = await asyncio.to_thread(machine.run, "attach", "--undo", "--yes", "--asterisk", str(pbx.command))
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert digests(pbx.etc) == before


# --- answering it by hand, on FreePBX ---------------------------------------------------------------------

ROUTES = "extensions_additional.conf"  # FreePBX writes it when its administrator points a route at our destination
PROMPT = re.compile(r"(\]: ?|\[Enter\][^\n]*: ?)$")


def answered(machine: Machine, pbx: FreePbxLike, *words: str) -> tuple[int, str]:
    """A person who takes what it proposes, and does on the screens of FreePBX what it asks for."""
    command = [sys.executable, "-u", "-m", "cti_server", *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=machine.environ, cwd="/", stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT
    ) as going:
        assert going.stdin is not None
        assert going.stdout is not None
        said, answered_up_to = "", 0
        while chunk := os.read(going.stdout.fileno(), 4096):
            said += chunk.decode(errors="replace")
            if not PROMPT.search(said[answered_up_to:]):
                continue
            if "Custom Destinations" in said[answered_up_to:]:
                pbx.route_through_destination()
            if "or:  cti-server serve" in said[answered_up_to:]:
                machine.serve()
            answered_up_to = len(said)
            going.stdin.write(b"\n")
            going.stdin.flush()
    return going.returncode, said


async def test_attached_to_freepbx_as_a_person_answers(machine: Machine) -> None:
    with FreePbxLike() as pbx, ExitStack() as phones:
        generated = {"extensions_additional.conf", "queues_additional.conf", "queues.conf", "extensions.conf"}
        before = digests(pbx.etc)
        await filled(machine)
        for number in PHONES:
            phones.enter_context(await asyncio.to_thread(Deskphone, pbx, number, PhoneHabits(ring_s=0.3)))
        words = ("attach", "--etc", str(pbx.etc), "--asterisk", str(pbx.command), "--call", "13800138000")
        status, said = await asyncio.to_thread(answered, machine, pbx, *words)
        print(said)
        assert status == 0, said
        assert "FreePBX" in said
        assert "王先生" in said
        assert "queue: 600" in said
        now = digests(pbx.etc)
        assert {name for name in generated if now[name] != before[name]} == {"extensions_additional.conf"}, (
            "theirs"
        )
        site = (pbx.etc / "cti_site.conf").read_text()
        assert "Set(CTI_VIA=from-internal)" in site
        settings = (machine.folder / "cti-server.env").read_text()
        assert "CTI_DIAL=national" in settings, "its outbound routes are 0X. and 1X."
        await asyncio.to_thread(machine.stop)
        back = ("attach", "--undo", "--yes", "--asterisk", str(pbx.command))
        refused = await asyncio.to_thread(machine.run, *back)
        assert refused.returncode == 1
        assert "still led to our contexts: 4008001000 in [ext-did]" in refused.stdout, (
            "whose callers it would cut off"
        )
        assert digests(pbx.etc) == now
        pbx.route_to(RING_GROUP)
        undone = await asyncio.to_thread(machine.run, *back)
        assert undone.returncode == 0, undone.stdout + undone.stderr
        after = digests(pbx.etc)
        assert {name for name in before if after.get(name) != before[name]} == {"extensions_additional.conf"}, said
        assert "extensions_additional.conf is not as it was" in undone.stdout, (
            "what they changed is told, not hidden"
        )
        assert set(after) == set(before)


# --- by the documents' own lines --------------------------------------------------------------------------

INSTALL = Path(__file__).parents[2] / "docs" / "install.md"
BLOCK = re.compile(r"`/etc/asterisk/(\w+\.conf)`, ([^\n]*):\n\n( *)```ini\n(.*?)\n *```", re.DOTALL)


def blocks(title: str) -> list[tuple[str, str, str]]:
    """(file, place, lines) of each block that a section of the page says to paste."""
    section = INSTALL.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return [
        (file, place, "\n".join(line.removeprefix(indent) for line in text.splitlines()) + "\n")
        for file, place, indent, text in BLOCK.findall(section)
    ]


def install_by_hand(pbx: StockPbx, machine: Machine) -> None:
    """Files, edits and settings as the page has them."""
    source = dialplans_folder()
    secrets = {role: f"secret-of-{role}-123456" for role in ("events", "agent", "call", "originate")}
    values = {
        "Set(CTI_FASTAGI=127.0.0.1:4573)": f"Set(CTI_FASTAGI=127.0.0.1:{machine.environ['CTI_FASTAGI_PORT']})",
        "Set(CTI_PBX=${SYSTEMNAME})": "Set(CTI_PBX=main)",
        "CTI_TRUNK=cti-trunk": "CTI_TRUNK=carrier",
        "CTI_INSIDE=^[1-7][0-9]{2,4}$": "CTI_INSIDE=^20[0-9]{2}$",
    }
    for role, secret in secrets.items():
        head = f"[cti-{role}](cti-user)\nsecret = "
        values[f"{head}CHANGE-ME"] = head + secret
    for name in FILES:
        text = (source / name).read_text()
        for old, new in values.items():
            text = text.replace(old, new)
        (pbx.etc / name).write_text(text)
    for file, place, lines in blocks("Plain Asterisk"):
        path = pbx.etc / file
        text = path.read_text(errors="surrogateescape")
        if place == "at the end":
            text += lines
        else:
            text = text.replace(" same => n,Queue(support,t,,,60)\n", lines)
        path.write_text(text, errors="surrogateescape")
    settings = "".join(f"CTI_AMI_{role.upper()}_SECRET={secret}\n" for role, secret in secrets.items())
    Path(machine.environ["CTI_CONFIG"]).write_text(f"{settings}CTI_AMI_PORT={pbx.config.ami_port}\n")
    for line in ("manager reload", "dialplan reload", "module reload features"):
        pbx.cli(line)


def waits_in_queue(pbx: StockPbx) -> bool:
    return any(
        "!Queue!" in line and "carrier" in line for line in pbx.cli("core show channels concise").splitlines()
    )


async def test_each_line_is_safe_while_others_are_gone(pbx: StockPbx, machine: Machine) -> None:
    """The page's lines, and half of them undone in every way: the caller reaches the queue."""
    install_by_hand(pbx, machine)
    assert len(blocks("Plain Asterisk")) == 4
    extensions, gone = pbx.etc / "extensions.conf", pbx.etc / "gone"
    gone.mkdir()
    whole = extensions.read_text(errors="surrogateescape")

    def without(line: str) -> None:
        extensions.write_text(whole.replace(line + "\n", ""), errors="surrogateescape")

    def away(name: str) -> None:
        (pbx.etc / name).rename(gone / name)

    rows: dict[str, Callable[[], None]] = {
        "as the page has it": lambda: None,
        "no include": lambda: without("#tryinclude extensions_cti.conf"),
        "a misspelt include": lambda: extensions.write_text(
            whole.replace("extensions_cti.conf", "extension_cti.conf"), errors="surrogateescape"
        ),
        "no desk": lambda: without("#tryinclude extensions_cti_desk.conf"),
        "no cti_site.conf": lambda: away("cti_site.conf"),
        "no extensions_cti.conf": lambda: away("extensions_cti.conf"),
    }
    for name, broken in rows.items():
        broken()
        await asyncio.to_thread(pbx.restart)
        with await asyncio.to_thread(place_call, pbx, "13800138000", LINE):
            await until(lambda: waits_in_queue(pbx), f"a caller in the queue with {name}", 20)
        extensions.write_text(whole, errors="surrogateescape")
        for file in gone.iterdir():
            file.rename(pbx.etc / file.name)


async def test_attached_by_the_documents_own_lines(pbx: StockPbx, machine: Machine, phones: ExitStack) -> None:
    await asyncio.to_thread(install_by_hand, pbx, machine)
    await filled(machine)
    for words in (
        ("queue", "add", "support"),
        ("line", "add", LINE, "--queue", "support"),
        ("user", "add", "lw", "--name", "Li Wei", "--seat", "PJSIP/2001", "--password", "eight-or-more"),
    ):
        done = await asyncio.to_thread(machine.run, *words)
        assert done.returncode == 0, done.stderr
    machine.serve()
    await until(machine.is_ready, "a server that is ready")
    phones.enter_context(await asyncio.to_thread(Deskphone, pbx, "2001", PhoneHabits(ring_s=None)))
    doctor = await asyncio.to_thread(machine.run, "doctor")
    assert "✗" not in doctor.stdout, doctor.stdout
    phones.enter_context(await asyncio.to_thread(place_call, pbx, "13800138000", LINE))
    async with Database(machine.environ["CTI_DATABASE_URL"]) as database:

        async def carded() -> bool:
            async with database.read() as conn:
                rows = (await history.page(conn, Filter(), limit=5)).items
            return any(row.customer_name == "王先生" and row.segments for row in rows)

        await until(carded, "the card of a known caller, at a phone that rings")
