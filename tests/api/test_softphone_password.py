"""The password of a browser phone over HTTP: who gets it, who is told of it, and what a lost key does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from cti_server.record.center import phone_passwords, phone_secrets, phones, shifts
from cti_server.record.center.phones import Phone
from cti_server.record.center.shifts import Shift
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, new_key
from tests.api.conftest import SEALER, SignIn, Time, problem
from tests.lookup.seed import NOW, World
from tests.record.builders import in_clear

SECRET = "s3cret-of-a-phone"
SHARED = [f"PJSIP/110{n}" for n in range(1, 6)]
MINE, WANGS = "PJSIP/1201", "PJSIP/1202"


@pytest.fixture(autouse=True)
async def phones_of_the_center(app: FastAPI, database: Database, world: World) -> None:
    app.state.deps = replace(app.state.deps, softphone_url="wss://pbx.example/ws")
    owners = dict.fromkeys(SHARED) | {MINE: world.agent, WANGS: world.other_agent}
    async with database.begin() as conn:
        for seat, owner in owners.items():
            made = Phone(pbx="demo", seat=seat, extension=seat[6:], kind="browser", agent_id=owner)
            await phones.save(conn, phone_secrets.with_password(made, f"{SECRET}-{seat[-4:]}", SEALER))


async def sit(database: Database, agent: int, seat: str) -> None:
    async with database.begin() as conn:
        at = Shift(agent_id=agent, seat=seat, pbx="demo", since=NOW, state="ready", state_since=NOW)
        await shifts.save(conn, at)


async def ask(client: httpx.AsyncClient) -> httpx.Response:
    return await client.get("/api/me/softphone")


@pytest.mark.parametrize(
    ("login", "seat", "status", "code"),
    [
        ("li", MINE, 200, None),
        ("li", SHARED[0], 200, None),
        ("li", WANGS, 403, "not_your_phone"),
        ("wang", WANGS, 200, None),
        ("wang", MINE, 403, "not_your_phone"),
        ("zhao", MINE, 403, "not_your_phone"),  # a supervisor is no owner
        ("root", MINE, 403, "not_your_phone"),  # nor an administrator, who has the PBX
        ("root", SHARED[0], 200, None),
        ("li", None, 409, "no_shift"),
        ("root", None, 409, "no_shift"),
    ],
)
async def test_who_is_given_it(
    sign_in: SignIn, database: Database, world: World, login: str, seat: str | None, status: int, code: str | None
) -> None:
    """At work at another's phone is who sat there before it got its owner."""
    agents = {"li": world.agent, "wang": world.other_agent, "zhao": world.supervisor, "root": world.administrator}
    if seat is not None:
        await sit(database, agents[login], seat)
    with capture_logs() as logs:
        answer = await ask(await sign_in(login))
    told = [entry for entry in logs if entry["event"].startswith("softphone.")]
    assert SECRET not in str(logs)
    if code is not None:
        assert SECRET not in str(problem(answer, status, code))
        assert [entry["event"] for entry in told] == ["softphone.password_refused"] * (status == 403)
        return
    assert answer.json()["password"] == f"{SECRET}-{(seat or '')[-4:]}"
    [one] = told
    assert (one["event"], one["login"], one["phone"]) == ("softphone.password_given", login, f"demo/{seat}")
    assert (one["address"], one["log_level"]) == ("127.0.0.1", "info")
    async with database.read() as conn:
        [holder] = await phone_passwords.holders(conn)
    assert (holder.agent_id, holder.seat, holder.at) == (agents[login], seat, NOW)


