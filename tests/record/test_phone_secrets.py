"""SIP passwords in the record: sealed, sealed anew with another key, and gone from the database's files."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from cti_server.record.center import phone_secrets, phones
from cti_server.record.center.phone_secrets import password_of, seal_all, state_of, with_password
from cti_server.record.center.phones import InClear, Phone
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, new_key
from tests.conftest import PostgresServer
from tests.record.builders import in_clear
from tests.record.whole import bytes_of

OLD, NEW, LOST = new_key(), new_key(), new_key()
SECRET = "a-secret-in-clear"


def phone(number: int) -> Phone:
    return Phone(pbx="demo", seat=f"PJSIP/{number}", extension=str(number), kind="browser", shared=True)


async def fill(database: Database) -> None:
    """One phone in each state, by the keys NEW and OLD."""
    async with database.begin() as conn:
        for number, key in ((1, NEW), (2, OLD), (3, LOST)):
            await phones.save(conn, with_password(phone(number), f"{SECRET}-{number}", Sealer([key])))
        for number in (4, 5):
            await phones.save(conn, phone(number))
        await in_clear(conn, "PJSIP/4", f"{SECRET}-4")


async def states(database: Database, *keys: str) -> list[str]:
    async with database.read() as conn:
        return [state_of(one, Sealer(keys)) for one in await phones.all_phones(conn)]


async def test_everything_is_sealed_with_the_first_key_and_once(database: Database) -> None:
    await fill(database)
    assert await states(database, NEW, OLD) == ["sealed", "old_key", "lost", "clear", "none"]
    assert f"{SECRET}-4".encode() in await bytes_of(database)
    done = await seal_all(database, Sealer([NEW, OLD]))
    assert (done.sealed, done.resealed, done.clear, done.traces) == (("PJSIP/4",), ("PJSIP/2",), (), None)
    assert list(done.left) == ["PJSIP/3"]
    assert "another key" in str(done.left["PJSIP/3"])
    assert await states(database, NEW) == ["sealed", "sealed", "lost", "sealed", "none"]
    async with database.read() as conn:
        there = await phones.all_phones(conn)
    assert [password_of(one, Sealer([NEW])) for one in (there[0], there[1], there[3], there[4])] == [
        f"{SECRET}-1",
        f"{SECRET}-2",
        f"{SECRET}-4",
        "",
    ]
    again = await seal_all(database, Sealer([NEW, OLD]))
    assert (again.sealed, again.resealed, list(again.left)) == ((), (), ["PJSIP/3"])
    async with database.read() as conn:
        assert await phones.all_phones(conn) == there
    assert SECRET.encode() not in await bytes_of(database)


async def test_without_a_key_nothing_is_written(database: Database) -> None:
    await fill(database)
    async with database.read() as conn:
        before = await phones.all_phones(conn)
    done = await seal_all(database, Sealer())
    assert (done.sealed, done.resealed, done.clear) == ((), (), ("PJSIP/4",))
    assert sorted(done.left) == ["PJSIP/1", "PJSIP/2", "PJSIP/3"]
    async with database.read() as conn:
        assert await phones.all_phones(conn) == before


async def test_a_lost_key_that_is_found_opens_everything_again(database: Database) -> None:
    """The server was moved without its key: what was written meanwhile and what was before are both kept."""
    await fill(database)
    await seal_all(database, Sealer([NEW, OLD]))
    assert await states(database, LOST) == ["lost", "lost", "sealed", "lost", "none"]
    await seal_all(database, Sealer([LOST, NEW]))
    assert await states(database, LOST) == ["sealed", "sealed", "sealed", "sealed", "none"]


async def test_two_servers_with_the_keys_in_another_order_lose_nothing(database: Database) -> None:
    """In the middle of a change of the key: one has it first, the other behind the old one."""
    await fill(database)
    for _ in range(3):
        await asyncio.gather(
            seal_all(database, Sealer([NEW, OLD])),
            seal_all(database, Sealer([OLD, NEW])),
            seal_all(database, Sealer([NEW, OLD])),
        )
        assert {*(await states(database, NEW, OLD))} <= {"sealed", "old_key", "lost", "none"}
        assert (await states(database, NEW, OLD)).count("lost") == 1


async def test_what_somebody_stores_meanwhile_is_not_written_over(database: Database) -> None:
    await fill(database)
    sealer = Sealer([NEW, OLD])
    async with database.begin() as conn:
        stale = await phones.by_seat(conn, "demo", "PJSIP/4")
        assert stale is not None
        await phones.save(conn, with_password(stale, "newer", sealer))
    async with database.begin() as conn:
        assert not await phone_secrets._replace(conn, stale, with_password(stale, SECRET, sealer))
        found = await phones.by_seat(conn, "demo", "PJSIP/4")
    assert found is not None
    assert password_of(found, sealer) == "newer"


async def test_no_password_is_written_in_clear(database: Database) -> None:
    """Whatever writes phones: only what an older version left in clear may stay as it is."""
    await fill(database)
    async with database.begin() as conn:
        with pytest.raises(InClear) as refused:
            await phones.save(conn, replace(phone(6), sip_password=SECRET))
        assert SECRET not in str(refused.value)
        left = await phones.by_seat(conn, "demo", "PJSIP/4")
        assert left is not None
        await phones.save(conn, replace(left, label_en="Window"))
        with pytest.raises(InClear):
            await phones.save(conn, replace(left, sip_password="other"))
    assert SECRET not in repr(left)


async def test_a_file_in_which_deleted_text_stays_is_written_anew(sqlite_url: str) -> None:
    """As SQLite is built elsewhere than on Debian: what an earlier UPDATE freed is still in the file's pages."""
    async with Database(sqlite_url) as database:

        @sa.event.listens_for(database.engine.sync_engine, "connect")
        def as_elsewhere(connection: object, _: object) -> None:
            connection.execute("PRAGMA secure_delete = OFF").close()  # type: ignore[attr-defined]

        async with database.begin() as conn:
            await phones.save(conn, phone(1))
            await in_clear(conn, "PJSIP/1", SECRET * 20)
        async with database.begin() as conn:
            await in_clear(conn, "PJSIP/1", "another")
        assert SECRET.encode() in await bytes_of(database)
        done = await seal_all(database, Sealer([NEW]))
        assert (done.sealed, done.traces) == (("PJSIP/1",), None)
        assert SECRET.encode() not in await bytes_of(database)


