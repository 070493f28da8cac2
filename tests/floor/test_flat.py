"""A signal costs what it touches: the same on a floor of ten calls and on one of thousands."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.floor.big import big, cost_of_each, counted, drift_check, retold, the_call
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


@pytest.mark.parametrize("agents", [10, 300])
def test_the_first_snapshot_of_a_desktop_costs_what_that_desktop_sees(agents: int) -> None:
    floor = big(300, agents)
    with counted() as counts:
        desk = replica_of(floor.books).desk_of(2)
    assert len(desk["calls"]) == 1
    assert counts.told()[0] < 20


def test_a_drift_check_that_finds_nothing_tells_nothing_and_builds_nothing() -> None:
    floor = big(500, 50)
    check = drift_check(floor)
    floor.apply(check)
    with counted() as counts:
        assert floor.apply(check) == []
    assert counts.views == 0
