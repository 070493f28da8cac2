"""A rehearsal of an import: the same writing, on copies that vanish with their connection.

The tables that an import reads and writes are copied into temporary ones of the same names. Both engines find
those first, so `bulk.save` does in a rehearsal what it would do in earnest, without a lock or a byte in the
record.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import sqlalchemy as sa

from cti_server.record.crm.contact_points import contact_points
from cti_server.record.crm.contracts import contracts
from cti_server.record.crm.customer_values import customer_values
from cti_server.record.crm.customers import customers
from cti_server.record.database import Database
from cti_server.record.engines import Connection, lone_engine

COPIED = (customers, contact_points, contracts)
WRITTEN = (customer_values,)
"""What an import only adds to: a rehearsal begins with none of it."""


@asynccontextmanager
async def rehearsal(database: Database) -> AsyncIterator[Connection]:
    """A connection on which customers may be saved (`bulk.save(…, searchable=False)`) and nothing lasts.

    The role of a PostgreSQL database needs the right to make temporary tables, which it has unless it was taken.
    """
    engine = lone_engine(database.url)
    try:
        async with engine.connect() as conn, conn.begin():
            for table in COPIED:
                await _copy(conn, table)
            for table in WRITTEN:
                await _copy(conn, table, rows=False)
            yield conn
    finally:
        await engine.dispose()


async def _copy(conn: Connection, table: sa.Table, *, rows: bool = True) -> None:
    """Neither foreign keys nor defaults are copied: a temporary table may not refer to others, and a sequence that
    both used would move on."""
    last = await conn.scalar(sa.select(sa.func.max(table.c.id))) or 0
    columns = [
        sa.Column(c.name, c.type, sa.Identity(start=last + 1), primary_key=True)
        if c.primary_key
        else sa.Column(c.name, c.type, nullable=c.nullable, index=bool(c.index or c.unique))
        for c in table.c
    ]
    copy = sa.Table(f"rehearsed_{table.name}", sa.MetaData(), *columns, prefixes=["TEMPORARY"])
    await conn.run_sync(lambda sync: copy.create(sync, checkfirst=False))
    if rows:
        await conn.execute(sa.insert(copy).from_select([c.name for c in table.c], sa.select(table)))
    await conn.execute(sa.text(f"ALTER TABLE {copy.name} RENAME TO {table.name}"))
