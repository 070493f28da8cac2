"""Finding the call that a leg belongs to, and merging two calls that turn out to be one."""

from __future__ import annotations

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Direction, Leg
from cti_server.floor.parts import Origin
from cti_server.floor.signals import LegSignal

from .why import why


def call_and_leg(books: Books, s: LegSignal) -> tuple[Call, Leg] | tuple[None, None]:
    """The call and the leg that a signal is about. (None, None) for an unknown leg: it is counted in
    `books.unknown_legs`, and the next snapshot brings it in."""
    call = call_of(books, s.leg, s.linkedid)
    leg = call.legs.get(s.leg) if call is not None else None
    if call is None or leg is None:
        books.unknown_legs += s.linkedid not in books.nobody
        return None, None
    leg.heard_at = max(leg.heard_at, s.at)
    return call, leg


def call_of(books: Books, leg: str, linkedid: str) -> Call | None:
    """The call that this leg is in, None for an unknown leg.

    `linkedid` is what the PBX says now. If it belongs to another call, the two are merged first, unless `apart`.
    """
    call, named = books.call_of(leg), books.call_with(linkedid)
    if call is None or named is call or (named is not None and apart(call, named)):
        return call
    if named is None:
        call.aliases.append(linkedid)
        books.name_call(call, (linkedid,))
        return call
    return merge(books, named, call)


def apart(call: Call, other: Call) -> bool:
    """Whether two calls stay two though the PBX gives them one linkedid: each has a customer, whose contact is
    never lost; or one is that of a phone that stays up, which they shared, or are about to."""
    if (call.is_customers and other.is_customers) or other.id in call.parted or not (call.legs and other.legs):
        return True
    return any(
        customers.is_customers and home.standing_leg() is not None
        for home, customers in ((call, other), (other, call))
    )


def merge(books: Books, into: Call, younger: Call) -> Call:
    """Move legs, parts and linkedids of `younger` into the call whose linkedid the PBX keeps; returns that call.

    `younger` ends with the outcome `merged`.
    """
    if into is younger:
        return into
    joined_as = _joined_as(into, younger)
    _take_parts(books, into, younger, joined_as)
    for leg in list(younger.legs.values()):
        # The leg stays in its bridge; only the call that it belongs to changes.
        younger.drop(leg.id)
        books.add_leg(into, leg)
        if leg.bridge is not None:
            books.bridges[leg.bridge] = into
    names = (younger.linkedid, *younger.aliases)
    into.aliases.extend(names)
    books.name_call(into, names)
    if into.direction is Direction.INTERNAL and younger.direction is not Direction.INTERNAL:
        for part in into.parts:
            part.origin = joined_as
        _take_visits(into, younger)
        younger.visits = into.visits
        into.become(younger)  # a customer came into a call between agents, which is the customer's from now on
        for part in into.parts:
            part.why = why(books, into, part)
    else:
        _take_visits(into, younger)
    into.answered_at = into.answered_at or younger.answered_at
    younger.merged_into, younger.outcome = into.id, "merged"
    books.touch(younger, kinds.CALL_ENDED)
    books.touch_all(into)
    return into


def _take_visits(into: Call, younger: Call) -> None:
    """Add the younger call's visits, in the order of joining: queues count visits, whichever call made them.

    The last visit says which queue the call is in, so it stays last, unless the younger call is still waiting.
    """
    stays_last = into.visits[-1:] if younger.visit is None else []
    earlier = into.visits[: len(into.visits) - len(stays_last)]
    into.visits = [*sorted((*earlier, *younger.visits), key=lambda visit: visit.joined), *stays_last]


def _joined_as(into: Call, younger: Call) -> Origin:
    """How the agents of the younger call come into the other."""
    if into.was_parked and not into.connected():
        return Origin.PICKUP
    legs = (*into.legs.values(), *younger.legs.values())
    return Origin.CONFERENCE if any(leg.conference for leg in legs) else Origin.CONSULT


def _take_parts(books: Books, into: Call, younger: Call, joined_as: Origin) -> None:
    seats_in_call = {part.seat for part in into.open_parts()}
    for part in younger.parts:
        books.due.put(("wrap_up", younger.id, part.position), None)
        books.drop_part(part)
        if part.agent is not None:
            books.touch_agent(part.agent)
        if part.seat in seats_in_call and (part.open or part.origin is Origin.INTERNAL):
            continue  # the consulting agent's second leg; their part in the older call goes on
        part.position = len(into.parts)
        into.parts.append(part)
        if part.origin is Origin.INTERNAL:
            part.origin = joined_as
            part.why = why(books, into, part)
        books.touch_part(into, part)
    younger.parts = []
