"""Bringing the floor in line with a snapshot. What the floor did not know of is added; what is gone, though nobody
saw it end, ends *unseen*. The floor starts this way after every reconnect; every 30 s this is the drift check.

A row that agrees with the books costs one comparison; only the calls that differ are worked through.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.books import PLACES, Books
from cti_server.floor.calls import Call, Direction, Leg, device_of
from cti_server.floor.parts import Origin, Part, PartState
from cti_server.floor.signals import EntryRow, LegRow, LegStarted, MemberChanged, MemberRemoved, Signal, Snapshot
from cti_server.floor.visits import How

from .hearing import answer, hear
from .legs import calls_out, given_up, origin_of, queue_of, started
from .meeting import one_call
from .merging import call_of
from .outcome import seal
from .parting import new_part
from .queueing import begin_visit, member_changed, member_removed
from .shift import after_snapshot, before_snapshot
from .wrapup import wraps_up

MAX_WRAP_UPS = 20  # open per agent; beyond this the oldest are closed
WRAP_UP_LASTS_S = 4 * 3600.0
NOBODYS_S = 600.0  # of an agent who is not at work and has no desktop open: nobody will finish it


def reconcile(books: Books, s: Snapshot) -> None:
    fresh = books.boot != s.boot
    if fresh:
        for call in list(books.calls.values()):
            if call.boot != s.boot and not call.ended:
                _end_unseen(books, call)  # Asterisk has restarted since, so the call is over
    books.boot = s.boot
    books.nobody |= s.nobody
    before_snapshot(books, s, fresh)
    _members(books, s)  # first: a member's seat tells an agent's call from a customer's
    if not s.drift_check:
        _phones_of_ours(books)
    known = frozenset(books.legs()) if s.drift_check else frozenset()
    differing = _legs(books, s)
    _calls(books, s, differing, known)
    _waiting(books, s)
    _queues(books, s)
    _forgotten_wrap_ups(books, s.at)
    after_snapshot(books, s, fresh)
    books.heard_until = None


def _phones_of_ours(books: Books) -> None:
    """Legs that the record brought back were put on the floor before anybody's seat was known."""
    for call in books.calls.values():
        for leg in list(call.legs.values()):
            if (seat := books.seat_at(leg.device)) != leg.device:
                call.rename(leg, leg.channel, seat)
            leg.ours = books.is_seat(leg.device)


def _legs(books: Books, s: Snapshot) -> set[str]:
    """Take in the rows of legs; returns the ids of the calls that differed from the snapshot."""
    differing: set[str] = set()
    differing_rows = [row for row in s.legs if not _agrees(books, row) and not _heard_since(books, row.leg, s)]
    if s.whole:
        not_gone = {row.leg for row in s.legs} | s.unsettled.legs
        for gone in [leg for leg in books.legs() if leg not in not_gone]:
            call = books.call_of(gone)
            if call is not None and not call.ended and not _heard_since(books, gone, s):
                books.drop_leg(call, gone)
                differing.add(call.id)
    # Oldest first, so that the leg that began a call comes before the others. Ages are whole seconds and may be
    # equal; then it is the one whose id is the linkedid.
    for row in sorted(differing_rows, key=lambda r: (-(r.age_s or 0.0), r.leg != r.linkedid)):
        if (call := _leg(books, row, s)) is not None:
            differing.add(call.id)
    for row in differing_rows:
        # Only now: a phone that waited for customers is lent to the one who is with it.
        if (leg := books.leg_of(row.leg)) is not None:
            leg.aside = row.aside and leg.home is None
    return differing


def _heard_since(books: Books, leg: str, s: Snapshot) -> bool:
    """Whether this leg began or changed after the first look of a drift check. Two looks may show alike what has
    changed and changed back between them; and what both lack may have come and gone."""
    known = books.leg_of(leg)
    return known is not None and max(known.started_at, known.heard_at) > s.unsettled.since


