"""Who may see and do what: thing × viewer, as a table."""

from __future__ import annotations

import pytest

from cti_server.rules import rights
from cti_server.rules.facts import Role
from cti_server.rules.rights import Thing, Viewer, may_see, may_take, may_value_customers, may_write_to

IN_IT, COLLEAGUE, ELSEWHERE = Viewer(1, serves=frozenset({"a/support"})), Viewer(2), Viewer(3)
SERVES = Viewer(4, serves=frozenset({"a/support"}), may_pick=True)
SUPERVISOR, ADMINISTRATOR = Viewer(8, "supervisor"), Viewer(9, "administrator")
EVERYONE = (IN_IT, COLLEAGUE, ELSEWHERE, SERVES, SUPERVISOR, ADMINISTRATOR)
ABOVE = {8, 9}
CALL = rights.Call("a", "talking", frozenset({1}), "support")

TABLE: list[tuple[Thing, set[int]]] = [
    (CALL, {1} | ABOVE),
    (rights.Part(1, CALL), {1} | ABOVE),
    (rights.Part(2, CALL), {1, 2} | ABOVE),
    (rights.Part(None, CALL), {1} | ABOVE),
    (rights.Queue("a", "support"), {1, 4} | ABOVE),
    (rights.Queue("b", "support"), ABOVE),
    (rights.Floor(), ABOVE),
    (rights.Shared(), {1, 2, 3, 4} | ABOVE),
    (rights.Own(1), {1}),
    (rights.Promise(1, 2), {1, 2} | ABOVE),
    (rights.Promise(None, None), ABOVE),
    (rights.Promise(1, 2, by_customer=True), {1, 2, 3, 4} | ABOVE),
    (rights.Help(1), {1} | ABOVE),
    (rights.Message(1, 2), {1, 2}),
    (rights.Message(1, to_supervisors=True), {1} | ABOVE),
    (rights.Message(8), {1, 2, 3, 4} | ABOVE),
]


@pytest.mark.parametrize(("thing", "seen_by"), TABLE)
def test_who_sees_it(thing: Thing, seen_by: set[int]) -> None:
    assert {viewer.agent for viewer in EVERYONE if may_see(viewer, thing)} == seen_by


@pytest.mark.parametrize(
    ("call", "taken_by"),
    [
        (rights.Call("a", "parked", frozenset()), {1, 2, 3, 4, 8, 9}),
        (rights.Call("a", "ringing", frozenset({1}), rings=True), {1, 2, 3, 4, 8, 9}),
        (rights.Call("a", "talking", frozenset({1}), rings=True), set()),
        (rights.Call("a", "queued", frozenset(), "support"), {4}),
        (rights.Call("a", "queued", frozenset(), "sales"), set()),
        (CALL, set()),
    ],
)
def test_who_may_take_it(call: rights.Call, taken_by: set[int]) -> None:
    assert {viewer.agent for viewer in EVERYONE if may_take(viewer, call)} == taken_by


@pytest.mark.parametrize("receiver", ["agent", "supervisor", "administrator"])
def test_agents_write_to_supervisors_and_supervisors_to_anybody(receiver: Role) -> None:
    assert may_write_to(SUPERVISOR, receiver)
    assert may_write_to(IN_IT, receiver) == (receiver != "agent")


def test_who_may_change_what_a_customer_is_worth() -> None:
    assert {viewer.agent for viewer in EVERYONE if may_value_customers(viewer)} == ABOVE
