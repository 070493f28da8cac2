"""The center that is broken: a real Asterisk with fifty phones, a record, one or two servers, agents at work.

Between each server and its PBX, and each server and PostgreSQL, is a wire of ours (`wire.py`).
"""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from cti_server.demo.calls import PhoneHabits
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import free_ports
from cti_server.demo.seed import seed as fill
from cti_server.record import leases, migrate
from cti_server.record.center import agents
from cti_server.record.center import queues as queue_table
from cti_server.record.center.queues import Queue
from cti_server.record.database import Database
from tests.bench.floorplan import EXTENSIONS, SALES, SALES_LINE, BigPbx, phones, queues
from tests.bench.postgres import DurableServer, durable_postgres
from tests.live.center import Center, until

from .desktops import BROKEN, Desktop, ask, connected, signed_in
from .wire import Wire, wire

PBX = "chaos"
LINE = SALES_LINE
HABITS = PhoneHabits(ring_s=0.6, talk_s=1.5)
MANAGER = "chaos"
NAMES = ("one", "two")
SUPERVISOR = "susan"
TRUNK = "PJSIP/cti-trunk-"


class ChaosPbx(BigPbx):
    """The big PBX, with a log of channel events as it is shipped and a manager's user that may flood."""

    def __init__(self, fastagi: Sequence[str]) -> None:
        second = fastagi[1] if len(fastagi) > 1 else ""
        DemoPbx.__init__(self, free_config(PBX, fastagi=fastagi[0], site={"CTI_FASTAGI_2": second}))

    @property
    def cel(self) -> Path:
        return self.work / "log" / "cel-custom" / "cti.csv"

    @property
    def queue_log(self) -> Path:
        return self.work / "log" / "queue_log"

    @property
    def flooder(self) -> tuple[str, str]:
        """User and secret of a manager who may send events of their own."""
        return MANAGER, self.config.secrets["cti-events"]

    def _prepare(self) -> None:
        super()._prepare()
        name, secret = self.flooder
        with (self.work / "etc" / "manager.conf").open("a", encoding="utf-8") as conf:
            conf.write(f"\n[{name}]\nsecret = {secret}\nread = \nwrite = user\n")


@dataclass(eq=False)
class Server:
    """One process of ours, and the wires between it and the others. `db` is None on SQLite."""

    name: str
    center: Center
    ami: Wire
    db: Wire | None

    @property
    def pid(self) -> int:
        assert self.center.process is not None
        return self.center.process.pid

    @property
    def port(self) -> int:
        return self.center.http_port

    async def kill(self) -> None:
        await self.center.stop(signal.SIGKILL)

    async def end(self) -> None:
        """As an administrator ends it."""
        await self.center.stop(signal.SIGTERM)

    async def start(self) -> float:
        """Seconds from its start to its first 200 of /readyz."""
        began = time.monotonic()
        await self.center.start()
        return time.monotonic() - began

    async def metric(self, name: str) -> float:
        """One of /metrics, all its labels added up; 0 where it does not answer."""
        try:
            async with self.center.client(timeout=2) as api:
                text = (await api.get("/metrics")).text
        except httpx.HTTPError:
            return 0.0
        found = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for value in found)


@dataclass(eq=False)
class Site:
    """Everything up. `url` is of the record, past all wires, wherever that is now; `people` are the agents at
    work."""

    pbx: ChaosPbx
    url: str
    postgres: DurableServer | None
    servers: list[Server]
    people: list[Desktop]
    others: list[Desktop]
    supervisor: str
    folder: Path
    downs: list[tuple[float, float]] = field(default_factory=list)

    @property
    def everybody(self) -> list[Desktop]:
        return [*self.people, *self.others]

    async def owner(self) -> Server | None:
        """The server that has the PBX now, by the record."""
        async with Database(self.url) as database:
            held_by = await leases.holder(database, PBX)
        pid = (held_by or "").rpartition(":")[2]
        running = (one for one in self.servers if one.center.process is not None)
        return next((one for one in running if str(one.pid) == pid), None)

    async def taken_by(self, server: Server, limit_s: float) -> float | None:
        """When the record first says that this server has the PBX; None if not within `limit_s`."""
        deadline = time.monotonic() + limit_s
        async with Database(self.url) as database:
            while time.monotonic() < deadline:
                held_by = await leases.holder(database, PBX)
                if (held_by or "").rpartition(":")[2] == str(server.pid):
                    return time.time()
                await asyncio.sleep(0.05)
        return None

    async def rows(self, query: str) -> list[dict[str, Any]]:
        async with Database(self.url) as database, database.read() as conn:
            return [dict(row) for row in (await conn.execute(sa.text(query))).mappings()]

    async def callers_at_pbx(self) -> set[str]:
        """The linkedids of callers who have a channel, by the PBX's command line."""
        said = await asyncio.to_thread(self.pbx.cli, "core show channels concise")
        lines = [line.split("!") for line in said.splitlines()]
        return {line[-1] for line in lines if len(line) > 10 and line[0].startswith(TRUNK)}

    async def callers_on_floor(self, server: Server) -> set[str] | None:
        """The linkedids of live calls as a supervisor sees them there; None without an answer."""
        status, body = await request(server, self.supervisor, "/api/calls")
        if status != 200:
            return None
        return {one["call"].rpartition(":")[2] for one in body["items"] if one["state"] != "ended"}

    async def exact(self, server: Server, limit_s: float = 15.0) -> tuple[float | None, str]:
        """When the floor had every caller whom the PBX had, and nobody else; calls that came or went while both
        were asked count neither way. And what differed when they were asked last."""
        deadline = time.monotonic() + limit_s
        differs = "not asked"
        while time.monotonic() < deadline:
            before = await self.callers_at_pbx()
            asked = time.time()
            floor = await self.callers_on_floor(server)
            after = await self.callers_at_pbx()
            if floor is not None:
                missing, strange = before & after - floor, floor - before - after
                if not missing and not strange:
                    return asked, ""
                differs = f"missing {sorted(missing)[:3]}, strange {sorted(strange)[:3]}"
            else:
                differs = "no answer"
            await asyncio.sleep(0.05)
        return None, differs


