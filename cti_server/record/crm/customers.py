"""Customers: people and companies. An edit names the version that it began with, so that nobody's work is lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.center.shifts import shifts
from cti_server.record.crm import contact_points as points
from cti_server.record.crm import customer_values, search_index, tokens
from cti_server.record.crm.customer_values import Author, Valued
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, id_column, metadata
from cti_server.record.versions import StaleVersion
from cti_server.rules.facts import (
    AgentBrief,
    CompanyBrief,
    ContactKind,
    ContactPoint,
    Customer,
    CustomerKind,
    Standing,
)

customers = sa.Table(
    "customers",
    metadata,
    id_column(),
    sa.Column("kind", CleanText, nullable=False),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("name_key", CleanText, nullable=False, index=True),
    sa.Column("company_id", Id, sa.ForeignKey("customers.id", ondelete="SET NULL"), index=True),
    sa.Column("role_title", CleanText),
    sa.Column("salutation", CleanText),
    sa.Column("tier", CleanText),
    sa.Column("language", CleanText),
    sa.Column("time_zone", CleanText),
    sa.Column("preferred_agent_id", Id, sa.ForeignKey("agents.id", ondelete="SET NULL")),
    sa.Column("remarks", CleanText),
    sa.Column("external_ref", CleanText, unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sqlite_autoincrement=True,  # an id is never reused for another customer
)
company = customers.alias("company")
preferred = agents.alias("preferred")
at_work = shifts.alias("at_work")

COLUMNS = (
    *customers.c,
    company.c.name.label("company_name"),
    preferred.c.name.label("preferred_name"),
    # Where they sit today: at their own phone somebody else may be.
    sa.func.coalesce(at_work.c.seat, preferred.c.seat).label("preferred_seat"),
)
SOURCE = (
    customers.outerjoin(company, company.c.id == customers.c.company_id)
    .outerjoin(preferred, sa.and_(preferred.c.id == customers.c.preferred_agent_id, preferred.c.active))
    .outerjoin(at_work, at_work.c.agent_id == preferred.c.id)
)
KEPT_HERE = frozenset({"id", "kind", "name_key", "created_at", "updated_at", "version"})
EDITABLE = frozenset(column.name for column in customers.c) - KEPT_HERE
"""The columns that a person may write: all but those that this file keeps itself."""
AS_STORED = [field.name for field in fields(Customer) if field.name in customers.c]
"""The fields of Customer that are columns under the same name."""


class UnknownCustomer(LookupError):
    """There is no customer with this id."""


class ExternalRefTaken(Exception):
    """Another customer has this external reference."""


class BadCompany(ValueError):
    """The company is not a company, or is the customer itself."""


def customer(row: Any, contact_points: tuple[ContactPoint, ...] = ()) -> Customer:
    """A row of COLUMNS as a fact."""
    return Customer(
        **{name: getattr(row, name) for name in AS_STORED},
        company=CompanyBrief(row.company_id, row.company_name) if row.company_id else None,
        preferred_agent=(
            AgentBrief(row.preferred_agent_id, row.preferred_name, row.preferred_seat)
            if row.preferred_name
            else None
        ),
        contact_points=contact_points,
    )


async def get_many(conn: Connection, customer_ids: Collection[int]) -> dict[int, Customer]:
    """The customers with these ids, with their contact points; ids without a customer are left out."""
    ids = list(set(customer_ids))
    if not ids:
        return {}
    rows = (await conn.execute(sa.select(*COLUMNS).select_from(SOURCE).where(customers.c.id.in_(ids)))).all()
    found = await points.of_customers(conn, [row.id for row in rows])
    return {row.id: customer(row, tuple(found[row.id])) for row in rows}


async def get(conn: Connection, customer_id: int) -> Customer | None:
    return (await get_many(conn, [customer_id])).get(customer_id)


async def ids_by_ref(conn: Connection, refs: Collection[str]) -> dict[str, int]:
    """The ids of the customers with these external references; references that nobody has are left out."""
    query = sa.select(customers.c.external_ref, customers.c.id).where(customers.c.external_ref.in_(list(refs)))
    return {row.external_ref: row.id for row in await conn.execute(query)}


async def by_number(conn: Connection, e164: str) -> list[Customer]:
    """The customers under whom the record lists this number."""
    c = points.contact_points.c
    ids = await conn.scalars(sa.select(c.customer_id).where(c.e164 == e164).distinct().limit(50))
    found = await get_many(conn, list(ids))
    return [found[customer_id] for customer_id in sorted(found)]


async def preferring(conn: Connection, agent_id: int) -> int:
    """How many customers prefer this agent."""
    query = sa.select(sa.func.count()).select_from(customers).where(customers.c.preferred_agent_id == agent_id)
    return cast(int, await conn.scalar(query))


async def people_of(conn: Connection, company_id: int, limit: int = 200) -> list[Customer]:
    """The people of a company by name, without their contact points."""
    query = (
        sa.select(*COLUMNS)
        .select_from(SOURCE)
        .where(customers.c.company_id == company_id)
        .order_by(customers.c.name_key, customers.c.id)
        .limit(limit)
    )
    return [customer(row) for row in await conn.execute(query)]


async def create(
    conn: Connection, *, kind: CustomerKind, name: str, at: datetime, by: Author | None = None, **given: Any
) -> Customer:
    """Add a customer; `given` are fields of EDITABLE. `by` is who gives them a tier or a preferred agent, if
    somebody does. Raises BadCompany, ExternalRefTaken.
    """
    _only_editable(given)
    await _check(conn, None, given)
    new = {
        **given,
        "kind": kind,
        "name": name,
        "name_key": tokens.key(name),
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }
    customer_id = cast(int, await conn.scalar(sa.insert(customers).values(new).returning(customers.c.id)))
    await customer_values.add(conn, [Valued(customer_id, 1, {}, given)], by, at)
    await search_index.update(conn, [customer_id])
    return cast(Customer, await get(conn, customer_id))


async def values_of(conn: Connection, customer_id: int) -> tuple[int, dict[str, Any]]:
    """The customer's version, and the columns of `customer_values.FIELDS`. Raises UnknownCustomer."""
    c = customers.c
    query = sa.select(c.version, *(c[name] for name in customer_values.FIELDS)).where(c.id == customer_id)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise UnknownCustomer(customer_id)
    return row.version, {name: getattr(row, name) for name in customer_values.FIELDS}


