"""A queue that the PBX does not have any more leaves every screen; its description stays, should it come back."""

from __future__ import annotations

import pytest

from cti_server.asterisk.snapshot import compared
from cti_server.floor import topics
from cti_server.floor.apply import Floor
from cti_server.floor.descriptions import Description
from cti_server.floor.desk_signals import AgentSeated
from cti_server.floor.signals import (
    LegRow,
    LegStarted,
    MemberChanged,
    MemberRemoved,
    MemberStatus,
    QueueDescribed,
    QueueJoined,
    Signal,
    Snapshot,
)
from tests.floor.fold import Desktop, Viewer, fresh

VIEWERS = (Viewer(1), Viewer(0, (topics.FLOOR,)), Viewer(0, (topics.queue("demo", "night"),)))
BOTH, SUPPORT = ("night", "support"), ("support",)


def member(queue: str, at: float = 1.0) -> MemberChanged:
    return MemberChanged(at, queue, "PJSIP/1001", "PJSIP/1001", "Anna", MemberStatus.IDLE, False, None)


MEMBERS = (member("night"), member("support"))


class Stage:
    """Anna serves two queues; she, a supervisor, and who opened one of them look on."""

    def __init__(self) -> None:
        self.floor = Floor("demo")
        self.told: list[str] = []
        self.floor.apply(AgentSeated(0.5, 1, "Anna", "PJSIP/1001"))
        self.floor.apply(QueueDescribed(0.5, "night", Description("Night line", "夜间")))
        self.floor.apply(Snapshot(1.0, 1, (), BOTH, MEMBERS))
        self.desktops = [Desktop(self.floor, viewer) for viewer in VIEWERS]

    def play(self, *signals: Signal) -> None:
        for signal in signals:
            events = self.floor.apply(signal)
            self.told += [event.kind for event in events]
            for desktop in self.desktops:
                for event in events:
                    desktop.take(event)
                assert desktop.state == fresh(self.floor, desktop.viewer), (desktop.viewer, signal)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def check(first: tuple[str, ...], second: tuple[str, ...], at: float = 31.0, whole: bool = True) -> Snapshot:
    looks = [
        Snapshot(at - 1 + n, 1, (), queues, tuple(m for m in MEMBERS if m.queue in queues), whole=whole)
        for n, queues in enumerate((first, second))
    ]
    return compared(*looks)


@pytest.mark.parametrize("look", [Snapshot(31.0, 1, (), SUPPORT, (MEMBERS[1],)), check(SUPPORT, SUPPORT)])
def test_it_leaves_every_screen_and_comes_back_as_it_is_described(stage: Stage, look: Snapshot) -> None:
    stage.play(look)
    assert list(stage.floor.queues) == ["support"]
    assert "queue.removed" in stage.told
    stage.play(
        MemberRemoved(32.0, "night", "PJSIP/1001"), QueueDescribed(33.0, "night", Description("Night", "夜"))
    )
    assert list(stage.floor.queues) == ["support"]
    stage.play(check(BOTH, BOTH, 61.0))
    assert stage.desktops[1].state["floor"]["queues"]["night"]["title_zh"] == "夜"


@pytest.mark.parametrize(
    "look", [check(BOTH, SUPPORT), check(SUPPORT, BOTH), check(SUPPORT, SUPPORT, whole=False), check(BOTH, BOTH)]
)
def test_one_look_that_lacks_it_proves_nothing(stage: Stage, look: Snapshot) -> None:
    stage.play(look)
    assert sorted(stage.floor.queues) == ["night", "support"]
    assert "queue.removed" not in stage.told


def test_one_that_came_meanwhile_stays(stage: Stage) -> None:
    stage.play(
        LegStarted(30.5, "x.1", "x.1", "PJSIP/trunk-00000001", True, "100", None, "400"),
        QueueJoined(30.5, "x.1", "x.1", "vip", 1),
        check(SUPPORT, SUPPORT),
    )
    assert sorted(stage.floor.queues) == ["support", "vip"]


def test_what_only_the_record_has_is_shown_until_the_pbx_is_asked() -> None:
    floor = Floor("demo")
    floor.apply(QueueDescribed(0.5, "night", Description("Night line", "夜间")))
    assert list(floor.queues) == ["night"]
    told = [
        e.kind for e in floor.apply(Snapshot(1.0, 1, (LegRow("x", "x", "PJSIP/t-00000001", True, *[None] * 5),)))
    ]
    assert list(floor.queues) == []
    assert "queue.removed" in told