def _agrees(books: Books, row: LegRow) -> bool:
    call = books.call_of(row.leg)
    if call is None or books.call_with(row.linkedid) is not call:
        return False
    leg = call.legs[row.leg]
    return (
        leg.channel == row.channel
        and leg.up == row.up
        and leg.ringing == row.ringing
        and leg.bridge == row.bridge
        and leg.conference == row.conference
        and (leg.parked is not None) == row.parked
        and leg.aside == row.aside
        and row.space in (None, leg.parked)
        and row.muted in (None, leg.muted)
        and row.recording in (None, leg.recording)
    )


def _leg(books: Books, row: LegRow, s: Snapshot) -> Call | None:
    at = s.at - row.age_s if row.age_s is not None else s.at
    if books.leg_of(row.leg) is None:
        # Whose leg it was at the beginning counts first: two customers' calls that met have one linkedid since.
        call = books.call_with(row.leg) or books.call_with(row.linkedid)
        if call is not None and _began_apart(books, call, row):
            started(books, LegStarted(at, row.leg, row.leg, row.channel, row.up, row.number, row.name, row.exten))
        elif call is not None:  # this leg joined it while nobody watched
            books.add_leg(call, Leg(row.leg, row.channel, at, row.number, row.name, row.exten, up=row.up))
        else:
            started(
                books,
                LegStarted(at, row.leg, row.linkedid, row.channel, row.up, row.number, row.name, row.exten),
            )
    call = call_of(books, row.leg, row.linkedid)
    leg = books.leg_of(row.leg)
    if call is None or leg is None:
        return None
    if leg.channel != row.channel:
        call.rename(leg, row.channel, books.seat_at(device_of(row.channel)))
    leg.up, leg.ringing = row.up, row.ringing
    leg.aside = leg.aside or (row.aside and leg.home is None)
    call = _bridge(books, call, leg, row, s.at)
    # Where our accounts may not ask for the parking space, the one that an event named is kept.
    leg.parked = (row.space or leg.parked or "") if row.parked else None
    call.was_parked = call.was_parked or row.parked
    leg.muted = row.muted if row.muted is not None else leg.muted
    leg.recording = row.recording or leg.recording
    return call


def _began_apart(books: Books, call: Call, row: LegRow) -> bool:
    """Whether this leg is a customer's whom a phone that waited for customers has taken meanwhile: the PBX gives
    them the phone's linkedid, and their contact is one of its own."""
    return not books.is_seat(device_of(row.channel)) and call.standing_leg() is not None


def _bridge(books: Books, call: Call, leg: Leg, row: LegRow, at: float) -> Call:
    """Whoever enters that bridge next joins this call; who has met another's there while nobody watched has joined
    it. Returns the call that the leg is in now."""
    before = leg.bridge
    call.bridge(leg, row.bridge, conference=row.conference)
    if before is not None and before != row.bridge:
        books.forget_bridge(call, before)
    if row.bridge is not None:
        call = one_call(books, call, leg, row.bridge, at)
        books.bridges.setdefault(row.bridge, call)
    return call


def _calls(books: Books, s: Snapshot, differing: set[str], known: Collection[str]) -> None:
    """Bring the parts in line, in the calls that differ."""
    held = {row.leg: row.held for row in s.legs if row.held is not None}
    for call in list(books.calls.values()):
        if call.ended:
            continue
        if not call.legs and s.whole and (call.lent is None or books.leg_of(call.lent) is None):
            _end_unseen(books, call)
            continue
        if call.id in differing or _has_lost_a_leg(books, call):
            _parts(books, call, s, held, known)
            hear(books, call, s.at)
            books.touch_all(call)
        elif not s.drift_check:
            _hold(books, call, held, s)
            books.touch_all(call)  # restored as it stood before a restart, and not told since


def _has_lost_a_leg(books: Books, call: Call) -> bool:
    return any(_is_without_a_leg(books, call, part) for part in call.open_parts())


def _is_without_a_leg(books: Books, call: Call, part: Part) -> bool:
    """A leg in another call counts: that of an agent who picked this call up, until the PBX makes the two one."""
    return not call.has_leg_of(part) and (part.leg is None or books.leg_of(part.leg) is None)


