"""A PostgreSQL record: copied by pg_dump from the snapshot in which the sums were made, while servers write."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import sqlalchemy as sa

from cti_server.record import migrate
from cti_server.record.engines import Connection, lone_engine

from . import pg_tools
from .archive import MEMBERS, CannotBackUp, Facts, Sum, sealing_keys
from .sqlite import SECRETS

LOCK_WAIT_S: Final = 10
_SAME_TEXT: Final = (
    "TimeZone = 'UTC'",
    "DateStyle = 'ISO'",
    "IntervalStyle = 'iso_8601'",
    "extra_float_digits = 1",
    "bytea_output = 'hex'",
)
_AS_LONG_AS_IT_TAKES: Final = ("statement_timeout = 0", "idle_in_transaction_session_timeout = 0")


async def copy(url: sa.URL, archive: zipfile.ZipFile) -> Facts:
    """Copy the database into the archive. Raises CannotBackUp, and what the driver raises."""
    async with snapshot(url) as (conn, name):
        tool = await pg_tools.tool("pg_dump", conn)
        facts = await facts_of(conn)
        with archive.open(MEMBERS["postgresql"], "w", force_zip64=True) as to:
            command = [tool, "--format=custom", f"--snapshot={name}"]
            await pg_tools.run(command, pg_tools.environment(url), None, to)
    return facts


async def unpack(archive: zipfile.ZipFile, url: sa.URL) -> None:
    """Restore the archive into an empty database: all of it, or nothing. Raises CannotBackUp."""
    engine = lone_engine(url)
    try:
        async with engine.connect() as conn:
            await be_empty(conn)
            tool = await pg_tools.tool("pg_restore", conn)
    finally:
        await engine.dispose()
    # Owners and grants are those of the target: the roles of the source may not be there.
    command = [tool, "--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    command.append(f"--dbname={url.database or ''}")
    with archive.open(MEMBERS["postgresql"]) as packed:
        await pg_tools.run(command, pg_tools.environment(url), packed, None)


async def be_empty(conn: Connection) -> None:
    """Raises CannotBackUp unless the database has no table, view or counter of anybody's."""
    query = sa.text(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace "
        "AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') ORDER BY 1 LIMIT 4"
    )
    if there := list(await conn.scalars(query)):
        raise CannotBackUp(
            f"the target is not empty: it has {', '.join(there)}",
            "Name a new database; docs/operations.md has the lines. What is there was not touched.",
        )


@asynccontextmanager
async def snapshot(url: sa.URL) -> AsyncIterator[tuple[Connection, str]]:
    """A transaction that sees one moment, and the name by which pg_dump sees the same. The tables are locked first
    against those who change or drop them: between the two pg_dump would find some gone."""
    engine = lone_engine(url)
    try:
        async with engine.connect() as conn:
            names = [_quoted(name) for name in await _tables(conn)]
            await conn.rollback()
            if not names:
                raise CannotBackUp("the database is empty", "cti-server migrate   makes its tables")
            await conn.execution_options(isolation_level="REPEATABLE READ")
            async with conn.begin():
                await conn.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'")
                try:
                    await conn.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN ACCESS SHARE MODE")
                except sa.exc.DBAPIError as refused:
                    if getattr(refused.orig, "sqlstate", None) not in ("55P03", "42P01"):  # locked; gone meanwhile
                        raise
                    raise CannotBackUp(
                        "another process changes the tables now, as a migration does",
                        "Try again when it has ended.",
                    ) from None
                name = await conn.scalar(sa.text("SELECT pg_export_snapshot()"))
                yield conn, str(name)
    finally:
        await engine.dispose()


# --- what is in it -----------------------------------------------------------------------------------------


async def facts_in(url: sa.URL) -> Facts:
    engine = lone_engine(url)
    try:
        async with engine.connect() as conn:
            await conn.execution_options(isolation_level="REPEATABLE READ")
            async with conn.begin():
                return await facts_of(conn)
    finally:
        await engine.dispose()


async def facts_of(conn: Connection) -> Facts:
    """Of what the transaction of this connection sees."""
    for setting in (*_SAME_TEXT, *_AS_LONG_AS_IT_TAKES):
        await conn.exec_driver_sql(f"SET LOCAL {setting}")
    revision = await migrate.revision_of(conn)
    if revision is None:
        raise CannotBackUp("the database is empty", "cti-server migrate   makes its tables")
    version = str(await conn.scalar(sa.text("SHOW server_version"))).split()[0]
    tables = {name: await _sum(conn, name) for name in await _tables(conn)}
    keys: dict[str, int] = {}
    for table, column in SECRETS:
        if table in tables:
            query = f"SELECT substr({column}, 4, 8), count(*) FROM {table} WHERE {column} LIKE 'v1:%' GROUP BY 1"
            for name, count in await conn.execute(sa.text(query)):
                keys[name] = keys.get(name, 0) + count
    return Facts("postgresql", version, revision, tables, sealing_keys(keys))


async def _tables(conn: Connection) -> list[str]:
    """A table with partitions is one, and they are none."""
    query = (
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1"
    )
    return list(await conn.scalars(sa.text(query)))


async def _sum(conn: Connection, table: str) -> Sum:
    digest = "('x' || encode(substr(sha256(convert_to(t::text, 'UTF8')), 1, 7), 'hex'))::bit(56)::bigint"
    query = f"SELECT count(*), coalesce(sum({digest}), 0) FROM {_quoted(table)} t"
    rows, total = [int(value) for value in (await conn.exec_driver_sql(query)).one()]
    return Sum(rows, f"{total % 2**64:016x}")


async def counters_behind(conn: Connection) -> list[str]:
    """Tables whose next row would get a number that is taken."""
    query = (
        "SELECT t.relname, a.attname, s.oid::regclass::text FROM pg_class s "
        "JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i') AND d.classid = 'pg_class'::regclass "
        "JOIN pg_class t ON t.oid = d.refobjid "
        "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid "
        "WHERE s.relkind = 'S' AND t.relnamespace = current_schema()::regnamespace ORDER BY 1"
    )
    behind: list[str] = []
    for table, column, counter in (await conn.execute(sa.text(query))).all():
        last = f"SELECT coalesce(max({_quoted(column)}), 0) FROM {_quoted(table)}"
        if await conn.scalar(sa.text(f"SELECT ({last}) > last_value FROM {counter}")):
            behind.append(table)
    return behind


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# --- a scratch database ------------------------------------------------------------------------------------


@asynccontextmanager
async def scratch(url: sa.URL, name: str) -> AsyncIterator[sa.URL]:
    """A new, empty database beside that of the URL, dropped at the end. Raises CannotBackUp."""
    engine = lone_engine(url)
    try:
        async with engine.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            try:
                await conn.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE template0")
            except sa.exc.DBAPIError as refused:
                if getattr(refused.orig, "sqlstate", None) != "42501":  # insufficient_privilege
                    raise
                user = await conn.scalar(sa.text("SELECT current_user"))
                raise CannotBackUp(
                    f"PostgreSQL does not let {user} make a scratch database",
                    f'runuser -u postgres -- psql -c "ALTER ROLE {user} CREATEDB"   or name an empty one:  --into',
                ) from None
            try:
                yield url.set(database=name)
            finally:
                await conn.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        await engine.dispose()
