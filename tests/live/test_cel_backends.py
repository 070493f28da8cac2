"""The same calls, written by three of Asterisk's own back-ends, and read from each: they tell one story."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cti_server.cel import source
from cti_server.cel.contacts import contact_of
from cti_server.cel.look import CelUnreadable, Look
from cti_server.cel.replay import Replay
from cti_server.cel.stories import Stories
from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.record.contacts.records import InteractionRecord
from tests.cel.logs import look
from tests.cel.test_recorded import floor
from tests.conftest import PostgresServer
from tests.live.center import until

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

COLUMNS = (
    "eventtype,eventtime,cid_name,cid_num,cid_ani,cid_rdnis,cid_dnid,exten,context,channame,appname,appdata,"
    "accountcode,peeraccount,uniqueid,linkedid,amaflags,userfield,peer,userdeftype,extra"
)
TABLE = "CREATE TABLE {name} (id serial PRIMARY KEY, {columns})"
SQLITE = """\
[cel_master]
table = cel
columns = eventtype, eventtime, cid_name, cid_num, exten, channame, appname, appdata, uniqueid, linkedid, extra
values = '${eventtype}','${eventtime}','${CALLERID(name)}','${CALLERID(num)}','${CHANNEL(exten)}',\
'${CHANNEL(channame)}','${CHANNEL(appname)}','${CHANNEL(appdata)}','${CHANNEL(uniqueid)}','${CHANNEL(linkedid)}',\
'${eventextra}'
"""


class Logging(DemoPbx):
    """The demo's PBX with two more back-ends. Its machine has no zone of its own here: its times are UTC."""

    def __init__(self, postgres_port: int, database: str) -> None:
        super().__init__(free_config())
        self.postgres = (
            f"[global]\nhostname=127.0.0.1\nport={postgres_port}\ndbname={database}\nuser=cti\ntable=cel\n"
        )

    def _prepare(self) -> None:
        super()._prepare()
        etc = self.work / "etc"
        modules = (etc / "modules.conf").read_text()
        kept = re.sub(r"noload = (cel_pgsql|cel_sqlite3_custom)\.so\n", "", modules)
        (etc / "modules.conf").write_text(kept)
        (etc / "cel_pgsql.conf").write_text(self.postgres)
        (etc / "cel_sqlite3_custom.conf").write_text(SQLITE)

    def place(self, name: str) -> str:
        return str(self.work / "log" / name)


@pytest.fixture
async def postgres(postgres_server: PostgresServer) -> AsyncIterator[tuple[asyncpg.Connection, str, str]]:
    """An empty database of CEL's own, its name, and its address without a table."""
    own = await asyncpg.connect(host="127.0.0.1", port=postgres_server.port, user="cti", database="postgres")
    name = f"cel{time.time_ns()}"
    await own.execute(f"CREATE DATABASE {name}")
    await own.close()
    conn = await asyncpg.connect(host="127.0.0.1", port=postgres_server.port, user="cti", database=name)
    yield conn, name, f"postgresql://cti@127.0.0.1:{postgres_server.port}/{name}"
    await conn.close()


async def contacts(where: Look) -> list[InteractionRecord]:
    now, stories = time.time(), Stories()
    batches = [batch async for batch in source.rows(where, now - 600, now + 5)]
    found = [story for batch in batches for row in batch for story in stories.take(row)] + list(stories.rest())
    replay = Replay(floor().books, now)
    return [contact_of(call) for story in found if story.is_whole for call in replay.calls(story, 1)]


