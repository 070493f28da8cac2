"""The center that is walked through: the demo PBX with a log of its own, the server, people at desks.

Rings, queues and parking give up soon, so that a walk meets their ends. CEL writes who was in which bridge. The
server's periodic snapshot is off: it would mend, and hide, what the events were read wrongly for.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cti_server.demo.calls import Deskphone, PhoneHabits, trunk_far_end
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import free_ports
from cti_server.demo.seed import seed
from cti_server.demo.sipp_process import Sipp
from cti_server.record import migrate
from cti_server.record.center import agents
from cti_server.record.database import Database
from tests.live.center import Center

from .desktop import Desktop, desktop
from .manager import USER, Manager, manager

PBX = "walk"
RING_S, QUEUE_S, PARKED_S = 6, 25, 20
LOGINS = {"alice": "1001", "bob": "1002", "chenjing": "1003", "liuyang": "1004"}
QUEUES = ("support", "sales", "vip", "freepbx", "night")

CEL = """\
[general]
enable = yes
apps = queue,dial,park
events = CHAN_START,CHAN_END,ANSWER,HANGUP,LINKEDID_END,APP_START,APP_END,BRIDGE_ENTER,BRIDGE_EXIT,BLINDTRANSFER,\
ATTENDEDTRANSFER,PICKUP,PARK_START,PARK_END,LOCAL_OPTIMIZE,LOCAL_OPTIMIZE_BEGIN
"""
#: what CEL writes of each event, in this order; `cel.py` reads it
FIELDS = (
    "eventtype",
    "eventtime",
    "CALLERID(num)",
    "CHANNEL(channame)",
    "CHANNEL(uniqueid)",
    "CHANNEL(linkedid)",
    "CHANNEL(appname)",
    "eventextra",
)
CEL_CUSTOM = "\nMaster.csv => " + ",".join(f"${{CSV_QUOTE(${{{one}}})}}" for one in FIELDS) + "\n"


class WalkPbx(DemoPbx):
    """The demo PBX, its dialplan as it is shipped, with a log of who was bridged with whom and the walk's user.

    The log is written twice: for the walk, and for the server as its own configuration has it."""

    def __init__(self, fastagi: str) -> None:
        self.secret = secrets.token_hex(16)
        super().__init__(
            free_config(
                PBX,
                fastagi=fastagi,
                site={"CTI_RING": str(RING_S)},
                globals={"CTI_WAIT": QUEUE_S, "CTI_RING": RING_S},
                queue_overrides={"*": {"timeout": RING_S}},
            )
        )

    @property
    def cel(self) -> Path:
        return self.work / "log" / "cel-custom" / "Master.csv"

    @property
    def cel_of_server(self) -> Path:
        return self.cel.with_name("cti.csv")

    def _prepare(self) -> None:
        super()._prepare()
        etc = self.work / "etc"
        (etc / "cel.conf").write_text(CEL)
        shipped = (etc / "cel_custom_cti.conf").read_text()
        (etc / "cel_custom.conf").write_text(shipped + CEL_CUSTOM)
        parking = etc / "res_parking_cti.conf"
        parking.write_text(re.sub(r"parkingtime => \d+", f"parkingtime => {PARKED_S}", parking.read_text()))
        features = etc / "features_cti.conf"
        features.write_text(
            re.sub(r"atxfernoanswertimeout = \d+", f"atxfernoanswertimeout = {RING_S}", features.read_text())
        )
        with (etc / "manager.conf").open("a") as conf:
            conf.write(
                f"\n[{USER}](cti-user)\nsecret = {self.secret}\nread = call,agent\nwrite = system,reporting,call\n"
            )


@dataclass
class Person:
    """An agent: a desktop and a phone."""

    login: str
    extension: str
    desktop: Desktop
    phone: Deskphone

    @property
    def id(self) -> int:
        return self.desktop.held.agent

    @property
    def seat(self) -> str:
        return f"PJSIP/{self.extension}"


@dataclass
class Site:
    """Everything up. `susan` is the supervisor; `phones` closes what callers and phones there are."""

    center: Center
    pbx: WalkPbx
    asterisk: Manager
    outside: Sipp
    susan: Desktop
    fills_gaps: bool
    people: dict[str, Person] = field(default_factory=dict)
    downs: list[tuple[float, float]] = field(default_factory=list)

    @property
    def desktops(self) -> dict[str, Desktop]:
        return {**{login: person.desktop for login, person in self.people.items()}, "susan": self.susan}


@asynccontextmanager
async def site(
    database_url: str, folder: Path, snapshot_every_s: float, *, fills_gaps: bool = True
) -> AsyncIterator[Site]:
    """`database_url` is of an empty or a migrated database. Agents are at work, and ready. With `fills_gaps` the
    server has the PBX's log of channels, from which it learns afterwards what it did not see."""
    with free_ports(2) as (fastagi_port, http_port):
        pass
    await migrate.upgrade(database_url)
    async with Database(database_url) as database:
        await seed(database, PBX, datetime.now(UTC))
        async with database.begin() as conn:
            bob = await agents.by_login(conn, "bob")
            assert bob is not None
            await agents.update(conn, bob.id, may_pick=True)
    async with AsyncExitStack() as stack:
        phones = ExitStack()
        pbx = WalkPbx(f"127.0.0.1:{fastagi_port}")
        await asyncio.to_thread(pbx.__enter__)
        stack.push_async_callback(asyncio.to_thread, pbx.__exit__, None, None, None)
        stack.push_async_callback(asyncio.to_thread, phones.close)
        extra = {
            "CTI_SNAPSHOT_EVERY_S": f"{snapshot_every_s:g}",
            "CTI_DESKTOP_GRACE_S": "60",
            "CTI_PHONE_GRACE_S": "30",
            **({"CTI_CEL": str(pbx.cel_of_server)} if fills_gaps else {}),
        }
        center = Center(pbx, database_url, http_port, fastagi_port, folder / "server.log", extra, forked=True)
        stack.push_async_callback(center.stop, signal.SIGKILL)
        asterisk = await stack.enter_async_context(manager(pbx.config.ami_port, pbx.secret))
        outside = phones.enter_context(await asyncio.to_thread(trunk_far_end, pbx, PhoneHabits(ring_s=None)))
        desks = {
            one: phones.enter_context(await asyncio.to_thread(Deskphone, pbx, one, PhoneHabits(ring_s=None)))
            for one in LOGINS.values()
        }
        await center.start()
        topics = ["floor", "team", *(f"queue:{PBX}/{queue}" for queue in QUEUES)]
        susan = await stack.enter_async_context(desktop(center, "susan", topics, follow_calls=True))
        made = Site(center, pbx, asterisk, outside, susan, fills_gaps)
        for login, extension in LOGINS.items():
            held = await stack.enter_async_context(desktop(center, login, ["team"]))
            made.people[login] = Person(login, extension, held, desks[extension])
        for person in made.people.values():
            await _begin(person)
        yield made


async def _begin(person: Person) -> None:
    for path, body in (("/api/me/shift", {"phone": person.extension}), ("/api/me/state", {"state": "ready"})):
        answer = await person.desktop.api.post(path, json=body)
        assert answer.status_code == 202, answer.text
        done = await person.desktop.result(answer.json()["request"], 15)
        assert done is not None, path
        assert done["ok"], done
