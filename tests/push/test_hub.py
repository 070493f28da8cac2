"""Who is handed which frame: by agent, by topic, by right; and what becomes of a topic when the right is lost."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

from cti_server.floor import topics
from cti_server.push.frames import Frame, Note, of_event
from cti_server.push.hub import SLICE, Hub, Sink, Subscriber
from cti_server.rules.rights import Oversight, Viewer

STREAM = "pbx:a"
AT = "2026-11-22T05:00:00.000Z"
AUDIENCE: dict[str, Any] = {"agents": [], "topics": [], "everyone": False, "supervisors": False}


def frame(seq: int, kind: str = "x.changed", body: dict[str, Any] | None = None, **to: Any) -> Frame:
    return of_event(STREAM, seq, AT, kind, body or {}, AUDIENCE | to)


def serves(seq: int, agent: int, *queues: str) -> Frame:
    body = {"agent": agent, "pbx": "a", "queues": list(queues), "state": {}}
    return frame(seq, "me.changed", body, agents=[agent])


def left(seq: int, agent: int, call: str) -> Frame:
    body = {"agent": agent, "call": call, "part": {"state": "left"}, "leaves": True}
    return frame(seq, "part.changed", body, agents=[agent])


async def got(subscriber: Subscriber) -> list[Any]:
    """What it was handed: events by number, notes by topic and refusal."""
    said = [json.loads(one.text) for one in await subscriber.take(0)]
    return [one["seq"] if one["type"] == "event" else (one["topic"], one["refused"]) for one in said]


async def test_a_frame_goes_to_whom_it_concerns_once() -> None:
    hub = Hub()
    li, _ = hub.subscribe(Viewer(1))
    again, _ = hub.subscribe(Viewer(1))
    wang, _ = hub.subscribe(Viewer(2))
    zhao, _ = hub.subscribe(Viewer(3, "supervisor"))
    hub.open(zhao, STREAM, "floor")
    hub.publish(
        [
            frame(1, agents=[1]),
            frame(2, agents=[2, 3], topics=["floor"], supervisors=True),
            frame(3, supervisors=True),
            frame(4, everyone=True),
            frame(5, topics=["team"]),
            of_event(STREAM, 6, AT, "codes.changed", {}, None),
        ]
    )
    assert await got(li) == await got(again) == [1, 4, 6]
    assert await got(wang) == [2, 4, 6]
    assert await got(zhao) == [2, 3, 4, 6]
    assert hub.positions == {STREAM: 6}


async def test_what_comes_to_a_team_is_told_to_who_watches_that_team_only() -> None:
    hub = Hub()
    everybodys, _ = hub.subscribe(Viewer(1, "supervisor"))
    theirs, _ = hub.subscribe(Viewer(2, "supervisor", oversees=Oversight(frozenset({5}), frozenset())))
    others, _ = hub.subscribe(Viewer(3, "supervisor", oversees=Oversight(frozenset({6}), frozenset())))
    undo = [hub.open(one, STREAM, "floor") for one in (everybodys, theirs, others)][1]
    comes = frame(1, topics=[topics.OF_TEAMS], about={"agents": [5], "queues": []})
    hub.publish([comes])
    assert [await got(one) for one in (everybodys, theirs, others)] == [[], [1], []]
    for one, concerned in ((everybodys, False), (theirs, True), (others, False)):  # a desktop that resumes
        assert comes.concerns(one.viewer, hub.opened(one, STREAM)) is concerned
    undo()
    assert not theirs.open
    hub.open(theirs, STREAM, "floor")
    hub.close(theirs, "floor")
    assert not theirs.open
    hub.publish([comes])
    assert await got(theirs) == []


async def test_a_topic_is_opened_for_one_stream_and_closed_again() -> None:
    hub = Hub()
    li, leave = hub.subscribe(Viewer(1))
    undo = hub.open(li, STREAM, "team")
    hub.open(li, "pbx:b", "team")
    hub.publish([frame(1, topics=["team"])])
    undo()
    hub.publish([frame(2, topics=["team"])])
    assert await got(li) == [1]
    hub.open(li, STREAM, "team")
    hub.close(li, "team")
    hub.publish([frame(3, topics=["team"])])
    leave()
    hub.open(li, STREAM, "team")  # the answer of a slow database, after it left
    hub.publish([frame(4, topics=["team"], everyone=True)])
    assert await got(li) == []
    assert (len(hub), hub._of_topic, hub._of_agent, hub._serving) == (0, {}, {}, {}), "nothing is kept of it"


async def test_who_serves_a_queue_gets_its_counts_from_then_on_and_until_then() -> None:
    hub = Hub()
    li, _ = hub.subscribe(Viewer(1), {"a": ["support"], "b": ["support"]})
    support, sales = {"topics": ["serving:a/support"]}, {"topics": ["serving:a/sales"]}
    hub.publish([frame(1, **support), frame(2, **sales)])
    # The counts that the joining changed come before the event that tells of the joining.
    hub.publish([frame(3, **sales), serves(4, 1, "sales"), frame(5, **support), frame(6, **sales)])
    assert await got(li) == [1, 3, 4, 6]
    second, _ = hub.subscribe(Viewer(1), {"a": ["sales"]})
    hub.publish([frame(7, **sales)])
    assert await got(second) == await got(li) == [7]
    assert hub.opened(li, "pbx:b") == {"serving:b/support"}, "another PBX is not touched"


async def test_a_watched_queue_is_closed_when_the_agent_serves_it_no_more() -> None:
    hub = Hub()
    li, _ = hub.subscribe(Viewer(1), {"a": ["support", "sales"]})
    zhao, _ = hub.subscribe(Viewer(3, "supervisor"), {"a": ["support"]})
    for subscriber in (li, zhao):
        hub.open(subscriber, STREAM, "queue:a/support")
    hub.open(li, STREAM, "queue:a/sales")
    hub.publish([serves(1, 1, "sales"), serves(2, 3), frame(3, topics=["queue:a/support"])])
    hub.publish([frame(4, topics=["queue:a/sales"])])
    assert await got(li) == [1, ("queue:a/support", "not_yours"), 4]
    assert await got(zhao) == [2, 3]


async def test_a_watched_call_is_closed_when_the_agent_left_it() -> None:
    hub = Hub()
    li, _ = hub.subscribe(Viewer(1))
    zhao, _ = hub.subscribe(Viewer(3, "supervisor"))
    for subscriber in (li, zhao):
        hub.open(subscriber, STREAM, "call:a:1:x.1")
    hub.publish([left(1, 1, "a:1:x.1"), left(2, 3, "a:1:x.1"), frame(3, topics=["call:a:1:x.1"])])
    assert await got(li) == [1, ("call:a:1:x.1", "not_yours")]
    assert await got(zhao) == [2, 3]


async def test_a_desktop_has_so_many_topics_open_at_most(monkeypatch: Any) -> None:
    """The bound at size 1."""
    monkeypatch.setattr("cti_server.push.hub.MAX_OPEN", 1)
    hub = Hub()
    li, _ = hub.subscribe(Viewer(1))
    hub.open(li, "desk", "customer:1")
    hub.open(li, "desk", "customer:2")
    assert await got(li) == [("customer:1", "unknown")]
    assert hub.opened(li, "desk") == {"customer:2"}


async def test_presence_is_told_with_the_first_and_the_last_desktop() -> None:
    hub, seen = Hub(), []
    hub.presence = lambda agent, connected: seen.append((agent, connected))
    _, leave = hub.subscribe(Viewer(1))
    _, leave_too = hub.subscribe(Viewer(1))
    leave()
    leave()
    assert (seen, set(hub.agents())) == ([(1, True)], {1})
    leave_too()
    assert (seen, set(hub.agents())) == ([(1, True), (1, False)], set())


async def test_finding_the_readers_visits_only_them() -> None:
    """Ten thousand desktops are connected, one is concerned: no other is looked at."""
    hub = Hub()
    for agent in range(10_000):
        hub.subscribe(Viewer(agent))
    assert [one.viewer.agent for one in hub._readers(frame(1, agents=[77]))] == [77]
    assert hub._readers(frame(1, agents=[77])) is hub._of_agent[77]


async def test_who_waits_is_handed_a_frame_at_once_and_a_crowd_a_slice_at_a_time() -> None:
    hub, crowd = Hub(), 3 * SLICE + 10
    told: list[list[int]] = [[] for _ in range(crowd)]

    def sink(number: int) -> Sink:
        def takes(one: Frame | Note) -> bool:
            told[number].append(json.loads(one.text)["seq"])
            return True

        return takes

    async def waits(number: int) -> None:
        subscriber, _ = hub.subscribe(Viewer(number))
        await subscriber.take(30, sink(number))

    sessions = [asyncio.create_task(waits(number)) for number in range(crowd)]
    await asyncio.sleep(0)
    hub.publish([frame(1, agents=[7])])
    assert told[7] == [1], "the one reader has it when publish returns"
    turns = [sum(map(len, told))]
    hub.publish([frame(2, everyone=True), frame(3, everyone=True)])
    while sum(map(len, told)) < 2 * crowd + 1:
        turns.append(sum(map(len, told)))
        await asyncio.sleep(0)
    assert all(numbers[-2:] == [2, 3] for numbers in told), "each has all, in order"
    assert len(turns) >= 4, "others had their turn in between"
    assert max(later - earlier for earlier, later in itertools.pairwise(turns)) <= 2 * SLICE
    for session in sessions:
        session.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)


async def test_what_is_refused_waits_for_its_session_in_order() -> None:
    hub, taken = Hub(), list[int]()
    busy = False

    def sink(one: Frame | Note) -> bool:
        if busy:
            return False
        taken.append(json.loads(one.text)["seq"])
        return True

    subscriber, _ = hub.subscribe(Viewer(1))
    taking = asyncio.create_task(subscriber.take(30, sink))
    await asyncio.sleep(0)
    hub.publish([frame(1, agents=[1])])
    busy = True
    hub.publish([frame(2, agents=[1])])
    busy = False
    hub.publish([frame(3, agents=[1])])
    assert taken == [1], "what came later does not overtake"
    assert [json.loads(one.text)["seq"] for one in await taking] == [2, 3]
