"""What must hold of the books after every signal: each index is what a full search finds, and nothing is stale."""

from __future__ import annotations

from collections import Counter

from cti_server.floor.apply import Floor
from cti_server.floor.books import PLACES
from cti_server.floor.calls import rooms_of
from cti_server.floor.handlers.states import state_of
from cti_server.floor.parts import PartState
from cti_server.floor.queues import Duty, duty_of
from cti_server.floor.shown import agent_shown, call_shown, member_shown, part_shown, queue_shown


def faults(floor: Floor) -> list[str]:
    return [*_indexes(floor), *_told(floor), *_stale(floor)]


def _indexes(floor: Floor) -> list[str]:
    b, found = floor.books, []

    def same(what: str, have: object, want: object) -> None:
        if have != want:
            found.append(f"{what}: have {have!r}, want {want!r}")

    same(
        "calls by leg",
        {k: c.id for k, c in b._calls_by_leg.items()},
        {leg: c.id for c in b.calls.values() for leg in c.legs},
    )
    same(
        "calls by linkedid",
        {k: c.id for k, c in b._calls_by_linkedid.items()},
        {k: c.id for c in b.calls.values() if c.merged_into is None for k in (c.linkedid, *c.aliases)},
    )
    same(
        "parts by agent",
        {a: {i: (c.id, p.position) for i, (c, p) in of.items()} for a, of in b._parts.items()},
        _by_agent(floor),
    )
    members: dict[str, set[tuple[str, str]]] = {}
    for queue in b.queues.values():
        counts = Counter(duty_of(m) for m in queue.members.values())
        same(f"counts of {queue.name}", queue.counts, {d: counts[d] for d in Duty})
        same(f"order of {queue.name}", list(queue.waiting.values()), sorted(queue.waiting.values()))
        line = queue.line.first(len(queue.line))
        same(f"line of {queue.name}", sorted(line), sorted(queue.waiting))
        places = {leg: b._calls_by_leg[leg].position for leg in line[:PLACES] if leg in b._calls_by_leg}
        same(f"places in {queue.name}", places, {leg: line.index(leg) + 1 for leg in places})
        for key, m in queue.members.items():
            members.setdefault(m.seat, set()).add((queue.name, key))
    same("members by seat", {s: set(of) for s, of in b._members.items()}, members)
    same("waits", b._waits_in, {leg: q.name for q in b.queues.values() for leg in q.waiting})
    same("ghost waits", [leg for leg in b._waits_in if leg not in b._calls_by_leg], [])
    same(
        "seats",
        dict(b.seats),
        {a.seat: a.id for a in b.agents.values() if a.seat is not None},
    )
    same("seat counts", +b._member_seats, Counter(b._seat_of.values()))
    for c in b.calls.values():
        by_seat: dict[str, set[str]] = {}
        for leg in c.legs.values():
            by_seat.setdefault(leg.device, set()).add(leg.id)
        same(f"legs by seat of {c.id}", {s: set(of) for s, of in c._seats.items()}, by_seat)
        same(f"rooms of {c.id}", c._rooms if c._rooms is not None else rooms_of(c.legs), rooms_of(c.legs))
        same(f"positions in {c.id}", [p.position for p in c.parts], list(range(len(c.parts))))
        same(f"visits open in {c.id} but the last", [v.queue for v in c.visits[:-1] if v.waiting], [])
        if c.ended:
            same(f"visit open in ended {c.id}", c.visit, None)
    live = {leg.bridge: c.id for c in b.calls.values() for leg in c.legs.values() if leg.bridge is not None}
    same("bridges nobody is in", {k: c.id for k, c in b.bridges.items() if k not in live}, {})
    due = {
        ("wrap_up", c.id, p.position): p.wrap.ends_at
        for c in b.calls.values()
        for p in c.parts
        if p.agent is not None
        and p.state is PartState.WRAP_UP
        and p.wrap.rule.mode == "forced"
        and p.wrap.ends_at is not None
    }
    for a in b.agents.values():
        if a.shift is not None and a.shift.wish.ready:
            if a.shift.phone_gone is not None:
                due["phone", "", a.id] = a.shift.phone_gone + b.phone_grace_s
            if a.desktop_gone is not None:
                due["desktop", "", a.id] = a.desktop_gone + b.desktop_grace_s
    same("due", b.due._when, due)
    same("touched", [name for name in dir(b) if name.startswith("touched_") and getattr(b, name)], [])
    return found


def _by_agent(floor: Floor) -> dict[int, dict[int, tuple[str, int]]]:
    want: dict[int, dict[int, tuple[str, int]]] = {}
    for c in floor.books.calls.values():
        for p in c.parts:
            if p.agent is not None and p.live:
                want.setdefault(p.agent, {})[id(p)] = (c.id, p.position)
    return want


def _told(floor: Floor) -> list[str]:
    b, found = floor.books, []
    gone = [k for k in floor._calls if k not in b.calls]
    gone += [
        f"{call} {position}"
        for call, sent in floor._parts.items()
        for position in sent
        if call not in b.calls or position >= len(b.calls[call].parts)
    ]
    if gone:
        found.append(f"told tables keep what is gone: {gone}")
    for c in b.calls.values():
        if c.id in floor._calls and floor._calls[c.id] != call_shown(c):
            found.append(f"call not told: {c.id}")
        for p in c.parts:
            told = floor._parts.get(c.id, {}).get(p.position)
            if told is not None and told._replace(recording=None) != part_shown(c, p)._replace(recording=None):  # type: ignore[arg-type]
                found.append(f"part not told: {c.id} {p.position} {told} {part_shown(c, p)}")
    for q in b.queues.values():
        if floor._queues.get(q.name) != queue_shown(q):
            found.append(f"queue not told: {q.name}")
        for i, m in q.members.items():
            if floor._members.get((q.name, i)) != member_shown(b, m):
                found.append(f"member not told: {q.name} {i}")
    return found


def _stale(floor: Floor) -> list[str]:
    """An agent's state as it would be if it were looked at now."""
    b, found = floor.books, []
    for a in b.agents.values():
        now = state_of(b, a)
        mine, want = (
            (a.state.name, a.state.reason, a.state.because, a.state.until),
            (now.name, now.reason, now.because, now.until),
        )
        if mine != want:
            found.append(f"agent {a.id} is stale: {mine} but {want}")
        if floor._agents.get(a.id) != agent_shown(a, b.serves(a)):
            found.append(f"agent not told: {a.id} {floor._agents.get(a.id)} {agent_shown(a, b.serves(a))}")
    return found