async def update(
    conn: Connection,
    customer_id: int,
    version: int,
    changes: Mapping[str, Any],
    at: datetime,
    *,
    by: Author | None = None,
    reason: str | None = None,
) -> Customer:
    """Change fields of EDITABLE. `by` is who changes tier or preferred agent, if these change, and `reason` why.

    Raises StaleVersion, UnknownCustomer, BadCompany, ExternalRefTaken.
    """
    _only_editable(changes)
    await _check(conn, customer_id, changes)
    # Whoever changes them later than this makes another version, and the update below does not find this one.
    _, before = await values_of(conn, customer_id)
    new = dict(changes, version=version + 1, updated_at=at)
    if "name" in changes:
        new["name_key"] = tokens.key(changes["name"])
    same = sa.and_(customers.c.id == customer_id, customers.c.version == version)
    changed = (
        await conn.execute(sa.update(customers).where(same).values(new).returning(customers.c.kind))
    ).scalar_one_or_none()
    if changed is None:
        raise await _refusal(conn, customer_id)
    await customer_values.add(conn, [Valued(customer_id, version + 1, before, changes)], by, at, reason)
    touched = [customer_id]
    if changed == "company" and "name" in changes:
        touched += await conn.scalars(sa.select(customers.c.id).where(customers.c.company_id == customer_id))
    await search_index.update(conn, touched)
    return cast(Customer, await get(conn, customer_id))


async def delete(conn: Connection, customer_id: int) -> bool:
    """Delete a customer with all that is theirs; their interactions stay, without a customer. False if there is no
    such customer.
    """
    people = list(await conn.scalars(sa.select(customers.c.id).where(customers.c.company_id == customer_id)))
    gone = (await conn.execute(sa.delete(customers).where(customers.c.id == customer_id))).rowcount
    await search_index.update(conn, [customer_id, *people])
    return gone == 1


async def add_contact_point(
    conn: Connection,
    customer_id: int,
    *,
    at: datetime,
    kind: ContactKind,
    raw: str,
    e164: str | None = None,
    extension: str | None = None,
    label: str = "",
    standing: Standing = "verified",
) -> ContactPoint:
    """Add a number or an address. The caller normalises the number (`rules.numbers`). Raises UnknownCustomer,
    ContactPointTaken.
    """
    await touch(conn, customer_id, at)
    row = points.values(customer_id, kind, raw, e164, extension, label, standing)
    added = await points.insert(conn, row)
    if kind == "email":
        await search_index.update(conn, [customer_id])
    return added


async def remove_contact_point(conn: Connection, customer_id: int, contact_point_id: int, at: datetime) -> bool:
    """Remove a number or address of this customer. False if they do not have it."""
    c = points.contact_points.c
    gone = await conn.execute(
        sa.delete(points.contact_points)
        .where(c.id == contact_point_id, c.customer_id == customer_id)
        .returning(c.kind)
    )
    kind = gone.scalar_one_or_none()
    if kind is None:
        return False
    await touch(conn, customer_id, at)
    if kind == "email":
        await search_index.update(conn, [customer_id])
    return True


async def touch(conn: Connection, customer_id: int, at: datetime) -> int:
    """Raise the customer's version, because something of theirs changed; returns it. Raises UnknownCustomer."""
    version = await conn.scalar(
        sa.update(customers)
        .where(customers.c.id == customer_id)
        .values(version=customers.c.version + 1, updated_at=at)
        .returning(customers.c.version)
    )
    if version is None:
        raise UnknownCustomer(customer_id)
    return cast(int, version)


async def _refusal(conn: Connection, customer_id: int) -> Exception:
    current = await conn.scalar(sa.select(customers.c.version).where(customers.c.id == customer_id))
    return UnknownCustomer(customer_id) if current is None else StaleVersion(current)


async def _check(conn: Connection, customer_id: int | None, given: Mapping[str, Any]) -> None:
    if (company_id := given.get("company_id")) is not None:
        kind = await conn.scalar(sa.select(customers.c.kind).where(customers.c.id == company_id))
        if kind != "company" or company_id == customer_id:
            raise BadCompany(f"customer {company_id} is not a company that customer {customer_id} can belong to")
    if (ref := given.get("external_ref")) is not None:
        owner = await conn.scalar(sa.select(customers.c.id).where(customers.c.external_ref == ref))
        if owner not in (None, customer_id):
            raise ExternalRefTaken(ref)


def _only_editable(given: Mapping[str, Any]) -> None:
    if unknown := set(given) - EDITABLE:
        raise TypeError(f"not fields of a customer: {', '.join(sorted(unknown))}")
