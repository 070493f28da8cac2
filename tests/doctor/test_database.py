"""What the doctor says of a database that is not there, not migrated, or not to be reached."""

from __future__ import annotations

import os
import socket
import sqlite3
from pathlib import Path

import pytest

from cti_server.doctor.database import examine
from cti_server.doctor.findings import Status
from cti_server.record import migrate
from tests.conftest import PostgresServer


async def one(url: str) -> tuple[str, str]:
    """The code and remedy of the worst finding."""
    findings = await examine(url)
    worst = next((f for f in findings if f.status is Status.PROBLEM), findings[0])
    return worst.code, worst.remedy or ""


async def test_a_migrated_database_is_fine(database_url: str) -> None:
    assert await one(database_url) == ("database.ok", "")


async def test_an_empty_database_is_to_be_migrated(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        sqlite3.connect(empty_url.removeprefix("sqlite:///")).execute("VACUUM").connection.close()
    assert await one(empty_url) == ("database.empty", "cti-server migrate")


async def test_an_sqlite_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert await one(f"sqlite:///{tmp_path}/new.db") == ("database.absent", "cti-server migrate")
    assert os.listdir(tmp_path) == []


async def test_an_older_revision_is_to_be_migrated(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "head", lambda: "9999")
    assert await one(sqlite_url) == ("database.behind", "cti-server migrate")


async def test_a_revision_of_a_newer_version_is_recognised(sqlite_url: str) -> None:
    file = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    file.execute("UPDATE alembic_version SET version_num = '9999'")
    file.commit()
    file.close()
    assert (await one(sqlite_url))[0] == "database.newer"


async def test_an_engine_that_we_do_not_know() -> None:
    assert (await one("mysql://x/y"))[0] == "database.url"


async def test_no_postgresql_at_that_port() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        code, remedy = await one(f"postgresql://cti:sesame@127.0.0.1:{port}/cti")
    assert code == "database.unreachable"
    assert "systemctl start postgresql" in remedy


async def test_a_postgresql_without_that_database(postgres_server: PostgresServer) -> None:
    code, remedy = await one(postgres_server.url("nowhere"))
    assert (code, remedy) == ("database.no_such", "sudo -u postgres createdb -O cti nowhere")


async def test_the_password_is_never_shown(postgres_server: PostgresServer) -> None:
    url = postgres_server.url("migrated").replace("cti@", "cti:sesame@")
    assert all("sesame" not in finding.what for finding in await examine(url))
