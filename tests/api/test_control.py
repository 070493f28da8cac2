"""The routes of call control: what is passed on, what is refused before it gets there."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cti_server.api.create import openapi_document
from cti_server.api.floor.control import PLAIN
from cti_server.commands import AgentTarget, CallCommand, CommandRefused, NumberTarget, QueueTarget, Target
from cti_server.floor.verbs import Verb
from tests.api.conftest import problem
from tests.api.fakes import FakeControl, FakeFloor, call, part
from tests.lookup.seed import World

CALL = "demo:1:a.1"
PATH = f"/api/calls/{CALL}"


@pytest.mark.parametrize("verb", PLAIN)
async def test_a_command_is_accepted_and_passed_on(
    li: httpx.AsyncClient, control: FakeControl, verb: Verb
) -> None:
    bodies: list[dict[str, Any]] = [{"json": {}}, {}]
    for body in bodies:
        answer = await li.post(f"{PATH}/{verb.value}", headers={"Idempotency-Key": "k1"}, **body)
        assert answer.status_code == 202, answer.text
    assert answer.json() == {"request": "r-2"}
    asking, command, key = control.asked[0]
    assert (command, key) == (CallCommand(verb, CALL), "k1")
    assert (asking.name, asking.supervises, asking.may_pick) == ("Li Wei", False, False)


async def test_who_asks_is_who_is_signed_in(
    li: httpx.AsyncClient, zhao: httpx.AsyncClient, control: FakeControl, world: World
) -> None:
    await li.post(f"{PATH}/hold")
    await zhao.post(f"{PATH}/drop", json={"leg": "demo-1.2"})
    assert [(a.agent, a.supervises) for a, _, _ in control.asked] == [
        (world.agent, False),
        (world.supervisor, True),
    ]
    assert control.asked[1][1] == CallCommand(Verb.DROP, CALL, leg="demo-1.2")


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({"kind": "agent", "id": 3}, AgentTarget(3)),
        ({"kind": "queue", "name": "sales"}, QueueTarget("sales")),
        ({"kind": "number", "number": "+86 138 0013 8000"}, NumberTarget("+86 138 0013 8000")),
    ],
)
@pytest.mark.parametrize("verb", [Verb.TRANSFER, Verb.CONSULT, Verb.CONFERENCE])
async def test_targets(
    li: httpx.AsyncClient, control: FakeControl, verb: Verb, body: dict[str, object], target: Target
) -> None:
    assert (await li.post(f"{PATH}/{verb.value}", json={"target": body})).status_code == 202
    assert control.asked[0][1] == CallCommand(verb, CALL, target)


async def test_what_is_said_goes_along(li: httpx.AsyncClient, control: FakeControl) -> None:
    body = {"target": {"kind": "agent", "id": 3}, "said": "退款\nwants a refund"}
    await li.post(f"{PATH}/consult", json=body)
    assert control.asked[0][1].said == "退款\nwants a refund"


async def test_merging_has_no_target(li: httpx.AsyncClient, control: FakeControl) -> None:
    for body in ({"target": None}, {}):
        assert (await li.post(f"{PATH}/conference", json=body)).status_code == 202
    assert {c for _, c, _ in control.asked} == {CallCommand(Verb.CONFERENCE, CALL)}


async def test_dialling_needs_no_call(li: httpx.AsyncClient, control: FakeControl) -> None:
    answer = await li.post("/api/calls", json={"to": "10086", "from_page": "/history"})
    assert answer.status_code == 202
    assert control.asked[0][1] == CallCommand(Verb.DIAL, target=NumberTarget("10086"))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("transfer", {}),
        ("transfer", {"target": None}),
        ("transfer", {"target": {"kind": "agent"}}),
        ("transfer", {"target": {"kind": "agent", "id": 0}}),
        ("transfer", {"target": {"kind": "agent", "id": 1, "name": "x"}}),
        ("transfer", {"target": {"kind": "person", "id": 1}}),
        ("transfer", {"target": {"kind": "queue", "name": ""}}),
        ("transfer", {"target": {"kind": "queue", "name": "a\r\nAction: Originate"}}),
        ("transfer", {"target": {"kind": "number", "number": "1\x001"}}),
        ("transfer", {"target": {"kind": "number", "number": "1" * 129}}),
        ("transfer", {"target": {"kind": "number", "number": "1"}, "said": "x" * 2001}),
        ("dtmf", {"digits": ""}),
        ("dtmf", {"digits": "12a"}),
        ("dtmf", {"digits": "1" * 33}),
        ("dtmf", {"digits": "1\n"}),
        ("drop", {}),
        ("hold", {"please": True}),
        ("hold", []),
        ("recording/rewind", {}),
    ],
)
async def test_what_does_not_fit_is_not_passed_on(
    li: httpx.AsyncClient, control: FakeControl, path: str, body: object
) -> None:
    answer = await li.post(f"{PATH}/{path}", json=body)
    assert answer.status_code in (404, 405, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert control.asked == []


@pytest.mark.parametrize("key", ["", "k" * 201])
async def test_a_key_has_a_size(li: httpx.AsyncClient, control: FakeControl, key: str) -> None:
    problem(await li.post(f"{PATH}/hold", headers={"Idempotency-Key": key}), 422, "invalid")
    assert control.asked == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (409, "call_over"),
        (409, "wrong_state"),
        (403, "not_yours"),
        (503, "pbx_unreachable"),
        (422, "bad_target"),
        (503, "server_stopping"),
        (422, "key_reused"),
        (404, "not_found"),
    ],
)
async def test_a_refusal_is_a_problem(li: httpx.AsyncClient, control: FakeControl, status: int, code: str) -> None:
    control.refusal = CommandRefused(code, "because", "Do this.")
    answer = problem(await li.post(f"{PATH}/hold"), status, code)
    assert (answer["detail"], answer["remedy"]) == ("because", "Do this.")


async def test_nobody_commands_without_signing_in(client: httpx.AsyncClient, control: FakeControl) -> None:
    problem(await client.post(f"{PATH}/hold"), 401, "not_signed_in")
    problem(await client.get(f"{PATH}/handover"), 401, "not_signed_in")
    assert control.asked == []


async def test_another_site_commands_nothing(li: httpx.AsyncClient, control: FakeControl) -> None:
    problem(await li.post(f"{PATH}/hangup", headers={"Origin": "https://evil.example"}), 403, "foreign_origin")
    assert control.asked == []


async def test_a_capsule_is_for_who_was_given_the_call(
    li: httpx.AsyncClient, zhao: httpx.AsyncClient, control: FakeControl, floor: FakeFloor, world: World
) -> None:
    floor.show(call(CALL, part(world.agent, "ringing")), call("demo:1:a.2", part(world.other_agent, "talking")))
    capsule: dict[str, Any] = {
        "from": {"agent": 2, "name": "Wang"},
        "kind": "transfer",
        "note": None,
        "code": None,
    }
    capsule |= {"match": "verified", "path": [], "said": "hello", "since": None}
    control.handovers[CALL, world.agent] = capsule
    assert (await li.get(f"{PATH}/handover")).json() == capsule
    problem(await zhao.get(f"{PATH}/handover"), 404, "not_found")
    problem(await li.get("/api/calls/demo:1:a.2/handover"), 404, "not_found")


def test_every_verb_has_a_route_of_its_name() -> None:
    paths = openapi_document()["paths"]
    for verb in Verb:
        path = "/api/calls" if verb is Verb.DIAL else f"/api/calls/{{call}}/{verb.value}"
        operation = paths[path]["post"]
        assert {"202", "401", "403", "409", "422", "503"} <= operation["responses"].keys(), verb
        assert any(p["name"] == "Idempotency-Key" for p in operation["parameters"]), verb
