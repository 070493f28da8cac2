"""pg_dump and pg_restore: found, told where the database is, and worded when they fail."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from cti_server.demo.seed import seed
from cti_server.record import migrate
from cti_server.record.backup import pg_tools, postgresql
from cti_server.record.backup.archive import CannotBackUp
from cti_server.record.backup.restore import prove, restore
from cti_server.record.backup.take import take
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer
from cti_server.record.upkeep import partitions
from cti_server.record.urls import normalise_url
from tests.conftest import PostgresServer
from tests.record.backup.records import NOW, left_beside
from tests.record.disks import small_disk


@pytest.mark.parametrize(
    ("url", "values"),
    [
        ("postgresql:///cti", {"PGDATABASE": "cti"}),
        ("postgresql://cti:s%40cret@db.example:5433/cti?sslmode=verify-full",
         {"PGHOST": "db.example", "PGPORT": "5433", "PGUSER": "cti", "PGPASSWORD": "s@cret",
          "PGSSLMODE": "verify-full"}),
        ("postgresql:///cti?host=/run/postgresql&port=5433", {"PGHOST": "/run/postgresql", "PGPORT": "5433"}),
        ("postgresql://cti@%2Frun%2Fpostgresql:5433/cti",
         {"PGHOST": "/run/postgresql", "PGPORT": "5433", "PGUSER": "cti"}),
        ("postgresql://[::1]/cti", {"PGHOST": "::1"}),
        ("postgresql://cti@a,b:5433/cti",
         {"PGHOST": "a,b", "PGPORT": "5432,5433", "PGUSER": "cti", "PGTARGETSESSIONATTRS": "primary"}),
    ],
)  # fmt: skip
def test_the_tools_find_the_database_by_what_libpq_reads(
    url: str, values: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    made = pg_tools.environment(normalise_url(url))
    assert {name: made.get(name) for name in values} == values
    assert not made.keys() & {"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGSSLMODE"} - values.keys()


async def test_tools_that_are_missing_or_too_old_are_named(
    postgres_url: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg_tools, "CLUSTERS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotBackUp, match=r"needs the pg_dump of that version$") as refused:
        await take(postgres_url, file)
    assert refused.value.remedy.startswith("apt-get install postgresql-client-")
    (tmp_path / "12" / "bin").mkdir(parents=True)
    (tmp_path / "12" / "bin" / "pg_dump").touch()
    with pytest.raises(CannotBackUp, match="here is pg_dump 12"):
        await take(postgres_url, file)
    assert left_beside(file) == []


async def test_a_role_that_may_make_no_database_gets_one_named(
    postgres_server: PostgresServer, file: Path
) -> None:
    with postgres_server.database() as url, postgres_server.database() as scratch:
        for database in (url, scratch):
            name = database.rpartition("/")[2]
            postgres_server.execute(
                "DO $$ BEGIN CREATE ROLE plain LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"
            )
            postgres_server.execute(f"ALTER DATABASE {name} OWNER TO plain")
        mine, into = (one.replace("cti@", "plain@") for one in (url, scratch))
        await migrate.upgrade(mine)
        async with Database(mine) as database:
            await seed(database, "demo", NOW)
        await take(mine, file)
        with pytest.raises(CannotBackUp, match="does not let plain make a scratch database") as refused:
            await prove(file, mine, Sealer())
        assert "--into" in refused.value.remedy
        assert (await prove(file, mine, Sealer(), into)).wrong == ()
        with pytest.raises(CannotBackUp, match="not empty"):
            await prove(file, mine, Sealer(), into)


async def test_a_restore_that_fails_on_the_way_leaves_nothing(
    postgres_url: str, file: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tool is fed with half of the dump."""
    await take(postgres_url, file)
    feed = pg_tools._feed

    async def half(pipe: Any, source: Any) -> None:
        content = source.read()
        await feed(pipe, io.BytesIO(content[: len(content) // 2]))

    monkeypatch.setattr(pg_tools, "_feed", half)
    with postgres_server.database() as target:
        with pytest.raises(CannotBackUp, match="pg_restore: "):
            await restore(file, target)
        monkeypatch.undo()
        await restore(file, target)


async def test_upkeep_waits_for_a_backup(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cuts no month from under it, and says whom it waits for."""
    monkeypatch.setattr(partitions, "TRIES", 1)
    later = partitions.after(partitions.month_of(NOW), 3)
    async with Database(postgres_url) as database:
        async with postgresql.snapshot(normalise_url(postgres_url)):
            with pytest.raises(partitions.JournalInUse):
                await partitions.change(database, later, later)
        assert (await partitions.change(database, later, later)).cut


async def test_a_full_disk_of_postgresql_is_named_and_nothing_is_there(
    postgres_url: str, file: Path, postgres_server: PostgresServer
) -> None:
    await take(postgres_url, file)
    with small_disk(postgres_server.folder / "small", "24m") as disk:  # the user of PostgreSQL gets there
        shutil.chown(disk.folder, postgres_server.user)
        postgres_server.execute(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
        try:
            postgres_server.execute("CREATE DATABASE on_small TEMPLATE template0 TABLESPACE small")
            target = postgres_server.url("on_small")
            async with Database(target) as database:
                await database.ping()  # the first connection writes, too
            disk.fill()
            with pytest.raises(CannotBackUp, match="No space left") as refused:
                await restore(file, target)
            assert "Make room on the disk of PostgreSQL" in refused.value.remedy
            disk.clear()
            assert (await restore(file, target)).facts.rows > 0
        finally:
            postgres_server.execute("DROP DATABASE IF EXISTS on_small WITH (FORCE)")
            postgres_server.execute("DROP TABLESPACE small")
