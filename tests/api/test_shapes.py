"""Every view and every event of every recorded call is what the API's document says, no more and no less."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import pytest
from pydantic import ConfigDict, TypeAdapter

from cti_server.api import events
from cti_server.api.events import CallTopic, FloorTopic, QueueTopic, TeamTopic
from cti_server.api.live_shapes import LinkView, PartView
from cti_server.floor import views
from cti_server.floor.apply import Floor
from cti_server.floor.events import Event
from cti_server.floor.replica import Replica
from cti_server.lookup.identify import Lookup
from cti_server.lookup.shapes import Card
from cti_server.push.cards import Cards
from tests.floor.replicas import replica_of
from tests.floor.test_transcripts import SEATS, seated
from tests.transcripts.play import Transcript, names


class Shape:
    """Takes what has every field of a TypedDict, each of its type, and no field more, at any depth."""

    def __init__(self, shape: Any) -> None:
        # In a list, for pydantic lets no adapter configure a TypedDict itself; what is in it is configured too.
        self._adapter = TypeAdapter[Any](list[shape], config=ConfigDict(extra="forbid", strict=True))

    def check(self, *values: Any) -> None:
        self._adapter.validate_python(list(values))


FLOOR, TEAM, QUEUE, CALL = Shape(FloorTopic), Shape(TeamTopic), Shape(QueueTopic), Shape(CallTopic)
PART, LINK, EVENT = Shape(PartView), Shape(LinkView), Shape(events.ServerEvent)


def check_floor(floor: Floor) -> None:
    """All that a desktop may be given of this floor."""
    books = floor.books
    FLOOR.check(replica_of(books).floor_topic())
    TEAM.check(replica_of(books).team_topic())
    for queue in list(books.queues):
        QUEUE.check(replica_of(books).queue_topic(queue))
    for call in list(books.calls):
        CALL.check(replica_of(books).call_topic(call))
    for agent in SEATS:
        desk = replica_of(books).desk_of(agent)
        assert desk.keys() == {"calls", "parts", "queues"}
        PART.check(*desk["parts"])
    link = views.link_view(books)
    assert link.pop("pbx") == books.pbx
    LINK.check(link)


def check_events(happened: Iterable[Event], replica: Replica, cards: Cards) -> None:
    """Each event as a desktop gets it."""
    for event in happened:
        replica.take(event.kind, event.body, event.about)
        frame = {"type": "event", "stream": "pbx:demo", "seq": 1, "at": "2026-11-22T05:00:00.000Z"}
        EVENT.check({**frame, "kind": event.kind, "body": cards.with_card(event.kind, event.body)})


class NoCards:
    """A process that is attached and has looked up nobody yet."""

    def of_call(self, call: str) -> Card | None:
        return None

    async def fresh_of_call(self, call: str) -> Card | None:
        return None


@pytest.fixture(params=names())
def transcript(request: pytest.FixtureRequest) -> Transcript:
    return Transcript.load(request.param)


def test_every_view_and_every_event_fits_its_shape(transcript: Transcript) -> None:
    floor = Floor(transcript.truth["pbx"])
    cards = Cards(replica := replica_of(floor.books), cast(Lookup, None))
    cards.attached = NoCards()
    for signal in [*seated(), *transcript.signals()]:
        if happened := floor.apply(signal):
            check_events(happened, replica, cards)
            check_floor(floor)


def test_a_view_with_something_more_or_less_does_not_fit() -> None:
    floor = Floor("demo")
    for signal in [*seated(), *Transcript.load("answered").signals()][:40]:
        floor.apply(signal)
    good = replica_of(floor.books).floor_topic()
    assert good["calls"]
    FLOOR.check(good)
    more = {**good, "calls": [{**good["calls"][0], "others": []}]}
    less = {**good, "calls": [{k: v for k, v in good["calls"][0].items() if k != "dnis"}]}
    for bad in (more, less):
        with pytest.raises(ValueError, match=r"calls\.0"):
            FLOOR.check(bad)
