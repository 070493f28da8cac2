"""The edges of topics: rights that go and come back in one step, limits, and what was held back."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from cti_server import memory
from cti_server.floor import topics, views
from cti_server.floor.apply import Floor
from cti_server.floor.events import Event
from cti_server.floor.signals import LegDialled, LegEnded, LegStarted, LegTransferred, MemberRemoved, Signal
from cti_server.live.floors import thing_of
from cti_server.push import frames
from cti_server.push.frames import FIRST
from cti_server.push.hub import MAX_OPEN, Hub, Subscriber
from cti_server.push.paced import Paced
from cti_server.rules import rights
from cti_server.rules.rights import Viewer
from tests.floor.replicas import replica_of
from tests.floor.test_edges import answered, caller, floor_with_agents, member

STREAM = "pbx:demo"


def framed(events: list[Event], seq: int = 1) -> list[frames.Frame]:
    return [
        frames.of_event(STREAM, seq + n, "", e.kind, e.body, memory.audience_of(e)) for n, e in enumerate(events)
    ]


def said(subscriber: Subscriber) -> list[dict[str, Any]]:
    got = [json.loads(frame.text) for frame in subscriber._waiting]
    subscriber._waiting.clear()
    return got


def publish(hub: Hub, floor: Floor, *signals: Signal) -> None:
    for signal in signals:
        hub.publish(framed(floor.apply(signal)))


def test_a_call_that_comes_back_to_who_writes_it_up_stays_open_on_their_screen() -> None:
    """Its old part is `left` and its new one rings, in one step."""
    floor, hub = floor_with_agents(), Hub()
    li = hub.subscribe(Viewer(1))[0]
    leg = caller(floor)
    mine = answered(floor, leg, "PJSIP/1001", 3.0, mine="a.1")
    (call,) = floor.calls.values()
    hub.open(li, STREAM, topics.call(call.id))
    publish(
        hub,
        floor,
        LegTransferred(5.0, mine, leg, False, target="1002"),
        LegEnded(5.1, mine, leg, 16),
        LegStarted(6.0, "a.2", leg, "PJSIP/1001-00000002", False, "1001", None, None),
        LegDialled(6.0, "a.2", leg, leg, "PJSIP/1001-00000002", "1001"),
    )
    assert [(p.agent, p.state.value) for p in call.parts] == [(1, "left"), (1, "ringing")]
    assert rights.may_see(Viewer(1), thing_of(replica_of(floor.books), call.id))
    assert [frame for frame in said(li) if "refused" in frame] == []
    assert (STREAM, topics.call(call.id)) in li.open


@pytest.mark.parametrize("count", [50, 51, MAX_OPEN])
def test_a_desktop_may_resume_with_as_many_topics_as_it_may_have_open(count: int) -> None:
    """Else it is closed with 4401, comes back with the same list, and so on for ever (store/session/topics.ts)."""
    names = [f"call:demo:1:x.{n}" for n in range(count)]
    FIRST.validate_json(json.dumps({"type": "resume", "ticket": "t", "positions": {STREAM: 1}, "topics": names}))


def test_who_serves_a_queue_no_more_is_not_told_its_counts() -> None:
    """The counts wait up to half a second, the word that the queue is gone does not."""
    floor, hub = floor_with_agents(), Hub()
    paced = Paced(lambda agent: views.member_of_team(views.agent_view(floor.books, floor.agents[agent])))
    li = hub.subscribe(Viewer(1))[0]
    paced.take(floor.apply(member(1.0, "other", "PJSIP/1002", "PJSIP/1002")))  # the half second begins
    hub.publish(framed(paced.take(floor.apply(member(1.1, "support", "PJSIP/1001", "PJSIP/1001")))))
    hub.publish(framed(paced.take(floor.apply(MemberRemoved(1.2, "support", "PJSIP/1001")))))
    said(li)
    hub.publish(framed(paced.take([], at_once=True)))
    assert [frame["body"]["queue"]["queue"] for frame in said(li) if frame["kind"] == "queue.changed"] == []


def test_a_topic_of_two_streams_is_evicted_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The desktop is told that it is not open, and drops it."""
    monkeypatch.setattr("cti_server.push.hub.MAX_OPEN", 2)
    hub = Hub()
    zhao = hub.subscribe(Viewer(3, "supervisor"))[0]
    for stream in ("pbx:a", "pbx:b"):
        hub.open(zhao, stream, "floor")
    hub.open(zhao, "pbx:a", "team")
    assert [(frame["topic"], frame["refused"]) for frame in said(zhao)] == [("floor", "unknown")]
    assert "floor" not in {topic for _, topic in zhao.open}


async def test_a_desktop_that_missed_something_is_not_left_until_the_next_heartbeat() -> None:
    waiting = Hub().subscribe(Viewer(1))[0]
    taking = asyncio.create_task(waiting.take(60))
    await asyncio.sleep(0)
    waiting.overran()
    assert await asyncio.wait_for(taking, 5) == []
    assert waiting.overrun
