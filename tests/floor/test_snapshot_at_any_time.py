"""A snapshot may be taken at any moment: one more of what the floor shows already changes nothing that comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from cti_server.floor.apply import Floor
from cti_server.floor.signals import LegEnded, LegRang, LegRow, Signal, Snapshot
from tests.floor.test_transcripts import seated
from tests.transcripts.play import Transcript


def as_it_is(floor: Floor, at: float) -> Snapshot:
    rows = (
        LegRow(
            leg=leg.id,
            linkedid=call.linkedid,
            channel=leg.channel,
            up=leg.up,
            number=leg.number,
            name=leg.name,
            exten=leg.exten,
            bridge=leg.bridge,
            age_s=at - leg.started_at,
            ringing=leg.ringing,
        )
        for call in floor.calls.values()
        for leg in call.legs.values()
    )
    assert floor.books.boot is not None
    return Snapshot(at, floor.books.boot, tuple(rows), whole=False, drift_check=True)


def with_one_more(signals: list[Signal], place: int, floor: Floor) -> Iterator[Signal]:
    for n, signal in enumerate(signals):
        if n == place and floor.books.boot:
            yield as_it_is(floor, signals[n - 1].at)
        yield signal


def parts(signals: list[Signal], pbx: str, place: int = -1) -> list[tuple[int | None, str | None, str | None]]:
    """Agent, leg and outcome of each part of each call, in the order in which they began."""
    floor = Floor(pbx)
    for signal in with_one_more(signals, place, floor):
        floor.apply(signal)
    return [(p.agent, p.leg, p.outcome) for call in floor.calls.values() for p in call.parts]


def late(signals: list[Signal], leg: str) -> list[Signal]:
    """As on a busy PBX: the leg of before ends only when the new one rings."""
    end = next(s for s in signals if isinstance(s, LegEnded) and s.leg == leg)
    rest = [s for s in signals if s is not end]
    rings = max(n for n, s in enumerate(rest) if isinstance(s, LegRang))
    return [*rest[: rings + 1], replace(end, at=rest[rings].at), *rest[rings + 1 :]]


@pytest.mark.parametrize("old_leg_ends", ["before", "late"])
def test_while_a_caller_is_brought_back_to_a_phone(old_leg_ends: str) -> None:
    tape = Transcript.load("desk-reconnect")
    signals = [*seated(), *tape.signals()]
    plain = parts(signals, tape.truth["pbx"])
    (_, first, _), _ = plain
    assert first is not None
    if old_leg_ends == "late":
        signals = late(signals, first)
    different = {n: found for n in range(len(signals)) if (found := parts(signals, tape.truth["pbx"], n)) != plain}
    assert different == {}
