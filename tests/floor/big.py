"""Floors of any size, made of signals, and the recorded call that is played on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

from cti_server.floor import apply, views
from cti_server.floor.agents import Agent, By, Shift
from cti_server.floor.apply import Floor
from cti_server.floor.calls import Call, Leg
from cti_server.floor.desk_signals import AgentSeated, DesktopSeen, ShiftBegan, StateChosen
from cti_server.floor.parts import Part
from cti_server.floor.queues import Queue
from cti_server.floor.signals import (
    CallerIdentified,
    DialStatus,
    EntryRow,
    LegAnswered,
    LegBridged,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegHangupAsked,
    LegRang,
    LegRow,
    LegStarted,
    LegUnbridged,
    LinkChanged,
    LinkState,
    MemberChanged,
    MemberConnected,
    MemberOffered,
    MemberStatus,
    QueueJoined,
    QueueLeft,
    Signal,
    Snapshot,
)
from cti_server.floor.visits import Visit
from tests.transcripts.play import Transcript

PBX, BOOT, BEGUN = "demo", 1, 1_795_000_000.0
THE_AGENT = "PJSIP/1002"  # who takes the recorded call


def the_call() -> list[Signal]:
    """The forty-one signals of one queue call: it is queued, rings an agent, is answered, ends."""
    return [s for s in Transcript.load("answered").signals() if not isinstance(s, Snapshot)]


def retold(signals: Sequence[Signal], number: int) -> list[Signal]:
    """The same once more: another call, an hour later for each `number`."""
    return [_renamed(signal, number) for signal in signals]


def _renamed(signal: Signal, number: int) -> Signal:
    told = {f.name: getattr(signal, f.name) for f in fields(signal)}
    changed: dict[str, Any] = {
        name: value.replace("demo-", f"demo{number}-")
        for name, value in told.items()
        if name in ("leg", "linkedid", "by", "member_leg", "bridge", "second") and isinstance(value, str)
    }
    return replace(signal, at=signal.at + 3600.0 * number, **changed)


def big(calls: int, agents: int) -> Floor:
    """So many live calls and agents at work. Of the calls as many as there are agents but one talk, the rest wait.

    All agents serve the queue `support`, and a tenth of them each of ten others.
    """
    floor = Floor(PBX)
    floor.apply(Snapshot(BEGUN, BOOT))
    floor.apply(LinkChanged(BEGUN, LinkState.LIVE))
    seats = [THE_AGENT, *(f"PJSIP/{5000 + n}" for n in range(1, agents))]
    for number, seat in enumerate(seats, 1):
        for signal in _at_work(number, seat):
            floor.apply(signal)
    for number in range(calls):
        seat = seats[number + 1] if number + 1 < agents else None
        for signal in _call(number, seat):
            floor.apply(signal)
    floor.take_changed(), floor.take_orders(), floor.take_shifts()
    return floor


def _at_work(number: int, seat: str) -> Iterator[Signal]:
    queues = ("support", f"team{number % 10}")
    yield AgentSeated(BEGUN, number, f"agent {number}", seat, seat[-4:])
    yield DesktopSeen(BEGUN, number, True)
    yield ShiftBegan(BEGUN, number, seat, seat[-4:], "desk", tuple((queue, 0) for queue in queues))
    for queue in queues:
        yield MemberChanged(BEGUN, queue, seat, seat, f"agent {number}", MemberStatus.IDLE, False, None)
    yield StateChosen(BEGUN, number, True, None, By("agent", f"agent {number}"))


def _call(number: int, seat: str | None) -> Iterator[Signal]:
    """It waits; with a seat, that agent has taken it."""
    at, caller, queue = BEGUN + number / 100, f"live-{number}.1", "support"
    yield LegStarted(at, caller, caller, f"PJSIP/trunk-{number:08x}", True, f"1380013{number:04}", None, "400")
    yield QueueJoined(at + 1, caller, caller, queue, 1)
    if seat is None:
        return
    leg, channel = f"live-{number}.2", f"{seat}-{number:08x}"
    yield LegStarted(at + 2, leg, caller, channel, False, seat[-4:], None, None)
    yield MemberOffered(at + 2, caller, caller, queue, seat, leg)
    yield LegDialled(at + 2, leg, caller, caller, channel, None)
    yield LegAnswered(at + 3, leg, caller)
    yield QueueLeft(at + 3, caller, caller, queue)
    yield MemberConnected(at + 3, caller, caller, queue, seat, leg)
    yield LegBridged(at + 3, caller, caller, f"b{number}")
    yield LegBridged(at + 3, leg, caller, f"b{number}")


def drift_check(floor: Floor) -> Snapshot:
    """The PBX as the floor knows it: a check that finds nothing."""
    books = floor.books
    at = books.clock + 30
    legs = tuple(
        LegRow(
            *(leg.id, call.linkedid, leg.channel, leg.up, leg.number, leg.name, leg.exten, leg.bridge, 60.0),
            ringing=leg.ringing,
            held=False,
        )
        for call in books.calls.values()
        for leg in call.legs.values()
    )
    members = tuple(replace(m, at=at) for queue in books.queues.values() for m in queue.members.values())
    entries = tuple(
        EntryRow(queue.name, leg, place, at - queue.waiting[leg])
        for queue in books.queues.values()
        for place, leg in enumerate(queue.line.first(len(queue.line)), 1)
    )
    return Snapshot(at, BOOT, legs, tuple(books.queues), members, entries, drift_check=True)


# --- counting ------------------------------------------------------------------------------------------------

VISITED = (Call, Leg, Part, Visit, Queue, Agent, Shift, MemberChanged)
SHOWN = ("call_shown", "part_shown", "queue_shown", "member_shown", "agent_shown")
VIEWS = ("call_view", "part_view", "queue_view", "member_view", "state_view", "link_view")


class Counts:
    """What one signal cost: things of the floor that were looked at, compared, and viewed."""

    def __init__(self) -> None:
        self.things: set[int] = set()
        self.shown = 0
        self.views = 0

    def told(self) -> tuple[int, int, int]:
        """(things looked at, compared with what was told, views built)."""
        return len(self.things), self.shown, self.views


@contextmanager
def counted() -> Iterator[Counts]:
    """Counts every call, leg, part, visit, queue, member and agent that is looked at, each once, and each view."""
    counts = Counts()
    for cls in VISITED:
        _watch(cls, counts)
    originals = [(apply, name, getattr(apply, name)) for name in SHOWN]
    originals += [(views, name, getattr(views, name)) for name in VIEWS]
    for module, name, function in originals:
        setattr(module, name, _counting(function, counts, "shown" if module is apply else "views"))
    try:
        yield counts
    finally:
        for cls in VISITED:
            del cls.__getattribute__
        for module, name, function in originals:
            setattr(module, name, function)


def _watch(cls: type, counts: Counts) -> None:
    def looked_at(self: object, name: str) -> Any:
        counts.things.add(id(self))
        return object.__getattribute__(self, name)

    cls.__getattribute__ = looked_at  # type: ignore[method-assign,assignment]


def _counting(function: Callable[..., Any], counts: Counts, name: str) -> Callable[..., Any]:
    def counting(*arguments: Any) -> Any:
        setattr(counts, name, getattr(counts, name) + 1)
        return function(*arguments)

    return counting


def cost_of_each(floor: Floor, signals: Sequence[Signal]) -> list[tuple[str, int, int, int]]:
    """Of each signal its kind and what it cost."""
    found = []
    for signal in signals:
        with counted() as counts:
            floor.apply(signal)
        found.append((type(signal).__name__, *counts.told()))
    return found


def ring_all(phones: int) -> Iterator[Signal]:
    """A caller rings so many phones of `support` at once; the first answers, talks for a minute, hangs up."""
    at, caller = BEGUN + 100_000, "all-1.1"
    seats = [f"PJSIP/{5000 + n}" for n in range(1, phones + 1)]
    legs = {seat: f"all-1.{n}" for n, seat in enumerate(seats, 2)}
    yield LegStarted(at, caller, caller, "PJSIP/trunk-0000000a", True, "13800138000", None, "400")
    yield CallerIdentified(
        at + 0.1, caller, caller, "verified", {"id": 1, "name": "李小明", "tier": "gold"}, {"code": "covered"}
    )
    yield QueueJoined(at + 1, caller, caller, "support", 1)
    for seat, leg in legs.items():
        channel = f"{seat}-0000000b"
        yield LegStarted(at + 2, leg, caller, channel, False, seat[-4:], None, None)
        yield LegDialled(at + 2, leg, caller, caller, channel, None)
        yield MemberOffered(at + 2, caller, caller, "support", seat, leg)
        yield LegRang(at + 2.1, leg, caller)
        yield _member(at + 2.1, seat, MemberStatus.RINGING)
    winner, losers = seats[0], seats[1:]
    yield LegAnswered(at + 6, legs[winner], caller)
    yield LegDialEnded(at + 6, legs[winner], caller, f"{winner}-0000000b", DialStatus.ANSWER)
    for seat in losers:
        yield LegDialEnded(at + 6, legs[seat], caller, f"{seat}-0000000b", DialStatus.CANCEL)
        yield LegEnded(at + 6.1, legs[seat], caller, 26)
        yield _member(at + 6.1, seat, MemberStatus.IDLE)
    yield QueueLeft(at + 6.1, caller, caller, "support")
    yield MemberConnected(at + 6.1, caller, caller, "support", winner, legs[winner])
    yield _member(at + 6.1, winner, MemberStatus.IN_USE)
    yield LegBridged(at + 6.2, caller, caller, "all")
    yield LegBridged(at + 6.2, legs[winner], caller, "all")
    yield LegHangupAsked(at + 66, caller, caller)
    yield LegUnbridged(at + 66, caller, caller, "all")
    yield LegEnded(at + 66, legs[winner], caller, 16)
    yield LegEnded(at + 66, caller, caller, 16)
    yield _member(at + 66, winner, MemberStatus.IDLE)


def _member(at: float, seat: str, status: MemberStatus) -> MemberChanged:
    return MemberChanged(at, "support", seat, seat, seat, status, False, None)
