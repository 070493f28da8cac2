"""An agent's day in numbers."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from cti_server.rules.figures import Stretch, numbers, spans, time_in

EIGHT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return EIGHT + timedelta(minutes=minutes)


ids = itertools.count(1)


def stretch(**fields: Any) -> Stretch:
    """Of a contact of its own, unless `contact` is given."""
    given: dict[str, Any] = {
        "contact": next(ids),
        "origin": "offer",
        "outcome": "answered",
        "offered_at": at(0),
        "answered_at": at(0.1),
        "ended_at": at(4),
        "wrapped_at": at(5),
        "ring_ms": 6_000,
        "talk_ms": 180_000,
        "hold_ms": 54_000,
    }
    return Stretch(**given | fields)


DAY = [
    (at(-60), "signed_out", None),
    (at(0), "not_ready", "signed_in"),
    (at(10), "ready", None),
    (at(20), "reserved", None),
    (at(21), "talking", None),
    (at(25), "hold", None),
    (at(26), "talking", None),
    (at(30), "wrap_up", None),
    (at(32), "not_ready", "lunch"),
    (at(92), "ready", None),
]


def test_time_in_each_state() -> None:
    found = spans(DAY, at(-30), at(102))
    assert [(s.name, s.reason, s.ms // 60_000) for s in found][:3] == [
        ("signed_out", None, 30),
        ("not_ready", "signed_in", 10),
        ("ready", None, 10),
    ]
    assert {key: ms // 60_000 for key, ms in time_in(found).items()} == {
        ("not_ready", "lunch"): 60,
        ("ready", None): 20,
        ("not_ready", "signed_in"): 10,
        ("talking", None): 8,
        ("wrap_up", None): 2,
        ("reserved", None): 1,
        ("hold", None): 1,
    }


def test_a_day_without_a_change_and_one_that_has_not_begun() -> None:
    assert spans([], at(0), at(10)) == []
    assert spans([(at(-5), "ready", None)], at(0), at(0)) == []
    assert [s.ms for s in spans([(at(-5), "ready", None)], at(0), at(1))] == [60_000]
    assert spans([(at(5), "ready", None), (at(5), "talking", None)], at(0), at(6))[0].name == "talking"


def test_occupancy_is_contact_by_contact_and_ready() -> None:
    counted = numbers((), spans(DAY, at(0), at(102)), at(102))
    assert (counted.on_contact_ms, counted.ready_ms) == (11 * 60_000, 20 * 60_000)
    assert counted.occupancy == round(11 / 31, 4)
    assert numbers((), (), at(0)).occupancy is None


def test_a_call_that_goes_on_counts_up_to_now() -> None:
    on = stretch(answered_at=at(92), ended_at=None, wrapped_at=None, outcome=None, talk_ms=60_000, hold_ms=0)
    counted = numbers([on], spans([*DAY, (at(92), "talking", None)], at(0), at(102)), at(102))
    assert (counted.talk_ms, counted.hold_ms, counted.aht_ms) == (600_000, 0, 600_000)
    counted = numbers([on], spans([*DAY, (at(93), "hold", None)], at(0), at(102)), at(102))
    assert (counted.talk_ms, counted.hold_ms, counted.aht_ms) == (60_000, 540_000, 600_000)


def test_counts_and_aht() -> None:
    calls = [
        stretch(),
        stretch(wrapped_at=None),  # wraps up still
        stretch(outcome="no_answer", answered_at=None, ended_at=at(1), talk_ms=0, hold_ms=0, ring_ms=20_000),
        stretch(outcome="rejected", answered_at=None, talk_ms=0, hold_ms=0, ring_ms=0),
        stretch(origin="outbound", offered_at=at(6), hold_ms=0, wrapped_at=at(4)),
        stretch(ended_at=None, outcome=None, wrapped_at=None, talk_ms=0, hold_ms=0),  # talks still
    ]
    counted = numbers(calls, (), at(7))
    assert (counted.offered, counted.handled, counted.no_answer, counted.rejected, counted.outbound) == (
        5,
        4,
        1,
        1,
        1,
    )
    assert (counted.talk_ms, counted.hold_ms, counted.wrap_ms) == (540_000 + 414_000, 108_000, 240_000)
    assert counted.ring_ms == 44_000
    assert counted.aht_ms == (954_000 + 108_000 + 240_000) // 4
    assert numbers((), (), at(0)).aht_ms is None


def test_a_contact_counts_once_however_often_it_came_back() -> None:
    """Rang out at first, then answered, parked, and fetched again; another one consulted me twice."""
    calls = [
        stretch(contact=1, outcome="no_answer", answered_at=None, talk_ms=0, hold_ms=0),
        stretch(contact=1, outcome="transferred", wrapped_at=at(4)),
        stretch(contact=1, origin="pickup"),
        stretch(contact=2, origin="consult"),
        stretch(contact=2, origin="consult"),
        stretch(contact=3, origin="pickup"),
        stretch(contact=4, origin="outbound"),
        stretch(contact=4, origin="pickup"),
    ]
    counted = numbers(calls, (), at(9))
    assert (counted.handled, counted.offered, counted.outbound, counted.no_answer) == (4, 2, 1, 1)
    assert counted.aht_ms == (counted.talk_ms + counted.hold_ms + counted.wrap_ms) // 4
