"""Moves the record from an SQLite file into an empty PostgreSQL database: all of it, or nothing.

One transaction there makes the tables, copies each row, and reads it back: the number of rows and the sum of their
digests must be those of the file. The file is locked against a running server for that time, and only read.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from cti_server.record import migrate
from cti_server.record.crm import search_index
from cti_server.record.engines import Connection, lone_engine
from cti_server.record.leases import lock_key
from cti_server.record.tables import metadata
from cti_server.record.urls import BadUrl, normalise_url

ROWS_AT_ONCE = 1000
EXAMPLE = "write --to postgresql:///cti"
# What is in the file beside the tables of the metadata: SQLite's own, the migrations', and the indexes of
# searches, which are made anew.
_BESIDE = ("sqlite_", "alembic_version", "customers_search", "interactions_search", "segments_search")

Progress = Callable[[int, int], None]
"""Called with the rows done and the rows that there are."""
Sum = tuple[int, int]
"""Of a table: how many rows, and the sum of their digests, which does not depend on their order."""


class CannotMove(Exception):
    """Why nothing was moved, and `remedy`, what helps."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.remedy = remedy


async def move(source: str, target: str, progress: Progress = lambda done, of: None) -> Mapping[str, int]:
    """Copy everything. Returns the number of rows by table. Raises CannotMove, and what the drivers raise."""
    file, server = _ends(source, target)
    async with _alone(file) as old:
        await _is_current(old)
        engine = lone_engine(server)
        try:
            async with engine.begin() as new:
                await new.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_key("migrate"))))
                await _prepare(new)
                return await _copy_all(old, new, progress)
        finally:
            await engine.dispose()


# --- before --------------------------------------------------------------------------------------------------


def _ends(source: str, target: str) -> tuple[sa.URL, sa.URL]:
    file = normalise_url(source)
    try:
        server = normalise_url(target)
    except BadUrl as bad:  # which does not print it: it may hold a password
        raise CannotMove(str(bad).replace("CTI_DATABASE_URL", "--to"), EXAMPLE) from None
    if file.get_backend_name() != "sqlite":
        raise CannotMove(
            "the record is in PostgreSQL already", "from one PostgreSQL to another: pg_dump, pg_restore"
        )
    if server.get_backend_name() != "postgresql":
        raise CannotMove("a record moves from SQLite to PostgreSQL", EXAMPLE)
    if not Path(file.database or "").is_file():
        raise CannotMove(f"{file.database} does not exist", "CTI_DATABASE_URL names the file to move from")
    return file, server