@asynccontextmanager
async def site(
    folder: Path,
    *,
    servers: int = 1,
    sqlite: Path | None = None,
    others: int = 0,
    agents_at_work: int = SALES,
    settings: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
) -> AsyncIterator[Site]:
    """The record is a PostgreSQL with fsync on, or the SQLite file `sqlite`. `others` are desktops of agents
    without a phone, who watch the team. `before` stands before the server's command."""
    async with AsyncExitStack() as stack:
        postgres = None
        if sqlite is None:
            postgres = stack.enter_context(durable_postgres())
            postgres.execute(f"CREATE DATABASE {PBX}")  # it goes with its server
            url = postgres.url(PBX)
        else:
            url = f"sqlite:///{sqlite}"
        await migrate.upgrade(url)
        extensions = EXTENSIONS[:agents_at_work]
        cookies = await _people(url, extensions, others)
        if postgres is not None:
            _name_the_writers(postgres, url)
        with free_ports(2 * servers) as ports:
            pass
        fastagi = [f"127.0.0.1:{port}" for port in ports[::2]]
        pbx = ChaosPbx(fastagi)
        await asyncio.to_thread(pbx.__enter__)
        stack.push_async_callback(asyncio.to_thread, pbx.__exit__, None, None, None)
        stack.enter_context(phones(pbx, HABITS))
        made: list[Server] = []
        for number in range(servers):
            name = NAMES[number]
            ami = await stack.enter_async_context(wire(pbx.config.ami_port))
            db, own_url = None, url
            if postgres is not None:
                db = await stack.enter_async_context(wire(postgres.port))
                own_url = f"postgresql://{name}@127.0.0.1:{db.port}/{url.rpartition('/')[2]}"
            extra = {
                "CTI_AMI_PORT": str(ami.port),
                "CTI_CEL": str(pbx.cel),
                "CTI_SNAPSHOT_EVERY_S": "600",
                **(settings or {}),
            }
            center = Center(
                pbx,
                own_url,
                ports[2 * number + 1],
                ports[2 * number],
                folder / f"{name}.log",
                extra,
                before=("setpriv", "--pdeathsig", "KILL", *before),
            )
            if made:
                center.key = made[0].center.key
            stack.push_async_callback(center.stop, signal.SIGKILL)
            await center.start()
            made.append(Server(name, center, ami, db))
        await until(lambda: made[0].metric("cti_link_live"), "the link to be live", 30)
        http = [server.port for server in made]
        own = [
            Desktop(agent, cookie, http if number % 2 == 0 else http[::-1])
            for number, (agent, cookie) in enumerate(cookies[: len(extensions)])
        ]
        watching = [
            Desktop(agent, cookie, http[::-1], ("team",)) for agent, cookie in cookies[len(extensions) : -1]
        ]
        await stack.enter_async_context(connected([*own, *watching]))
        await _begin_work(own)
        yield Site(pbx, url, postgres, made, own, watching, cookies[-1][1], folder)


async def _people(url: str, extensions: Sequence[str], others: int) -> list[tuple[int, str]]:
    """Agent and cookie of whoever has an extension, of the others, and of the supervisor at the end."""
    async with Database(url) as database:
        await fill(database, PBX, datetime.now(UTC))
        async with database.begin() as conn:
            ids = [
                await agents.add(
                    conn, login=f"agent{one}", name=f"Agent {one}", seat=f"PJSIP/{one}", extension=one, pbx=PBX
                )
                for one in extensions
            ]
            ids += [
                await agents.add(conn, login=f"other{number}", name=f"Other {number}", pbx=PBX)
                for number in range(others)
            ]
            susan = await agents.by_login(conn, SUPERVISOR)
            assert susan is not None
            ids.append(susan.id)
            for name in queues():
                await queue_table.save(conn, Queue(0, PBX, name, name.title(), name))
            cookies = await signed_in(conn, ids)
    return list(zip(ids, cookies, strict=True))


def _name_the_writers(postgres: DurableServer, url: str) -> None:
    """Each server writes under a name of its own, and each row of the journal says whose it is and when it was
    written: so a stale owner that wrote would be found."""
    name = url.rpartition("/")[2]
    for role in NAMES:
        postgres.execute(f"CREATE ROLE {role} SUPERUSER LOGIN", name)
    columns = {"written_by": "text DEFAULT current_user", "written_at": "timestamptz DEFAULT clock_timestamp()"}
    for column, kind in columns.items():
        postgres.execute(f"ALTER TABLE journal ADD COLUMN {column} {kind}", name)


async def _begin_work(people: Sequence[Desktop]) -> None:
    slots = asyncio.Semaphore(5)

    async def begin(person: Desktop) -> None:
        async with slots:
            await person.work()

    await asyncio.gather(*(begin(person) for person in people))

    def all_ready() -> bool:
        return all(person.states and person.states[-1][1] == "ready" for person in people)

    await until(all_ready, "all agents to be ready", 30)


async def request(server: Server, cookie: str, path: str) -> tuple[int, Any]:
    """What a GET is answered; (0, None) without an answer."""
    try:
        return await ask(server.port, cookie, "GET", path)
    except BROKEN:
        return 0, None
