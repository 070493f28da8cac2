"""Asterisk's own log of a walk: who was in one room with whom and when, who waited in a queue, who hung up.

Bridges are CEL's (BRIDGE_ENTER, BRIDGE_EXIT); music on hold, which CEL does not know, is what the manager told.
Two channels are in one room when one bridge holds them, or two that a Local pair joins. All times are Asterisk's.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from .manager import Told
from .picture import PLUMBING, bridge_rooms, device_of

Span = tuple[float, float]


class Event(NamedTuple):
    kind: str
    at: float
    number: str
    channel: str
    id: str
    linkedid: str
    application: str
    extra: dict[str, Any]


def read(file: Path) -> list[Event]:
    """The events of a CEL file with the fields of `site.FIELDS`, in order."""
    found: list[Event] = []
    with file.open(encoding="utf-8", errors="replace", newline="") as text:
        for row in csv.reader(text):
            kind, at, number, channel, uniqueid, linkedid, application, extra = row
            more = json.loads(extra) if extra else {}
            found.append(Event(kind, float(at), number, channel, uniqueid, linkedid, application, more))
    return found


@dataclass
class Life:
    """One channel, from its beginning to its end. `bridged`: when it was in a bridge, holding ones left out;
    `queued`: when it waited in Queue(). `hung_up_by` is the channel that asked to hang up, '' where none did."""

    id: str
    number: str
    device: str
    began: float
    names: set[str] = field(default_factory=set)
    linkedids: list[str] = field(default_factory=list)
    ended: float | None = None
    hung_up_by: str = ""
    bridged: list[Span] = field(default_factory=list)
    queued: list[Span] = field(default_factory=list)
    parked: bool = False

    @property
    def is_person(self) -> bool:
        return not f"{self.device}-".startswith(PLUMBING)


@dataclass
class History:
    """`lives` by channel. `together` and `heard`: when two channels were in one room; and neither heard music."""

    lives: dict[str, Life] = field(default_factory=dict)
    together: dict[frozenset[str], list[Span]] = field(default_factory=dict)
    heard: dict[frozenset[str], list[Span]] = field(default_factory=dict)
    changes: dict[str, list[float]] = field(default_factory=dict)
    """When something happened to a channel that an observer must have seen."""

    def met(self, channel: str) -> set[str]:
        """All who were ever in a room with this one."""
        return {other for pair in self.together for other in pair if channel in pair and other != channel}


def total(spans: Iterable[Span]) -> float:
    return sum(end - begin for begin, end in union(spans))


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that do not overlap, in order."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def within(spans: Iterable[Span], limits: Iterable[Span]) -> list[Span]:
    """The part of the spans that lies within the limits."""
    cut = ((max(a, c), min(b, d)) for a, b in union(spans) for c, d in union(limits))
    return [(begin, end) for begin, end in cut if end > begin]


class _Reader:
    """Goes through the events once; `rooms` is who is with whom at the moment."""

    def __init__(self) -> None:
        self.history = History()
        self.names: dict[str, str] = {}
        self.bridge_of: dict[str, str] = {}
        self.entered: dict[str, float] = {}
        self.queue_since: dict[str, float] = {}
        self.music: set[str] = set()
        self.with_since: dict[frozenset[str], float] = {}
        self.heard_since: dict[frozenset[str], float] = {}

    def take(self, event: Event) -> None:
        lives = self.history.lives
        if event.kind == "CHAN_START":
            lives[event.id] = Life(event.id, event.number, device_of(event.channel), event.at)
        life = lives.get(event.id)
        if life is None:
            return
        if event.linkedid not in life.linkedids:
            life.linkedids.append(event.linkedid)
        self.names[event.id] = event.channel
        life.names.add(event.channel)
        self.history.changes.setdefault(event.id, []).append(event.at)
        match event.kind:
            case "ANSWER":
                life.device = device_of(event.channel)
                life.number = life.number or event.number
            case "BRIDGE_ENTER" if event.extra.get("bridge_technology") == "holding_bridge":
                life.parked = True
            case "BRIDGE_ENTER":
                life.device = device_of(event.channel)  # after a pick-up it is the picker's phone
                self.bridge_of[event.id], self.entered[event.id] = event.extra["bridge_id"], event.at
            case "BRIDGE_EXIT":
                self._out(life, event.at)
            case "APP_START" if event.application == "Queue":
                self.queue_since[event.id] = event.at
            case "APP_END" if event.application == "Queue":
                self._unqueued(life, event.at)
            case "HANGUP":
                life.hung_up_by = event.extra.get("hangupsource", "")
            case "CHAN_END":
                self._out(life, event.at)
                self._unqueued(life, event.at)
                life.ended = event.at
        if event.kind in ("BRIDGE_ENTER", "BRIDGE_EXIT", "CHAN_END"):
            self.changed(event.at)

    def _out(self, life: Life, at: float) -> None:
        if self.bridge_of.pop(life.id, None) is not None:
            life.bridged.append((self.entered.pop(life.id), at))

    def _unqueued(self, life: Life, at: float) -> None:
        if (since := self.queue_since.pop(life.id, None)) is not None:
            life.queued.append((since, at))

    def queued(self, joined: Told) -> None:
        """The caller waits from now on, though Queue() may have begun before."""
        if joined.uniqueid in self.queue_since:
            self.queue_since[joined.uniqueid] = joined.at

    def changed(self, at: float) -> None:
        """The rooms or the music changed: spans begin and end."""
        bridges = {self.names[one]: bridge for one, bridge in self.bridge_of.items()}
        music = {self.names.get(one, "") for one in self.music}
        now, hearing = self._pairs(bridge_rooms(bridges)), self._pairs(bridge_rooms(bridges, music))
        _spans(self.with_since, now, at, self.history.together)
        _spans(self.heard_since, {pair for pair in hearing if not pair & self.music}, at, self.history.heard)

    def _pairs(self, rooms: dict[str, frozenset[str]]) -> set[frozenset[str]]:
        people = [one for one in self.bridge_of if not self.names[one].startswith(PLUMBING)]
        return {
            frozenset((one, other))
            for number, one in enumerate(people)
            for other in people[number + 1 :]
            if self.bridge_of[other] in rooms[self.bridge_of[one]]
        }


def _spans(
    since: dict[frozenset[str], float], now: set[frozenset[str]], at: float, into: dict[frozenset[str], list[Span]]
) -> None:
    for pair in [pair for pair in since if pair not in now]:
        into.setdefault(pair, []).append((since.pop(pair), at))
    for pair in now:
        since.setdefault(pair, at)


def history(events: Iterable[Event], told: Iterable[Told]) -> History:
    """What happened, out of CEL's events and what the manager told of music."""
    reader = _Reader()
    both: list[Event | Told] = [*events, *told]
    for one in sorted(both, key=lambda one: one.at):
        if isinstance(one, Event):
            reader.take(one)
        elif one.event == "MusicOnHoldStart":
            reader.music.add(one.uniqueid)
            reader.changed(one.at)
        elif one.event == "MusicOnHoldStop":
            reader.music.discard(one.uniqueid)
            reader.changed(one.at)
        elif one.event == "QueueCallerJoin":
            reader.queued(one)
        if not isinstance(one, Event) and one.event != "HangupRequest":
            reader.history.changes.setdefault(one.uniqueid, []).append(one.at)
    return reader.history


def by_linkedid(lives: Iterable[Life]) -> dict[str, list[Life]]:
    found: dict[str, list[Life]] = defaultdict(list)
    for life in lives:
        for linkedid in life.linkedids:
            found[linkedid].append(life)
    return found


def people(history: History) -> Iterator[Life]:
    return (life for life in history.lives.values() if life.is_person)
