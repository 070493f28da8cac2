"""A database that cannot be used: told from errors of ours, proven by a write, said once and not every second."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from cti_server.record.database import Database
from cti_server.record.trouble import SAY_AGAIN_S, Troubles, of
from cti_server.record.urls import normalise_url
from tests.conftest import PostgresServer
from tests.record.disks import Disk, small_disk

URL = normalise_url("sqlite:////data/cti.db")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as made:
        yield made


@pytest.fixture
def on_disk(disk: Disk, _sqlite_template: Path) -> str:
    shutil.copyfile(_sqlite_template, disk.folder / "cti.db")
    return f"sqlite:///{disk.folder / 'cti.db'}"


async def proven(database: Database) -> bool:
    try:
        await database.prove_writable(anew=True)
    except sa.exc.OperationalError:
        return False
    return True


async def write_a_lot(database: Database) -> None:
    async with database.begin() as conn:
        await conn.execute(sa.text("CREATE TABLE IF NOT EXISTS heap (words TEXT)"))
        for _ in range(200):
            await conn.execute(sa.text("INSERT INTO heap VALUES (:words)"), {"words": "x" * 4000})


async def test_a_full_disk(disk: Disk, on_disk: str) -> None:
    async with Database(on_disk) as database:
        assert await proven(database)
        disk.fill()
        await database.prove_writable()  # within ten seconds of a success nothing is tried
        with pytest.raises(sa.exc.OperationalError):
            await write_a_lot(database)
        trouble = database.trouble.now
        assert trouble is not None
        assert trouble.why == "database or disk is full"
        assert trouble.remedy == f"make room:  df -h {disk.folder}"
        disk.clear()
        assert await proven(database)
        assert database.trouble.now is None


async def test_a_disk_that_turned_read_only(disk: Disk, on_disk: str) -> None:
    async with Database(on_disk) as database:
        assert await proven(database)
    disk.writable(False)
    async with Database(on_disk) as database:
        assert not await proven(database)
        assert database.trouble.now is not None
    disk.writable(True)
    async with Database(on_disk) as database:
        assert await proven(database)


async def test_a_postgresql_that_only_reads(postgres_server: PostgresServer) -> None:
    """As a standby does, or one whose disk ran full."""
    with postgres_server.database("migrated") as url:
        name = url.rpartition("/")[2]
        postgres_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        async with Database(url) as database:
            await database.ping()
            with pytest.raises(sa.exc.DBAPIError):
                await database.prove_writable()
            assert database.trouble.now is not None
            assert database.trouble.now.why == "cannot execute UPDATE in a read-only transaction"


async def test_a_postgresql_that_is_away() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"postgresql://cti@127.0.0.1:{held.getsockname()[1]}/cti"
        async with Database(url) as database:
            with pytest.raises(ConnectionError):
                await database.prove_writable()
            assert database.trouble.now is not None
            assert database.trouble.now.remedy == "systemctl start postgresql"


def test_errors_of_ours_are_none() -> None:
    refused = sa.exc.IntegrityError("INSERT", None, Exception("UNIQUE constraint failed"))
    for cause in (ValueError("no"), KeyError("x"), refused):
        assert of(cause, URL) is None


async def test_a_value_that_the_database_refuses_is_no_trouble(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(sa.exc.IntegrityError):
            async with database.begin() as conn:
                await conn.execute(sa.text("INSERT INTO agents (login) VALUES (NULL)"))
    assert database.trouble.now is None


def test_it_is_said_when_it_begins_each_minute_and_when_it_is_over() -> None:
    now = [0.0]
    troubles = Troubles(URL, lambda: now[0])
    full = sa.exc.OperationalError("INSERT", None, Exception("database or disk is full"))
    with capture_logs() as said:
        for second in range(150):
            now[0] = float(second)
            assert troubles.note(full)
        troubles.over()
        troubles.over()
    events = [(line["event"], line.get("failures")) for line in said]
    assert events == [
        ("database.unusable", 1),
        ("database.unusable", 61),
        ("database.unusable", 121),
        ("database.usable", 150),
    ]
    assert said[0]["remedy"] == "make room:  df -h /data"
    assert SAY_AGAIN_S == 60


def test_one_that_comes_and_goes_is_said_no_more_often() -> None:
    now = [0.0]
    troubles = Troubles(URL, lambda: now[0])
    full = sa.exc.OperationalError("INSERT", None, Exception("database or disk is full"))
    with capture_logs() as said:
        for second in range(59):
            now[0] = float(second)
            troubles.note(full)
            troubles.over()
    assert [line["event"] for line in said] == ["database.unusable", "database.usable"]
