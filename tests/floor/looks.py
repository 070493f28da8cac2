"""What a snapshot of the PBX shows, made of what the floor knows of it, and all that came of a tape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cti_server.floor.apply import Floor
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Leg
from cti_server.floor.signals import EntryRow, LegRow, Signal, Snapshot
from tests.floor.test_transcripts import described, unmerged


def look(floor: Floor, at: float) -> Snapshot:
    """The PBX as the floor knows it, all of it: what Asterisk answers when everything has been reported."""
    books = floor.books
    legs = tuple(_row(call, leg, at) for call in books.calls.values() for leg in call.legs.values())
    members = tuple(replace(m, at=at) for queue in books.queues.values() for m in queue.members.values())
    entries = tuple(
        EntryRow(queue.name, leg, _place(books, leg) or place, at - since)
        for queue in books.queues.values()
        for place, (leg, since) in enumerate(queue.waiting.items(), 1)
    )
    nobody = frozenset(books.nobody)
    return Snapshot(at, books.boot, legs, tuple(books.queues), members, entries, nobody=nobody)


def _place(books: Books, leg: str) -> int | None:
    call = books.call_of(leg)
    return call.position if call is not None else None


def _row(call: Call, leg: Leg, at: float) -> LegRow:
    return LegRow(
        leg=leg.id,
        linkedid=call.linkedid,
        channel=leg.channel,
        up=leg.up,
        number=leg.number,
        name=leg.name,
        exten=leg.exten,
        bridge=leg.bridge,
        age_s=float(int(at - leg.started_at)),
        ringing=leg.ringing,
        parked=leg.parked is not None,
        aside=leg.aside,
        space=leg.parked,
        conference=leg.conference,
        held=leg.desk_holds,
        muted=leg.muted,
        recording=leg.recording,
    )


def what_came(floor: Floor, signals: Iterable[Signal]) -> dict[str, Any]:
    """Plays them; every call that there was as it was last, its parts with their legs, and how queues and agents
    are at the end."""
    calls: dict[str, Call] = {}
    for signal in signals:
        floor.apply(signal)
        calls |= {call.id: call for call in floor.take_changed()}
    return outcome(floor, calls)


def outcome(floor: Floor, calls: dict[str, Call]) -> dict[str, Any]:
    books = floor.books
    return {
        "calls": {key: described(call) for key, call in unmerged(calls).items()},
        "parts": {key: [(p.agent, p.leg, p.why, p.reason) for p in c.parts] for key, c in calls.items()},
        "visits": {key: c.visits for key, c in calls.items()},
        "queues": {q.name: (dict(q.members), dict(q.waiting), dict(q.counts)) for q in books.queues.values()},
        "agents": {a.id: (a.state, a.since, a.seat) for a in books.agents.values()},
    }
