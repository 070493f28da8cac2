"""Two calls that meet in a bridge: one call from then on, or two that share a phone for a while."""

from __future__ import annotations

from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Leg

from .lending import lend
from .merging import merge


def one_call(books: Books, call: Call, leg: Leg, bridge: str, at: float) -> Call:
    """Merge two calls that meet in one bridge, the older keeping its id; returns the call that the leg is in now.

    The calls of several customers may meet, in a conference room or when an agent joins them, and there each stays
    a call of its own. A phone that stays up is lent to the customer's call.
    """
    other = books.bridges.get(bridge, call)
    together = other is not call and not other.ended and any(o.bridge == bridge for o in other.legs.values())
    if not together or (call.is_customers and other.is_customers):
        return call
    for home, customers in ((call, other), (other, call)):
        if customers.is_customers and (phone := home.standing_leg(leg)) is not None:
            lend(books, phone, home, customers, at)
            return customers
    return older_of(books, call, other)


def older_of(books: Books, call: Call, other: Call) -> Call:
    older, younger = sorted((call, other), key=lambda c: c.started_at)
    return merge(books, older, younger)