def _parts(books: Books, call: Call, s: Snapshot, held: Mapping[str, bool], known: Collection[str]) -> None:
    """Give a part to each agent whose phone is in the call without one; end the parts whose phone is not in it.

    `known` are legs whose whole story the floor has heard.
    """
    for leg in list(call.legs.values()):
        if leg.local or leg.id == call.first_leg:
            continue
        if not books.is_seat(leg.device):
            if call.direction is Direction.INTERNAL and leg.id not in known and call.led_by(leg) is None:
                calls_out(books, call, leg)  # dialled while nobody watched
            continue
        part = call.part_of(leg.device)
        if call.fetched is not None and part is not None and part.leg != leg.id:
            if not leg.ringing and not leg.up:
                continue  # the caller is on the way back to this phone; the dialling will be reported
            if given_up(books, call, leg, s.at):
                part = new_part(books, call, leg.device, leg.started_at, Origin.PICKUP, call.queue)
                part.leg = leg.id
            elif part.leg in call.legs:
                continue  # the phone's earlier leg, about to end
        if part is None and not leg.ringing and not call.reach(leg):
            continue  # its agent gave the call away and the channel ends soon, or its dialling will be reported
        if part is None and (_had_a_part(call, leg) or (leg.id in known and not leg.up)):
            continue  # the same, of a leg that still rings or is still bridged
        call.dial(leg, leg.dialled_by or call.first_leg)
        if part is None:
            origin = origin_of(books, call, leg.dialled_by or leg.id)
            part = new_part(books, call, leg.device, leg.started_at, origin, queue_of(call))
            part.leg = leg.id
        if leg.up and call.reach(leg):
            answer(books, call, part, s.at)
    _hold(books, call, held, s)
    if not s.whole:
        return
    for part in list(call.open_parts()):
        if _is_without_a_leg(books, call, part):
            part.end_unseen(wrap_up=part.answered_at is not None and wraps_up(call, part), until=books.heard_until)
            books.touch_part(call, part, kinds.LEFT)


def _hold(books: Books, call: Call, held: Mapping[str, bool], s: Snapshot) -> None:
    """Take in which legs are held from the desk. A hold that ended while nobody watched is over; of a phone's own
    hold the lists say nothing."""
    for part in call.open_parts():
        for leg in call.legs_at(part.seat):
            if held.get(leg.id):
                leg.holds, leg.desk_holds = max(1, leg.holds), True
                if part.state is PartState.TALKING:
                    part.enter(PartState.HOLD, s.at)
                    books.touch_part(call, part, kinds.HELD)
            elif leg.desk_holds and leg.id in held and not s.drift_check:
                leg.holds, leg.desk_holds = leg.holds - 1, False
                if part.state is PartState.HOLD and not leg.phone_holds:
                    part.enter(PartState.TALKING, s.at)
                    books.touch_part(call, part, kinds.RETRIEVED)


def _had_a_part(call: Call, leg: Leg) -> bool:
    return any(
        p.leg == leg.id or (p.seat == leg.device and p.ended_at is not None and p.ended_at >= leg.started_at)
        for p in call.parts
    )


def _end_unseen(books: Books, call: Call) -> None:
    for leg in list(call.legs):
        books.drop_leg(call, leg)
        books.leave_queue(leg)
    seal(books, call, None)


def _members(books: Books, s: Snapshot) -> None:
    for name in s.queues:
        books.queue(name)
    for member in s.members:
        if not _is_settled(books, member):
            member_changed(books, member)
    if not s.whole:
        return
    in_snapshot = {(m.queue, m.interface) for m in s.members} | s.unsettled.members
    for queue in list(books.queues.values()):
        gone = [i for i, m in queue.members.items() if (queue.name, i) not in in_snapshot]
        for interface in [i for i in gone if queue.members[i].at <= s.unsettled.since]:
            member_removed(books, MemberRemoved(s.at, queue.name, interface))


