"""My own account: a new password, and where else I am signed in."""

from __future__ import annotations

import httpx
import pytest

from cti_server.api.access.attempts import LOGIN
from cti_server.record.center import sessions
from cti_server.record.database import Database
from tests.api.conftest import PASSWORD, SignIn, Time, problem
from tests.api.fakes import FakeCommands
from tests.lookup.seed import World

NEW = "a horse that is correct"


async def test_a_new_password_ends_my_other_sessions(
    client: httpx.AsyncClient,
    sign_in: SignIn,
    commands: FakeCommands,
    world: World,
    database: Database,
    clock: Time,
) -> None:
    here, elsewhere = await sign_in("li"), await sign_in("li")
    wang = await sign_in("wang")
    body = {"current": PASSWORD, "new": NEW}
    assert (await here.put("/api/me/password", json=body)).status_code == 204
    assert (await here.get("/api/me")).status_code == 200
    problem(await elsewhere.get("/api/me"), 401, "not_signed_in")
    problem(await elsewhere.post("/api/session/ticket"), 401, "not_signed_in")
    assert (await wang.get("/api/me")).status_code == 200
    assert ("signed_out", world.agent) in commands.asked, "their websockets too"
    async with database.read() as conn:
        assert set((await sessions.ends_since(conn, clock.now.replace(year=2000))).values()) == {world.agent}
    old = await client.post("/api/session", json={"login": "li", "password": PASSWORD})
    problem(old, 401, "wrong_credentials")
    assert (await client.post("/api/session", json={"login": "li", "password": NEW})).status_code == 200


async def test_whoever_has_a_session_must_know_the_password_and_cannot_guess_it(li: httpx.AsyncClient) -> None:
    for n in range(LOGIN.at_once):
        body = {"current": f"no {n}", "new": NEW}
        problem(await li.put("/api/me/password", json=body), 403, "wrong_password")
    answer = await li.put("/api/me/password", json={"current": PASSWORD, "new": NEW})
    problem(answer, 429, "too_many_attempts")


@pytest.mark.parametrize(
    ("new", "code"), [("short", "password_too_short"), ("li wei li wei", "password_easy_to_guess")]
)
async def test_a_weak_one_is_refused(li: httpx.AsyncClient, new: str, code: str) -> None:
    said = problem(await li.put("/api/me/password", json={"current": PASSWORD, "new": new}), 422, code)
    assert said["remedy"]


async def test_where_i_am_signed_in(sign_in: SignIn, commands: FakeCommands, world: World) -> None:
    here, elsewhere = await sign_in("li"), await sign_in("li")
    items = (await here.get("/api/me/sessions")).json()["items"]
    assert sorted(one["current"] for one in items) == [False, True]
    assert {one["browser"] for one in items} == {here.headers["user-agent"]}
    assert (await here.delete("/api/me/sessions")).status_code == 204
    assert [one["current"] for one in (await here.get("/api/me/sessions")).json()["items"]] == [True]
    problem(await elsewhere.get("/api/me"), 401, "not_signed_in")
    assert commands.asked == [("signed_out", world.agent)]
