"""Nothing is overwritten, no disk is filled for nothing, and no record is mixed with another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from cti_server.record.backup import postgresql
from cti_server.record.backup.archive import CannotBackUp
from cti_server.record.backup.restore import prove, restore
from cti_server.record.backup.take import take
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer
from cti_server.record.urls import normalise_url, sqlite_file
from tests.conftest import PostgresServer
from tests.record.backup.records import all_rows, left_beside
from tests.record.disks import Disk, small_disk


async def test_no_backup_is_overwritten(record: str, file: Path) -> None:
    file.write_text("of yesterday")
    with pytest.raises(CannotBackUp, match="is there already"):
        await take(record, file)
    assert file.read_text() == "of yesterday"
    with pytest.raises(CannotBackUp, match="there is no folder") as refused:
        await take(record, file.parent / "none" / "x.cti")
    assert refused.value.remedy.startswith("mkdir")


async def test_what_a_killed_backup_left_is_no_obstacle(record: str, file: Path) -> None:
    beside = [".record.cti.copy"] if record.startswith("sqlite") else []
    for left in (".record.cti.partial", *beside):
        (file.parent / left).write_bytes(b"half")
    await take(record, file)
    assert left_beside(file) == ["record.cti"]


async def test_a_record_is_only_restored_where_there_is_none(record: str, file: Path) -> None:
    await take(record, file)
    before = await all_rows(record)
    with pytest.raises(CannotBackUp, match=r"there already|not empty"):
        await restore(file, record)
    assert await all_rows(record) == before


async def test_nor_beside_the_log_of_one_that_was_there(whole: bytes, file: Path, tmp_path: Path) -> None:
    """SQLite would take it for the log of the restored file, and write its pages into it."""
    assert whole
    target = tmp_path / "new" / "cti.db"
    target.parent.mkdir()
    log = target.with_name("cti.db-wal")
    log.write_bytes(b"of the one before")
    with pytest.raises(CannotBackUp, match=r"cti\.db-wal is there already") as refused:
        await restore(file, f"sqlite:///{target}")
    assert "mv " in refused.value.remedy
    assert log.read_bytes() == b"of the one before"
    log.unlink()
    await restore(file, f"sqlite:///{target}")


async def test_not_into_the_other_engine(whole: bytes, file: Path, postgres_server: PostgresServer) -> None:
    assert whole
    with postgres_server.database() as empty:
        for use in (restore(file, empty), prove(file, empty, Sealer(), into=empty)):
            with pytest.raises(CannotBackUp, match="backup of sqlite, and the target is postgresql") as refused:
                await use
            assert "cti-server move" in refused.value.remedy


async def test_an_empty_database_has_no_backup(empty_url: str, file: Path) -> None:
    if (there := sqlite_file(normalise_url(empty_url))) is not None:
        there.touch()
    with pytest.raises(CannotBackUp, match="is empty"):
        await take(empty_url, file)
    assert left_beside(file) == []


async def test_a_migration_under_way_is_waited_for_and_then_said(
    postgres_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "LOCK_WAIT_S", 0.05)
    async with Database(postgres_url) as database, database.engine.begin() as migration:
        await migration.execute(sa.text("LOCK TABLE agents IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(CannotBackUp, match="changes the tables now"):
            await take(postgres_url, file)
    assert left_beside(file) == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", "3m") as made:
        yield made


async def test_a_full_disk_is_named_and_nothing_is_left_on_it(record: str, file: Path, disk: Disk) -> None:
    await take(record, file)
    disk.fill()
    with pytest.raises(CannotBackUp, match=r"the disk of .*disk is full"):
        await take(record, disk.folder / "record.cti")
    assert os.listdir(disk.folder) == ["filler"]


async def test_a_full_disk_at_the_restore(
    whole: bytes, file: Path, sqlite_url: str, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert whole
    disk.fill()
    with pytest.raises(CannotBackUp, match=r"the disk of .* is full"):
        await restore(file, f"sqlite:///{disk.folder}/cti.db")
    assert os.listdir(disk.folder) == ["filler"]
    monkeypatch.setattr("tempfile.tempdir", str(disk.folder))
    with pytest.raises((CannotBackUp, OSError), match=r"full|No space"):
        await prove(file, sqlite_url, Sealer())
    disk.clear()
    await restore(file, f"sqlite:///{disk.folder}/cti.db")
