"""Who may be calling, and everything for the card of whoever it is: a question each, of one statement.

The questions are made from the queries that the files of the nouns have, so what a table gets is in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from cti_server.record.asking.question import Lists, Question, Values
from cti_server.record.contacts import briefs
from cti_server.record.contacts.briefs import NO_INTERACTION
from cti_server.record.crm import cases, contact_points, contracts, customers, notes, products
from cti_server.record.crm.contact_points import contact_point, match_choices
from cti_server.record.database import Database
from cti_server.record.desk import promises
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime
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
    companies. `contracts` are those of all of them, the best service first.
    """

    holders: tuple[Holder, ...]
    people: tuple[Holder, ...]
    contracts: tuple[Contract, ...] = ()

    def entitling(self, customer: Customer) -> list[Contract]:
        """The contracts that may cover one of them, their own and their company's, the best service first."""
        owners = (customer.id, customer.company.id if customer.company else None)
        return [contract for contract in self.contracts if contract.customer_id in owners]


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


async def callers(where: Database | Connection, e164: str) -> Callers:
    """Who this number may belong to. On a connection it sees what its transaction has written."""
    holders, people, held = await _ask(where, _WHO_CALLS, {"e164": e164}, soon=True)
    found = tuple(_holder(row) for row in holders)
    return Callers(found, tuple(_people(found, people)), tuple(contracts.contract(row) for row in held))


async def entitlements(conn: Connection, customer: Customer) -> list[Contract]:
    """The contracts that may cover a customer, their own and their company's, the best service first."""
    return await contracts.of_customers(conn, [customer.id, *([customer.company.id] if customer.company else [])])


async def card(
    where: Database | Connection, customer_id: int, without: int | None = None, at: datetime | None = None
) -> CardFacts | None:
    """Everything for the card of a customer as of `at` (default: now); None when there is no such customer.

    `without` is the interaction that is going on; it is kept out of `recent`.
    """
    values = {
        "customer": customer_id,
        "without": without or NO_INTERACTION,
        "broken_since": (at or datetime.now(UTC)) - promises.BROKEN_ON_CARD,
    }
    found, points, held, owned, open_cases, written, last, promised = await _ask(where, _CARD, values, soon=False)
    if not found:
        return None
    return CardFacts(
        customer=customers.customer(found[0], tuple(contact_point(row) for row in points)),
        contracts=tuple(contracts.contract(row) for row in held),
        products=tuple(Product(**row._asdict()) for row in owned),
        cases=tuple(Case(**row._asdict()) for row in open_cases),
        notes=tuple(notes.note(row) for row in written),
        recent=tuple(briefs.brief(row) for row in last),
        promises=tuple(Promise(**row._asdict()) for row in promised),
    )


async def _ask(where: Database | Connection, question: Question, values: Values, *, soon: bool) -> Lists:
    if isinstance(where, Database):
        return await where.ask(question, values, soon=soon)
    return await question.on(where, values)


# --- who calls --------------------------------------------------------------------------------------------

_POINT = "cp_"  # before the names of a holder's contact point


class _Point:
    """The contact point of a row of holders."""

    def __init__(self, row: Any) -> None:
        self._row = row

    def __getattr__(self, name: str) -> object:
        return getattr(self._row, f"{_POINT}{name}")


def _holder(row: Any) -> Holder:
    return Holder(
        customer=customers.customer(row),
        contact_point=contact_point(_Point(row)) if row.cp_id is not None else None,
        chosen_count=row.times or 0,
        last_chosen_at=row.last,
    )


def _people(holders: Sequence[Holder], rows: Sequence[Any]) -> list[Holder]:
    """The people by company, in the order in which the companies hold the number."""
    if not rows:
        return []
    companies = dict.fromkeys(holder.customer.id for holder in holders if holder.customer.kind == "company")
    place = {company: at for at, company in enumerate(companies)}
    ordered = sorted(rows, key=lambda row: place[row.company_id])  # stable: by name within a company
    return [Holder(customers.customer(row)) for row in ordered]


def _who_calls() -> Question:
    holders = _holders().cte("holders")
    people = _nearest_people(holders).cte("people")
    owners = sa.union(
        sa.select(holders.c.id),
        sa.select(holders.c.company_id).where(holders.c.company_id.is_not(None)),
        sa.select(people.c.id).where(people.c.place <= MAX_PEOPLE),
    )
    persons = customers.SOURCE.join(people, people.c.id == customers.customers.c.id)
    return Question(
        holders=sa.select(holders).order_by(holders.c.place),
        people=sa.select(*customers.COLUMNS)
        .select_from(persons)
        .where(people.c.place <= MAX_PEOPLE)
        .order_by(customers.customers.c.company_id, people.c.place),
        contracts=contracts.of(owners),
    )


def _holders() -> sa.Select[Any]:
    e164: sa.BindParameter[str] = sa.bindparam("e164", type_=CleanText)
    points = contact_points.contact_points
    point, choice = points.c, match_choices.c
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
        .outerjoin(points, sa.and_(point.customer_id == ids.c.id, point.e164 == e164))
        .outerjoin(chosen, chosen.c.customer_id == ids.c.id)
    )
    order = (sa.func.coalesce(chosen.c.times, 0).desc(), customers.customers.c.id, point.id)
    return (
        sa.select(
            *customers.COLUMNS,
            *(column.label(f"{_POINT}{column.name}") for column in point),
            chosen.c.times,
            chosen.c.last,
            sa.func.row_number(type_=sa.Integer).over(order_by=order).label("place"),
        )
        .select_from(source)
        .order_by(*order)
        .limit(MAX_HOLDERS)
    )


def _nearest_people(holders: sa.CTE) -> sa.Select[Any]:
    """The people of the companies among the holders, each with their place in the company by name."""
    c = customers.customers.c
    companies = sa.select(holders.c.id).where(holders.c.kind == "company")
    place = sa.func.row_number(type_=sa.Integer).over(partition_by=c.company_id, order_by=(c.name_key, c.id))
    return sa.select(c.id, place.label("place")).where(c.company_id.in_(companies))


_WHO_CALLS = _who_calls()


# --- the card ---------------------------------------------------------------------------------------------


def _card() -> Question:
    customer: sa.BindParameter[int] = sa.bindparam("customer", type_=Id)
    without: sa.BindParameter[int] = sa.bindparam("without", type_=Id)
    since: sa.BindParameter[datetime] = sa.bindparam("broken_since", type_=UtcDateTime)
    c = customers.customers.c
    one = sa.select(*customers.COLUMNS).select_from(customers.SOURCE).where(c.id == customer)
    theirs = sa.union_all(
        sa.select(c.id).where(c.id == customer),
        sa.select(c.company_id).where(c.id == customer, c.company_id.is_not(None)),
    ).cte("theirs")
    owners = sa.select(theirs.c.id)
    return Question(
        customer=one,
        points=contact_points.of([customer]),
        contracts=contracts.of(owners),
        products=products.of(owners),
        cases=cases.not_closed(owners),
        notes=notes.about(customer),
        recent=briefs.last(customer, RECENT, without),
        promises=promises.on_card(owners.union_all(_people_of_it(customer)), since),
    )


def _people_of_it(customer: sa.BindParameter[int]) -> sa.Select[Any]:
    """The people of the customer, where that is a company which belongs to none itself."""
    people, it = customers.customers.alias("people"), customers.customers.alias("it")
    alone = sa.select(it.c.id).where(it.c.id == customer, it.c.kind == "company", it.c.company_id.is_(None))
    return sa.select(people.c.id).where(people.c.company_id.in_(alone))


_CARD = _card()
