"""A busy floor made of tapes: several at once with the same agents, desks that do anything, snapshots."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import cache
from typing import Any

from cti_server.floor.agents import By
from cti_server.floor.apply import Floor
from cti_server.floor.descriptions import Description, WrapUpRule
from cti_server.floor.desk_signals import (
    AgentSeated,
    DesktopSeen,
    OrderFailed,
    ShiftBegan,
    ShiftEnded,
    StateChosen,
    Tick,
    WrapUpCoded,
    WrapUpExtended,
    WrapUpFinished,
    WrapUpWanted,
)
from cti_server.floor.signals import (
    CallerIdentified,
    EntryRow,
    LegBridged,
    LegHeld,
    LegMuted,
    LegRetrieved,
    LegRow,
    LinkChanged,
    LinkState,
    MemberChanged,
    MemberRemoved,
    MemberStatus,
    PhoneChanged,
    QueueDescribed,
    Recording,
    RecordingChanged,
    Signal,
    Snapshot,
)
from tests.transcripts.play import Transcript, names

LEGS = ("leg", "linkedid", "by", "member_leg", "bridge", "second", "second_linkedid")
SEATS = [f"PJSIP/{n}" for n in range(1001, 1007)]
BOOT = 77


@cache
def tape(name: str) -> tuple[Signal, ...]:
    return tuple(s for s in Transcript.load(name).signals() if not isinstance(s, Snapshot))


def renamed(signals: tuple[Signal, ...], prefix: str, shift: float) -> list[Signal]:
    """The same with other legs: another call."""
    out = []
    for signal in signals:
        changed: dict[str, Any] = {
            f.name: f"{prefix}{value}"
            for f in fields(signal)
            if f.name in LEGS and isinstance(value := getattr(signal, f.name), str)
        }
        out.append(replace(signal, at=signal.at + shift, **changed))
    return out


def as_it_is(floor: Floor, at: float, *, whole: bool, drift_check: bool) -> Snapshot:
    """The PBX as the floor knows it."""
    books = floor.books
    legs = tuple(
        LegRow(
            leg.id,
            call.linkedid,
            leg.channel,
            leg.up,
            leg.number,
            leg.name,
            leg.exten,
            leg.bridge,
            max(0.0, round(at - leg.started_at)),
            ringing=leg.ringing,
            parked=leg.parked is not None,
            conference=leg.conference,
            muted=leg.muted,
            recording=leg.recording,
        )
        for call in books.calls.values()
        for leg in call.legs.values()
    )
    members = tuple(replace(m, at=at) for queue in books.queues.values() for m in queue.members.values())
    entries = tuple(
        EntryRow(q.name, leg, n, at - since)
        for q in books.queues.values()
        for n, (leg, since) in enumerate(q.waiting.items(), 1)
    )
    return Snapshot(at, BOOT, legs, tuple(books.queues), members, entries, whole=whole, drift_check=drift_check)


def merged_tapes(chance: random.Random, count: int) -> list[Signal]:
    """So many tapes at once, begun within 40 s of each other."""
    lists = []
    for n in range(count):
        signals = tape(chance.choice(names()))
        begin = min(s.at for s in signals)
        lists += renamed(signals, f"t{n}-", 1_000_000.0 - begin + chance.uniform(0, 40))
    return sorted(lists, key=lambda s: s.at)  # stable: each tape keeps its order where its times do not fall back


class World:
    """Gives the next signals: the tapes' own, and what desks and the clock do meanwhile."""

    def __init__(self, floor: Floor, seed: int, *, tapes: int = 3, noise: float = 0.25, loss: float = 0.0) -> None:
        self.floor, self.chance = floor, random.Random(seed)
        self.noise, self.loss, self.tapes = noise, loss, tapes

    def signals(self) -> Iterator[Signal]:
        yield Snapshot(999_990.0, BOOT)
        yield LinkChanged(999_990.0, LinkState.LIVE)
        for n, seat in enumerate(SEATS[:5], 1):
            yield AgentSeated(999_991.0, n, f"agent {n}", seat, seat[-4:])
        for queue in ("support", "sales", "vip"):
            yield self._described(999_991.0, queue)
        for n in range(1, 6):
            if self.chance.random() < 0.6:
                yield from self._shift(999_992.0, n)
        for signal in merged_tapes(self.chance, self.tapes):
            if self.chance.random() < self.loss:
                continue
            yield signal
            while self.chance.random() < self.noise:
                yield from self._noise(signal.at)
        # To the end: everybody hangs up unseen, then every wrap-up is finished.
        end = self.floor.books.clock + 10
        yield Snapshot(end, BOOT)
        for call in list(self.floor.calls.values()):
            for agent in {p.agent for p in call.parts if p.agent is not None}:
                yield WrapUpFinished(end + 1, call.id, agent)

    def _noise(self, at: float) -> Iterator[Signal]:
        makers: list[Callable[[float], Iterator[Signal]]] = [
            self._seat, self._shift_of_any, self._end_shift, self._choose, self._desktop, self._wrap_up,
            self._wrap_up, self._describe, self._tick, self._phone, self._identify, self._member, self._member,
            self._remove, self._snapshot, self._snapshot, self._leg, self._leg, self._failed,
        ]  # fmt: skip
        yield from self.chance.choice(makers)(at)

    def _agent(self) -> int:
        return self.chance.randint(1, 6)

    def _seat(self, at: float) -> Iterator[Signal]:
        n = self._agent()
        yield AgentSeated(
            at,
            n,
            f"agent {n}{self.chance.choice('  b')}".strip(),
            self.chance.choice([*SEATS, None]),
            str(2000 + n),
        )

    def _shift(self, at: float, n: int) -> Iterator[Signal]:
        seat = self.chance.choice([SEATS[n - 1]] * 3 + SEATS)
        yield ShiftBegan(at, n, seat, seat[-4:], "desk", (("support", 0), ("sales", 1)))
        yield StateChosen(at + 0.01, n, True, None, By("agent", f"agent {n}"))

    def _shift_of_any(self, at: float) -> Iterator[Signal]:
        yield from self._shift(at, self._agent())

    def _end_shift(self, at: float) -> Iterator[Signal]:
        yield ShiftEnded(at, self._agent())

    def _choose(self, at: float) -> Iterator[Signal]:
        ready = self.chance.random() < 0.5
        yield StateChosen(at, self._agent(), ready, None if ready else "lunch", By("agent", "x"))

    def _desktop(self, at: float) -> Iterator[Signal]:
        yield DesktopSeen(at, self._agent(), self.chance.random() < 0.5)

    def _failed(self, at: float) -> Iterator[Signal]:
        yield OrderFailed(at, self._agent(), "no")

    def _wrap_up(self, at: float) -> Iterator[Signal]:
        found = [(c.id, p.agent) for c in self.floor.calls.values() for p in c.parts if p.agent is not None]
        if found:
            call, agent = self.chance.choice(found)
            yield self.chance.choice(
                [
                    WrapUpFinished(at, call, agent),
                    WrapUpWanted(at, call, agent, self.chance.random() < 0.7),
                    WrapUpExtended(at, call, agent),
                    WrapUpCoded(at, call, agent, self.chance.choice(["a", None])),
                ]
            )

    def _described(self, at: float, queue: str) -> Signal:
        mode = self.chance.choice(["optional", "mandatory", "forced"])
        rule = WrapUpRule(
            mode, self.chance.choice([0.0, 5.0, 30.0]), self.chance.randint(0, 2), self.chance.random() < 0.5
        )
        return QueueDescribed(at, queue, Description(None, None, 5.0, rule))

    def _describe(self, at: float) -> Iterator[Signal]:
        yield self._described(at, self.chance.choice(["support", "sales", *self.floor.queues]))

    def _tick(self, at: float) -> Iterator[Signal]:
        due = self.floor.next_due()
        yield Tick(max(at, due) if due is not None and self.chance.random() < 0.5 else at)

    def _phone(self, at: float) -> Iterator[Signal]:
        yield PhoneChanged(at, self.chance.choice(SEATS), self.chance.choice("ab"), self.chance.random() < 0.5)

    def _identify(self, at: float) -> Iterator[Signal]:
        legs = [*self.floor.books.legs()]
        if legs:
            customer = {"id": self.chance.randint(1, 3), "name": "Li", "tier": None}
            yield CallerIdentified(
                at, self.chance.choice(legs), None, "verified", customer, {"code": "covered"},
                ani=f"+861380000{self.chance.randint(0, 9999):04}", chosen_by=self.chance.choice([None, "agent"]),
            )  # fmt: skip

    def _member(self, at: float) -> Iterator[Signal]:
        queue, n = self.chance.choice(["support", "sales", *self.floor.queues]), self.chance.randint(0, 5)
        seat = SEATS[n]
        interface = self.chance.choice([seat, f"Local/{1001 + n}@agents"])
        status = self.chance.choice(list(MemberStatus))
        paused = self.chance.random() < 0.3
        yield MemberChanged(
            at, queue, interface, seat, f"m{n}", status, paused, "lunch" if paused else None, 0, True
        )

    def _remove(self, at: float) -> Iterator[Signal]:
        members = [m for q in self.floor.queues.values() for m in q.members.values()]
        if members:
            member = self.chance.choice(members)
            yield MemberRemoved(at, member.queue, member.interface)

    def _snapshot(self, at: float) -> Iterator[Signal]:
        whole, drift = self.chance.random() < 0.6, self.chance.random() < 0.6
        yield as_it_is(self.floor, at, whole=whole, drift_check=drift)

    def _leg(self, at: float) -> Iterator[Signal]:
        there = [(c.linkedid, leg) for c in self.floor.calls.values() for leg in c.legs.values()]
        if there:
            linkedid, leg = self.chance.choice(there)
            bridges = sorted({other.bridge for _, other in there if other.bridge is not None})
            choices: list[Signal] = [
                LegMuted(at, leg.id, linkedid, self.chance.random() < 0.5),
                RecordingChanged(at, leg.id, linkedid, self.chance.choice(list(Recording))),
                LegHeld(at, leg.id, linkedid),
                LegRetrieved(at, leg.id, linkedid),
            ]
            if bridges and self.chance.random() < 0.3:
                choices.append(LegBridged(at, leg.id, linkedid, self.chance.choice(bridges)))
            yield self.chance.choice(choices)
