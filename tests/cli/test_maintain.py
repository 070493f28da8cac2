"""maintain: the upkeep by hand, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from cti_server.record import journal
from cti_server.record.database import Database
from cti_server.record.journal import NewEntry
from cti_server.record.upkeep import claims
from cti_server.record.upkeep.partitions import AHEAD, after, month_of, named
from tests.cli.commands import Record


async def test_it_says_what_it_cut(database_url: str) -> None:
    record = Record(database_url)
    async with Database(database_url) as database, database.begin() as conn:
        old = datetime(2000, 1, 1, tzinfo=UTC)
        await journal.append(conn, "desk", [NewEntry(old, "call.changed", {})] * 1100)
    said = record.do("maintain")
    cut = 1100 if database_url.startswith("sqlite") else 0  # in the partition of this month, after an upgrade
    assert f"journal: {cut} rows cut" in said
    assert "messages: 0 rows cut" in said
    assert "journal: 0 rows cut" in record.do("maintain")


async def test_it_makes_and_cuts_months(postgres_url: str) -> None:
    record = Record(postgres_url, CTI_JOURNAL_KEPT_DAYS="1")
    month = month_of(datetime.now(UTC))
    last, long_ago = named(after(month, AHEAD)), named(datetime(2020, 5, 1, tzinfo=UTC))
    async with Database(postgres_url) as database, database.begin() as conn:
        await conn.execute(text(f"DROP TABLE {last}"))
        await conn.execute(text(f"ALTER TABLE journal DETACH PARTITION {named(month)}"))
        await conn.execute(text(f"DROP TABLE {named(month)}"))
        await conn.execute(
            text(f"CREATE TABLE {long_ago} PARTITION OF journal (PRIMARY KEY (stream, seq)) "
                 "FOR VALUES FROM ('2020-05-01') TO ('2020-06-01')")
        )  # fmt: skip
    said = record.do("maintain")
    assert f"partitions made: {named(month)}, {last}" in said
    assert f"partitions cut: {long_ago}" in said


async def test_it_does_nothing_beside_another(database_url: str) -> None:
    async with Database(database_url) as database, database.begin() as conn:
        assert await claims.take(conn, "another", datetime.now(UTC)) is not None
    assert "another process does the upkeep now" in Record(database_url).refused("maintain")


async def test_it_is_in_the_audit_log(database_url: str) -> None:
    record = Record(database_url)
    record.do("maintain")
    (entry,) = record.see("audit", "list")
    assert entry["action"] == "maintain"
