"""A server of the last version goes on while the next one has brought the schema up: what it writes and asks, as
its tables say it, still works (docs/decisions/upgrading.md)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from cti_server.record import journal, migrate
from cti_server.record.database import Database
from cti_server.record.schema import upsert
from tests.record.upgrading import released
from tests.record.upgrading.test_every_revision import on
from tests.record.upgrading.typical import fill, is_ours

APPEND_ONLY = ("audit", "audit_seals")
#: keys that no statement of the released version names in ON CONFLICT, and that are therefore free to change
NOT_NAMED = {("journal", "stream,seq")}
#: and those of its partial indexes, which are no constraints
PARTIAL = (("help_requests", ["agent_id", "call"], "state <> 'done'"),)


@pytest.mark.parametrize("only_required", [False, True])
async def test_what_it_writes_it_reads_back(database_url: str, only_required: bool) -> None:
    """A column that is new has a value by itself; none that was there is gone, or means something else."""
    tables = released.tables()
    rows = await on(database_url, lambda conn: fill(conn, tables, only_required=only_required))

    def seen(conn: sa.Connection) -> None:
        for table in tables.sorted_tables:
            if not is_ours(table.name):
                continue
            found = [dict(row._mapping) for row in conn.execute(sa.select(table))]
            for row in rows[table.name]:
                alike = (all(one[name] == value for name, value in row.items()) for one in found)
                assert any(alike), f"{table.name}: {row}"

    await on(database_url, seen)


async def test_what_it_changes_and_deletes(database_url: str) -> None:
    tables = released.tables()

    def change(conn: sa.Connection) -> None:
        rows = fill(conn, tables)
        for table in reversed(tables.sorted_tables):
            if not is_ours(table.name) or table.name in APPEND_ONLY:
                continue
            values = {column: column for column in table.columns if not column.primary_key}
            if values:
                assert conn.execute(sa.update(table).values(values)).rowcount >= len(rows[table.name])
            conn.execute(sa.delete(table))

    await on(database_url, change)


async def test_its_upserts_find_their_keys(database_url: str) -> None:
    tables = released.tables()

    def upserted(conn: sa.Connection) -> int:
        rows = fill(conn, tables)
        asked = 0
        for table in tables.sorted_tables:
            if not is_ours(table.name):
                continue
            row = rows[table.name][0]
            for key in table.constraints:
                names = (
                    list(key.columns.keys())
                    if isinstance(key, sa.PrimaryKeyConstraint | sa.UniqueConstraint)
                    else []
                )
                if not names or (table.name, ",".join(names)) in NOT_NAMED:
                    continue
                statement = upsert(conn.dialect.name, table).values(row)
                assert conn.execute(statement.on_conflict_do_nothing(index_elements=names)).rowcount == 0
                asked += 1
        for name, columns, where in PARTIAL:
            statement = upsert(conn.dialect.name, tables.tables[name]).values(rows[name][3])
            only = statement.on_conflict_do_nothing(index_elements=columns, index_where=sa.text(where))
            conn.execute(sa.delete(tables.tables[name]))
            for inserted in (1, 0):
                assert conn.execute(only).rowcount == inserted
        return asked

    assert await on(database_url, upserted) > 60


async def test_its_journal_goes_on_through_the_upgrade(empty_url: str) -> None:
    """A connection that was open before, with its statements prepared, reads and writes on."""
    await migrate.upgrade(empty_url, "0015")
    old = released.tables().tables["journal"]
    streams = released.tables().tables["journal_streams"]

    async def append(server: Database, n: int) -> None:
        async with server.begin() as conn:
            number = upsert(conn.dialect.name, streams).values(stream="desk", seq=1)
            more = number.on_conflict_do_update(index_elements=["stream"], set_={"seq": streams.c.seq + 1})
            taken = await conn.scalar(more.returning(streams.c.seq))
            assert taken == n
            now = await conn.scalar(sa.select(sa.func.now(type_=journal.journal.c.at.type)))
            at = now.replace(tzinfo=None) if server.is_sqlite else now
            row = {"stream": "desk", "seq": taken, "at": at, "kind": "x", "audience": None, "body": {"n": n}}
            await conn.execute(sa.insert(old), [row])

    async def read(server: Database) -> list[int]:
        query = sa.select(old).where(old.c.stream == "desk", old.c.seq > 0).order_by(old.c.seq).limit(1000)
        async with server.read() as conn:
            return [row.seq for row in await conn.execute(query)]

    async with Database(empty_url, pool_size=1) as server:
        for n in range(1, 9):
            await append(server, n)
            await read(server)
        await migrate.upgrade(empty_url)
        for n in range(9, 17):
            await append(server, n)
        assert await read(server) == list(range(1, 17))
        async with server.begin() as conn:
            gone = await conn.execute(sa.text("DELETE FROM journal WHERE at < '2000-01-01'"))
            assert gone.rowcount == 0


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE notes ADD COLUMN seen_by TEXT NOT NULL DEFAULT 'x'",
        "ALTER TABLE notes RENAME COLUMN pinned TO is_pinned",
        "ALTER TABLE notes DROP COLUMN pinned",
        "CREATE TABLE other (id INTEGER)",
    ],
)
async def test_what_a_migration_may_not_do_is_seen(database_url: str, change: str) -> None:
    """Expand first: a new column with a value by itself, a new table. Contract later."""
    await on(database_url, lambda conn: conn.execute(sa.text(change)))
    tables = released.tables()
    if "ADD" in change or "CREATE" in change:
        await on(database_url, lambda conn: fill(conn, tables))
        return
    with pytest.raises(sa.exc.DBAPIError):
        await on(database_url, lambda conn: fill(conn, tables))
