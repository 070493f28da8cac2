"""A drift check at any moment of any recorded call changes nothing: neither one of what the floor knows already,
nor one of lists that are ahead of the events, as the lists of a busy PBX are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cti_server.asterisk.snapshot import DRIFT_GAP_S, compared
from cti_server.floor.apply import Floor
from cti_server.floor.signals import LegEnded, LegRang, Signal, Snapshot
from tests.floor.looks import look, what_came
from tests.floor.test_transcripts import SEATS, seated
from tests.transcripts.play import Transcript, names

AHEAD_S = 0.5  # by which the second look of a drift check is ahead of the events that the floor has heard


@pytest.fixture(params=names())
def transcript(request: pytest.FixtureRequest) -> Transcript:
    return Transcript.load(request.param)


def looks_of(signals: list[Signal], pbx: str) -> list[Snapshot]:
    """What a look at the PBX shows after each signal."""
    floor = Floor(pbx)
    found = []
    for signal in signals:
        floor.apply(signal)
        found.append(look(floor, signal.at))
    return found


def with_check(signals: list[Signal], place: int, check: Snapshot) -> Iterator[Signal]:
    yield from signals[:place]
    yield check
    yield from signals[place:]


def is_reconnect(signal: Signal) -> bool:
    return isinstance(signal, Snapshot) and not signal.drift_check


def differing(signals: list[Signal], pbx: str, ahead_s: float | None) -> tuple[int, dict[int, Any]]:
    """How many places a check was put at, and what came of those that changed anything."""
    plain, looks = what_came(Floor(pbx), signals), looks_of(signals, pbx)
    begun = next((n for n, signal in enumerate(signals) if isinstance(signal, Snapshot)), len(SEATS))
    tried, found = 0, {}
    for place in range(begun + 1, len(signals)):
        second = place - 1
        while ahead_s is not None and second + 1 < len(signals):
            following = signals[second + 1]
            if following.at > signals[place - 1].at + ahead_s or is_reconnect(following):
                break  # a check runs on one connection
            second += 1
        at = signals[second].at - (DRIFT_GAP_S if ahead_s is not None else 0.0)
        first = max((n for n in range(begun, second + 1) if signals[n].at <= at), default=begun)
        if any(is_reconnect(s) for s in signals[first + 1 : second + 1]):
            continue
        check = compared(looks[first], looks[second])
        tried += 1
        if (came := what_came(Floor(pbx), with_check(signals, place, check))) != plain:
            found[place] = came
    return tried, found


def test_what_the_floor_knows_already(transcript: Transcript) -> None:
    tried, found = differing([*seated(), *transcript.signals()], transcript.truth["pbx"], None)
    assert tried
    assert sorted(found) == []


def test_lists_that_are_ahead_of_the_events(transcript: Transcript) -> None:
    tried, found = differing([*seated(), *transcript.signals()], transcript.truth["pbx"], AHEAD_S)
    assert tried
    assert sorted(found) == []


def late(signals: list[Signal], leg: str) -> list[Signal]:
    """As on a busy PBX: the leg of before ends only when the new one rings."""
    end = next(s for s in signals if isinstance(s, LegEnded) and s.leg == leg)
    rest = [s for s in signals if s is not end]
    rings = max(n for n, s in enumerate(rest) if isinstance(s, LegRang))
    return [*rest[: rings + 1], replace(end, at=rest[rings].at), *rest[rings + 1 :]]


def test_a_caller_is_brought_back_to_a_phone_whose_old_leg_ends_late() -> None:
    tape = Transcript.load("desk-reconnect")
    signals, pbx = [*seated(), *tape.signals()], tape.truth["pbx"]
    ((_, first, *_), _), *_ = what_came(Floor(pbx), signals)["parts"].values()
    signals = late(signals, first)
    tried, found = differing(signals, pbx, None)
    assert tried
    assert sorted(found) == []
