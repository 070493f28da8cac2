"""Several tapes at once, desks that do anything, snapshots at any time: viewers agree and indexes are right."""

from __future__ import annotations

import random

import pytest

from cti_server.floor import topics
from cti_server.floor.apply import Floor
from tests.floor.audit import faults
from tests.floor.fold import Desktop, Viewer, fresh
from tests.floor.world import World


@pytest.mark.parametrize("seed", [*range(12), 1118])
def test_every_viewer_agrees(seed: int) -> None:
    floor, chance = Floor("demo"), random.Random(seed)
    world = World(floor, seed, tapes=1 + seed % 4, noise=0.3, loss=0.08 if seed > 1000 else 0.0)
    desktops = [Desktop(floor, Viewer(agent)) for agent in range(1, 7)]
    desktops.append(Desktop(floor, Viewer(0, (topics.FLOOR,))))
    watched: set[str] = set()
    for signal in world.signals():
        events = floor.apply(signal)
        for desktop in desktops:
            for event in events:
                desktop.take(event)
            desktop.forget_what_is_over()
            assert desktop.state == fresh(floor, desktop.viewer), (desktop.viewer, signal)
        for topic in [topics.queue("demo", q) for q in floor.queues] + [topics.call(c) for c in floor.calls]:
            if topic not in watched and chance.random() < 0.3:
                watched.add(topic)
                desktops.append(Desktop(floor, Viewer(0, (topic,))))


@pytest.mark.parametrize("seed", range(8))
def test_the_books_are_right_after_each_signal(seed: int) -> None:
    floor = Floor("demo")
    for signal in World(floor, seed, tapes=1 + seed % 4, noise=0.3).signals():
        floor.apply(signal)
        assert faults(floor) == [], signal
