"""How a call ended, worked out from what happened in it. The rules stand in order: the first that fits decides."""

from __future__ import annotations

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Direction
from cti_server.floor.descriptions import Description
from cti_server.floor.signals import DialStatus
from cti_server.floor.visits import How

from .wrapup import wraps_up

#: the IVR step by which the dialplan reports that no queue took the caller (dialplans/README.md)
FALLBACK = "fallback"

ENDS_WITHIN_S = 2.0  # who asked to hang up, and the call went on for longer, left it to the others

_DIALLED = {DialStatus.BUSY: "busy", DialStatus.FAILED: "failed"}


def outcome_of(call: Call, short_abandon_s: float) -> str:
    """The outcome of a call whose end was seen.

    The last thing that happened counts: a caller who was answered, then sent on to another queue, and gave up
    there, has abandoned.
    """
    took = [part for part in call.parts if part.answered_at is not None]
    answered = bool(took)
    if call.transferred and call.not_taken and call.is_customers:
        return "transfer_failed"
    if call.direction is not Direction.INBOUND and not call.abandoned:
        if call.left_queue_unanswered:
            return "no_agent"  # a customer whom the PBX called, and nobody took
        if call.answered_at is None and call.reached:  # we called, they answered, and no agent spoke with them
            return "abandoned" if call.hangup_by == "other" else "no_agent"
        if call.answered_at is not None:
            return "outbound" if call.direction is Direction.OUTBOUND else "internal"
        return _DIALLED.get(call.last_dial or DialStatus.NO_ANSWER, "no_answer")
    if call.abandoned:
        return "short_abandon" if call.wait_s < short_abandon_s and not answered else "abandoned"
    if call.left_queue_unanswered:
        return "no_agent"
    if answered or call.forwarded:
        # Whoever parked the caller and fetched them again has given them to nobody.
        kept = call.was_parked and len({part.seat for part in took}) == 1 and took[-1].outcome != "transferred"
        return "transferred" if (call.transferred and not kept) or call.forwarded else "answered"
    if call.last_dial in _DIALLED:
        return _DIALLED[call.last_dial]
    if call.parts and call.hangup_by == "caller":
        return "abandoned"  # an agent's own line rang, and the caller gave up
    if call.parts or call.refused or any(step["step"] == FALLBACK for step in call.path):
        return "no_agent"
    return "left_in_ivr"


def seal(books: Books, call: Call, at: float | None) -> None:
    """Close the call and its open parts. With `at` None nobody saw the end: the call is marked incomplete, and its
    times count for as long as the PBX was heard."""
    for part in list(call.open_parts()):
        answered = part.answered_at is not None
        wrap_up = answered and wraps_up(call, part)
        if at is None:
            part.end_unseen(wrap_up=wrap_up, until=books.heard_until)
        else:
            part.end(at, "answered" if answered else "caller_left", wrap_up=wrap_up)
        books.touch_part(call, part, kinds.LEFT if answered else kinds.OFFER_ENDED, part.outcome)
    call.stop_waiting(at if at is not None else books.heard_until)
    for visit in call.visits:
        visit.end(at, How.UNSEEN if at is None else How.ABANDONED if call.abandoned else How.ENDED)
    if at is None:
        call.complete, call.ended_by = False, "unknown"
        call.outcome = "answered" if any(p.answered_at for p in call.parts) else "unseen"
    else:
        asked = call.hangup_by == "caller" or at - call.hangup_at < ENDS_WITHIN_S
        by = call.hangup_by if asked else None
        # Whoever hangs up asks first, and that may have been before the PBX was heard again.
        unheard = books.link_since > 0 and at - books.link_since < ENDS_WITHIN_S
        call.ended_at, call.ended_by = at, by or ("unknown" if unheard else "system")
        call.outcome = outcome_of(call, _short_abandon_s(books, call.queue))
    books.touch(call, kinds.CALL_ENDED)


def _short_abandon_s(books: Books, queue: str | None) -> float:
    """A caller of this queue who gives up within so many seconds counts as a short abandon."""
    return books.descriptions.get(queue or "", Description()).short_abandon_s
