"""Contracts and their service levels: what a customer is entitled to."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.crm import search_index
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, customer_column, id_column, metadata
from cti_server.rules.facts import Contract, ServiceLevel

service_levels = sa.Table(
    "service_levels",
    metadata,
    id_column(),
    sa.Column("code", CleanText, nullable=False, unique=True),
    sa.Column("name_en", CleanText, nullable=False),
    sa.Column("name_zh", CleanText, nullable=False),
    sa.Column("tier_rank", sa.Integer, nullable=False),
    sa.Column("queue_priority", sa.Integer, nullable=False),
    sa.Column("response_minutes", sa.Integer),
    sa.Column("resolve_minutes", sa.Integer),
    sa.Column("calendar", CleanText),
)

contracts = sa.Table(
    "contracts",
    metadata,
    id_column(),
    customer_column(),
    sa.Column("number", CleanText, nullable=False, unique=True),
    sa.Column("service_level_id", Id, sa.ForeignKey("service_levels.id"), nullable=False),
    sa.Column("status", CleanText, nullable=False),
    sa.Column("status_reason", CleanText),
    sa.Column("starts_on", sa.Date, nullable=False),
    sa.Column("ends_on", sa.Date),
    sa.Column("minutes_total", sa.Integer),
    sa.Column("minutes_used", sa.Integer, nullable=False),
)

_LEVEL = [column.label(f"level_{column.name}") for column in service_levels.c]
SELECT = sa.select(contracts, *_LEVEL).join_from(contracts, service_levels)


def contract(row: Any) -> Contract:
    """A row of SELECT as a fact."""
    return Contract(
        id=row.id,
        customer_id=row.customer_id,
        number=row.number,
        service_level=ServiceLevel(
            id=row.level_id,
            code=row.level_code,
            name_en=row.level_name_en,
            name_zh=row.level_name_zh,
            tier_rank=row.level_tier_rank,
            queue_priority=row.level_queue_priority,
            response_minutes=row.level_response_minutes,
            resolve_minutes=row.level_resolve_minutes,
            calendar=row.level_calendar,
        ),
        status=row.status,
        status_reason=row.status_reason,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        minutes_total=row.minutes_total,
        minutes_used=row.minutes_used,
    )


def of(owners: Any) -> Any:
    """The query for the contracts of these customers, ids or a query for them; the best service first."""
    return SELECT.where(contracts.c.customer_id.in_(owners)).order_by(
        service_levels.c.tier_rank, contracts.c.starts_on.desc(), contracts.c.id
    )


async def of_customers(conn: Connection, customer_ids: Collection[int]) -> list[Contract]:
    """The contracts of these customers (a person's and their company's), the best service first."""
    if not customer_ids:
        return []
    return [contract(row) for row in await conn.execute(of(list(customer_ids)))]


async def all_contracts(conn: Connection) -> list[Contract]:
    """Every contract, by number."""
    return [contract(row) for row in await conn.execute(SELECT.order_by(contracts.c.number))]


async def count_at(conn: Connection, service_level_id: int) -> int:
    """How many contracts promise this service level."""
    query = sa.select(sa.func.count()).where(contracts.c.service_level_id == service_level_id)
    return cast(int, await conn.scalar(query.select_from(contracts)))


async def remove(conn: Connection, contract_id: int) -> None:
    """Delete a contract; what it covered stays, covered by none."""
    owner = await conn.scalar(
        sa.delete(contracts).where(contracts.c.id == contract_id).returning(contracts.c.customer_id)
    )
    if owner is not None:
        await search_index.update(conn, [owner])


async def remove_service_level(conn: Connection, level_id: int) -> None:
    """Delete a service level that no contract promises."""
    await conn.execute(sa.delete(service_levels).where(service_levels.c.id == level_id))


async def by_number(conn: Connection, number: str) -> Contract | None:
    row = (await conn.execute(SELECT.where(contracts.c.number == number))).one_or_none()
    return None if row is None else contract(row)


async def save(conn: Connection, given: Contract) -> int:
    """Add the contract, or change the one with the same number; returns its id. `given.id` is ignored."""
    values = {
        "customer_id": given.customer_id,
        "number": given.number,
        "service_level_id": given.service_level.id,
        "status": given.status,
        "status_reason": given.status_reason,
        "starts_on": given.starts_on,
        "ends_on": given.ends_on,
        "minutes_total": given.minutes_total,
        "minutes_used": given.minutes_used,
    }
    owner = await conn.scalar(sa.select(contracts.c.customer_id).where(contracts.c.number == given.number))
    if owner is None:
        statement: Any = sa.insert(contracts).values(values).returning(contracts.c.id)
    else:
        statement = (
            sa.update(contracts).where(contracts.c.number == given.number).values(values).returning(contracts.c.id)
        )
    contract_id = cast(int, await conn.scalar(statement))
    if owner != given.customer_id:
        await search_index.update(conn, [given.customer_id, *([owner] if owner is not None else [])])
    return contract_id


async def all_service_levels(conn: Connection) -> list[ServiceLevel]:
    """Every service level, the best first."""
    query = sa.select(service_levels).order_by(service_levels.c.tier_rank, service_levels.c.id)
    return [ServiceLevel(**row._mapping) for row in await conn.execute(query)]


async def save_service_level(conn: Connection, level: ServiceLevel) -> int:
    """Add the service level, or change the one with the same code; returns its id. `level.id` is ignored."""
    values = {
        "code": level.code,
        "name_en": level.name_en,
        "name_zh": level.name_zh,
        "tier_rank": level.tier_rank,
        "queue_priority": level.queue_priority,
        "response_minutes": level.response_minutes,
        "resolve_minutes": level.resolve_minutes,
        "calendar": level.calendar,
    }
    table = service_levels
    changed = sa.update(table).where(table.c.code == level.code).values(values).returning(table.c.id)
    if (existing := await conn.scalar(changed)) is not None:
        return cast(int, existing)
    return cast(int, await conn.scalar(sa.insert(table).values(values).returning(table.c.id)))
