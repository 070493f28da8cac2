"""The same asked twice is one request; each bound at its size."""

from __future__ import annotations

import pytest

from cti_server.commands import CallCommand, CommandRefused
from cti_server.control.requests import KEPT_S, MAX_WAITING, Requests
from cti_server.floor.verbs import Verb

HOLD, MUTE = CallCommand(Verb.HOLD, "demo:1:a"), CallCommand(Verb.MUTE, "demo:1:a")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_known_for_ten_minutes() -> None:
    clock = Clock()
    requests = Requests(clock)
    first = requests.begin(1, HOLD, "k", once=True)
    requests.end(1, HOLD, first)
    clock.now = KEPT_S
    assert requests.repeated(1, HOLD, "k") == first
    clock.now = KEPT_S + 0.1
    assert requests.repeated(1, HOLD, "k") is None
    assert requests.begin(1, HOLD, "k", once=True) != first


def test_one_key_more_than_are_kept_forgets_the_oldest() -> None:
    requests = Requests(Clock(), max_keys=1)
    for key in ("a", "b"):
        requests.end(1, HOLD, requests.begin(1, HOLD, key, once=True))
    assert requests.repeated(1, HOLD, "a") is None
    assert requests.repeated(1, HOLD, "b") is not None


def test_a_key_for_another_command_is_refused() -> None:
    requests = Requests()
    requests.begin(1, HOLD, "k", once=True)
    with pytest.raises(CommandRefused) as caught:
        requests.repeated(1, MUTE, "k")
    assert caught.value.code == "key_reused"
    assert requests.repeated(2, MUTE, "k") is None, "another agent's"


def test_the_same_command_is_the_same_request_while_it_runs_only() -> None:
    requests = Requests()
    first = requests.begin(1, HOLD, None, once=True)
    assert requests.repeated(1, HOLD, None) == first
    assert requests.repeated(1, MUTE, None) is None
    assert requests.repeated(2, HOLD, None) is None
    requests.end(1, HOLD, first)
    assert requests.repeated(1, HOLD, None) is None


def test_what_may_be_asked_twice_is_two_requests() -> None:
    requests = Requests()
    first = requests.begin(1, HOLD, None, once=False)
    assert requests.repeated(1, HOLD, None) is None
    assert requests.begin(1, HOLD, None, once=False) != first


def test_a_line_is_as_long_as_it_may_be_and_then_full() -> None:
    requests, who = Requests(), (1, "demo:1:a")
    assert not requests.busy(who)
    line = requests.join(who)
    for _ in range(MAX_WAITING):
        assert requests.join(who) is line
    with pytest.raises(CommandRefused) as caught:
        requests.join(who)
    assert caught.value.code == "busy"
    requests.join((2, "demo:1:a"))
    requests.join((1, "demo:1:b"))
    for _ in range(MAX_WAITING + 1):
        assert requests.busy(who)
        requests.leave(who)
    assert not requests.busy(who), "nothing is kept of a line that is empty"