def _is_settled(books: Books, member: MemberChanged) -> bool:
    """Whether the books agree with this member, and no order to the PBX is still unconfirmed."""
    queue = books.queues.get(member.queue)
    before = queue.members.get(member.interface) if queue is not None else None
    if before is None or replace(before, at=member.at) != member:
        return False
    agent = books.agent_at(member.seat)
    return agent is None or agent.shift is None or agent.shift.confirmed


def _waiting(books: Books, s: Snapshot) -> None:
    if s.whole:
        in_snapshot = {(entry.leg, entry.queue) for entry in s.entries} | s.unsettled.waits
        for leg, queue in [wait for wait in books.waiting().items() if wait not in in_snapshot]:
            if books.queues[queue].waiting[leg] <= s.unsettled.since:
                books.leave_queue(leg, queue)
    for entry in s.entries:
        call = books.call_of(entry.leg)
        if call is not None:
            _entry(books, call, entry, s.at - entry.wait_s)
    if s.whole and not s.drift_check:
        _waits_that_ended_unseen(books, s.at)


def _entry(books: Books, call: Call, entry: EntryRow, since: float) -> None:
    if books.waits_in(entry.leg) != entry.queue:
        books.join_queue(entry.leg, entry.queue, since, entry.position)
    since = books.queues[entry.queue].waiting[entry.leg]
    if call.waiting_since is None and not call.connected():
        if call.visit is None or call.visit.queue != entry.queue:
            begin_visit(call, entry.queue, since, entry.position)
        call.waiting_since, call.queued_at = since, call.queued_at or since
        books.touch(call)
    elif call.waiting_since is not None and call.position != entry.position and entry.position <= PLACES:
        books.place_in_queue(entry.leg, entry.position)


def _waits_that_ended_unseen(books: Books, at: float) -> None:
    """End the waits of callers who waited when the link or the server went down, are here, and no longer wait: the
    queue's limit has passed. The visit ended unseen; the caller has waited until now at the most, and as they are
    still here, not much less."""
    for call in books.calls.values():
        if call.ended or any(books.waits_in(leg) for leg in call.legs):
            continue
        if call.visit is not None:
            call.visit.end(None, How.UNSEEN)
            books.touch(call)
        if call.waiting_since is not None and call.fetched is None and call.legs:
            call.stop_waiting(at)
            call.left_queue_unanswered = not call.abandoned and not call.connected()
            books.touch(call)


def _queues(books: Books, s: Snapshot) -> None:
    """Forget the queues that the PBX does not have any more."""
    if not s.whole:
        return
    there = {*s.queues, *s.unsettled.queues}
    for queue in [queue for name, queue in books.queues.items() if name not in there]:
        if not queue.members and not queue.waiting:  # else it has come after the first look of a drift check
            books.remove_queue(queue.name)


def _forgotten_wrap_ups(books: Books, at: float) -> None:
    """Close wrap-ups that nobody finishes (an agent who never opens the desktop), lest they stay for ever."""
    unfinished: dict[int | None, list[tuple[Call, Part]]] = {}
    for call, part in books.live_parts():
        if part.state is PartState.WRAP_UP:
            unfinished.setdefault(part.agent, []).append((call, part))
    for number, parts in unfinished.items():
        agent = books.agents.get(number or 0)
        is_there = agent is None or agent.shift is not None or agent.desktop_gone is None
        lasts_s = WRAP_UP_LASTS_S if is_there else NOBODYS_S
        parts.sort(key=lambda entry: entry[1].since, reverse=True)
        for n, (call, part) in enumerate(parts):
            if part.wrap.ends_at is None and part.wrap.rule.limit_s:
                part.wrap.ends_at = at + part.wrap.rule.limit_s  # nobody saw the call end, so no limit was set
                books.touch_part(call, part)
            if n >= MAX_WRAP_UPS or at - part.since > lasts_s:
                part.close(at)
                books.touch_part(call, part, kinds.WRAPPED)


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {Snapshot: reconcile}
