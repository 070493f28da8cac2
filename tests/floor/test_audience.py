"""The audience of every event of every recorded call: whoever is told may see the thing by asking for it, too.

What GET answers is decided by `may_see` (tests/api/test_audience.py asks over HTTP); here it is held against the
audiences that the floor really gives.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cti_server.floor import topics
from cti_server.floor.apply import Floor
from cti_server.floor.events import Event
from cti_server.live.floors import thing_of
from cti_server.rules import rights
from cti_server.rules.rights import Viewer, may_see
from tests.floor.replicas import replica_of
from tests.floor.test_transcripts import SEATS, seated
from tests.transcripts.play import Transcript, names


@pytest.fixture(params=names())
def transcript(request: pytest.FixtureRequest) -> Transcript:
    return Transcript.load(request.param)


def viewers(floor: Floor) -> Iterator[Viewer]:
    """Each agent, and a supervisor who sits nowhere."""
    for agent in SEATS:
        serves = floor.books.serves(floor.agents[agent]) if agent in floor.agents else frozenset()
        yield Viewer(agent, serves=frozenset(f"{floor.pbx}/{name}" for name in serves))
    yield Viewer(99, "supervisor")


def may_open(floor: Floor, viewer: Viewer, topic: str) -> bool:
    """As the feed decides it; `serving:` is kept by the hub, and follows from who serves the queue."""
    kind, rest = topics.parse(topic) or (topic, "")
    match kind:
        case "floor" | topics.OF_TEAMS:
            return may_see(viewer, rights.Floor())
        case "queue":
            return may_see(viewer, rights.Queue(*rest.split("/", 1)))
        case "serving":
            return rest in viewer.serves
        case "call":
            return rest in floor.calls and may_see(viewer, thing_of(replica_of(floor.books), rest))
    raise AssertionError(f"no event of a floor belongs to {topic}")


def thing(floor: Floor, event: Event) -> rights.Thing:
    body = event.body
    match event.kind.partition(".")[0]:
        case "call":
            return _call(floor, body["call"]["call"])
        case "card":
            return _call(floor, body["call"])
        case "part":
            return rights.Part(body["agent"], _call(floor, body["call"]))
        case "queue" if event.kind == "queue.removed":
            return rights.Queue(body["pbx"], body["queue"])
        case "queue":
            return rights.Queue(body["queue"]["pbx"], body["queue"]["queue"])
        case "member":
            return rights.Queue(body["pbx"], body["queue"])
        case "me":
            return rights.Own(body["agent"])
        case "link":
            return rights.Shared()
    raise AssertionError(f"nobody said who may see {event.kind}")


def _call(floor: Floor, call_id: str) -> rights.Call:
    """One that has left the floor with this event is nobody's."""
    replica = replica_of(floor.books)
    return thing_of(replica, call_id) if call_id in replica.calls else rights.Call(floor.pbx, "ended", frozenset())


def is_farewell(event: Event) -> bool:
    """A call that became part of another says so to those whose desktops hold it."""
    return event.kind == "call.ended" and event.body["call"]["merged_into"] is not None


def test_whoever_is_told_may_see_it(transcript: Transcript) -> None:
    floor = Floor(transcript.truth["pbx"])
    for signal in [*seated(), *transcript.signals()]:
        for event in floor.apply(signal):
            for viewer in viewers(floor):
                opened = any(may_open(floor, viewer, topic) for topic in event.topics)
                is_told = event.everyone or viewer.agent in event.agents or opened
                if is_told and not is_farewell(event):
                    assert may_see(viewer, thing(floor, event)), (viewer, event)


def test_an_agent_who_is_not_in_a_call_hears_nothing_of_it(transcript: Transcript) -> None:
    floor = Floor(transcript.truth["pbx"])
    for signal in [*seated(), *transcript.signals()]:
        for event in floor.apply(signal):
            if event.kind.startswith("call.") and not is_farewell(event):
                call = floor.calls.get(event.body["call"]["call"])
                there = {part.agent for part in call.parts if part.live} if call is not None else set()
                assert event.agents <= there, event