async def test_each_back_end_tells_the_same(postgres: tuple[asyncpg.Connection, str, str]) -> None:
    conn, name, address = postgres
    columns = ", ".join(
        f"{one} {'timestamp' if one == 'eventtime' else 'integer' if one == 'amaflags' else 'text'}"
        for one in COLUMNS.split(",")
    )
    await conn.execute(TABLE.format(name="cel", columns=columns))
    with ExitStack() as stack:
        pbx = Logging(int(address.rsplit(":", 1)[1].split("/")[0]), name)
        await asyncio.to_thread(stack.enter_context, pbx)
        phone = PhoneHabits(ring_s=1.0)
        stack.enter_context(await asyncio.to_thread(Deskphone, pbx, "1002", phone))
        await until(
            lambda: asyncio.to_thread(lambda: "Not in use" in pbx.cli("pjsip show endpoint 1002")),
            "1002 to register",
        )
        caller = stack.enter_context(
            await asyncio.to_thread(place_call, pbx, "13800138000", "4008002000", stay_s=4)
        )
        await until(lambda: not caller.running, "the caller to hang up")

        file = look(pbx.place("cel-custom/cti.csv"))
        await until(lambda: contacts(file), "the log to have the call")
        (by_file,) = await contacts(file)
        assert (by_file.outcome, by_file.queue, by_file.ended_by) == ("answered", "sales", "caller")

        async def by_table() -> Any:
            return await contacts(look(address, zone="UTC"))

        (by_postgres,) = await until(by_table, "the table to have the call")
        (by_sqlite,) = await contacts(look(f"sqlite:///{pbx.place('cel_master.db')}", zone="UTC"))
        for told in (by_postgres, by_sqlite):
            assert close(told) == close(by_file)
            for mine, other in ((told.wait_ms, by_file.wait_ms), (told.talk_ms, by_file.talk_ms)):
                assert abs((mine or 0) - (other or 0)) <= 1000
        assert by_postgres.wait_ms == by_file.wait_ms, "PostgreSQL has the microseconds"
        with pytest.raises(CelUnreadable, match=r"has no zone.*CTI_CEL_ZONE"):
            await contacts(look(address))
        with pytest.raises(CelUnreadable, match=r"hours too early.*CTI_CEL_ZONE"):
            await contacts(look(address, zone="Asia/Kolkata"))


def close(told: InteractionRecord) -> tuple[Any, ...]:
    """What must be the same, however coarse the times are."""
    parts = [(part.seat, part.origin, part.outcome, part.queue) for part in told.segments]
    visits = [(visit.queue, visit.how) for visit in told.visits]
    return (
        told.linkedid,
        told.direction,
        told.ani_raw,
        told.ani_name,
        told.dnis,
        told.outcome,
        told.ended_by,
        parts,
        visits,
    )


async def test_a_table_whose_event_types_are_numbers(
    postgres: tuple[asyncpg.Connection, str, str], tmp_path: Path
) -> None:
    conn, name, address = postgres
    columns = ", ".join(
        f"{one} {'double precision' if one == 'eventtime' else 'integer' if one == 'eventtype' else 'text'}"
        for one in COLUMNS.split(",")
    )
    await conn.execute(TABLE.format(name="cel", columns=columns))
    with ExitStack() as stack:
        pbx = Logging(int(address.rsplit(":", 1)[1].split("/")[0]), name)
        await asyncio.to_thread(stack.enter_context, pbx)
        caller = stack.enter_context(
            await asyncio.to_thread(place_call, pbx, "13800138000", "4008005000", stay_s=1)
        )
        await until(lambda: not caller.running, "the caller to hang up")
        file = look(pbx.place("cel-custom/cti.csv"))
        (by_file,) = await until(lambda: contacts(file), "the log to have the call")
        (by_table,) = await until(lambda: contacts(look(address)), "the table to have the call")
    assert close(by_table) == close(by_file)


async def test_a_table_that_numbers_no_rows_is_refused_with_the_line_that_mends_it(
    postgres: tuple[asyncpg.Connection, str, str],
) -> None:
    conn, _, address = postgres
    await conn.execute(f"CREATE TABLE cel ({', '.join(f'{one} text' for one in COLUMNS.split(','))})")
    with pytest.raises(CelUnreadable, match=r"ALTER TABLE cel ADD COLUMN id bigserial"):
        await contacts(look(address))
    with pytest.raises(CelUnreadable, match="nowhere"):
        await contacts(look(f"{address}?table=nowhere"))
