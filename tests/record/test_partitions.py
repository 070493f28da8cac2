"""The journal's months on PostgreSQL: made ahead, cut whole, and none is needed for an entry to be written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from cti_server.record import journal
from cti_server.record.database import Database
from cti_server.record.journal import NewEntry, PositionGone
from cti_server.record.upkeep import partitions
from cti_server.record.upkeep.partitions import AHEAD, JournalInUse, after, month_of, named

THIS = month_of(datetime.now(UTC))
NEXT = after(THIS)
NEVER = datetime(1900, 1, 1, tzinfo=UTC)
"""Before all: nothing is to be cut."""


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with Database(postgres_url) as opened:
        yield opened


async def execute(database: Database, *statements: str) -> None:
    async with database.begin() as conn:
        for statement in statements:
            await conn.execute(sa.text(statement))


async def written(database: Database, *times: datetime) -> None:
    async with database.begin() as conn:
        await journal.append(conn, "pbx:demo", [NewEntry(at, "call.changed", {}) for at in times])


async def read(database: Database, seq: int, limit: int = 1000) -> list[int]:
    async with database.read() as conn:
        return [entry.seq for entry in await journal.read_after(conn, "pbx:demo", seq, limit)]


async def rows(database: Database) -> dict[str, int]:
    """How many each partition has; those without any are left out."""
    query = "SELECT tableoid::regclass::text AS name, count(*) AS n FROM journal GROUP BY 1"
    async with database.read() as conn:
        return {row.name: row.n for row in await conn.execute(sa.text(query))}


async def tables(database: Database) -> list[str]:
    async with database.read() as conn:
        names = await conn.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    return sorted(name for name in names if name.startswith(("journal_2", "journal_cut")))


@pytest.mark.parametrize(
    ("month", "months", "is_month"),
    [("2026-11", 1, "2026-12"), ("2026-12", 1, "2027-01"), ("2026-01", 14, "2027-03"), ("2026-03", 0, "2026-03")],
)
def test_months(month: str, months: int, is_month: str) -> None:
    begins = [datetime.fromisoformat(f"{one}-01T00:00:00+00:00") for one in (month, is_month)]
    assert after(begins[0], months) == begins[1]
    assert month_of(after(begins[0]) - timedelta(microseconds=1)) == begins[0]


def test_a_month_is_one_of_utc() -> None:
    east = datetime.fromisoformat("2026-12-01T07:59:59+08:00")
    assert named(month_of(east)) == "journal_2026_11"


async def test_the_months_are_there_before_they_begin(database: Database) -> None:
    ahead = [named(after(THIS, n)) for n in range(AHEAD + 1)]
    assert await tables(database) == ahead
    done = await partitions.change(database, NEVER, NEXT)
    assert done.made == [named(after(NEXT, AHEAD))]
    assert await tables(database) == [*ahead, *done.made]
    assert (await partitions.change(database, NEVER, NEXT)).made == []


async def test_no_entry_needs_its_month(database: Database) -> None:
    """Neither one of a clock that is wrong by decades, nor one of a month that nobody has made."""
    await execute(database, f"DROP TABLE {named(NEXT)}")
    times = [datetime(1970, 1, 1, tzinfo=UTC), THIS, NEXT, datetime(2099, 12, 31, tzinfo=UTC), THIS]
    await written(database, *times)
    assert await read(database, 0) == [1, 2, 3, 4, 5]
    assert await rows(database) == {named(THIS): 3, "journal_rest": 2}


async def test_months_that_nobody_made_in_time(database: Database) -> None:
    """Their entries stay in the rest until they are cut by age; from the next month on all is as it should be."""
    await execute(database, *[f"DROP TABLE {named(after(THIS, n))}" for n in range(1, AHEAD + 1)])
    await written(database, THIS, NEXT)
    done = await partitions.change(database, NEVER, NEXT)
    assert (done.skipped, done.made) == ([named(NEXT)], [named(after(NEXT, n)) for n in range(1, AHEAD + 1)])
    await written(database, NEXT, after(NEXT))
    assert await rows(database) == {named(THIS): 1, "journal_rest": 2, named(after(NEXT)): 1}
    assert await read(database, 0) == [1, 2, 3, 4]
    async with database.begin() as conn:
        assert await journal.cut(conn, after(NEXT), 100, partitions.REST) == 2
    assert (await partitions.change(database, NEVER, NEXT)).made == [named(NEXT)]


async def test_a_month_is_cut_once_all_of_it_is_older_than_it_is_kept(database: Database) -> None:
    await written(database, THIS, NEXT, NEXT)
    assert (await partitions.change(database, NEXT - timedelta(microseconds=1), NEXT)).cut == []
    done = await partitions.change(database, NEXT, NEXT)
    assert done.cut == [named(THIS)]
    assert named(THIS) not in await tables(database)
    with pytest.raises(PositionGone):
        await read(database, 0)
    assert await read(database, 1) == [2, 3]
    await written(database, NEXT)
    assert await read(database, 3) == [4]


async def test_what_a_killed_run_had_detached_is_dropped_by_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = partitions._changed

    async def killed(database: Database, statements: list[str]) -> None:
        if statements[0].startswith("DROP"):
            raise KeyboardInterrupt
        await changed(database, statements)

    monkeypatch.setattr(partitions, "_changed", killed)
    with pytest.raises(KeyboardInterrupt):
        await partitions.change(database, NEXT, NEXT)
    left = named(THIS).replace("journal_", "journal_cut_")
    assert left in await tables(database)
    monkeypatch.undo()
    await partitions.change(database, NEXT, NEXT)
    assert left not in await tables(database)


async def test_a_table_that_the_administrator_took_out_stays(database: Database) -> None:
    """Only those that upkeep has named so are dropped."""
    await execute(database, f"ALTER TABLE journal DETACH PARTITION {named(NEXT)}")
    await execute(database, f"ALTER TABLE {named(NEXT)} RENAME TO kept_for_the_court")
    await partitions.change(database, after(NEXT, 9), after(NEXT, 9))
    async with database.read() as conn:
        assert await conn.scalar(sa.text("SELECT count(*) FROM kept_for_the_court")) == 0


async def test_a_long_reader_keeps_the_months_and_nobody_waits_for_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that runs, or a backup: the lock is asked for in short tries, between which all others go on."""
    monkeypatch.setattr(partitions, "TRIES", 3)
    monkeypatch.setattr(partitions, "TRY_AGAIN_S", 0.0)
    await written(database, THIS)
    async with database.engine.begin() as report:
        await report.execute(sa.text("SET LOCAL application_name = 'a report'"))
        await report.execute(sa.text("SELECT count(*) FROM journal"))
        with pytest.raises(JournalInUse, match=r"in use by a report \(process \d+"):
            await partitions.change(database, NEXT, THIS)
        await written(database, THIS)
        assert await read(database, 0) == [1, 2]
    assert database.trouble.now is None
    assert (await partitions.change(database, NEXT, THIS)).cut == [named(THIS)]