async def test_nobody_collects_those_of_all_shared_phones(
    sign_in: SignIn, database: Database, world: World, clock: Time
) -> None:
    li, wang = await sign_in("li"), await sign_in("wang")
    for seat in SHARED[:3]:
        await sit(database, world.agent, seat)
        assert (await ask(li)).status_code == 200
        assert (await ask(li)).status_code == 200  # a page that is loaded anew
        clock.now += timedelta(hours=1)
    await sit(database, world.agent, SHARED[3])
    refused = problem(await ask(li), 409, "too_many_phones")
    assert refused["detail"] == "you have had the passwords of 3 shared phones in 24 hours"
    assert SHARED[0] in str(refused["remedy"])
    for seat in (SHARED[1], MINE):  # what they have had already, and what is theirs
        await sit(database, world.agent, seat)
        assert (await ask(li)).status_code == 200
    await sit(database, world.agent, "PJSIP/none")
    await sit(database, world.other_agent, SHARED[3])
    assert (await ask(wang)).status_code == 200  # it is one person's, not the phone's
    await sit(database, world.other_agent, WANGS)
    await sit(database, world.agent, SHARED[3])
    clock.now = NOW + timedelta(hours=24, seconds=1)  # since the first
    assert (await ask(await sign_in("li"))).status_code == 200


async def test_two_requests_at_once_count_each_other(database: Database, world: World) -> None:
    """Each reads which phones the agent had before it notes its own: without a lock both would be given."""

    async def take(seat: str) -> bool:
        async with database.begin() as conn:
            had = await phone_passwords.shared_since(conn, world.agent, NOW - timedelta(days=1))
            if len(had) >= 3:
                return False
            await phone_passwords.note(conn, "demo", seat, world.agent, NOW, shared=True)
            return True

    assert (await asyncio.gather(*(take(seat) for seat in SHARED))).count(True) == 3


async def test_a_phone_that_becomes_somebodys_own(sign_in: SignIn, database: Database, world: World) -> None:
    """Wang had the password while it was shared: the desk gives it no more, and the record knows who has it."""
    wang = await sign_in("wang")
    await sit(database, world.other_agent, SHARED[0])
    assert (await ask(wang)).status_code == 200
    async with database.begin() as conn:
        phone = await phones.by_seat(conn, "demo", SHARED[0])
        assert phone is not None
        await phones.save(conn, replace(phone, agent_id=world.agent))
    problem(await ask(wang), 403, "not_your_phone")
    async with database.begin() as conn:
        assert [one.login for one in await phone_passwords.holders(conn)] == ["wang"]
        await phone_passwords.forget(conn, "demo", SHARED[0])
        assert await phone_passwords.holders(conn) == []


LOST = {
    "another key": SEALER.seal("x", f"phones/demo/{MINE}"),
    "of another phone": SEALER.seal("x", f"phones/demo/{WANGS}"),
    "changed": "v1:nonsense",
}


@pytest.mark.parametrize("how", list(LOST))
async def test_a_password_that_cannot_be_decrypted_is_a_clear_problem(
    app: FastAPI, li: httpx.AsyncClient, database: Database, world: World, how: str
) -> None:
    """The record came to another server, and its key did not."""
    if how == "another key":
        app.state.deps = replace(app.state.deps, sealer=Sealer([new_key()]))
    async with database.begin() as conn:
        await in_clear(conn, MINE, LOST[how])
    await sit(database, world.agent, MINE)
    with capture_logs() as logs:
        body = problem(await ask(li), 409, "password_lost")
    assert "cti-server doctor" in str(body["remedy"])
    [told] = [entry for entry in logs if entry["event"] == "softphone.password_lost"]
    assert told["remedy"]
    async with database.read() as conn:
        assert await phone_passwords.holders(conn) == []


@pytest.mark.parametrize("keys", [0, 1])
async def test_what_an_older_version_left_in_clear_still_works(
    app: FastAPI, li: httpx.AsyncClient, database: Database, world: World, keys: int
) -> None:
    app.state.deps = replace(app.state.deps, sealer=Sealer([new_key()] * keys))
    async with database.begin() as conn:
        await in_clear(conn, MINE, SECRET)
    await sit(database, world.agent, MINE)
    assert (await ask(li)).json()["password"] == SECRET
