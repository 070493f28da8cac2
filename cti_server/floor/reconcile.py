"""A snapshot meets the floor: what is there and was not known comes in, what is gone and was not seen to end
is ended unseen. After a reconnect this is how the floor starts again; every 30 s it is the drift check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import events as kinds
from .calls import Call, Leg
from .hearing import answer, hear
from .legs import given_up, new_part, started
from .outcome import seal
from .parts import Origin, Part, PartState
from .queueing import member_changed, member_removed
from .shift import after_snapshot, before_snapshot
from .signals import LegRow, LegStarted, MemberRemoved, Signal, Snapshot
from .wrapup import close, wraps_up

if TYPE_CHECKING:
    from .apply import Floor

MAX_WRAP_UPS = 20  # left open by one agent; the oldest of more are taken for done
WRAP_UP_LASTS_S = 4 * 3600.0


def reconcile(floor: Floor, s: Snapshot) -> None:
    for call in list(floor.calls.values()):
        if call.boot != s.boot and not call.ended:
            _end_unseen(floor, call)  # Asterisk has been restarted since: whatever it was, it is over
    fresh = floor.boot != s.boot
    floor.boot = s.boot
    before_snapshot(floor, s, fresh)
    _members(floor, s)  # first: a member's seat tells an agent's call from a customer's
    _legs(floor, s)
    _waiting(floor, s)
    _forgotten_wrap_ups(floor, s.at)
    after_snapshot(floor, s, fresh)


def _legs(floor: Floor, s: Snapshot) -> None:
    there = {row.leg for row in s.legs} | s.seen_before
    if s.whole:
        for call in list(floor.calls.values()):
            if call.ended:
                continue
            for gone in [leg for leg in call.legs if leg not in there]:
                floor.drop_leg(call, gone)
    # The leg that began a call has its linkedid; ages are whole seconds and do not tell it from the next.
    for row in sorted(s.legs, key=lambda r: (-(r.age_s or 0.0), r.leg != r.linkedid)):
        _leg(floor, row, s)
    for call in list(floor.calls.values()):
        if call.ended:
            continue
        if not call.legs and s.whole:
            _end_unseen(floor, call)
            continue
        _parts(floor, call, s)
        hear(floor, call, s.at)
        floor.touch(call)


def _leg(floor: Floor, row: LegRow, s: Snapshot) -> None:
    at = s.at - row.age_s if row.age_s is not None else s.at
    if floor.leg_of(row.leg) is None:
        call = floor.call_with(row.linkedid)
        if call is not None:  # restored from the record, or a leg that it got unseen
            floor.add_leg(call, Leg(row.leg, row.channel, at, row.number, row.name, row.exten, up=row.up))
        else:
            started(
                floor,
                LegStarted(at, row.leg, row.linkedid, row.channel, row.up, row.number, row.name, row.exten),
            )
    call = floor.call_of(row.leg, row.linkedid)
    leg_known = floor.leg_of(row.leg)
    if call is None or leg_known is None:
        return
    leg_known.channel, leg_known.up, leg_known.ringing = row.channel, row.up, row.ringing
    leg_known.bridge, leg_known.conference = row.bridge, row.conference
    # The list does not tell the space: the one that an event told is kept.
    leg_known.parked = (leg_known.parked or "") if row.parked else None
    leg_known.muted = row.muted if row.muted is not None else leg_known.muted
    leg_known.recording = row.recording or leg_known.recording


def _parts(floor: Floor, call: Call, s: Snapshot) -> None:
    """Agents whose phone is in the call but of whose part nothing was seen, and the other way round."""
    held = {row.leg for row in s.legs if row.held}
    for leg in list(call.legs.values()):
        if leg.local or not floor.is_seat(leg.device) or leg.id == call.first_leg:
            continue
        part = call.part_of(leg.device)
        if call.fetched is not None and part is not None and part.leg != leg.id:
            if not leg.ringing and not leg.up:
                continue  # the caller is on the way back to this phone: its dialling is still to be told
            if given_up(call, leg, s.at):
                part = new_part(floor, call, leg.device, leg.started_at, Origin.PICKUP, call.queue)
                part.leg = leg.id
            elif part.leg in call.legs:
                continue  # what is left of the leg before
        leg.dialled = True
        leg.dialled_by = leg.dialled_by or call.first_leg
        if part is None and not leg.ringing and not call.reach(leg):
            continue  # a phone left alone, after its agent gave the call away
        if part is None:
            part = new_part(floor, call, leg.device, leg.started_at, Origin.OFFER, call.queue)
            part.leg = leg.id
        if leg.up:
            answer(floor, call, part, s.at)
        if leg.id in held and part.state is PartState.TALKING:
            part.enter(PartState.HOLD, s.at)
    if not s.whole:
        return
    for part in list(call.open_parts()):
        if not call.has_leg_of(part):
            part.end_unseen(wrap_up=part.answered_at is not None and wraps_up(call, part))


def _end_unseen(floor: Floor, call: Call) -> None:
    for leg in list(call.legs):
        floor.drop_leg(call, leg)
        for queue in floor.queues.values():
            if queue.waiting.pop(leg, None) is not None:
                floor.touch_queue(queue.name)
    seal(call, None, short_abandon_s=floor.short_abandon_s(call.queue))
    floor.touch(call, kinds.CALL_ENDED)


def _members(floor: Floor, s: Snapshot) -> None:
    told = {(m.queue, m.interface) for m in s.members}
    for member in s.members:
        member_changed(floor, member)
    for name in s.queues:
        floor.queue(name)
        floor.touch_queue(name)
    if s.whole:
        for queue in list(floor.queues.values()):
            for interface in [i for i in queue.members if (queue.name, i) not in told]:
                member_removed(floor, MemberRemoved(s.at, queue.name, interface))


def _waiting(floor: Floor, s: Snapshot) -> None:
    entries = {(e.queue, e.leg): e for e in s.entries}
    for queue in floor.queues.values():
        for leg in [g for g in queue.waiting if (queue.name, g) not in entries] if s.whole else ():
            del queue.waiting[leg]
            floor.touch_queue(queue.name)
    for entry in s.entries:
        call = floor.call_of(entry.leg, _linkedid(floor, entry.leg))
        if call is None:
            continue
        since = s.at - entry.wait_s
        queue = floor.queue(entry.queue)
        since = queue.waiting.setdefault(entry.leg, since)
        call.queue, call.position = entry.queue, entry.position
        if call.waiting_since is None and not call.connected():
            call.waiting_since = since
            call.queued_at = call.queued_at or since
        floor.touch_queue(entry.queue)
        floor.touch(call)


def _forgotten_wrap_ups(floor: Floor, at: float) -> None:
    """A wrap-up that nobody finishes (an agent who never opens the desktop) does not stay for ever."""
    owed: dict[int | None, list[tuple[float, Call, Part]]] = {}
    for call in floor.calls.values():
        for part in call.parts:
            if part.state is PartState.WRAP_UP:
                owed.setdefault(part.agent, []).append((part.since, call, part))
    for parts in owed.values():
        parts.sort(key=lambda entry: entry[0], reverse=True)
        for n, (since, call, part) in enumerate(parts):
            if part.wrap.ends_at is None and part.wrap.limit_s:
                part.wrap.ends_at = at + part.wrap.limit_s  # its call was not seen to end
                floor.touch(call)
            if n >= MAX_WRAP_UPS or at - since > WRAP_UP_LASTS_S:
                close(part, at)
                floor.touch(call, kinds.CALL_WRAPPED, part.agent)


def _linkedid(floor: Floor, leg: str) -> str:
    for call in floor.calls.values():
        if leg in call.legs:
            return call.linkedid
    return leg


HANDLERS: Mapping[type[Signal], Callable[[Floor, Any], None]] = {Snapshot: reconcile}
