"""What signals about people who talk mean: together, on hold, given away, parked, fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import events as kinds
from .calls import Direction
from .hearing import answer, hear
from .legs import new_part, queue_of, told
from .parts import CONNECTED, Origin, PartState
from .signals import (
    LegBridged,
    LegFetched,
    LegHeld,
    LegMuted,
    LegParked,
    LegPickedUp,
    LegRetrieved,
    LegTransferred,
    LegUnbridged,
    LegUnparked,
    RecordingChanged,
    Signal,
)
from .wrapup import wraps_up

if TYPE_CHECKING:
    from .apply import Floor


def bridged(floor: Floor, s: LegBridged) -> None:
    call, leg = told(floor, s)
    if call is None or leg is None:
        return
    leg.bridge, leg.conference, leg.up = s.bridge, s.conference, True
    other = floor.bridges.get(s.bridge, call)
    together = other is not call and not other.ended and any(o.bridge == s.bridge for o in other.legs.values())
    # Two calls in one bridge are one call from now on; the older one keeps its name. Only a conference room may
    # hold the calls of several customers, and there each keeps their own.
    inside = any(one.made_inside or one.direction is Direction.INTERNAL for one in (call, other))
    if together and (inside or not s.conference):
        older, younger = sorted((call, other), key=lambda c: c.started_at)
        call = floor.merge(older, younger)
    floor.bridges[s.bridge] = call
    if not leg.local:
        call.hangup_by = None
    hear(floor, call, s.at)
    floor.touch(call, kinds.CALL_CONFERENCED if call.in_conference() else kinds.CALL_CHANGED)


def unbridged(floor: Floor, s: LegUnbridged) -> None:
    call, leg = told(floor, s)
    if call is not None and leg is not None and leg.bridge == s.bridge:
        leg.bridge, leg.conference = None, False
        if not any(o.bridge == s.bridge for o in call.legs.values()):
            floor.bridges.pop(s.bridge, None)
        hear(floor, call, s.at)
        floor.touch(call)


def held(floor: Floor, s: LegHeld) -> None:
    call, leg = told(floor, s)
    if call is None or leg is None or (part := call.part_of(leg.device)) is None:
        return
    if part.state in (PartState.TALKING, PartState.CONSULTING):
        part.enter(PartState.HOLD, s.at)
        floor.touch(call, kinds.CALL_HELD, part.agent)


def retrieved(floor: Floor, s: LegRetrieved) -> None:
    call, leg = told(floor, s)
    if call is None or leg is None or (part := call.part_of(leg.device)) is None:
        return
    if part.state is PartState.HOLD:
        part.enter(PartState.TALKING, s.at)
        hear(floor, call, s.at)
        floor.touch(call, kinds.CALL_RETRIEVED, part.agent)


def transferred(floor: Floor, s: LegTransferred) -> None:
    call, leg = told(floor, s)
    if call is None or leg is None or not s.ok:
        return
    if s.second is not None and s.second_linkedid is not None:
        consult = floor.call_of(s.second, s.second_linkedid)
        if consult is not None and consult is not call:
            older, younger = sorted((call, consult), key=lambda c: c.started_at)
            call = floor.merge(older, younger)
    call.hangup_by = None
    if s.conference:
        for consulted in call.open_parts():
            if consulted.origin is Origin.CONSULT:
                consulted.origin = Origin.CONFERENCE
        floor.touch(call, kinds.CALL_CONFERENCED)
        return
    call.transferred = True
    for queue in floor.queues.values():
        if any(waiting_leg in queue.waiting for waiting_leg in call.legs):
            call.queue, call.waiting_since, call.queued_at = queue.name, s.at, call.queued_at or s.at
    for waiting in call.open_parts():
        if waiting.state is PartState.RINGING and waiting.origin is Origin.CONSULT:
            waiting.origin = Origin.TRANSFER  # given away before the colleague answered
    part = call.part_of(leg.device)
    call.given_by = part.name if part is not None else call.given_by
    if part is not None and part.state in CONNECTED:
        part.end(s.at, "transferred", wrap_up=wraps_up(call, part))
    floor.touch(call, kinds.CALL_TRANSFERRED, part.agent if part else None)


def parked(floor: Floor, s: LegParked) -> None:
    call, leg = told(floor, s)
    if call is not None and leg is not None:
        leg.parked, leg.bridge, call.was_parked = s.space, None, True
        for part in list(call.connected()):
            call.transferred = True  # given to whoever fetches it
            part.end(s.at, "transferred", wrap_up=wraps_up(call, part))
        floor.touch(call, kinds.CALL_PARKED)


def unparked(floor: Floor, s: LegUnparked) -> None:
    call, leg = told(floor, s)
    if call is not None and leg is not None:
        leg.parked = None
        floor.touch(call)


def picked_up(floor: Floor, s: LegPickedUp) -> None:
    """The picker's channel takes the place of the one that rang: the rung agent is out, the picker is in."""
    call, leg = told(floor, s)
    if call is None or leg is None:
        return
    picker_leg = floor.leg_of(s.by)
    if (rung := call.part_of(leg.device)) is not None and rung.state is PartState.RINGING:
        rung.end(s.at, "answered_elsewhere", wrap_up=False)
    if picker_leg is not None and floor.is_seat(picker_leg.device):
        part = call.part_of(picker_leg.device) or new_part(
            floor, call, picker_leg.device, s.at, Origin.PICKUP, queue_of(call)
        )
        part.leg = s.by  # their own leg; the one that rang is hung up
        answer(floor, call, part, s.at)
    floor.touch(call, kinds.CALL_ANSWERED)


def fetched(floor: Floor, s: LegFetched) -> None:
    call, _ = told(floor, s)
    if call is None:
        return
    call.fetched = s.why
    if call.queued_at is not None and not call.connected():
        call.waiting_since = call.waiting_since or s.at  # out of the queue, but not with anybody yet
        call.left_queue_unanswered = False
    floor.touch(call)


def muted(floor: Floor, s: LegMuted) -> None:
    call, leg = told(floor, s)
    if call is not None and leg is not None:
        leg.muted = s.muted
        floor.touch(call)


def recording_changed(floor: Floor, s: RecordingChanged) -> None:
    call, leg = told(floor, s)
    if call is not None and leg is not None:
        leg.recording = s.state
        floor.touch(call)


HANDLERS: Mapping[type[Signal], Callable[[Floor, Any], None]] = {
    LegBridged: bridged,
    LegUnbridged: unbridged,
    LegHeld: held,
    LegRetrieved: retrieved,
    LegTransferred: transferred,
    LegParked: parked,
    LegUnparked: unparked,
    LegPickedUp: picked_up,
    LegFetched: fetched,
    LegMuted: muted,
    RecordingChanged: recording_changed,
}