@asynccontextmanager
async def _alone(url: sa.URL) -> AsyncIterator[Connection]:
    """The file, while nobody else has it open. A server keeps it open as long as it runs."""
    engine = lone_engine(url)

    @sa.event.listens_for(engine.sync_engine, "connect")
    def for_us_only(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE").close()

    try:
        async with engine.connect() as conn:
            await conn.execution_options(cti_write=True)
            try:
                await conn.begin()
            except sa.exc.OperationalError as locked:
                if "locked" not in str(locked.orig):
                    raise
                raise CannotMove(
                    f"a server, or another program, has {url.database} open",
                    "stop it first: systemctl stop cti-server",
                ) from None
            try:
                yield conn
            finally:
                await conn.rollback()
    finally:
        await engine.dispose()


async def _is_current(old: Connection) -> None:
    """Every table of the file is one that this version knows, and has its columns."""
    if (now := await migrate.revision_of(old)) != (head := migrate.head()):
        raise CannotMove(f"the file is at revision {now}; this version moves {head}", "run: cti-server migrate")
    names = await old.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    strange = sorted(name for name in names if name not in metadata.tables and not name.startswith(_BESIDE))
    if strange:
        raise CannotMove(
            f"the file has tables that are not of this record: {', '.join(strange)}", "move or drop them"
        )


async def _prepare(new: Connection) -> None:
    """The tables, empty. What a migration puts into them is in the file already, as it was changed since."""
    revision = await migrate.revision_of(new)
    if revision is None:
        there = await new.run_sync(lambda sync: sa.inspect(sync).get_table_names())
        if taken := sorted(set(there) & set(metadata.tables)):
            raise CannotMove(f"the target has tables of these names: {', '.join(taken)}", "name an empty database")
        await migrate.upgrade_on(new)
        for table in reversed(metadata.sorted_tables):
            await new.execute(sa.delete(table))
        return
    if revision != migrate.head():
        raise CannotMove(
            f"the target is at revision {revision}", "name an empty database; the move makes the tables"
        )
    counts = {table.name: await _count(new, table) for table in metadata.sorted_tables}
    if full := [f"{count} rows in {name}" for name, count in counts.items() if count]:
        raise CannotMove(
            f"the target is not empty: {', '.join(full[:5])}",
            "name a new database (createdb): the move makes the tables, so do not run `migrate` there",
        )


# --- the copy ------------------------------------------------------------------------------------------------


async def _copy_all(old: Connection, new: Connection, progress: Progress) -> Mapping[str, int]:
    tables = metadata.sorted_tables
    total = sum([await _count(old, table) for table in tables])
    done = 0
    moved: dict[str, int] = {}
    async with _keys_checked_at_the_end(new):
        for table in tables:
            there = (0, 0)
            async for rows in _read(old, table):
                await new.execute(_insert(table), [dict(row._mapping) for row in rows])
                there = _added(there, rows)
                progress(done := done + len(rows), total)
            here = (0, 0)
            async for rows in _read(new, table):
                here = _added(here, rows)
            if here != there:
                raise CannotMove(
                    f"{table.name} reads back different: {here[0]} rows of {there[0]}, {here[1]}, not {there[1]}",
                    "nothing was moved; this is a defect of cti-server: please report it",
                )
            moved[table.name] = here[0]
            await _count_on(new, table)
    customers = metadata.tables["customers"]
    await search_index.update(new, list(await new.scalars(sa.select(customers.c.id))))
    return moved


@asynccontextmanager
async def _keys_checked_at_the_end(new: Connection) -> AsyncIterator[None]:
    """Customers name their company, which may come later in the same table."""
    keys = sa.text(
        "SELECT quote_ident(t.relname) AS on_table, quote_ident(c.conname) AS name FROM pg_constraint c "
        "JOIN pg_class t ON t.oid = c.conrelid "
        "WHERE c.contype = 'f' AND NOT c.condeferrable AND t.relnamespace = current_schema()::regnamespace"
    )
    found = (await new.execute(keys)).all()
    for key in found:
        await new.exec_driver_sql(
            f"ALTER TABLE {key.on_table} ALTER CONSTRAINT {key.name} DEFERRABLE INITIALLY DEFERRED"
        )
    yield
    await new.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for key in found:
        await new.exec_driver_sql(f"ALTER TABLE {key.on_table} ALTER CONSTRAINT {key.name} NOT DEFERRABLE")


async def _read(conn: Connection, table: sa.Table) -> AsyncIterator[Sequence[sa.Row[Any]]]:
    """Page by page of the primary key: while a cursor of the driver is open, no constraint can be changed."""
    key = list(table.primary_key.columns)
    columns = [_text(column).label(column.name) if _is_json(column) else column for column in table.columns]
    page = sa.select(*columns).order_by(*key).limit(ROWS_AT_ONCE)
    query = page
    while rows := (await conn.execute(query)).all():
        yield rows
        last = [sa.bindparam(None, rows[-1]._mapping[column.name], type_=column.type) for column in key]
        query = page.where(sa.tuple_(*key) > sa.tuple_(*last))


def _insert(table: sa.Table) -> sa.Insert:
    return sa.insert(table).values(
        {
            c.name: sa.cast(sa.bindparam(c.name, type_=sa.Text), sa.JSON) if _is_json(c) else sa.bindparam(c.name)
            for c in table.columns
        }
    )


# JSON travels as the text that is stored: through objects and back, SQL's NULL would become JSON's null.
def _is_json(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.JSON)


def _text(column: sa.Column[Any]) -> sa.Cast[str]:
    return sa.cast(column, sa.Text)


def _added(so_far: Sum, rows: Sequence[sa.Row[Any]]) -> Sum:
    return so_far[0] + len(rows), (so_far[1] + sum(map(_digest, rows))) % 2**64


def _digest(row: sa.Row[Any]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(tuple(row)).encode(), digest_size=8).digest())


async def _count(conn: Connection, table: sa.Table) -> int:
    return await conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0


async def _count_on(new: Connection, table: sa.Table) -> None:
    """The next row gets an id of its own."""
    counted = table.autoincrement_column
    if counted is None or await new.scalar(sa.select(sa.func.max(counted))) is None:
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, counted.name)
    await new.execute(sa.select(sa.func.setval(sequence, sa.select(sa.func.max(counted)).scalar_subquery())))
