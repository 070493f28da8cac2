"""Beginning an agent's part in a call."""

from __future__ import annotations

from cti_server.floor.books import Books
from cti_server.floor.calls import MAX_PARTS, Call
from cti_server.floor.parts import Origin, Part, PartState

from .why import why


def new_part(books: Books, call: Call, seat: str, at: float, origin: Origin, queue: str | None = None) -> Part:
    """Begin the next part of whoever sits at this seat; past MAX_PARTS their last part is reopened."""
    if len(call.parts) >= MAX_PARTS and (last := next((p for p in call.parts[::-1] if p.seat == seat), None)):
        last.ring_again(at)
        books.touch_part(call, last)
        return last
    agent = books.agent_at(seat)
    part = Part(
        position=len(call.parts),
        seat=seat,
        agent=agent.id if agent else None,
        name=agent.name if agent else books.member_name(seat) or seat,
        origin=origin,
        state=PartState.RINGING,
        since=at,
        offered_at=at,
        queue=queue,
    )
    if agent is not None:
        _wrap_up_once(books, call, agent.id, at)
    call.parts.append(part)
    part.why = why(books, call, part)
    books.touch_part(call, part)
    return part


def _wrap_up_once(books: Books, call: Call, agent: int, at: float) -> None:
    """The call has come back to this agent: end the wrap-up of their earlier part, with nothing owed, because
    another follows the new part."""
    for earlier_call, earlier in books.parts_of(agent):
        if earlier_call is call and earlier.state is PartState.WRAP_UP:
            earlier.enter(PartState.LEFT, at)
            earlier.wrapped_at = at
            books.touch_part(call, earlier)
