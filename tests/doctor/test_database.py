"""What the doctor says of a database that is not there, not migrated, or not to be reached."""

from __future__ import annotations

import getpass
import os
import socket
import sqlite3
from pathlib import Path

import pytest

from cti_server.doctor.database import examine
from cti_server.doctor.findings import Status
from cti_server.record import migrate
from tests.conftest import PeerServer, PostgresServer


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
    assert (await one(f"sqlite:///{tmp_path}/new.db"))[0] == "database.absent"
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


async def test_by_the_socket_without_a_password(peer_url: str) -> None:
    await migrate.upgrade(peer_url)
    assert await one(peer_url) == ("database.ok", "")


async def test_the_socket_lets_in_the_user_of_the_same_name_only(peer_server: PeerServer, peer_url: str) -> None:
    code, remedy = await one(peer_url.replace("postgresql://", "postgresql://cti@"))
    assert code == "database.peer"
    assert remedy.startswith("runuser -u cti -- cti-server doctor")


async def test_a_user_without_a_role_and_a_database_that_is_not_there(peer_server: PeerServer) -> None:
    me = getpass.getuser()
    nowhere = peer_server.by_socket("nowhere")
    assert await one(nowhere) == ("database.no_such", f"sudo -u postgres createdb -O {me} nowhere")
    peer_server.execute(f'ALTER ROLE "{me}" RENAME TO somebody')
    try:
        assert await one(nowhere) == ("database.no_role", f"sudo -u postgres createuser {me}")
    finally:
        peer_server.execute(f'ALTER ROLE somebody RENAME TO "{me}"')
