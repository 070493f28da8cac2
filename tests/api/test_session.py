"""Signing in and out, the cookie, failed attempts, tickets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from cti_server.api.access.attempts import LOGIN
from cti_server.api.access.tickets import Tickets
from cti_server.api.principal import COOKIE
from cti_server.commands import CommandRefused, Sitting
from cti_server.record.center import agent_queues, agents, phones, queues, shifts
from cti_server.record.center.phones import Phone
from cti_server.record.center.shifts import Shift
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from tests.api.conftest import PASSWORD, SignIn, Time, problem
from tests.api.fakes import FakeCommands, FakeFloor, call, part
from tests.lookup.seed import World


async def test_sign_in(client: httpx.AsyncClient, world: World) -> None:
    answer = await client.post("/api/session", json={"login": " LI ", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json() == {
        "id": world.agent,
        "login": "li",
        "name": "Li Wei",
        "role": "agent",
        "language": "browser",
        "seat": "PJSIP/1001",
        "extension": "1001",
        "pbx": "demo",
        "state": {
            "name": "signed_out",
            "reason": None,
            "since": None,
            "by": None,
            "because": None,
            "pending": None,
            "until": None,
            "phone": {"seat": None, "reachable": None, "since": None},
            "on_shift": False,
        },
        "shift": None,
        "queues": [],
        "preferences": {"auto_answer": False},
        "may_pick": False,
        "owed": 0,
        "must_set_up": False,
    }
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("cti_session=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (await client.get("/api/me")).json()["login"] == "li"


@pytest.mark.parametrize(
    ("origin", "secure"), [("https://cti.test", True), ("http://cti.test", False), (None, False)]
)
async def test_a_page_on_https_gets_a_cookie_that_travels_by_tls_only(
    client: httpx.AsyncClient, origin: str | None, secure: bool
) -> None:
    """Without a setting: the browser says where its page is, and the proxy need not."""
    headers = {"Origin": origin} if origin else {}
    answer = await client.post("/api/session", json={"login": "li", "password": PASSWORD}, headers=headers)
    ended = await client.delete("/api/session", headers=headers)
    for one in (answer, ended):
        assert ("; secure" in one.headers["set-cookie"].lower()) is secure


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://cti.test", 400), ("https://cti.test", 200), ("http://localhost:8080", 200), (None, 200)],
)
async def test_where_cookies_need_tls_a_page_on_http_is_told_why_nobody_can_sign_in(
    app: FastAPI, client: httpx.AsyncClient, origin: str | None, status: int
) -> None:
    """Its browser would drop the cookie, and the next request come from nobody."""
    app.state.deps = replace(app.state.deps, cookie_secure=True)
    headers = {"Origin": origin, "Host": origin.partition("//")[2]} if origin else {}
    answer = await client.post("/api/session", json={"login": "li", "password": PASSWORD}, headers=headers)
    assert answer.status_code == status
    if status == 400:
        assert "CTI_COOKIE_SECURE" in problem(answer, 400, "not_over_tls")["remedy"]


@pytest.mark.parametrize(("login", "password"), [("li", "wrong"), ("nobody", PASSWORD), ("li", "\x00")])
async def test_wrong_says_nothing_of_which(client: httpx.AsyncClient, login: str, password: str) -> None:
    answer = await client.post("/api/session", json={"login": login, "password": password})
    assert problem(answer, 401, "wrong_credentials")["detail"] == "the login or the password is wrong"
    assert "set-cookie" not in answer.headers


async def test_an_inactive_agent(client: httpx.AsyncClient, database: Database, world: World) -> None:
    async with database.begin() as conn:
        await agents.update(conn, world.agent, active=False)
    answer = await client.post("/api/session", json={"login": "li", "password": PASSWORD})
    problem(answer, 401, "wrong_credentials")


async def test_too_many_attempts(client: httpx.AsyncClient) -> None:
    for _ in range(LOGIN.at_once):
        problem(
            await client.post("/api/session", json={"login": "li", "password": "no"}), 401, "wrong_credentials"
        )
    answer = await client.post("/api/session", json={"login": "Li", "password": PASSWORD})
    problem(answer, 429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) >= 1
    other = await client.post("/api/session", json={"login": "wang", "password": PASSWORD})
    assert other.status_code == 200


async def test_sign_out(li: httpx.AsyncClient, commands: FakeCommands, world: World) -> None:
    token = li.cookies["cti_session"]
    answer = await li.delete("/api/session")
    assert answer.status_code == 204
    assert commands.asked == [("signed_out", world.agent)]
    li.cookies.set("cti_session", token)
    problem(await li.get("/api/me"), 401, "not_signed_in")
    assert (await li.delete("/api/session")).status_code == 204


async def test_a_session_ends(li: httpx.AsyncClient, clock: Time) -> None:
    clock.now += timedelta(hours=15)
    assert (await li.get("/api/me")).status_code == 200
    clock.now += timedelta(hours=2)
    problem(await li.get("/api/me"), 401, "not_signed_in")


async def test_a_ticket_is_good_once_and_briefly(
    li: httpx.AsyncClient, database: Database, clock: Time, world: World
) -> None:
    answer = (await li.post("/api/session/ticket")).json()
    assert answer["expires_in"] == 30
    tickets = Tickets(database, clock)
    both = await asyncio.gather(*(tickets.redeem(answer["ticket"]) for _ in range(2)))
    assert [agent.id for agent in both if agent is not None] == [world.agent], "brought twice at once, good once"
    assert await tickets.redeem(answer["ticket"]) is None
    late = (await li.post("/api/session/ticket")).json()["ticket"]
    assert await tickets.redeem("\ud800") is None
    clock.now += timedelta(seconds=31)
    assert await tickets.redeem(late) is None


async def test_tickets_of_the_same_moment_are_each_their_own(
    sign_in: SignIn, database: Database, clock: Time, world: World
) -> None:
    li, wang = await sign_in("li"), await sign_in("wang")
    tickets = Tickets(database, clock)
    tokens = [client.cookies[COOKIE] for client in (li, wang, li)]
    issued = await asyncio.gather(*(tickets.issue(token) for token in (*tokens, "of nobody")))
    assert issued[-1] is None
    assert len({*issued}) == 4
    await li.delete("/api/session")
    redeemed = await asyncio.gather(*(tickets.redeem(ticket or "") for ticket in issued))
    assert [agent and agent.id for agent in redeemed] == [None, world.other_agent, None, None]


NEED_A_SESSION = [
    ("GET", "/api/me"),
    ("PATCH", "/api/me"),
    ("POST", "/api/me/state"),
    ("POST", "/api/session/ticket"),
    ("GET", "/api/customers"),
    ("GET", "/api/customers/1"),
    ("GET", "/api/interactions"),
    ("PUT", "/api/interactions/1/note"),
    ("GET", "/api/calls"),
    ("GET", "/api/calls/x/card"),
    ("GET", "/api/queues"),
]


async def test_nothing_without_a_session(client: httpx.AsyncClient) -> None:
    client.cookies.set("cti_session", "forged")
    for method, path in NEED_A_SESSION:
        problem(await client.request(method, path), 401, "not_signed_in")


async def test_my_language_and_state(
    li: httpx.AsyncClient, zhao: httpx.AsyncClient, commands: FakeCommands, world: World
) -> None:
    assert (await li.patch("/api/me", json={"language": "zh"})).json()["language"] == "zh"
    assert (await li.get("/api/me")).json()["language"] == "zh"
    problem(await li.patch("/api/me", json={"language": "fr"}), 422, "invalid")

    lunch = {"code": "lunch", "title_en": "Lunch", "title_zh": "午餐"}
    await zhao.put("/api/reasons", json=[lunch, {**lunch, "code": "nap", "active": False}])
    answer = await li.post("/api/me/state", json={"state": "not_ready", "reason": "lunch"})
    assert (answer.status_code, answer.json()) == (202, {"request": "r-1"})
    assert commands.asked == [("set_state", world.agent, "not_ready", "lunch")]
    problem(await li.post("/api/me/state", json={"state": "not_ready", "reason": "a\r\nb"}), 422, "invalid")
    for reason in ("nap", "on_call", "no_answer", "whatever"):
        answer = await li.post("/api/me/state", json={"state": "not_ready", "reason": reason})
        problem(answer, 422, "unknown_reason")
    problem(await li.post("/api/me/state", json={"state": "talking"}), 422, "invalid")
    commands.refusal = CommandRefused("no_shift", "you are not at work")
    problem(await zhao.post("/api/me/state", json={"state": "ready"}), 409, "no_shift")


async def test_my_own_phone_needs_no_row_in_the_table_of_phones(
    sign_in: SignIn, commands: FakeCommands, database: Database, world: World
) -> None:
    """A fresh installation: `user add --seat PJSIP/1001`, and no `phone add` at all."""
    li, wang = await sign_in("li"), await sign_in("wang")
    [own] = (await li.get("/api/phones")).json()
    assert (own["seat"], own["extension"], own["personal"], own["agent"]) == ("PJSIP/1001", "1001", True, None)
    for wanted in ("1001", "PJSIP/1001", None):
        assert (await li.post("/api/me/shift", json={"phone": wanted})).status_code == 202
    mine = ("begin_shift", world.agent, Sitting("PJSIP/1001", "1001", "other", ()))
    assert commands.asked == [mine] * 3
    assert (await wang.post("/api/me/shift", json={"phone": "1002"})).status_code == 202  # told by their seat
    problem(await wang.post("/api/me/shift", json={"phone": "1001"}), 404, "unknown_phone")
    async with database.begin() as conn:
        await phones.save(conn, Phone(pbx="demo", seat="PJSIP/1001", extension="1001", label_en="Desk 1"))
    [listed] = (await li.get("/api/phones")).json()
    assert listed["label_en"] == "Desk 1"


async def test_where_i_sat_last_may_be_gone(
    sign_in: SignIn, commands: FakeCommands, database: Database, world: World
) -> None:
    li = await sign_in("li")
    async with database.begin() as conn:
        number = await phones.save(conn, Phone(pbx="demo", seat="PJSIP/7", extension="7"))
        at = datetime(2026, 11, 20, tzinfo=UTC)
        shift = Shift(agent_id=world.agent, seat="PJSIP/7", pbx="demo", since=at, state="ready", state_since=at)
        await shifts.save(conn, shift)
        await phones.remove(conn, number)
    assert (await li.post("/api/me/shift", json={"phone": None})).status_code == 202
    assert commands.asked == [("begin_shift", world.agent, Sitting("PJSIP/1001", "1001", "other", ()))]


async def test_the_reasons_of_a_fresh_installation_can_be_chosen(
    sign_in: SignIn, commands: FakeCommands, world: World
) -> None:
    li = await sign_in("li")
    reasons = [one["code"] for one in (await li.get("/api/reasons")).json()]
    assert len(reasons) >= 5
    for reason in reasons:
        answer = await li.post("/api/me/state", json={"state": "not_ready", "reason": reason})
        assert answer.status_code == 202
    assert (await li.post("/api/me/state", json={"state": "ready"})).status_code == 202
    assert commands.asked[0] == ("set_state", world.agent, "not_ready", reasons[0])


async def test_where_i_sit(
    sign_in: SignIn, commands: FakeCommands, floor: FakeFloor, database: Database, world: World
) -> None:
    li, wang, zhao = await sign_in("li"), await sign_in("wang"), await sign_in("zhao")
    async with database.begin() as conn:
        [support] = await queues.all_queues(conn, "demo")
        await agent_queues.assign(conn, world.agent, support.id, 2)
        await phones.save(conn, Phone(pbx="demo", seat="PJSIP/1101", extension="1101", kind="browser"))
        await phones.save(conn, Phone(pbx="demo", seat="PJSIP/7", extension="7", agent_id=world.other_agent))

    async def sit(client: httpx.AsyncClient, phone: str | None) -> httpx.Response:
        return await client.post("/api/me/shift", json={"phone": phone})

    assert (await sit(li, None)).json() == {"request": "r-1"}
    assert (await sit(li, "1101")).status_code == 202
    assert commands.asked == [
        ("begin_shift", world.agent, Sitting("PJSIP/1001", "1001", "other", (("support", 2),))),
        ("begin_shift", world.agent, Sitting("PJSIP/1101", "1101", "browser", (("support", 2),))),
    ]
    problem(await sit(li, "4711"), 404, "unknown_phone")
    problem(await sit(li, "7"), 409, "seat_taken")
    floor.begin_shift(world.agent, "PJSIP/1101", "browser")
    assert f"agent {world.agent}" in str(problem(await sit(wang, "1101"), 409, "seat_taken")["detail"])
    floor.show(call("demo:1:a.1", part(world.other_agent, "talking", "PJSIP/7")))
    problem(await sit(wang, "7"), 409, "in_a_call")
    problem(await sit(zhao, None), 409, "no_phone")
    assert (await li.delete("/api/me/shift")).json() == {"request": "r-1"}


async def test_while_the_record_is_away_whoever_was_signed_in_goes_on_and_nobody_new_comes(
    sign_in: SignIn, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    li = await sign_in("li")
    zhao = await sign_in("zhao")
    assert (await li.get("/api/calls")).status_code == 200
    seen_of_zhao = app.state.deps.known_holders
    seen_of_zhao.ended((await zhao.get("/api/me")).json()["id"])  # as where another process signed them in

    @asynccontextmanager
    async def gone() -> AsyncIterator[Connection]:
        raise ConnectionRefusedError("the database is away")
        yield  # a context manager has one

    monkeypatch.setattr(app.state.deps.database, "read", gone)
    assert (await li.get("/api/calls")).status_code == 200
    assert (await zhao.get("/api/calls")).status_code == 503
    monkeypatch.undo()
    assert (await zhao.get("/api/calls")).status_code == 200
    assert (await li.delete("/api/session")).status_code in (200, 204)
    li.cookies.clear()
    assert (await li.get("/api/calls")).status_code == 401
