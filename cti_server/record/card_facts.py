"""What a card is made of: first who a number may belong to, then everything about the customer. All queries are
indexed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from cti_server.record.contacts import history
from cti_server.record.crm import cases, contracts, customers, notes, products
from cti_server.record.crm.contact_points import contact_point, contact_points, match_choices
from cti_server.record.database import Connection
from cti_server.record.desk import promises
from cti_server.rules.facts import Case, Contract, Customer, Holder, InteractionBrief, Note, Product, Promise

MAX_HOLDERS = 50
"""Customers read for one number: a longer list would not help an agent. Those chosen most often come first, then
those added first.
"""
MAX_PEOPLE = 20
RECENT = 10


@dataclass(frozen=True, slots=True)
class Callers:
    """Who a number may belong to, as `rules.match` takes it: its holders, and the people of those holders that are
    companies.
    """

    holders: tuple[Holder, ...]
    people: tuple[Holder, ...]


@dataclass(frozen=True, slots=True)
class CardFacts:
    """Everything from the record that a card shows. A person's card also has their company's contracts, products
    and cases.
    """

    customer: Customer
    contracts: tuple[Contract, ...]
    products: tuple[Product, ...]
    cases: tuple[Case, ...]
    notes: tuple[Note, ...]
    recent: tuple[InteractionBrief, ...]
    promises: tuple[Promise, ...]


async def callers(conn: Connection, e164: str) -> Callers:
    """Who this number may belong to: one query, and another for each company among them."""
    rows = (await conn.execute(_HOLDERS, {"e164": e164})).all()
    holders = tuple(
        Holder(
            customer=customers.customer(row),
            contact_point=contact_point(_Prefixed(row)) if row.cp_id is not None else None,
            chosen_count=row.times or 0,
            last_chosen_at=row.last,
        )
        for row in rows
    )
    people = [
        Holder(person)
        for company in {h.customer.id: h.customer for h in holders if h.customer.kind == "company"}.values()
        for person in await customers.people_of(conn, company.id, MAX_PEOPLE)
    ]
    return Callers(holders, tuple(people))


async def entitlements(conn: Connection, customer: Customer) -> list[Contract]:
    """The contracts that may cover a customer, their own and their company's, the best service first."""
    return await contracts.of_customers(conn, _with_company(customer))


async def card(
    conn: Connection, customer_id: int, without: int | None = None, at: datetime | None = None
) -> CardFacts | None:
    """Everything for the card of a customer as of `at` (default: now); None when there is no such customer.

    `without` is the interaction that is going on; it is kept out of `recent`.
    """
    customer = await customers.get(conn, customer_id)
    if customer is None:
        return None
    return CardFacts(
        customer=customer,
        contracts=tuple(await entitlements(conn, customer)),
        products=tuple(await products.of_customers(conn, _with_company(customer))),
        cases=tuple(await cases.open_of(conn, _with_company(customer))),
        notes=tuple(await notes.of_customer(conn, customer_id)),
        recent=tuple(await history.recent(conn, customer_id, RECENT, without)),
        promises=tuple(await promises.of_card(conn, customer, at or datetime.now(UTC))),
    )


def _with_company(customer: Customer) -> list[int]:
    return [customer.id, *([customer.company.id] if customer.company else [])]


class _Prefixed:
    """A row in which the columns of the contact point are prefixed with `cp_`."""

    def __init__(self, row: sa.Row[tuple[object, ...]]) -> None:
        self._row = row

    def __getattr__(self, name: str) -> object:
        return getattr(self._row, f"cp_{name}")


def _holders() -> sa.Select[tuple[object, ...]]:
    e164: sa.BindParameter[str] = sa.bindparam("e164")
    point, choice = contact_points.c, match_choices.c
    ids = sa.union(
        sa.select(point.customer_id.label("id")).where(point.e164 == e164),
        sa.select(choice.customer_id).where(choice.e164 == e164),
    ).subquery("ids")
    chosen = (
        sa.select(choice.customer_id, sa.func.count().label("times"), sa.func.max(choice.chosen_at).label("last"))
        .where(choice.e164 == e164)
        .group_by(choice.customer_id)
        .subquery("chosen")
    )
    source = (
        customers.SOURCE.join(ids, ids.c.id == customers.customers.c.id)
        .outerjoin(contact_points, sa.and_(point.customer_id == ids.c.id, point.e164 == e164))
        .outerjoin(chosen, chosen.c.customer_id == ids.c.id)
    )
    return (
        sa.select(
            *customers.COLUMNS,
            *(column.label(f"cp_{column.name}") for column in point),
            chosen.c.times,
            chosen.c.last,
        )
        .select_from(source)
        .order_by(sa.func.coalesce(chosen.c.times, 0).desc(), customers.customers.c.id, point.id)
        .limit(MAX_HOLDERS)
    )


_HOLDERS = _holders()