async def test_a_file_that_somebody_reads_is_told(sqlite_url: str) -> None:
    async with Database(sqlite_url) as database, Database(sqlite_url) as other:
        async with database.begin() as conn:
            await phones.save(conn, phone(1))
            await in_clear(conn, "PJSIP/1", SECRET)
        async with other.engine.connect() as reader:
            await reader.exec_driver_sql("BEGIN")
            await reader.exec_driver_sql("SELECT count(*) FROM phones")
            done = await seal_all(database, Sealer([NEW]))
            await reader.exec_driver_sql("ROLLBACK")
    assert done.sealed == ("PJSIP/1",)
    assert done.traces is not None


async def test_a_table_that_is_not_ones_own_is_told(postgres_server: PostgresServer) -> None:
    """A server that runs as another role than whoever migrates."""
    with postgres_server.database("migrated") as url:
        name = url.rpartition("/")[2]
        async with Database(url) as database, database.begin() as conn:
            await phones.save(conn, phone(1))
            await in_clear(conn, "PJSIP/1", SECRET)
        postgres_server.execute("CREATE ROLE a_server LOGIN", name)
        try:
            postgres_server.execute("GRANT SELECT, UPDATE ON phones TO a_server", name)
            async with Database(url.replace("cti@", "a_server@")) as database:
                done = await seal_all(database, Sealer([NEW]))
            assert (done.sealed, done.traces) == (("PJSIP/1",), "this user does not own the table phones")
        finally:
            postgres_server.execute("DROP OWNED BY a_server; DROP ROLE a_server", name)
