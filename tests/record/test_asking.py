"""What goes wrong between a question and its answer: a restart, a pooler, a migration, whoever gives up."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from cti_server.record.asking import postgres
from cti_server.record.asking.postgres import PostgresAsker
from cti_server.record.asking.question import Question
from cti_server.record.database import Database
from cti_server.record.schema import Id
from tests.conftest import PostgresServer

GIVEN: sa.BindParameter[int] = sa.bindparam("given", type_=Id)
ECHO = Question(said=sa.select(GIVEN.label("said")))
WHO = Question(who=sa.select(sa.func.pg_backend_pid(type_=sa.Integer).label("pid")))
SLOW = Question(slept=sa.select(sa.cast(sa.func.pg_sleep(30), sa.Text).label("slept")))


async def echo(database: Database, given: int = 7, **how: Any) -> int:
    [[row]] = await database.ask(ECHO, {"given": given}, **how)
    said: int = row.said
    return said


async def backend(database: Database) -> int:
    [[row]] = await database.ask(WHO, {})
    pid: int = row.pid
    return pid


def asker(database: Database) -> PostgresAsker:
    assert isinstance(database._asker, PostgresAsker)
    return database._asker


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with Database(postgres_url) as opened:
        yield opened


async def all_open(database: Database) -> None:
    """Return once the connections beside the first are open."""
    await echo(database)
    async with asyncio.timeout(10):
        while len(asker(database)._all) < postgres.SIZE or asker(database)._opening is not None:
            await asyncio.sleep(0.01)


# --- PostgreSQL is restarted, or goes away ----------------------------------------------------------------


async def test_connections_that_died_are_not_noticed_by_whoever_asks(
    database: Database, postgres_server: PostgresServer
) -> None:
    await all_open(database)
    before = {link.conn.get_server_pid() for link in asker(database)._all}
    assert len(before) == postgres.SIZE
    postgres_server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert await asyncio.gather(*(echo(database, n) for n in range(20))) == list(range(20))
    assert await backend(database) not in before


async def test_a_server_that_is_away_is_an_error_as_any_other_and_is_found_again() -> None:
    server = PostgresServer()
    try:
        async with Database(server.url("postgres")) as database:
            await all_open(database)
            server._end()
            for _ in range(3):
                with pytest.raises(sa.exc.OperationalError):
                    await echo(database)
            assert database.trouble.note(await _failure(database))
            assert server._serves()
            assert await echo(database) == 7
            assert len(asker(database)._all) <= postgres.SIZE
    finally:
        server.stop()


async def _failure(database: Database) -> Exception:
    with pytest.raises(sa.exc.OperationalError) as caught:
        await echo(database)
    return caught.value


async def test_no_connection_grows_old(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "SIZE", 1)
    first = await backend(database)
    assert await backend(database) == first
    monkeypatch.setattr(postgres, "MAX_AGE_S", 0.0)
    assert await backend(database) != first
    assert len(asker(database)._all) == 1


# --- whoever gives up -------------------------------------------------------------------------------------


async def test_who_gives_up_takes_their_connection_along(database: Database) -> None:
    """What would be answered on it after all belongs to nobody."""
    await all_open(database)
    for _ in range(postgres.SIZE + 1):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await database.ask(SLOW, {})
    assert [await echo(database, n) for n in range(3)] == [0, 1, 2]


async def test_what_can_wait_leaves_connections_to_those_on_the_line(database: Database) -> None:
    cards = [asyncio.create_task(database.ask(SLOW, {}, soon=False)) for _ in range(20)]
    async with asyncio.timeout(10):
        while len(asker(database)._all) < postgres.LATER:
            await asyncio.sleep(0.01)
        assert await echo(database) == 7
    for card in cards:
        card.cancel()
    await asyncio.gather(*cards, return_exceptions=True)
    async with asyncio.timeout(10):
        assert await echo(database, soon=False) == 7


async def test_one_connection_is_enough(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "SIZE", 1)
    monkeypatch.setattr(postgres, "LATER", 1)
    async with Database(postgres_url) as database:
        asked = [echo(database, n, soon=bool(n % 2)) for n in range(50)]
        assert await asyncio.gather(*asked) == list(range(50))
        assert len(asker(database)._all) == 1


async def test_where_postgresql_gives_no_more_connections_those_there_are_must_do(
    postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres_url.rpartition("/")[2]
    postgres_server.execute("CREATE ROLE two LOGIN CONNECTION LIMIT 2", name)
    try:
        async with Database(postgres_url.replace("cti@", "two@")) as database:
            asked = [echo(database, n, soon=bool(n % 2)) for n in range(100)]
            assert await asyncio.gather(*asked) == list(range(100))
            assert len(asker(database)._all) == 2
    finally:
        postgres_server.execute("DROP ROLE two", name)


# --- a migration, a pooler --------------------------------------------------------------------------------


async def test_a_migration_under_way_costs_no_answer(database: Database) -> None:
    table = sa.Table("things", sa.MetaData(), sa.Column("id", Id, primary_key=True), sa.Column("name", sa.Text))
    question = Question(things=sa.select(table).order_by(table.c.id))
    async with database.begin() as conn:
        await conn.execute(sa.text("CREATE TABLE things (id bigint PRIMARY KEY, name varchar(10))"))
        await conn.execute(sa.text("INSERT INTO things VALUES (1, 'a')"))
    await all_open(database)
    for change in (
        "ALTER TABLE things ADD COLUMN other text",
        "ALTER TABLE things ALTER COLUMN name TYPE text",
        "ALTER TABLE things DROP COLUMN other",
        "CREATE INDEX things_name ON things (name)",
        "DROP INDEX things_name",
    ):
        answers = await asyncio.gather(*(database.ask(question, {}) for _ in range(10)))
        assert {tuple(row) for [[row]] in answers} == {(1, "a")}
        async with database.begin() as conn:
            await conn.execute(sa.text(change))
    answers = await asyncio.gather(*(database.ask(question, {}) for _ in range(10)))
    assert {tuple(row) for [[row]] in answers} == {(1, "a")}


async def test_a_pooler_that_gives_another_connection_is_noticed_once(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left of a connection behind such a pooler: its statements are gone, or another's have its names."""
    await all_open(database)
    await asyncio.gather(*(echo(database) for _ in range(postgres.SIZE)))
    for link in list(asker(database)._all):
        await link.conn.execute("DEALLOCATE ALL")
    assert await asyncio.gather(*(echo(database, n) for n in range(20))) == list(range(20))
    for link in list(asker(database)._all):
        assert not await link.conn.fetch("SELECT name FROM pg_prepared_statements")
    said = capsys.readouterr().out
    assert said.count("questions.not_prepared") == 1
    assert "max_prepared_statements" in said


