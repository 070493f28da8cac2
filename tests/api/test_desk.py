"""The rest of the desk over HTTP: phones, messages, help, the team, targets, my day, my settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from cti_server.api.agent.help_requests import close_over
from cti_server.desk import Desk, audience
from cti_server.floor.signals import LinkChanged, LinkState
from cti_server.record.center import agent_states, agents, phone_secrets, phones, shifts
from cti_server.record.center.agent_states import AgentStateRow
from cti_server.record.center.phones import Phone
from cti_server.record.center.shifts import Shift
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.database import Database
from cti_server.record.journal import Entry
from tests.api.calls import record, segment
from tests.api.conftest import SEALER, SignIn, Time, client_of, problem
from tests.api.fakes import AT, FakeFloor, call, part
from tests.lookup.seed import NOW, World

CALL = "demo:1:a.1"
BROWSER = phone_secrets.with_password(
    Phone(pbx="demo", seat="PJSIP/1101", extension="1101", kind="browser", sip_user="1101", shared=True),
    "only for browsers",
    SEALER,
)


@pytest.fixture(autouse=True)
async def seats(database: Database, world: World) -> None:
    async with database.begin() as conn:
        for phone in (
            Phone(pbx="demo", seat="PJSIP/1001", extension="1001", label_en="Window"),
            BROWSER,
            Phone(pbx="demo", seat="PJSIP/1002", extension="1002", agent_id=world.other_agent),
            Phone(pbx="other", seat="PJSIP/9", extension="9"),
        ):
            await phones.save(conn, phone)


async def sit(database: Database, agent: int, seat: str) -> None:
    async with database.begin() as conn:
        await shifts.save(
            conn, Shift(agent_id=agent, seat=seat, pbx="demo", since=NOW, state="ready", state_since=NOW)
        )


@pytest.fixture
async def softphones(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Li, on a server that knows Asterisk's websocket."""
    ice = ("stun:stun.example:3478", "turn:desk:a:b@turn.example:3478?transport=tcp")
    app.state.deps = replace(app.state.deps, softphone_url="wss://pbx.example:8089/ws", softphone_ice=ice)
    async with client_of(app) as opened:
        answer = await opened.post("/api/session", json={"login": "li", "password": "correct horse"})
        assert answer.status_code == 200
        yield opened


async def test_phones(sign_in: SignIn, database: Database, world: World, floor: FakeFloor) -> None:
    li, wang, zhao = await sign_in("li"), await sign_in("wang"), await sign_in("zhao")
    await sit(database, world.other_agent, "PJSIP/1101")
    floor.serve("support", {world.other_agent: "PJSIP/1101"})

    async def seen(client: httpx.AsyncClient) -> list[tuple[str, str | None, bool | None]]:
        found = (await client.get("/api/phones")).json()
        assert "only for browsers" not in str(found)
        return [(p["extension"], p["agent"] and p["agent"]["name"], p["reachable"]) for p in found]

    assert await seen(li) == [("1001", None, None), ("1101", "Wang Fang", True)]
    assert await seen(wang) == [("1001", None, None), ("1002", None, None), ("1101", "Wang Fang", True)]
    assert [extension for extension, _, _ in await seen(zhao)] == ["1001", "1002", "1101", "9"]


async def test_the_softphone_is_for_who_sits_there(
    softphones: httpx.AsyncClient, database: Database, world: World, published: list[Entry]
) -> None:
    problem(await softphones.get("/api/me/softphone"), 409, "no_shift")
    await sit(database, world.agent, "PJSIP/1001")
    problem(await softphones.get("/api/me/softphone"), 409, "other_phone")
    problem(await softphones.post("/api/me/softphone/claim", json={"desktop": "d-123456"}), 409, "other_phone")
    await sit(database, world.agent, "PJSIP/1101")
    answer = await softphones.get("/api/me/softphone")
    assert answer.json() == {
        "url": "wss://pbx.example:8089/ws",
        "uri": "sip:1101@pbx.example",
        "user": "1101",
        "password": "only for browsers",
        "display_name": "Li Wei",
        "ice": [
            {"urls": "stun:stun.example:3478"},
            {"urls": "turn:turn.example:3478?transport=tcp", "username": "desk", "credential": "a:b"},
        ],
    }
    assert answer.headers["cache-control"] == "no-store"
    assert "microphone=(self)" in answer.headers["permissions-policy"]
    assert (await softphones.post("/api/me/softphone/claim", json={"desktop": "d-123456"})).status_code == 204
    [told] = published
    assert (told.kind, told.body) == ("phone.claimed", {"agent": world.agent, "desktop": "d-123456"})
    assert told.audience == audience(world.agent)
    problem(await softphones.post("/api/me/softphone/claim", json={"desktop": "<script>"}), 422, "invalid")


