"""Why a call came to this agent, worked out from what the floor knows at that moment."""

from __future__ import annotations

from cti_server.floor.books import Books
from cti_server.floor.calls import Call
from cti_server.floor.parts import Origin, Part, Why

KINDS = {
    Origin.TRANSFER: "transfer",
    Origin.CONSULT: "consult",
    Origin.PICKUP: "pickup",
    Origin.OUTBOUND: "dialled",
    Origin.CONFERENCE: "conference",
    Origin.INTERNAL: "direct",
}


def why(books: Books, call: Call, part: Part) -> Why:
    """Why this part began; call it when it begins or its origin changes.

    `penalty` is the member's in that queue, `waited_s` the caller's wait so far.
    """
    if part.origin is Origin.INTERNAL and part.leg == call.first_leg:
        return Why("dialled")
    if part.origin is not Origin.OFFER:
        kind = "picked" if call.fetched == "picked" else KINDS[part.origin]
        given_by = _given_by(call, part)
        if kind == "transfer" and given_by == part.name:
            return Why("returned", part.queue)  # nobody took the transfer: it is back with the agent who made it
        return Why(kind, part.queue, given_by)
    if part.queue is None:
        return Why("direct")
    member = books.member_of(part.queue, part.seat)
    penalty = member.penalty if member is not None else None
    if call.queued_at is None:
        return Why("preferred", part.queue, penalty=penalty)
    waits = part.since - call.waiting_since if call.waiting_since is not None else 0.0
    # After they have been answered, the wait of before is no news.
    before = call.wait_s if call.answered_at is None else 0.0
    return Why("queue", part.queue, penalty=penalty, waited_s=before + max(0.0, waits))


def _given_by(call: Call, part: Part) -> str | None:
    """The colleague behind a transfer or a consultation."""
    if part.origin is Origin.TRANSFER:
        return call.given_by
    if part.origin in (Origin.CONSULT, Origin.INTERNAL):
        return next((p.name for p in call.connected() if p is not part), None)
    return None
