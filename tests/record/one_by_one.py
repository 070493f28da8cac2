"""What a card is made of, read with one query after the other: what the questions of `card_facts` are held
against."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cti_server.record import card_facts
from cti_server.record.card_facts import Callers, CardFacts
from cti_server.record.contacts import briefs
from cti_server.record.crm import cases, contracts, customers, notes, products
from cti_server.record.crm.contact_points import contact_point, contact_points, match_choices
from cti_server.record.desk import promises
from cti_server.record.engines import Connection
from cti_server.rules.facts import Contract, Customer, Holder, Promise


async def callers(conn: Connection, e164: str) -> Callers:
    point, choice = contact_points.c, match_choices.c
    ids = set(await conn.scalars(sa.select(point.customer_id).where(point.e164 == e164)))
    chosen: dict[int, list[datetime]] = {}
    for row in await conn.execute(sa.select(choice).where(choice.e164 == e164)):
        chosen.setdefault(row.customer_id, []).append(row.chosen_at)
    holders: list[Holder] = []
    for customer_id in sorted(ids | chosen.keys(), key=lambda one: (-len(chosen.get(one, ())), one)):
        row = (await _rows(conn, customers.customers.c.id == customer_id))[0]
        theirs = sa.select(contact_points).where(point.customer_id == customer_id, point.e164 == e164)
        points = [contact_point(found) for found in await conn.execute(theirs.order_by(point.id))]
        times = chosen.get(customer_id, [])
        holders += [
            Holder(customers.customer(row), one, len(times), max(times, default=None)) for one in points or [None]
        ]
    holders = holders[: card_facts.MAX_HOLDERS]
    companies = {holder.customer.id: None for holder in holders if holder.customer.kind == "company"}
    people = [
        Holder(person)
        for company in companies
        for person in await customers.people_of(conn, company, card_facts.MAX_PEOPLE)
    ]
    return Callers(tuple(holders), tuple(people))


async def entitlements(conn: Connection, customer: Customer) -> list[Contract]:
    return await contracts.of_customers(conn, _with_company(customer))


async def card(conn: Connection, customer_id: int, without: int | None, at: datetime) -> CardFacts | None:
    customer = await customers.get(conn, customer_id)
    if customer is None:
        return None
    owners = _with_company(customer)
    return CardFacts(
        customer=customer,
        contracts=tuple(await contracts.of_customers(conn, owners)),
        products=tuple(await products.of_customers(conn, owners)),
        cases=tuple(await cases.open_of(conn, owners)),
        notes=tuple(await notes.of_customer(conn, customer_id)),
        recent=tuple(await briefs.recent(conn, customer_id, card_facts.RECENT, without)),
        promises=tuple(await _promises(conn, customer, at)),
    )


async def _promises(conn: Connection, customer: Customer, at: datetime) -> list[Promise]:
    owners = _with_company(customer)
    if customer.company is None and customer.kind == "company":
        c = customers.customers.c
        owners += list(await conn.scalars(sa.select(c.id).where(c.company_id == customer.id)))
    found = [Promise(**row._mapping) for row in await conn.execute(promises.SELECT)]
    since = at - promises.BROKEN_ON_CARD
    wanted = [
        one
        for one in found
        if one.customer_id in owners
        and (
            one.state == "open" or (one.state == "broken" and one.broken_at is not None and one.broken_at > since)
        )
    ]
    return sorted(wanted, key=lambda one: (one.due_at, one.id))[: promises.MAX_ON_CARD]


def _with_company(customer: Customer) -> list[int]:
    return [customer.id, *([customer.company.id] if customer.company else [])]


async def _rows(conn: Connection, condition: Any) -> Any:
    query = sa.select(*customers.COLUMNS).select_from(customers.SOURCE).where(condition)
    return (await conn.execute(query)).all()
