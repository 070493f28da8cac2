"""How much the record holds, for whoever is about to lose it."""

from __future__ import annotations

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.contacts.tables import interactions
from cti_server.record.crm.contracts import contracts
from cti_server.record.crm.customers import customers
from cti_server.record.engines import Connection

COUNTED = {"people who sign in": agents, "customers": customers, "contracts": contracts, "contacts": interactions}


async def of_record(conn: Connection) -> dict[str, int]:
    """The rows of the most important tables; those that an older revision does not have are left out."""
    there = set(await conn.run_sync(lambda sync: sa.inspect(sync).get_table_names()))
    return {
        what: await conn.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for what, table in COUNTED.items()
        if table.name in there
    }
