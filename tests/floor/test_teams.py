"""A supervisor of one team sees the floor of that team: old snapshot + events = fresh snapshot, and nothing
else."""

from __future__ import annotations

from typing import Any

import pytest

from cti_server.floor import topics, views
from cti_server.floor.apply import Floor
from cti_server.floor.books import Books
from cti_server.live.feed import of_floor
from cti_server.memory import audience_of
from cti_server.push.frames import of_event
from cti_server.rules.rights import Oversight, Viewer
from tests.floor.replicas import replica_of
from tests.floor.test_transcripts import seated
from tests.transcripts.play import Transcript, names

TEAMS = {
    "one agent": Oversight(frozenset({1, 90}), frozenset()),
    "two agents": Oversight(frozenset({2, 3, 91}), frozenset()),
    "a queue": Oversight(frozenset({92}), frozenset({"demo/support"})),
    "nobody": Oversight(frozenset({93}), frozenset()),
}


def seen(books: Books, viewer: Viewer) -> dict[str, dict[str, Any]]:
    snapshot = of_floor(replica_of(books), topics.FLOOR, viewer)
    return {
        "calls": {view["call"]: view for view in snapshot["calls"]},
        "queues": {view["queue"]: view for view in snapshot["queues"]},
    }


@pytest.mark.parametrize("team", TEAMS)
@pytest.mark.parametrize("name", names())
def test_the_floor_of_a_team(name: str, team: str) -> None:
    transcript = Transcript.load(name)
    floor = Floor(transcript.truth["pbx"])
    viewer = Viewer(99, "supervisor", oversees=TEAMS[team])
    has = seen(floor.books, viewer)
    for signal in [*seated(), *transcript.signals()]:
        for event in floor.apply(signal):
            frame = of_event("pbx:demo", 1, "", event.kind, event.body, audience_of(event))
            if not frame.concerns(viewer, topics.BY_TEAM):
                continue
            if "call" in event.kind and isinstance(event.body.get("call"), dict):
                has["calls"][event.body["call"]["call"]] = event.body["call"]
            elif event.kind == "queue.changed":
                has["queues"][event.body["queue"]["queue"]] = event.body["queue"]
            elif event.kind == "queue.removed":
                has["queues"].pop(event.body["queue"], None)
        going_on = {key for key, call in floor.calls.items() if not call.ended}
        has["calls"] = {key: view for key, view in has["calls"].items() if key in going_on}
        assert has == seen(floor.books, viewer), signal
    if team == "nobody":
        assert has == {"calls": {}, "queues": {}}


def test_a_team_that_was_told_of_a_call_is_told_to_its_end() -> None:
    """What a call is about only grows, also when it is merged into another."""
    for name in names():
        transcript = Transcript.load(name)
        floor = Floor(transcript.truth["pbx"])
        before: dict[str, Any] = {}
        for signal in [*seated(), *transcript.signals()]:
            floor.apply(signal)
            for call in floor.calls.values():
                now = views.about(call)
                if (was := before.get(call.id)) is not None:
                    assert was.agents <= now.agents, (name, call.id)
                    assert was.queues <= now.queues, (name, call.id)
                before[call.id] = now