async def test_a_server_without_softphones(li: httpx.AsyncClient, database: Database, world: World) -> None:
    await sit(database, world.agent, "PJSIP/1101")
    assert "CTI_SOFTPHONE_URL" in str(problem(await li.get("/api/me/softphone"), 409, "softphone_off")["remedy"])


async def send(client: httpx.AsyncClient, to: dict[str, object], text: str) -> httpx.Response:
    return await client.post("/api/messages", json={"to": to, "text": text})


async def read(client: httpx.AsyncClient, since: int = 0) -> tuple[list[str], int]:
    found = (await client.get("/api/messages", params={"since": str(since)})).json()
    return [one["text"] for one in found["items"]], found["unread"]


async def test_messages(sign_in: SignIn, world: World, published: list[Entry]) -> None:
    li, wang, zhao, root = [await sign_in(login) for login in ("li", "wang", "zhao", "root")]
    asked = (await send(li, {"role": "supervisors"}, "May I go?")).json()
    assert (asked["from"]["name"], asked["to"]) == (
        "Li Wei",
        {"agent": None, "role": "supervisors", "team": False},
    )
    assert (await send(zhao, {"agent": world.agent}, "Yes")).status_code == 201
    assert (await send(zhao, {"team": True}, "稍后开会")).status_code == 201
    assert (await send(li, {"agent": world.supervisor}, "Thanks")).status_code == 201
    assert await read(li) == (["May I go?", "Yes", "稍后开会", "Thanks"], 2)
    assert await read(zhao) == (["May I go?", "Yes", "稍后开会", "Thanks"], 2)
    assert await read(root) == (["May I go?", "稍后开会"], 2)
    assert await read(wang) == (["稍后开会"], 1)
    assert await read(li, since=asked["id"]) == (["Yes", "稍后开会", "Thanks"], 2)
    assert [e.audience for e in published] == [
        audience(world.agent, supervisors=True),
        audience(world.agent, world.supervisor),
        audience(world.supervisor, everyone=True),
        audience(world.agent, world.supervisor),
    ]


async def test_what_was_read(sign_in: SignIn, world: World) -> None:
    li, zhao = await sign_in("li"), await sign_in("zhao")
    sent = [(await send(zhao, {"agent": world.agent}, text)).json()["id"] for text in "abc"]
    assert (await li.post("/api/messages/read", json={"up_to": sent[1]})).json()["unread"] == 1
    assert (await li.post("/api/messages/read", json={"up_to": sent[0]})).json()["read_to"] == sent[1]
    assert (await li.post("/api/messages/read", json={"up_to": 2**62})).json() == {
        "items": [],
        "read_to": sent[2],
        "unread": 0,
    }
    await send(zhao, {"team": True}, "d")
    assert (await read(li))[1] == 1


async def test_who_may_write_to_whom(sign_in: SignIn, world: World, floor: FakeFloor) -> None:
    li, zhao = await sign_in("li"), await sign_in("zhao")
    problem(await send(li, {"team": True}, "x"), 403, "forbidden")
    problem(await send(li, {"agent": world.other_agent}, "x"), 403, "forbidden")
    problem(await send(zhao, {"agent": 999}, "x"), 404, "not_found")
    problem(await send(zhao, {"team": False}, "x"), 422, "invalid")
    problem(await send(zhao, {"team": True}, "  "), 422, "empty")
    problem(await send(zhao, {"team": True}, "x" * 2001), 422, "invalid")
    floor.show(call(CALL, part(world.other_agent, "talking")))
    body = {"to": {"role": "supervisors"}, "text": "listen", "call": CALL}
    problem(await li.post("/api/messages", json=body), 404, "not_found")
    assert (await (await sign_in("wang")).post("/api/messages", json=body)).json()["call"] == CALL


