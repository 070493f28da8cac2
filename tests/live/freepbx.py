"""A call center on the layout of FreePBX: attached by the lines of docs/install.md, its record, and its doctor."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from cti_server.api.access.passwords import hash_password
from cti_server.attach import layout, wanted
from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.ports import free_ports
from cti_server.demo.render import dialplans_folder
from cti_server.demo.seed_data import DEMO_PASSWORD
from cti_server.doctor import Finding, Status
from cti_server.doctor.pbx.recorded import Recorded
from cti_server.record.center import agent_queues, agents, lines, queues
from cti_server.record.center.agents import Agent
from cti_server.record.center.queues import Queue
from cti_server.record.database import Database
from cti_server.rules import dial_fence
from cti_server.rules.dial_policy import DEFAULT
from cti_server.rules.facts import Line
from tests.live import test_doctor
from tests.live.center import Center
from tests.live.stock import LINE, FreePbxLike
from tests.live.test_attach import blocks

NAME, QUEUE, NIGHT = "demo", "600", "601"
PEOPLE = {"alice": ("Li Wei", "2001"), "bob": ("Wang Fang", "2002")}
AGENTS = [
    Agent(id=int(number), login=login, name=name, role="agent", seat=f"PJSIP/{number}", pbx=NAME)
    for login, (name, number) in PEOPLE.items()
]
#: what its record has, for a doctor without a database
RECORD = Recorded(
    AGENTS,
    [Queue(0, NAME, QUEUE, "Support", "客服"), Queue(0, NAME, NIGHT, "Night", "夜间")],
    [Line(id=1, raw=LINE, e164=None, region="CN")],
)
#: files that FreePBX writes anew
GENERATED = re.compile(r"\b(extensions|queues|features|manager|pjsip|http)(_\w*additional)?\.conf")
#: how a remedy says where FreePBX has the same
INSTEAD = re.compile(r"\(FreePBX[^)]*\)|^FreePBX|Apply Config writes", re.MULTILINE)


@contextmanager
def attached() -> Iterator[FreePbxLike]:
    """A PBX that has our lines, and asks at a port at which nobody answers yet."""
    made = FreePbxLike(NAME)
    with free_ports(1) as (fastagi,):
        made.config = dataclasses.replace(made.config, fastagi=f"127.0.0.1:{fastagi}")
    with made:
        attach(made)
        yield made


def fastagi_port(pbx: FreePbxLike) -> int:
    return int(pbx.config.fastagi.rpartition(":")[2])


@asynccontextmanager
async def served(pbx: FreePbxLike, database_url: str, folder: Path, **extra: str) -> AsyncIterator[Center]:
    """The server beside it. It dials as step 6 of the section says."""
    await record(database_url)
    with free_ports(1) as (http,):
        pass
    settings = {"CTI_DIAL": "national", "CTI_DEFAULT_REGION": "CN", **extra}
    made = Center(pbx, database_url, http, fastagi_port(pbx), folder / "server.log", settings, forked=True)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()  # which leaves the queues of the PBX as the next server is to find them


def attach(pbx: FreePbxLike) -> None:
    """The FreePBX section of the page: its files, its lines at the end of `_custom` files, its screens."""
    there = layout.read(pbx.etc)
    site = wanted.Site(
        name=pbx.config.name,
        server="127.0.0.1",
        pbx_host="127.0.0.1",
        ami_port=pbx.config.ami_port,
        fastagi_port=fastagi_port(pbx),
        region="CN",
        trunk="",
        inside=wanted.inside(there.phones),
        desk=True,
        secrets={role: pbx.config.secrets[f"cti-{role}"] for role in wanted.ROLES},
        token="",
    )
    files = wanted.files(site, there.kind, dialplans_folder())
    for name, text in files.items():
        (pbx.etc / name).write_text(text)
    for file, _, text in blocks("FreePBX"):
        _add(pbx, file, text)
    fence = dial_fence.made(DEFAULT, dial_fence.site_of(DEFAULT, "CN", "e164", RECORD.lines))
    (pbx.etc / dial_fence.FILE).write_text(fence.text)
    custom = pbx.etc / "extensions_custom.conf"
    custom.write_text(f"#tryinclude {dial_fence.FILE}\n{custom.read_text()}")
    for edit in wanted.keys(there, files["features_cti.conf"]):
        _add(pbx, edit.file, "".join(f"{line}\n" for line in edit.new))
    for line in ("manager reload", "module reload features"):
        pbx.cli(line)
    pbx.route_through_destination()


def _add(pbx: FreePbxLike, file: str, lines: str) -> None:
    path = pbx.etc / file
    path.write_text(path.read_text() + lines)


async def record(url: str) -> None:
    """The queue, the line, two agents and who looks after them."""
    password = hash_password(DEMO_PASSWORD)
    async with Database(url) as database, database.begin() as conn:
        served = [await queues.save(conn, queue) for queue in RECORD.queues]
        for line in RECORD.lines:
            await lines.save(conn, line)
        for agent in AGENTS:
            known = await agents.add(
                conn,
                login=agent.login,
                name=agent.name,
                seat=agent.seat,
                extension=str(agent.id),
                pbx=NAME,
                password_hash=password,
                grants={"full_numbers"},
            )
            for queue in served:
                await agent_queues.assign(conn, known, queue)
        await agents.add(conn, login="susan", name="Susan", role="supervisor", password_hash=password)


# --- what the doctor says of it -------------------------------------------------------------------------------


async def found(pbx: FreePbxLike, record: Recorded = RECORD, **changes: object) -> dict[str, Finding]:
    """What the doctor finds. None of it may send the administrator into a file that FreePBX writes."""
    findings = await test_doctor.found(pbx, record, **{"fastagi_port": fastagi_port(pbx), **changes})
    for finding in findings.values():
        remedy = finding.remedy or ""
        assert INSTEAD.search(remedy) or not GENERATED.search(remedy), finding
    return findings


async def bad(pbx: FreePbxLike, record: Recorded = RECORD, **changes: object) -> dict[str, Finding]:
    """What is wrong; phones are off here, and the packages load what reads files."""
    findings = await found(pbx, record, **changes)
    return {
        code: finding
        for code, finding in findings.items()
        if finding.status is not Status.OK and code not in ("agent.off", "secrets.read")
    }


@pytest.fixture(scope="module")
def pbx() -> Iterator[FreePbxLike]:
    """One for all tests of a module."""
    try:
        with attached() as made:
            yield made
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
