"""A server that is killed at any moment of any recorded call, and comes back at once: it goes on as if nothing had
been. Desktops resume: what they held, and the events since, are what a fresh one gets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from cti_server.floor import topics
from cti_server.floor.apply import Floor
from cti_server.floor.calls import Call
from cti_server.floor.signals import Signal, Snapshot
from cti_server.record.calls import call_of, record_of
from cti_server.record.contacts.history import Interaction
from tests.floor.fold import Desktop, Viewer, fresh
from tests.floor.looks import look, outcome
from tests.floor.replicas import replica_of
from tests.floor.test_transcripts import SEATS, seated, stored
from tests.transcripts.play import Transcript, names

ROUNDED_MS = 3  # the record keeps whole milliseconds of each state
VIEWERS = (*map(Viewer, SEATS), Viewer(0, (topics.FLOOR,)))


class Server:
    """A floor with its record, and desktops. Of a server that is to be killed, `record` has what it wrote."""

    def __init__(self, pbx: str, record: dict[str, Interaction], viewers: Sequence[Viewer] = ()) -> None:
        self.floor = Floor(pbx)
        self.calls: dict[str, Call] = {}
        self.record = record
        for row in record.values():
            if row.outcome is None or row.resume is not None:
                self.floor.restore(call_of(row))
        self.desktops = [Desktop(self.floor, viewer) for viewer in viewers]

    def apply(self, signal: Signal) -> list[Call]:
        """Take in a signal and tell the desktops; returns the calls that changed."""
        events = self.floor.apply(signal)
        for desktop in self.desktops:
            for event in events:
                desktop.take(event)
            desktop.forget_what_is_over()
        changed = self.floor.take_changed()
        for call in changed:
            self.calls[call.id] = call
            self.floor.stored(call, 1)
        return changed

    def write(self, calls: Iterable[Call]) -> None:
        for call in calls:
            self.record.pop(call.id, None)
            if call.merged_into is None:
                self.record[call.id] = as_json(stored(record_of(call)))

    def killed(self) -> Server:
        """What comes up after it, from the record and with the desktops that were connected."""
        after = Server(self.floor.pbx, self.record)
        after.desktops = [Desktop(after.floor, desktop.viewer) for desktop in self.desktops]
        for desktop, before in zip(after.desktops, self.desktops, strict=True):
            desktop.state = deepcopy(before.state)
        return after


def as_json(row: Interaction) -> Interaction:
    """As the database gives it back."""
    segments = tuple(replace(s, resume=json.loads(json.dumps(s.resume))) for s in row.segments)
    return replace(row, resume=json.loads(json.dumps(row.resume)), segments=segments)


def differences(a: Any, b: Any, path: str = "") -> list[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        return [d for key in a.keys() | b.keys() for d in differences(a.get(key), b.get(key), f"{path}/{key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [d for n, (x, y) in enumerate(zip(a, b, strict=True)) for d in differences(x, y, f"{path}/{n}")]
    if isinstance(a, int) and isinstance(b, int) and path.endswith("_ms") and abs(a - b) <= ROUNDED_MS:
        return []
    return [] if a == b else [f"{path}: {a!r} and {b!r}"]


@pytest.fixture(params=names())
def transcript(request: pytest.FixtureRequest) -> Transcript:
    return Transcript.load(request.param)


def restarted(
    transcript: Transcript,
    then: Callable[[Server, Server, list[Signal]], Any],
    viewers: Sequence[Viewer] = (),
    *,
    wrote_all: bool = True,
) -> dict[int, Any]:
    """Kill the server at each place, let it come up, and see what `then` finds; of the places where it finds
    something.

    A signal that changes nothing that is shown is written with the next that does: with `wrote_all` that has just
    been.
    """
    signals, found = [*seated(), *transcript.signals()], {}
    first = Server(transcript.truth["pbx"], {}, viewers)
    for place, signal in enumerate(signals[:-1], 1):
        changed = first.apply(signal)
        first.write([*changed, *first.floor.calls.values()] if wrote_all else changed)
        following = signals[place]
        is_reconnect = isinstance(following, Snapshot) and not following.drift_check
        if not first.floor.books.boot or is_reconnect:
            continue
        second = first.killed()
        for again in (*seated(), look(first.floor, signal.at)):
            second.apply(again)
        if what := then(first, second, signals[place:]):
            found[place] = what
    return found


@pytest.mark.parametrize("wrote_all", [True, False])
def test_desktops_that_resume_hold_what_a_fresh_one_gets(transcript: Transcript, wrote_all: bool) -> None:
    def then(first: Server, second: Server, rest: list[Signal]) -> Any:
        return [d for desk in second.desktops for d in differences(desk.state, fresh(second.floor, desk.viewer))]

    assert restarted(transcript, then, VIEWERS, wrote_all=wrote_all) == {}


def test_what_is_shown_is_what_was_shown_before(transcript: Transcript) -> None:
    def shown(server: Server) -> dict[str, Any]:
        return {call: replica_of(server.floor.books).call_topic(call) for call in server.floor.calls}

    def then(first: Server, second: Server, rest: list[Signal]) -> Any:
        return differences(json.loads(json.dumps(shown(first))), json.loads(json.dumps(shown(second))))

    assert restarted(transcript, then) == {}


def test_what_comes_of_it_is_what_would_have_come(transcript: Transcript) -> None:
    signals = [*seated(), *transcript.signals()]
    plain = Server(transcript.truth["pbx"], {})
    for signal in signals:
        plain.apply(signal)
    expected = outcome(plain.floor, plain.calls)["calls"]

    def then(first: Server, second: Server, rest: list[Signal]) -> Any:
        calls = dict(first.calls)
        for signal in rest:
            second.apply(signal)
        return differences(outcome(second.floor, calls | second.calls)["calls"], expected)

    assert restarted(transcript, then) == {}