async def test_help(sign_in: SignIn, world: World, floor: FakeFloor, published: list[Entry]) -> None:
    li, wang, zhao, root = [await sign_in(login) for login in ("li", "wang", "zhao", "root")]
    floor.show(call(CALL, part(world.agent, "talking")))
    path = f"/api/calls/{CALL}/help"
    first = await li.post(path, json={"said": "he shouts"})
    assert first.status_code == 202
    assert (await li.post(path, json={})).status_code == 202
    [waiting] = (await zhao.get("/api/help")).json()
    assert (waiting["agent"]["name"], waiting["said"], waiting["state"]) == ("Li Wei", "he shouts", "open")
    told = [
        ("help.changed", audience(world.agent, supervisors=True, of=[world.agent])),
        ("command.done", audience(world.agent)),
    ]
    assert [(e.kind, e.audience) for e in published] == told * 2
    assert published[1].body == {
        "request": first.json()["request"],
        "command": "help",
        "call": CALL,
        "ok": True,
        "problem": None,
    }
    problem(await wang.post(path, json={}), 404, "not_found")
    problem(await zhao.post(path, json={}), 403, "not_yours")
    assert (await wang.get("/api/help")).json() == []
    number = waiting["id"]
    problem(await li.post(f"/api/help/{number}/take"), 403, "forbidden")
    both = await asyncio.gather(*(one.post(f"/api/help/{number}/take") for one in (zhao, root)))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    problem(await wang.post(f"/api/help/{number}/done"), 404, "not_found")
    assert (await li.post(f"/api/help/{number}/done")).json()["state"] == "done"
    assert (await zhao.post(f"/api/help/{number}/done")).json()["state"] == "done"
    assert (await zhao.get("/api/help")).json() == []
    assert (await li.post(path, json={})).status_code == 202
    problem(await zhao.post("/api/help/999/take"), 404, "not_found")


async def test_the_key_hit_twice_asks_once(li: httpx.AsyncClient, world: World, floor: FakeFloor) -> None:
    floor.show(call(CALL, part(world.agent, "talking")))
    asked = await asyncio.gather(*(li.post(f"/api/calls/{CALL}/help", json={}) for _ in range(4)))
    assert [answer.status_code for answer in asked] == [202] * 4
    assert len((await li.get("/api/help")).json()) == 1


async def test_help_ends_with_the_call(
    li: httpx.AsyncClient, world: World, floor: FakeFloor, published: list[Entry], database: Database, clock: Time
) -> None:
    desk = Desk(database, published.extend, clock)
    floor.show(call(CALL, part(world.agent, "talking")))
    await li.post(f"/api/calls/{CALL}/help", json={})
    published.clear()
    assert await close_over(desk, floor, ["demo"]) == 0
    floor.show()
    floor.floor.apply(LinkChanged(AT, LinkState.CONNECTING))
    assert await close_over(desk, floor, ["demo"]) == 0  # nobody knows what became of the call
    floor.floor.apply(LinkChanged(AT, LinkState.LIVE))
    floor.show(call(CALL, part(world.agent, "wrap_up")))
    problem(await li.post(f"/api/calls/{CALL}/help", json={}), 409, "call_over")
    assert await close_over(desk, floor, []) == 0, "another process has the PBX"
    assert [await close_over(desk, floor, ["demo"]) for _ in range(2)] == [1, 0]
    assert [(e.kind, e.body["help"]["state"]) for e in published] == [("help.changed", "done")]


async def test_the_team(li: httpx.AsyncClient, world: World, floor: FakeFloor) -> None:
    floor.serve("support", {world.agent: "PJSIP/1001"})
    floor.show(call(CALL, part(world.agent, "talking")))
    team = (await li.get("/api/team")).json()
    assert [(one["name"], one["role"], one["queues"]) for one in team] == [
        ("Li Wei", "agent", ["support"]),
        ("Root", "administrator", []),
        ("Wang Fang", "agent", []),
        ("Zhao Min", "supervisor", []),
    ]
    assert team[0]["state"]["name"] == "talking"


