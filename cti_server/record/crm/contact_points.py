"""Contact points: the numbers and addresses of customers, and which customers agents chose for a number."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.crm import tokens
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, clean, customer_column, id_column, metadata
from cti_server.rules.facts import ContactKind, ContactPoint, Standing

contact_points = sa.Table(
    "contact_points",
    metadata,
    id_column(),
    customer_column(),
    sa.Column("kind", CleanText, nullable=False),
    sa.Column("label", CleanText, nullable=False),
    sa.Column("raw", CleanText, nullable=False),
    sa.Column("e164", CleanText, index=True),
    sa.Column("extension", CleanText, nullable=False),  # '' for none: in a unique key, NULL equals nothing
    sa.Column("digits", CleanText, nullable=False),
    sa.Column("standing", CleanText, nullable=False),
    sa.Column("chosen_count", sa.Integer, nullable=False),
    sa.Column("last_chosen_at", UtcDateTime),
    sa.UniqueConstraint("customer_id", "e164", "extension"),
)

match_choices = sa.Table(
    "match_choices",
    metadata,
    id_column(),
    sa.Column("e164", CleanText, nullable=False, index=True),
    customer_column(),
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="SET NULL")),
    sa.Column("chosen_at", UtcDateTime, nullable=False),
)


class ContactPointTaken(Exception):
    """The customer already has this number or address."""


def contact_point(row: Any) -> ContactPoint:
    """A row of the table as a fact."""
    return ContactPoint(
        id=row.id,
        customer_id=row.customer_id,
        kind=row.kind,
        label=row.label,
        raw=row.raw,
        e164=row.e164,
        extension=row.extension or None,
        standing=row.standing,
        chosen_count=row.chosen_count,
        last_chosen_at=row.last_chosen_at,
    )


def values(
    customer_id: int,
    kind: ContactKind,
    raw: str,
    e164: str | None,
    extension: str | None,
    label: str,
    standing: Standing,
) -> dict[str, Any]:
    """A row to insert. Its `digits` are what a search for part of a number looks in."""
    return {
        "customer_id": customer_id,
        "kind": kind,
        "label": label,
        "raw": raw,
        "e164": e164,
        "extension": extension or "",
        "digits": tokens.digits((e164 or raw) + (extension or "")) if kind == "phone" else "",
        "standing": standing,
        "chosen_count": 0,
        "last_chosen_at": None,
    }


def of(owners: Any) -> Any:
    """The query for the contact points of these customers, ids or a query for them: phones first, in the order
    they were added."""
    return (
        sa.select(contact_points)
        .where(contact_points.c.customer_id.in_(owners))
        .order_by(contact_points.c.kind.desc(), contact_points.c.id)
    )


async def of_customers(conn: Connection, customer_ids: Collection[int]) -> dict[int, list[ContactPoint]]:
    """The contact points of these customers, phones first, each customer's in the order they were added."""
    found: dict[int, list[ContactPoint]] = {customer_id: [] for customer_id in customer_ids}
    if found:
        for row in await conn.execute(of(list(found))):
            found[row.customer_id].append(contact_point(row))
    return found


async def any_number(conn: Connection) -> str | None:
    """The number of some customer, the same each time; None where nobody has one."""
    c = contact_points.c
    query = sa.select(c.e164).where(c.kind == "phone", c.e164.is_not(None)).order_by(c.id).limit(1)
    return cast("str | None", await conn.scalar(query))


async def insert(conn: Connection, row: dict[str, Any]) -> ContactPoint:
    """Insert a row made by `values`. Raises ContactPointTaken.

    It does not update the search index: elsewhere, call `customers.add_contact_point`, which does.
    """
    c = contact_points.c
    same = (
        sa.and_(c.e164 == row["e164"], c.extension == row["extension"])
        if row["e164"]
        else sa.and_(c.kind == row["kind"], sa.func.lower(c.raw) == clean(row["raw"]).lower())
    )
    taken = await conn.scalar(sa.select(c.id).where(c.customer_id == row["customer_id"], same))
    if taken is not None:
        raise ContactPointTaken(row["raw"])
    inserted = await conn.execute(sa.insert(contact_points).values(row).returning(contact_points))
    return contact_point(inserted.one())


async def choose(conn: Connection, e164: str, customer_id: int, agent_id: int | None, at: datetime) -> None:
    """Remember that an agent chose this customer for a call from this number: the next match puts them first.

    That does not prove whose number it is, so no contact point is added.
    """
    await conn.execute(
        sa.insert(match_choices).values(e164=e164, customer_id=customer_id, agent_id=agent_id, chosen_at=at)
    )
    c = contact_points.c
    await conn.execute(
        sa.update(contact_points)
        .where(c.customer_id == customer_id, c.e164 == e164)
        .values(chosen_count=c.chosen_count + 1, last_chosen_at=at)
    )
