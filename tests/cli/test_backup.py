"""backup, verify-backup, restore: what they say, and how they fail."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cti_server.record import migrate
from cti_server.record.sealing import new_key
from tests.cli.commands import Record
from tests.conftest import PostgresServer

KEY = new_key()


@pytest.fixture
def full(database_url: str) -> Record:
    made = Record(database_url, CTI_SECRET_KEY=KEY)
    made.do("user", "add", "alice", "--name", "Alice 王", "--password", "a good one")
    made.do("phone", "add", "PJSIP/1101", "--kind", "browser", "--extension", "1101", "--sip-user", "1101",
            "--sip-password", "s3cret", "--pbx", "main", "--owner", "alice")  # fmt: skip
    return made


def test_there_proven_and_back(full: Record, tmp_path: Path, postgres_server: PostgresServer) -> None:
    file = tmp_path / "record.cti"
    said = full.do("backup", str(file))
    assert f"in {file}: " in said
    assert f"revision {migrate.head()}" in said
    assert "1 secrets in it are encrypted: whoever restores it needs the key " in said
    assert f"cti-server verify-backup {file}" in said
    assert {"record.backed_up", "backup"} <= {one["action"] for one in full.see("audit", "list")}
    proven = full.do("verify-backup", str(file))
    assert "secrets: the keys of CTI_SECRET_KEY open 1 of 1" in proven
    assert proven.splitlines()[-1] == "proven: this backup can be restored"
    before = full.see("user", "list")
    with postgres_server.database() as empty:
        is_file = full.url.startswith("sqlite")
        back = Record(f"sqlite:///{tmp_path}/back/cti.db" if is_file else empty, CTI_SECRET_KEY=KEY)
        assert "each compared with the backup" in back.do("restore", str(file))
        assert back.see("user", "list") == before
        assert {"record.restored", "restore"} <= {one["action"] for one in back.see("audit", "list")}
        assert "there already" in (why := back.refused("restore", str(file))) or "not empty" in why
        assert "Stop the server" in why or "new database" in why
    assert "is there already" in full.refused("backup", str(file))


def test_without_the_key_it_is_said_what_is_lost(full: Record, tmp_path: Path) -> None:
    file = tmp_path / "record.cti"
    full.do("backup", str(file))
    said = Record(full.url).do("verify-backup", str(file))
    assert "open 0 of 1" in said


def test_what_is_no_backup_and_where_there_is_none(tmp_path: Path, sqlite_url: str) -> None:
    record = Record(sqlite_url)
    (tmp_path / "x").write_text("x")
    assert "is no backup of cti-server" in record.refused("verify-backup", str(tmp_path / "x"))
    assert "there is no file" in record.refused("restore", str(tmp_path / "y"))
    absent = Record(f"sqlite:///{tmp_path}/none.db")
    assert "there is no database" in absent.refused("backup", str(tmp_path / "z"))
    away = Record("postgresql://cti@127.0.0.1:1/none")
    assert "no PostgreSQL answers" in away.refused("backup", str(tmp_path / "z"))
    assert not (tmp_path / "z").exists()


def test_what_is_in_it_can_be_taken_out_by_the_engines_own_tools(full: Record, tmp_path: Path) -> None:
    """Also in ten years, without cti-server."""
    file = tmp_path / "record.cti"
    full.do("backup", str(file))
    subprocess.run(["python3", "-m", "zipfile", "-e", str(file), str(tmp_path / "out")], check=True)
    if full.url.startswith("sqlite"):
        command = ["sqlite3", str(tmp_path / "out" / "record.db"), "SELECT name FROM agents"]
    else:
        tool = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_restore"))[-1]
        command = [str(tool), "--data-only", "--table=agents", "--file=-", str(tmp_path / "out" / "record.dump")]
    assert "Alice 王" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
