"""Cases: problems being worked on for a customer."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, UtcDateTime, customer_column, id_column, metadata
from cti_server.rules.facts import Case

PREFIX = "CS-"
FIRST_NUMBER = 1000

cases = sa.Table(
    "cases",
    metadata,
    id_column(),
    customer_column(),
    sa.Column("number", CleanText, nullable=False, unique=True),
    sa.Column("subject", CleanText, nullable=False),
    sa.Column("status", CleanText, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime),
    sa.Column("closed_at", UtcDateTime),
)


def not_closed(owners: Any) -> Any:
    """The query for the cases of these customers, ids or a query for them, that are not closed; the most urgent
    first."""
    return (
        sa.select(cases)
        .where(cases.c.customer_id.in_(owners), cases.c.status != "closed")
        .order_by(cases.c.priority, sa.func.coalesce(cases.c.due_at, cases.c.opened_at), cases.c.id)
    )


async def open_of(conn: Connection, customer_ids: Collection[int]) -> list[Case]:
    """The cases of these customers (a person and their company) that are not closed, the most urgent first."""
    return [Case(**row._mapping) for row in await conn.execute(not_closed(list(customer_ids)))]


async def of_customer(conn: Connection, customer_id: int, limit: int = 100) -> list[Case]:
    """The customer's own cases, closed ones too, the latest first."""
    query = sa.select(cases).where(cases.c.customer_id == customer_id)
    query = query.order_by(cases.c.opened_at.desc(), cases.c.id.desc()).limit(limit)
    return [Case(**row._mapping) for row in await conn.execute(query)]


async def add(
    conn: Connection,
    customer_id: int,
    *,
    number: str,
    subject: str,
    opened_at: datetime,
    priority: int = 3,
    status: str = "open",
    due_at: datetime | None = None,
    closed_at: datetime | None = None,
) -> int:
    values = {
        "customer_id": customer_id,
        "number": number,
        "subject": subject,
        "status": status,
        "priority": priority,
        "opened_at": opened_at,
        "due_at": due_at,
        "closed_at": closed_at,
    }
    return cast(int, await conn.scalar(sa.insert(cases).values(values).returning(cases.c.id)))


async def open_case(conn: Connection, customer_id: int, subject: str, at: datetime, priority: int = 3) -> Case:
    """Open a case with the next free number, `CS-1007`."""
    provisional = uuid.uuid4().hex
    made = await add(conn, customer_id, number=provisional, subject=subject, opened_at=at, priority=priority)
    serial = FIRST_NUMBER + made
    taken = sa.select(cases.c.number).where(cases.c.number.startswith(f"{PREFIX}{serial}", autoescape=True))
    taken_numbers = set(await conn.scalars(taken))
    number = f"{PREFIX}{serial}"
    for turn in itertools.count(2):
        if number not in taken_numbers:
            break
        number = f"{PREFIX}{serial}-{turn}"  # a person or a file has already used that number
    await conn.execute(sa.update(cases).where(cases.c.id == made).values(number=number))
    return Case(made, customer_id, number, subject, "open", priority, at)