async def test_what_is_asked_is_prepared_and_stays_so(database: Database) -> None:
    wide = Question(
        **{f"list{n}": sa.select(GIVEN.label("said"), sa.literal("x" * 500).label("pad")) for n in range(40)}
    )
    assert (
        len(wide.statement("postgresql").text) > 15 * 1024
    )  # from there on the driver prepares no more by itself
    await all_open(database)
    for _ in range(3):
        await database.ask(wide, {"given": 1})
    link = asker(database)._idle[-1]  # the one that was used last is used next
    prepared = await link.conn.fetch("SELECT generic_plans + custom_plans AS times FROM pg_prepared_statements")
    assert max(row["times"] for row in prepared) == 3


# --- between the two --------------------------------------------------------------------------------------


@contextmanager
def between(port: int) -> Iterator[tuple[int, threading.Event]]:
    """A port that leads to this one until the event is set; from then on nothing passes, and nothing is closed."""
    stalled, sockets = threading.Event(), list[socket.socket]()

    def pump(source: socket.socket, to: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if stalled.is_set():
                    threading.Event().wait(30)
                to.sendall(data)
        except OSError:
            pass

    def accept() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            sockets.append(peer)
            if stalled.is_set():
                continue
            onward = socket.create_connection(("127.0.0.1", port))
            sockets.append(onward)
            for pair in ((peer, onward), (onward, peer)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield server.getsockname()[1], stalled
        finally:
            for one in sockets:
                one.close()


@asynccontextmanager
async def behind(port: int, url: str) -> AsyncIterator[Database]:
    host, _, name = url.rpartition("/")
    async with Database(f"{host.rpartition(':')[0]}:{port}/{name}") as database:
        yield database


async def test_a_network_that_swallows_everything_holds_nobody_past_their_deadline(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    with between(postgres_server.port) as (port, stalled):
        async with behind(port, postgres_url) as database:
            await all_open(database)
            stalled.set()
            asked = asyncio.get_running_loop().time()
            for _ in range(3):
                given_up = [asyncio.wait_for(echo(database, n), 0.2) for n in range(30)]
                assert all(
                    isinstance(one, TimeoutError)
                    for one in await asyncio.gather(*given_up, return_exceptions=True)
                )
            assert asyncio.get_running_loop().time() - asked < 5
            tasks = [task for task in asyncio.all_tasks() if "_cancel" in repr(task.get_coro())]
            assert not tasks, "the driver still tries to cancel what nobody waits for"
            assert len(asker(database)._all) <= postgres.SIZE