async def test_a_lock_that_is_not_granted_is_given_up(database: Database) -> None:
    """Nobody can stand behind it for longer than LOCK_WAIT_MS: PostgreSQL itself ends the wait."""
    async with database.engine.connect() as conn:
        await conn.begin()
        asked: list[str] = []

        @sa.event.listens_for(database.engine.sync_engine, "before_cursor_execute")
        def hear(_conn: object, _cursor: object, statement: str, *_: object) -> None:
            asked.append(statement)

        await partitions.change(database, NEXT, THIS)
        await conn.rollback()
    begins = [n for n, one in enumerate(asked) if one.startswith(("LOCK", "DROP", "CREATE"))]
    assert begins
    assert all("lock_timeout = 50" in "".join(asked[n - 2 : n]) for n in begins)


async def test_statements_that_were_prepared_before_go_on(database: Database) -> None:
    """A server has its statements prepared on connections that stay open."""
    async with Database(str(database.url.render_as_string(hide_password=False)), pool_size=1) as server:
        for _ in range(8):
            await written(server, THIS, NEXT)
            await read(server, 0)
        await partitions.change(database, NEXT, after(NEXT, 2))
        await written(server, NEXT, after(NEXT, 5))
        assert await read(server, 15) == [16, 17, 18]


async def test_months_come_and_go_while_others_write_and_read(database: Database) -> None:
    stop, written_all = asyncio.Event(), asyncio.Event()
    numbers: list[int] = []

    async def write(at: datetime) -> None:
        while not stop.is_set():
            async with database.begin() as conn:
                numbers.extend(await journal.append(conn, "pbx:demo", [NewEntry(at, "call.changed", {})] * 2))

    async def follow() -> list[int]:
        seen: list[int] = []
        while not written_all.is_set() or len(seen) < len(numbers):
            seen += await read(database, len(seen))
        return seen

    follower = asyncio.create_task(follow())
    writers = [asyncio.create_task(write(after(THIS, n))) for n in (6, 6, 7)]
    for n in range(3):
        await partitions.change(database, after(THIS, n + 1), after(THIS, n + 4))
    stop.set()
    await asyncio.gather(*writers)
    written_all.set()
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert await follower == list(range(1, len(numbers) + 1))


async def test_a_number_is_taken_once(database: Database) -> None:
    await written(database, THIS)
    with pytest.raises(sa.exc.IntegrityError):
        await execute(
            database, f"INSERT INTO journal VALUES ('pbx:demo', 1, '{THIS.isoformat()}', 'again', NULL, '{{}}')"
        )


async def test_what_follows_a_position_is_found_by_index_in_every_month(database: Database) -> None:
    """Also by a plan that was made while the months to come were empty, which stays until they are analysed."""
    fill = (
        "INSERT INTO journal SELECT 'pbx:demo', n, CAST(:month AS timestamptz), 'call.changed', NULL, '{}' "
        "FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) n"
    )
    async with database.begin() as conn:
        for n, month in enumerate((THIS, NEXT)):
            values = {"month": month, "first": n * 3000 + 1, "last": n * 3000 + 3000}
            await conn.execute(sa.text(fill), values)
        await conn.execute(sa.text(f"ANALYZE {named(THIS)}"))
        await conn.execute(sa.text("INSERT INTO journal_streams VALUES ('pbx:demo', 6000)"))
    assert await read(database, 5990) == list(range(5991, 6001))
    assert (await read(database, 2998, 4)) == [2999, 3000, 3001, 3002]
    query = "SELECT * FROM journal WHERE stream = $1 AND seq > $2 ORDER BY seq LIMIT 1000"
    async with database.engine.begin() as conn:
        await conn.execute(sa.text("SET LOCAL plan_cache_mode = force_generic_plan"))
        await conn.exec_driver_sql(f"PREPARE following (text, bigint) AS {query}")
        plan = "\n".join(await conn.scalars(sa.text("EXPLAIN EXECUTE following('pbx:demo', 5990)")))
    assert "Seq Scan" not in plan
    assert plan.count("Index Scan") == AHEAD + 2
