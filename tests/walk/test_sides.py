"""What the walk compares, without a PBX: Asterisk's log read as rooms, and floors that are wrong on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .cel import Event, history, total
from .fold import Held, differences
from .manager import Told
from .oracle import differences as floor_differences
from .picture import Caller, Channel, Picture, behind_pair, bridge_rooms
from .seen import Seen, View

TRUNK, ALICE, BOB = "PJSIP/cti-trunk-00000001", "PJSIP/1001-00000002", "PJSIP/1002-00000003"


def entry(at: float, kind: str, channel: str, bridge: str = "", application: str = "") -> Event:
    extra = {"bridge_id": bridge, "bridge_technology": "simple_bridge"} if bridge else {}
    return Event(kind, at, "", channel, channel, TRUNK, application, extra)


def test_a_log_as_rooms_waits_and_music() -> None:
    """The caller waits 5 s, talks to Alice behind a Local pair for 10 s, and hears music for 4 s of them."""
    near, far = "Local/1001@from-queue-00000001;1", "Local/1001@from-queue-00000001;2"
    events = [
        *(entry(0, "CHAN_START", one) for one in (TRUNK, ALICE, near, far)),
        entry(1, "APP_START", TRUNK, application="Queue"),
        *(entry(6, "BRIDGE_ENTER", one, "b1") for one in (TRUNK, near)),
        *(entry(6, "BRIDGE_ENTER", one, "b2") for one in (far, ALICE)),
        *(entry(16, "BRIDGE_EXIT", one, "b1") for one in (TRUNK, near)),
        entry(16, "CHAN_END", TRUNK),
    ]
    told = [Told(10, "MusicOnHoldStart", far, far), Told(14, "MusicOnHoldStop", far, far)]
    past = history(events, told)
    pair = frozenset((TRUNK, ALICE))
    assert past.lives[TRUNK].queued == [(1, 16)]
    assert past.lives[TRUNK].bridged == [(6, 16)]
    assert total(past.together[pair]) == 10
    assert total(past.heard[pair]) == 6


def test_a_local_pair_joins_two_bridges() -> None:
    where = {
        "PJSIP/a-00000001": "x",
        "Local/1@c-00000001;1": "x",
        "Local/1@c-00000001;2": "y",
        "PJSIP/b-00000002": "y",
    }
    assert bridge_rooms(where)["x"] == {"x", "y"}
    assert bridge_rooms(where, {"Local/1@c-00000001;2"})["x"] == {"x"}


def test_who_is_behind_a_local_pair_may_be_behind_several() -> None:
    where = {
        "PJSIP/a-00000001": "x",
        "Local/1@c-00000001;1": "x",
        "Local/1@c-00000001;2": "y",
        "Local/2@c-00000002;1": "y",
        "PJSIP/c-00000003": "z",
    }
    assert behind_pair(where, "Local/2@c-00000002;2") == {"x", "y"}  # this half is parked
    assert behind_pair(where, "PJSIP/c-00000003") == set()


# --- a floor and what Asterisk says -------------------------------------------------------------------------


def channel(name: str, bridge: str = "", state: str = "Up") -> Channel:
    return Channel(name, name, state, TRUNK, bridge, "", "0211" if name == TRUNK else "", "", "")


def part(name: str, state: str, **changes: object) -> View:
    seat = name[: -len("-00000002")]
    made = {"position": 0, "name": seat, "seat": seat, "state": state, "standing": state, "leg": name}
    return {**made, "origin": "offer", "outcome": None, "talk_ms": 0, "hold_ms": 0, **changes}


def person(name: str, role: str, state: str) -> View:
    return {"leg": name, "role": role, "state": state, "name": None, "number": None}


@pytest.fixture
def talking() -> Seen:
    """A caller whom Alice has answered, while another waits for Bob, whose phone is idle."""
    waits = "PJSIP/cti-trunk-00000009"
    room = frozenset((TRUNK, ALICE))
    channels = {one.id: one for one in (channel(TRUNK, "b"), channel(ALICE, "b"), channel(waits))}
    rooms = dict.fromkeys(room, room)
    picture = Picture(channels, rooms, hearing=rooms, waiting={"support": [Caller(waits, 1, 4)]})
    call: View = {
        "call": "p:1:a",
        "state": "talking",
        "direction": "inbound",
        "queue": "support",
        "position": None,
    }
    people = [person(TRUNK, "customer", "talking"), person(ALICE, "agent", "talking")]
    first = {**call, "people": people, "park_space": None}
    second = {**call, "call": "p:1:b", "state": "queued", "position": 1, "park_space": None}
    second["people"] = [person(waits, "customer", "queued")]
    team = {
        1: {"name": "Alice", "state": {"name": "talking"}},
        2: {"name": "Bob", "state": {"name": "ready"}},
    }
    return Seen(
        picture,
        {"p:1:a": first, "p:1:b": second},
        {"p:1:a": [part(ALICE, "talking")], "p:1:b": []},
        {"support": {"waiting": 1}},
        {},
        team,
        frozenset((TRUNK, waits)),
        {1: "PJSIP/1001", 2: "PJSIP/1002"},
    )


def kinds(seen: Seen) -> list[str]:
    return [one.kind for one in floor_differences(seen)]


def test_a_floor_that_is_right(talking: Seen) -> None:
    assert kinds(talking) == []


def test_a_part_that_goes_on_alone(talking: Seen) -> None:
    alone = {TRUNK: frozenset((TRUNK,)), ALICE: frozenset((ALICE,))}
    seen = replace(talking, picture=replace(talking.picture, rooms=alone, hearing=alone))
    assert "a part talks with nobody" in kinds(seen)


def test_a_hold_that_the_floor_does_not_know(talking: Seen) -> None:
    music = frozenset((TRUNK,))
    seen = replace(talking, picture=replace(talking.picture, music=music, on_hold=music))
    assert "a part talks, the other side hears music" in kinds(seen)
    assert "person talking, not hold" in kinds(seen)
    assert "call talking, not held" in kinds(seen)


def test_places_and_counts_of_a_queue(talking: Seen) -> None:
    talking.calls["p:1:b"]["position"] = 2
    talking.queues["support"]["waiting"] = 2
    assert kinds(talking) == ["a queue counts others than wait", "a caller has another place"]


def test_an_agent_whom_the_floor_thinks_free(talking: Seen) -> None:
    talking.parts["p:1:a"].clear()
    talking.team[1]["state"]["name"] = "ready"
    assert kinds(talking) == ["an agent talks without a part", "an agent ready, the phone talks"]


def test_a_room_that_is_two_calls(talking: Seen) -> None:
    talking.calls["p:1:a"]["people"].pop()
    talking.calls["p:1:c"] = {
        **talking.calls["p:1:a"],
        "call": "p:1:c",
        "people": [person(ALICE, "agent", "talking")],
    }
    talking.parts["p:1:c"] = talking.parts.pop("p:1:a")
    talking.parts["p:1:a"] = []
    assert "one room, several calls" in kinds(talking)


# --- desktops ----------------------------------------------------------------------------------------------


def test_a_desktop_that_was_not_told() -> None:
    welcome = {"type": "welcome", "positions": {"pbx:p": 1}}
    me = {"state": {"name": "ready"}, "queues": ["support"]}
    empty = {"links": {}, "calls": [], "parts": [], "queues": [], "me": me}
    old, fresh = Held(1), Held(1)
    old.take({**welcome, "snapshot": empty})
    fresh.take({**welcome, "snapshot": {**empty, "me": {**me, "state": {"name": "talking"}}}})
    (one,) = differences(old.shown(), fresh.shown())
    assert (one.kind, one.text) == ("desktop: state.name", "state name: 'ready' → 'talking'")
    body = {"agent": 1, "pbx": "p", "state": {"name": "talking"}, "queues": ["support"]}
    old.take({"type": "event", "stream": "pbx:p", "seq": 2, "kind": "me.changed", "body": body})
    assert list(differences(old.shown(), fresh.shown())) == []
