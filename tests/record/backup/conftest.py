"""A record of either engine, a place without one, and a backup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from cti_server.demo.seed import seed
from cti_server.record import journal, leases
from cti_server.record.backup.take import take
from cti_server.record.center import second_factors, sessions
from cti_server.record.database import Database
from cti_server.record.journal import NewEntry
from tests.conftest import PostgresServer
from tests.record.backup.records import HOSTILE, NOW, SEALER, Target
from tests.record.builders import a_customer, an_agent


@pytest.fixture
async def record(database_url: str) -> str:
    """A record with what must be copied with care."""
    async with Database(database_url) as database:
        await seed(database, "demo", NOW, SEALER)
        async with database.begin() as conn:
            await a_customer(conn, HOSTILE, "+8613800138002", kind="company")
            alice = await an_agent(conn, "somebody")
            secret = SEALER.seal("JBSWY3DP", second_factors.about(alice))
            await second_factors.begin(conn, alice, secret, NOW)
            await conn.execute(
                sa.insert(sessions.sessions).values(
                    token_hash="hash", agent_id=alice, created_at=NOW, expires_at=NOW + timedelta(hours=12)
                )
            )
            entries = [NewEntry(NOW + timedelta(days=40 * n), "call.started", {"name": HOSTILE}) for n in range(3)]
            await journal.append(conn, "pbx:demo", entries)
            await conn.execute(
                sa.insert(leases.pbx_leases).values(pbx="demo", epoch=7, owner="host:1", taken_at=NOW)
            )
    return database_url


@pytest.fixture
def nowhere(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[Target]:
    """Makes the URL of a place without a record, each time it is called, for the engine of the test."""
    if database_url.startswith("sqlite"):
        folders = (tmp_path / f"new{n}" for n in range(9))
        yield lambda: f"sqlite:///{next(folders)}/cti.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with ExitStack() as stack:
        yield lambda: stack.enter_context(server.database())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "record.cti"


@pytest.fixture
async def whole(sqlite_url: str, file: Path) -> bytes:
    """A backup of an SQLite record, in `file`."""
    await take(sqlite_url, file)
    return file.read_bytes()
