"""A backup is proven by restoring it: what is sound, what is not, and what older versions wrote."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from cti_server.record import migrate
from cti_server.record.audit.entries import note
from cti_server.record.backup.restore import prove
from cti_server.record.backup.take import take
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, new_key
from cti_server.record.urls import normalise_url, sqlite_file
from tests.record.backup.records import SEALER, all_rows, execute


async def test_a_sound_backup_is_proven_and_leaves_nothing_behind(
    record: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    made = await take(record, file)
    before = await all_rows(record)
    proof = await prove(file, record, SEALER)
    assert (proof.manifest, proof.wrong, proof.upgraded) == (made, (), False)
    assert (proof.secrets, proof.opened) == (sum(made.facts.keys.values()), proof.secrets) != (0, 0)
    assert list(scratch.iterdir()) == []
    assert await all_rows(record) == before
    if not record.startswith("sqlite"):
        async with Database(record) as database, database.read() as conn:
            left = await conn.scalar(sa.text("SELECT count(*) FROM pg_database WHERE datname LIKE 'cti_verify%'"))
        assert left == 0


async def test_without_the_key_the_secrets_are_lost_and_that_is_said(record: str, file: Path) -> None:
    made = await take(record, file)
    assert list(made.facts.keys) == [SEALER.seal("x", "y").split(":")[1]]
    for sealer in (Sealer(), Sealer([new_key()])):
        proof = await prove(file, record, sealer)
        assert (proof.wrong, proof.opened) == ((), 0)
        assert proof.secrets == sum(made.facts.keys.values()) >= 2
    assert b"JBSWY3DP" not in file.read_bytes()


async def test_what_was_not_sound_at_the_backup_is_found(record: str, file: Path) -> None:
    is_sqlite = record.startswith("sqlite")
    if is_sqlite:
        broken = "UPDATE customers SET company_id = 987654321 WHERE id = 1"
        unguarded = "DROP TRIGGER audit_no_update"
        says = "a row of customers names one of customers that is not there"
    else:
        broken = "SELECT setval(pg_get_serial_sequence('agents', 'id'), 1)"
        unguarded = "ALTER TABLE audit DISABLE TRIGGER audit_append_only"
        says = "the next row of agents would get a number that is taken"
    async with Database(record) as database, database.begin():
        note("user.changed", "user:alice", {"role": "supervisor"})
    if is_sqlite:
        with closing(sqlite3.connect(sqlite_file(normalise_url(record)) or "")) as conn, conn:
            for statement in (broken, unguarded, "UPDATE audit SET actor = 'nobody'"):
                conn.execute(statement)
    else:
        await execute(record, broken, unguarded, "UPDATE audit SET actor = 'nobody'")
    await take(record, file)
    wrong = (await prove(file, record, SEALER)).wrong
    assert says in wrong
    assert any("was changed after it was written" in one for one in wrong)


@pytest.mark.parametrize("revision", ["0001", "0012", "0015"])
async def test_a_backup_of_an_older_schema_is_proven_up_to_this_one(
    empty_url: str, file: Path, revision: str
) -> None:
    await migrate.upgrade(empty_url, revision)
    await execute(empty_url, "INSERT INTO journal_streams VALUES ('desk', 41)")
    made = await take(empty_url, file)
    assert made.facts.revision == revision
    proof = await prove(file, empty_url, Sealer())
    assert (proof.wrong, proof.upgraded) == ((), True)
