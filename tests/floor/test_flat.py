"""A signal costs what it touches: the same on a floor of ten calls and on one of thousands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.floor.big import big, cost_of_each, counted, drift_check, retold, ring_all, the_call
from tests.floor.replicas import replica_of

SIZES = [(10, 10), (10, 300), (1000, 10), (1000, 300)]


def test_each_signal_looks_at_and_builds_the_same_on_a_floor_of_any_size() -> None:
    costs = []
    for calls, agents in SIZES:
        floor = big(calls, agents)
        for signal in retold(the_call(), 1):  # what the first one finds new, the next do not
            floor.apply(signal)
        costs.append(cost_of_each(floor, retold(the_call(), 2)))
    for small, large in pairwise(costs):
        assert small == large
    assert max(things for _, things, _, _ in costs[0]) < 20


class Looked(dict[str, Any]):
    """Calls by id, and how often one was looked up."""

    times = 0

    def __getitem__(self, call: str) -> Any:
        self.times += 1
        return super().__getitem__(call)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("all calls are gone through")


@pytest.mark.parametrize("agents", [10, 300])
def test_the_first_snapshot_of_a_desktop_costs_what_that_desktop_sees(agents: int) -> None:
    """It is of views that are there already: nothing of the floor is looked at, and nothing is built."""
    floor = big(300, agents)
    replica = replica_of(floor.books)
    replica.calls = looked = Looked(replica.calls)
    with counted() as counts:
        desk = replica.desk_of(2)
    assert len(desk["calls"]) == 1
    assert counts.told()[0] == 0
    assert looked.times < 5


def test_a_phone_that_rings_beside_fifty_others_tells_their_agents_nothing() -> None:
    """Each is shown the call when it is offered to them, not again for each phone that rings after theirs."""
    floor = big(10, 60)
    told: Counter[int] = Counter()
    for signal in ring_all(50):
        for event in floor.apply(signal):
            if event.kind.startswith("call."):
                told.update(event.agents)
    assert told.total() < 50, told


def test_a_drift_check_that_finds_nothing_tells_nothing_and_builds_nothing() -> None:
    floor = big(500, 50)
    check = drift_check(floor)
    floor.apply(check)
    with counted() as counts:
        assert floor.apply(check) == []
    assert counts.views == 0
