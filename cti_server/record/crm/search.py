"""The customer search: by words in any script, the beginning of a Latin word, part of a number, a contract number.

All words typed must be found. A customer whose whole name was typed comes first, then names that begin with what
was typed and numbers that end with it (people know the end of a number), then the rest by name.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from cti_server.record.crm import contracts, customers, search_index, tokens
from cti_server.record.crm.contact_points import contact_points
from cti_server.record.cursor import Page, bounded, cut, decode
from cti_server.record.engines import Connection
from cti_server.rules.facts import Contract, Customer

_rank, _name_key, _id = attrgetter("rank"), attrgetter("name_key"), attrgetter("id")


@dataclass(frozen=True, slots=True)
class Found:
    """A customer found, with the contracts that may cover them: their own, then their company's."""

    customer: Customer
    contracts: tuple[Contract, ...]


async def find(
    conn: Connection, q: str = "", cursor: str | None = None, limit: int = 50, *, whole_numbers: bool = False
) -> Page[Found]:
    """The customers that match `q`, or all of them by name when it is empty. With `whole_numbers` a part of a
    telephone number finds nobody: whoever sees numbers masked could find out the rest. Raises BadCursor.
    """
    limit = bounded(limit)
    name_key, customer_id = customers.customers.c.name_key, customers.customers.c.id
    typed = tokens.key(q[: tokens.MAX_QUERY])
    rank: sa.ColumnElement[int] = sa.literal_column("0", sa.Integer)
    order: list[Any] = [name_key, customer_id]
    if typed:
        first = [(name_key == typed, 0), (name_key.startswith(typed, autoescape=True), 1)]
        if not whole_numbers and (fragment := tokens.number_fragment(q)) is not None:
            first.append((customer_id.in_(_ends_with(fragment)), 1))
        rank = sa.case(*first, else_=2)
        order = [sa.text("rank"), *order]
    query = sa.select(customer_id, name_key, rank.label("rank")).order_by(*order).limit(limit + 1)
    if typed:
        condition = _condition(q, conn.dialect.name, whole_numbers=whole_numbers)
        if condition is None:
            return Page((), None)
        query = query.where(condition)
    if cursor is not None:
        at_rank, at_key, at_id = decode(cursor, int, str, int)
        after = sa.or_(name_key > at_key, sa.and_(name_key == at_key, customer_id > at_id))
        # With nothing typed all have one rank, and the index of names leads straight to the row.
        further = sa.or_(rank > at_rank, sa.and_(rank == at_rank, after)) if typed else after
        query = query.where(further, *([] if typed else [name_key >= at_key]))
    page = cut((await conn.execute(query)).all(), limit, _rank, _name_key, _id)
    return Page(tuple(await _found(conn, [row.id for row in page.items])), page.next)


def _condition(q: str, engine: str, *, whole_numbers: bool) -> sa.ColumnElement[bool] | None:
    """The condition that a customer must meet; None when nobody can: neither a letter nor a digit was typed."""
    ids = customers.customers.c.id
    # A number is often typed with spaces, so the whole text is tried as one number before it is split into words.
    terms = [q] if tokens.number_fragment(q) is not None else q[: tokens.MAX_QUERY].split()
    fragments = {term: fragment for term in terms if (fragment := tokens.number_fragment(term)) is not None}
    words = tokens.query_words(" ".join(term for term in terms if term not in fragments))
    conditions = [
        ids.in_(_number(term, fragment, engine, whole=whole_numbers)) for term, fragment in fragments.items()
    ]
    if words:
        conditions.append(ids.in_(search_index.matching(words, engine)))
    return sa.and_(*conditions) if conditions else None


def _ends_with(fragment: str) -> sa.Select[tuple[int]]:
    points = contact_points.c
    return sa.select(points.customer_id).where(points.digits.like(f"%{fragment}"))


def _number(term: str, fragment: str, engine: str, *, whole: bool) -> Any:
    """Digits may be part of a telephone number or of a contract's. In a union, each half uses its own index."""
    digits = contact_points.c.digits
    inside = sa.select(contact_points.c.customer_id)
    if not whole:
        inside = inside.where(digits.like(f"%{fragment}%"))
    else:  # as its owner would say it, with or without the country's code
        inside = inside.where(digits.like(f"%{fragment}") if len(fragment) >= tokens.WHOLE_NUMBER else sa.false())
    return sa.union(inside, search_index.matching(tokens.query_words(term), engine))


async def _found(conn: Connection, ids: list[int]) -> list[Found]:
    by_id = await customers.get_many(conn, ids)
    companies = {customer.company.id for customer in by_id.values() if customer.company}
    theirs: defaultdict[int, list[Contract]] = defaultdict(list)
    for contract in await contracts.of_customers(conn, companies | by_id.keys()):
        theirs[contract.customer_id].append(contract)
    return [
        Found(c, (*theirs[c.id], *(theirs[c.company.id] if c.company else ()))) for c in map(by_id.get, ids) if c
    ]
