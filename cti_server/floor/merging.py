"""Which call a leg belongs to, and two calls that turn out to be one."""

from __future__ import annotations

from . import events as kinds
from .books import Books
from .calls import Call, Direction, Leg
from .parts import Origin
from .signals import LegSignal
from .why import why


def call_and_leg(books: Books, s: LegSignal) -> tuple[Call, Leg] | tuple[None, None]:
    """The leg that a signal is about, and its call; a leg never heard of is counted, left to the next snapshot."""
    call = call_of(books, s.leg, s.linkedid)
    leg = call.legs.get(s.leg) if call is not None else None
    if call is None or leg is None:
        books.unknown_legs += 1
        return None, None
    return call, leg


def call_of(books: Books, leg: str, linkedid: str) -> Call | None:
    """The call of a leg that is known; a linkedid that is another call's makes one of the two."""
    call, named = books.call_of(leg), books.call_with(linkedid)
    if call is None or named is call:
        return call
    if named is None:
        call.aliases.append(linkedid)
        books.name_call(call, (linkedid,))
        return call
    return merge(books, named, call)


def merge(books: Books, into: Call, younger: Call) -> Call:
    """The PBX says which linkedid lives on, and that call takes all: legs, parts, names. Answers it."""
    if into is younger:
        return into
    joined_as = _joined_as(into, younger)
    _take_parts(books, into, younger, joined_as)
    for leg in list(younger.legs.values()):
        # The rooms of the bridges stay; only the call that their legs belong to changes.
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
        into.become(younger)  # a customer came into a call between agents: it is the customer's from now on
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
    """Each queue counts its own visits, whichever call they were of; the last of this call stays the last, unless
    the other waits still."""
    mine_last = into.visits[-1:] if younger.visit is None else []
    others = into.visits[: len(into.visits) - len(mine_last)]
    into.visits = [*sorted((*others, *younger.visits), key=lambda visit: visit.joined), *mine_last]


def _joined_as(into: Call, younger: Call) -> Origin:
    """How the agents of the younger call came into the other."""
    if into.was_parked and not into.connected():
        return Origin.PICKUP
    rooms = (*into.legs.values(), *younger.legs.values())
    return Origin.CONFERENCE if any(leg.conference for leg in rooms) else Origin.CONSULT


def _take_parts(books: Books, into: Call, younger: Call, joined_as: Origin) -> None:
    there = {part.seat for part in into.open_parts()}
    for part in younger.parts:
        books.due.put(("wrap_up", younger.id, part.position), None)
        books.drop_part(part)
        if part.agent is not None:
            books.touch_agent(part.agent)
        if part.seat in there:
            continue  # the consulting agent's own leg; their part in the older call goes on
        part.position = len(into.parts)
        into.parts.append(part)
        if part.origin is Origin.INTERNAL:
            part.origin = joined_as
            part.why = why(books, into, part)
        books.touch_part(into, part)
    younger.parts = []