async def test_targets(li: httpx.AsyncClient, world: World, floor: FakeFloor) -> None:
    seats = {world.agent: "PJSIP/1001", world.other_agent: "PJSIP/1002", world.administrator: "PJSIP/1009"}
    floor.serve("support", seats, waiting=["a.1", "a.2", "a.3", "a.4"])
    floor.serve("sales")
    floor.begin_shift(world.supervisor, "PJSIP/1003")
    floor.show(call(CALL, part(world.other_agent, "talking", "PJSIP/1002")))

    async def find(q: str) -> dict[str, list[str]]:
        found = (await li.get("/api/targets", params={"q": q})).json()
        assert all(one["ewt"] is None for one in found["queues"])
        return {
            "agents": [one["name"] for one in found["agents"]],
            "queues": [one["queue"] for one in found["queues"]],
            "contacts": [f"{one['customer']['name']} {one['number']}" for one in found["contacts"]],
        }

    assert await find("") == {
        "agents": ["Root", "Zhao Min", "Wang Fang"],  # who is free comes first; never myself
        "queues": ["sales", "support"],
        "contacts": [],
    }
    assert (await find("wang"))["agents"] == ["Wang Fang"]
    assert (await find("SALES"))["queues"] == ["sales"]
    assert (await find("李小明"))["contacts"] == ["李小明 +8613800138000"]
    assert (await find("1380013"))["contacts"] == ["李小明 +8613800138000"]
    problem(await li.get("/api/targets", params={"q": "x" * 81}), 422, "invalid")


async def test_my_day(li: httpx.AsyncClient, database: Database, world: World) -> None:
    since = NOW - timedelta(minutes=30)
    rows = [
        AgentStateRow(agent_id=world.agent, name="ready", at=since, by_kind="agent", by_name="Li Wei"),
        AgentStateRow(agent_id=world.agent, name="talking", at=NOW - timedelta(minutes=10)),
        AgentStateRow(agent_id=world.agent, name="ready", at=NOW - timedelta(minutes=5)),
        AgentStateRow(agent_id=world.other_agent, name="ready", at=since),
    ]
    async with database.begin() as conn:
        await agent_states.append(conn, rows)
        await save_calls(conn, [record(CALL, segment(world.agent, wrapped_at=NOW - timedelta(minutes=4)))])
    day = (await li.get("/api/me/day", params={"zone": "Asia/Shanghai"})).json()
    assert (day["date"], day["from"], day["to"]) == (
        "2026-11-22",
        "2026-11-21T16:00:00.000Z",
        "2026-11-22T16:00:00.000Z",
    )
    numbers = day["numbers"]
    assert (numbers["offered"], numbers["handled"], numbers["aht_ms"]) == (1, 1, 300_000)
    assert (numbers["ready_ms"], numbers["on_contact_ms"]) == (25 * 60_000, 5 * 60_000)
    assert numbers["occupancy"] == round(5 / 30, 4)
    assert day["states"][0] == {"name": "ready", "reason": None, "ms": 25 * 60_000}
    assert [(one["name"], one["until"] is None) for one in day["log"]] == [
        ("ready", False),
        ("talking", False),
        ("ready", True),
    ]
    assert day["formulas"]["occupancy"] == "on contact / (on contact + ready)"
    before = (await li.get("/api/me/day", params={"date": "2026-11-20"})).json()
    assert (before["numbers"]["handled"], before["log"]) == (0, [])
    after = (await li.get("/api/me/day", params={"date": "2026-11-25"})).json()
    assert after["log"] == []
    problem(await li.get("/api/me/day", params={"zone": "Mars/Base"}), 422, "unknown_zone")
    problem(await li.get("/api/me/day", params={"zone": "../../etc/passwd"}), 422, "unknown_zone")
    problem(await li.get("/api/me/day", params={"date": "0001-01-01"}), 422, "unknown_date")
    problem(await li.get("/api/me/day", params={"date": "today"}), 422, "invalid")


async def test_my_settings(
    li: httpx.AsyncClient, database: Database, world: World, published: list[Entry]
) -> None:
    assert (await li.get("/api/me")).json()["preferences"] == {"auto_answer": False}
    changed = (await li.patch("/api/me", json={"auto_answer": True})).json()
    assert (changed["preferences"], changed["language"]) == ({"auto_answer": True}, "browser")
    assert (await li.patch("/api/me", json={"language": "zh"})).json()["preferences"] == {"auto_answer": True}
    assert (await li.patch("/api/me", json={})).json()["language"] == "zh"
    assert [e.body["auto_answer"] for e in published] == [True, True]
    problem(await li.patch("/api/me", json={"may_pick": True}), 422, "invalid")
    async with database.read() as conn:
        kept = await agents.get(conn, world.agent)
    assert kept is not None
    assert (kept.auto_answer, kept.may_pick) == (True, False)
