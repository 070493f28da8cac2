"""docs/operations.md: its lines to back up, restore and move, run as they stand there on real databases."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti_server.demo.seed import seed
from cti_server.record import migrate
from cti_server.record.backup.restore import STREAMS_AHEAD
from cti_server.record.center import agents
from cti_server.record.database import Database
from tests.conftest import PeerServer
from tests.documents import DOCS, block, blocks, replaced

DOCUMENT, CHINESE = "operations.md", "operations.zh-CN.md"
ELSEWHERE = re.compile(
    r"^(systemctl|apt-get) .*$", re.M
)  # what this place has not: a booted systemd, a fresh Debian


class Host:
    """A machine whose folders lie in one, and whose users are whoever runs the tests."""

    def __init__(self, folder: Path, url: str, **environment: str) -> None:
        self.folder = folder
        self.url = url
        program = folder / "bin" / "cti-server"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cti_server "$@"\n')
        program.chmod(0o755)
        (folder / "etc" / "cti-server").mkdir(parents=True)
        self.settings.write_text("CTI_PBX=main\n")
        (folder / "var" / "lib" / "cti-server").mkdir(parents=True)
        self._environment = os.environ | {
            "PATH": f"{program.parent}:{self._postgresql()}:{os.environ['PATH']}",
            "PYTHONPATH": str(DOCS.parent),
            "CTI_DATABASE_URL": url,
            **environment,
        }

    @property
    def settings(self) -> Path:
        return self.folder / "etc" / "cti-server" / "cti-server.env"

    def run(self, lines: str, **changes: str) -> None:
        """The lines on this host, in a shell that stops at the first that fails."""
        lines = ELSEWHERE.sub(":", lines)
        for old, new in {
            "/var/": f"{self.folder}/var/",
            "/etc/": f"{self.folder}/etc/",
            "runuser -u cti -- ": "",
            " -o cti -g cti": "",
            **changes,
        }.items():
            lines = lines.replace(old, new)
        shell = ["bash", "-eux", "-c", lines]
        done = subprocess.run(shell, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{lines}\n{done.stdout}{done.stderr}"

    @staticmethod
    def _postgresql() -> Path:
        return sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]


async def fill(url: str) -> None:
    await migrate.upgrade(url)
    async with Database(url) as database:
        await seed(database, "main", datetime.now(UTC))


async def logins(url: str) -> set[str]:
    async with Database(url) as database, database.read() as conn:
        return {agent.login for agent in await agents.all_active(conn)}


async def spoil(url: str) -> None:
    """What a backup is for."""
    async with Database(url) as database, database.begin() as conn:
        alice = await agents.by_login(conn, "alice")
        assert alice is not None
        await agents.update(conn, alice.id, login="spoilt")


def the_day(lines: str) -> str:
    return replaced(lines, {"DAY": f"{datetime.now():%Y-%m-%d}"})  # noqa: DTZ005 - as the shell's own date


def test_a_backup_of_sqlite_is_made_beside_a_running_server_and_comes_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var/lib/cti-server/cti-server.db"
    host = Host(tmp_path, url)
    asyncio.run(fill(url))
    file = tmp_path / "var" / "lib" / "cti-server" / "cti-server.db"
    with contextlib.closing(sqlite3.connect(file)) as server:
        server.execute("SELECT * FROM agents").fetchone()  # a server that has the file open
        server.execute("INSERT INTO journal_streams VALUES ('written last', 1)")
        server.commit()
        host.run(block(DOCUMENT, "sh", "## Backup"))
    before = asyncio.run(logins(url))
    asyncio.run(spoil(url))
    assert asyncio.run(logins(url)) != before
    host.run(the_day(block(DOCUMENT, "sh sqlite", "## Restore")))
    assert asyncio.run(logins(url)) == before
    with contextlib.closing(sqlite3.connect(file)) as restored:
        last = restored.execute("SELECT seq FROM journal_streams WHERE stream = 'written last'").fetchone()
        assert last == (1 + STREAMS_AHEAD,)
        assert restored.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert (tmp_path / "var" / "backups" / "cti-server" / "cti-server.env").exists()


@pytest.fixture
def postgres_host(peer_server: PeerServer, tmp_path: Path) -> Iterator[Host]:
    """Where `cti` is whoever runs the tests, and `postgres` the superuser, who comes by TCP."""
    socket = {"PGHOST": str(peer_server.folder), "PGPORT": str(peer_server.port)}
    yield Host(tmp_path, peer_server.by_socket("cti"), **socket)
    for name in ("cti", "cti_before"):
        peer_server.execute(f"DROP DATABASE IF EXISTS {name}")


AS_POSTGRES = {
    # It is there: whoever runs the tests.
    "createuser --createdb cti": f"psql -d postgres -c 'ALTER ROLE \"{getpass.getuser()}\" CREATEDB'",
    "runuser -u postgres -- ": "PGHOST=127.0.0.1 PGUSER=cti ",
    "createdb -O cti cti": f"createdb -O {getpass.getuser()} cti",
}


def test_a_backup_of_postgresql_comes_back(postgres_host: Host) -> None:
    host, url = postgres_host, postgres_host.url
    host.run(block(DOCUMENT, "sh", "## PostgreSQL"), **AS_POSTGRES)
    asyncio.run(fill(url))
    host.run(block(DOCUMENT, "sh", "## Backup"))
    before = asyncio.run(logins(url))
    asyncio.run(spoil(url))
    assert asyncio.run(logins(url)) != before
    host.run(the_day(block(DOCUMENT, "sh postgresql", "## Restore")), **AS_POSTGRES)
    assert asyncio.run(logins(url)) == before


def test_the_lines_that_move_to_postgresql(postgres_host: Host) -> None:
    host, target = postgres_host, postgres_host.url
    file = f"sqlite:///{host.folder}/var/lib/cti-server/cti-server.db"
    asyncio.run(fill(file))
    host.run(block(DOCUMENT, "sh", "## PostgreSQL"), **AS_POSTGRES)
    host.settings.write_text(f"CTI_PBX=main\nCTI_DATABASE_URL={file}\n")
    # The name of the database is the one word that is another here, where the command connects.
    move = "cti-server move --to postgresql:///cti"
    lines = block(DOCUMENT, "sh", "## From SQLite to PostgreSQL")
    assert f"runuser -u cti -- {move}\n" in lines
    host.run(lines, **{move: f"CTI_DATABASE_URL={file} cti-server move --to '{target}'"})
    assert host.settings.read_text() == "CTI_PBX=main\nCTI_DATABASE_URL=postgresql:///cti\n"
    assert asyncio.run(logins(target)) == asyncio.run(logins(file))


def test_both_languages_give_the_same_lines() -> None:
    for language in ("sh", "sh sqlite", "sh postgresql"):
        assert blocks(DOCUMENT, language) == blocks(CHINESE, language) != []
