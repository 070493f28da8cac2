"""When the server looks a caller up by itself, because no dialplan asked.

At once when the call is queued, offered or dials out, or when its number was corrected; for a new inbound call the
dialplan has the first chance. When a phone begins to ring, the card of a caller who is known is read again.
"""

from __future__ import annotations

from collections.abc import Mapping

from cti_server.floor import events as kinds
from cti_server.floor.calls import Call, Direction
from cti_server.floor.events import Event
from cti_server.rules.numbers import normalise

from .callers import Callers

ANY_REGION = "CN"  # that a number is withheld is read the same everywhere


def look_up(callers: Callers, calls: Mapping[str, Call], event: Event) -> None:
    """Look up the caller of the call that this event is about, if the event means that somebody will need to know.

    `calls` are those on the floor, by id.
    """
    call = calls.get(event.call) if event.call is not None else None
    if call is None:
        return
    is_offer = event.kind == kinds.PART_CHANGED and event.body["happened"] == kinds.OFFERED
    if call.match != "pending":
        if is_offer:
            callers.freshen(call)  # they may have waited long
        return
    is_corrected = event.kind == kinds.CALL_CHANGED and event.body["reason"] == kinds.NUMBERED
    if (
        is_corrected
        and call.direction is Direction.INBOUND
        and normalise(call.ani_raw, ANY_REGION).kind == "withheld"
    ):
        callers.want(call, soon=False)  # the dialplan took the number away, and may have asked with it
        return
    if is_corrected:
        callers.forget(call)  # it was somebody else's number
    if is_offer or is_corrected or event.kind == kinds.CALL_QUEUED or call.direction is Direction.OUTBOUND:
        callers.want(call, soon=True)
    elif event.kind == kinds.CALL_STARTED and call.direction is Direction.INBOUND:
        callers.want(call, soon=False)
