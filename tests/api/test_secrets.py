"""Secrets that the API takes or gives: no log line and no byte of the database has them in clear."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from cti_server.api.create import openapi_document
from cti_server.record.center import phone_secrets, phones, shifts
from cti_server.record.center.phones import Phone
from cti_server.record.center.shifts import Shift
from cti_server.record.database import Database
from tests.api.conftest import PASSWORD, SEALER, SignIn
from tests.lookup.seed import NOW, World
from tests.record.whole import bytes_of

SIP, NEW, WRONG = "sip-s3cret-of-li", "entirely other words", "wr0ng-password"
SEAT = "PJSIP/1201"


@dataclass(frozen=True)
class Case:
    """What is asked, and which secrets it has, in the order of the operations' fields that `proves` names."""

    ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
    status: int
    secrets: tuple[str, ...]
    proves: tuple[str, ...] = ()
    gives: str = ""
    """The field of the answer that is a secret, too."""


async def _sign_in(client: httpx.AsyncClient, password: str) -> httpx.Response:
    return await client.post("/api/session", json={"login": "li", "password": password})


async def _change(client: httpx.AsyncClient, current: str, new: str) -> httpx.Response:
    return await client.put("/api/me/password", json={"current": current, "new": new})


FACTOR = {"password": PASSWORD, "code": "123456"}
CASES = {
    "sign in": Case(lambda client: _sign_in(client, PASSWORD), 200, (PASSWORD,), ("signIn password",)),
    "sign in wrong": Case(lambda client: _sign_in(client, WRONG), 401, (WRONG,)),
    "new password": Case(
        lambda client: _change(client, PASSWORD, NEW),
        204,
        (PASSWORD, NEW),
        ("changePassword current", "changePassword new"),
    ),
    "new password wrong": Case(lambda client: _change(client, WRONG, NEW), 403, (WRONG, NEW)),
    "new password weak": Case(
        lambda client: _change(client, PASSWORD, "li-1234567"), 422, (PASSWORD, "li-1234567")
    ),
    "second factor": Case(
        lambda client: client.post("/api/me/second-factor", json={"password": PASSWORD}),
        200,
        (PASSWORD,),
        ("beginMySecondFactor password",),
        "secret",
    ),
    "second factor wrong": Case(
        lambda client: client.post("/api/me/second-factor", json={"password": WRONG}), 403, (WRONG,)
    ),
    "new recovery codes": Case(
        lambda client: client.post("/api/me/second-factor/recovery-codes", json=FACTOR),
        409,
        (PASSWORD,),
        ("renewMyRecoveryCodes password",),
    ),
    "second factor off": Case(
        lambda client: client.post("/api/me/second-factor/off", json=FACTOR),
        409,
        (PASSWORD,),
        ("endMySecondFactor password",),
    ),
    "ticket": Case(lambda client: client.post("/api/session/ticket"), 200, (), (), "ticket"),
    "softphone": Case(lambda client: client.get("/api/me/softphone"), 200, (SIP,), (), "password"),
}


def secret_fields() -> Iterator[str]:
    """Every field of a request body that the OpenAPI document calls a password, by its operation."""
    document = openapi_document()

    def resolved(schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        return document["components"]["schemas"][name] if name else schema

    for operations in document["paths"].values():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for field, shape in resolved(content["schema"]).get("properties", {}).items():
                    if shape.get("format") == "password" or any(word in field for word in ("password", "secret")):
                        yield f"{operation['operationId']} {field}"


def test_each_field_that_is_a_secret_has_a_case() -> None:
    asked = {field for case in CASES.values() for field in case.proves}
    # It is the number of a caller who asked that nobody be shown it: no secret of this server.
    assert asked | {"identifyCaller secret"} == set(secret_fields())


@pytest.fixture(autouse=True)
async def at_work(app: FastAPI, database: Database, world: World) -> None:
    app.state.deps = replace(app.state.deps, softphone_url="wss://pbx.example/ws")
    made = Phone(pbx="demo", seat=SEAT, extension="1201", kind="browser", agent_id=world.agent)
    async with database.begin() as conn:
        await phones.save(conn, phone_secrets.with_password(made, SIP, SEALER))
        shift = Shift(agent_id=world.agent, seat=SEAT, pbx="demo", since=NOW, state="ready", state_since=NOW)
        await shifts.save(conn, shift)


@pytest.mark.parametrize("name", list(CASES))
async def test_it_is_nowhere_in_clear(
    sign_in: SignIn, database: Database, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    case = CASES[name]
    caplog.set_level(logging.DEBUG)
    client = await sign_in("li")
    with capture_logs() as logs:
        answer = await case.ask(client)
    assert answer.status_code == case.status, answer.text
    secrets = [*case.secrets, *client.cookies.values()]
    if case.gives:
        secrets.append(answer.json()[case.gives])
    logged = f"{logs}{caplog.text}"
    kept = await bytes_of(database)
    for secret in secrets:
        assert secret not in logged
        assert secret.encode() not in kept
