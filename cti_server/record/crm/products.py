"""Products: what a customer owns, and which contract covers it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.crm.contracts import contracts
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, customer_column, id_column, metadata
from cti_server.rules.facts import Product

products = sa.Table(
    "products",
    metadata,
    id_column(),
    customer_column(),
    sa.Column("contract_id", Id, sa.ForeignKey("contracts.id", ondelete="SET NULL"), index=True),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("serial", CleanText),
    sa.Column("installed_on", sa.Date),
)


def of(owners: Any) -> Any:
    """The query for what these customers own, ids or a query for them; by name."""
    return (
        sa.select(products, contracts.c.number.label("contract"))
        .outerjoin_from(products, contracts, contracts.c.id == products.c.contract_id)
        .where(products.c.customer_id.in_(owners))
        .order_by(products.c.name, products.c.id)
    )


async def of_customers(conn: Connection, customer_ids: Collection[int]) -> list[Product]:
    """What these customers (a person and their company) own, by name."""
    return [Product(**row._mapping) for row in await conn.execute(of(list(customer_ids)))]


async def covered_by(conn: Connection, contract_id: int) -> list[str]:
    """The names of what a contract covers."""
    return list(await conn.scalars(sa.select(products.c.name).where(products.c.contract_id == contract_id)))


async def add(
    conn: Connection,
    customer_id: int,
    name: str,
    *,
    serial: str | None = None,
    installed_on: date | None = None,
    contract_id: int | None = None,
) -> int:
    values = {
        "customer_id": customer_id,
        "name": name,
        "serial": serial,
        "installed_on": installed_on,
        "contract_id": contract_id,
    }
    return cast(int, await conn.scalar(sa.insert(products).values(values).returning(products.c.id)))
