"""A replica that folds the events of a floor is what a whole floor taken now would make of it: at every signal of
every recorded call, whenever it began."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cti_server.floor import views
from cti_server.floor.apply import Floor
from cti_server.floor.desk_signals import ShiftBegan, ShiftEnded
from cti_server.floor.replica import Replica
from tests.floor.test_transcripts import seated
from tests.transcripts.play import Transcript, names


def loaded(whole: dict[str, Any], pbx: str) -> Replica:
    """From a whole floor that went through the record."""
    replica = Replica(pbx)
    replica.load(json.loads(json.dumps(whole)))
    return replica


def plain(whole: dict[str, Any]) -> dict[str, Any]:
    """In one order: which of two calls began first is no matter here. A change of the counted parts of `about` is
    told with the call's next event."""
    return {
        "link": whole["link"],
        "agents": sorted(whole["agents"], key=lambda agent: int(agent["agent"])),
        "queues": sorted(whole["queues"], key=lambda queue: str(queue["queue"])),
        "members": sorted(whole["members"], key=lambda member: (member["queue"], member["interface"])),
        "calls": sorted(whole["calls"], key=lambda told: str(told["call"]["call"])),
    }


def indexes(replica: Replica, calls: list[str], agents: list[int]) -> Any:
    """All that a replica can be asked."""
    return {
        "calls": {call: replica.call_topic(call) for call in calls},
        "agents": {
            agent: (
                sorted((part["call"], part["position"]) for part in replica.parts_of(agent)),
                replica.serves(agent),
                {call["call"] for call in replica.desk_of(agent)["calls"]},
            )
            for agent in agents
        },
        "floor": {call["call"] for call in replica.floor_topic()["calls"]},
        "team": sorted(member["agent"] for member in replica.team_topic()["team"]),
        "queues": {name: replica.queue_topic(name) for name in replica.queues},
        "seats": {agent["shift"]["seat"] for agent in replica.agents.values() if agent["shift"] is not None},
    }


@pytest.mark.parametrize("name", names())
def test_the_folded_floor_is_the_whole_floor(name: str) -> None:
    transcript = Transcript.load(name)
    floor = Floor(transcript.truth["pbx"])
    folded = loaded(views.whole(floor.books), floor.pbx)
    later: list[Replica] = []
    signals = [*seated(), *transcript.signals()]
    shifts = [ShiftBegan(0.0, 1, "PJSIP/1001", "1001", "desk", ()), ShiftEnded(signals[-1].at, 1)]
    for at, signal in enumerate([*signals[:5], shifts[0], *signals[5:], shifts[1]]):
        for event in floor.apply(signal):
            for replica in (folded, *later):
                replica.take(event.kind, event.body, event.about)
        whole = views.whole(floor.books)
        assert plain(folded.whole()) == plain(whole), signal
        if at % 7 == 0:
            later = [loaded(whole, floor.pbx)]
        for replica in later:
            calls, agents = sorted(folded.calls), sorted(folded.agents)
            assert indexes(replica, calls, agents) == indexes(folded, calls, agents), signal
