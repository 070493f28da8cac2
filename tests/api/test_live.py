"""Live calls, queues and readiness: who sees what, and what is passed on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import sqlalchemy as sa

from cti_server.asterisk.link import SinkFull
from cti_server.commands import CommandRefused
from cti_server.floor.signals import LinkChanged, LinkState
from cti_server.lookup.identify import Identified, Lookup
from cti_server.record.center import agents
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from cti_server.wire.text import to_text
from tests.api.calls import a_call
from tests.api.conftest import TOKEN, problem
from tests.api.fakes import AT, FakeCommands, FakeFloor, call, part
from tests.lookup.seed import World

RINGING, OTHERS, LOST, WRAPPING = "demo:1:a.1", "demo:1:a.2", "demo:1:a.3", "demo:1:a.4"


@pytest.fixture(autouse=True)
def on_the_floor(floor: FakeFloor, world: World) -> None:
    floor.serve("support", {world.agent: "PJSIP/1001"})
    floor.serve("sales", {world.other_agent: "PJSIP/1002"})
    floor.show(
        call(RINGING, part(world.agent, "ringing")),
        call(OTHERS, part(world.other_agent, "talking", "PJSIP/1002")),
        call(LOST, part(world.agent, "left"), part(world.other_agent, "talking", "PJSIP/1002")),
        call(WRAPPING, part(world.agent, "wrap_up")),
    )


async def ids(client: httpx.AsyncClient) -> list[str]:
    return [one["call"] for one in (await client.get("/api/calls")).json()["items"]]


async def test_an_agent_sees_what_concerns_them(li: httpx.AsyncClient, world: World) -> None:
    assert await ids(li) == [RINGING, WRAPPING]
    [me] = (await li.get(f"/api/calls/{RINGING}")).json()["agents"]
    assert (me["agent"], me["state"]) == (world.agent, "ringing")
    [mine] = (await li.get(f"/api/calls/{WRAPPING}/parts")).json()
    assert (mine["call"], mine["agent"], mine["state"]) == (WRAPPING, world.agent, "wrap_up")
    for hidden in (OTHERS, LOST, "demo:1:none"):
        problem(await li.get(f"/api/calls/{hidden}"), 404, "not_found")
        problem(await li.get(f"/api/calls/{hidden}/card"), 404, "not_found")
        problem(await li.get(f"/api/calls/{hidden}/parts"), 404, "not_found")
        problem(await li.put(f"/api/calls/{hidden}/customer", json={"customer_id": 1}), 404, "not_found")


async def test_an_agent_sees_what_is_for_the_taking(
    li: httpx.AsyncClient, floor: FakeFloor, database: Database, world: World
) -> None:
    colleague = part(world.other_agent, "ringing", "PJSIP/1002")
    floor.show(
        call("demo:1:parked", parked=True),
        call("demo:1:rings-there", colleague),
        call("demo:1:waits-and-rings", colleague, waits=True),
        call("demo:1:waits", waits=True),
        call("demo:1:waits-elsewhere", waits=True, queue="sales"),
        call("demo:1:talks", part(world.other_agent, "talking", "PJSIP/1002")),
    )
    assert await ids(li) == ["demo:1:parked", "demo:1:rings-there", "demo:1:waits-and-rings"]
    async with database.begin() as conn:
        await agents.update(conn, world.agent, may_pick=True)
    assert "demo:1:waits" in await ids(li)
    assert "demo:1:waits-elsewhere" not in await ids(li)


async def test_a_supervisor_sees_the_floor(zhao: httpx.AsyncClient) -> None:
    assert await ids(zhao) == [RINGING, OTHERS, LOST, WRAPPING]
    assert [one["queue"] for one in (await zhao.get("/api/queues")).json()] == ["sales", "support"]
    assert len((await zhao.get("/api/queues/demo/sales/members")).json()) == 1


async def test_my_queues(li: httpx.AsyncClient) -> None:
    assert [one["queue"] for one in (await li.get("/api/queues")).json()] == ["support"]
    assert (await li.get("/api/me")).json()["queues"] == ["support"]
    [member] = (await li.get("/api/queues/demo/support/members")).json()
    assert (member["seat"], member["paused"]) == ("PJSIP/1001", False)
    for hidden in ("demo/sales", "demo/none", "elsewhere/support"):
        problem(await li.get(f"/api/queues/{hidden}/members"), 404, "not_found")


async def test_the_card(li: httpx.AsyncClient, floor: FakeFloor, database: Database, world: World) -> None:
    problem(await li.get(f"/api/calls/{RINGING}/card"), 404, "not_found")
    lookup = Lookup(database)
    known = await lookup.identify("demo", "13800138000")
    floor.cards[RINGING] = await lookup.card(RINGING, known)
    card = (await li.get(f"/api/calls/{RINGING}/card")).json()
    assert (card["call"], card["customer"]["id"]) == (RINGING, world.li)


async def test_the_agents_choice(li: httpx.AsyncClient, commands: FakeCommands, world: World) -> None:
    path = f"/api/calls/{RINGING}/customer"
    assert (await li.put(path, json={"customer_id": world.mother})).status_code == 204
    assert commands.asked == [("choose_customer", RINGING, world.mother, world.agent)]
    problem(await li.put(path, json={"customer_id": 999999}), 404, "not_found")
    problem(await li.put(path, json={}), 422, "invalid")


async def test_wrap_up(
    li: httpx.AsyncClient, commands: FakeCommands, floor: FakeFloor, database: Database, world: World
) -> None:
    wrapping = floor.floor.calls[WRAPPING]
    wrapping.interaction = number = await a_call(database, WRAPPING, world.agent)
    path = f"/api/calls/{WRAPPING}/wrap-up"
    assert (await li.post(path, json={"note": "done"})).status_code == 204
    assert (await li.post(path, json={"note": None})).status_code == 204  # once more, from another window
    assert commands.asked == [("finish_wrap_up", WRAPPING, world.agent, None)] * 2
    assert (await li.get(f"/api/interactions/{number}")).json()["note"] == "done"
    wrapping.interaction = None
    problem(await li.post(path, json={}), 503, "not_written_yet")
    problem(await li.post(f"/api/calls/{RINGING}/wrap-up", json={}), 409, "not_in_wrap_up")


async def test_a_refused_command_is_a_problem(li: httpx.AsyncClient, commands: FakeCommands) -> None:
    commands.refusal = CommandRefused("no_account", "no AMI user for agents", "Set CTI_AMI_AGENT_SECRET.")
    body = problem(await li.post("/api/me/state", json={"state": "ready"}), 409, "no_account")
    assert body["remedy"] == "Set CTI_AMI_AGENT_SECRET."


async def test_health_and_readiness(client: httpx.AsyncClient, floor: FakeFloor, database: Database) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {
        "ready": True,
        "database": "ok",
        "links": {"demo": "live"},
        "journal_lag_ms": 0,
    }
    floor.floor.apply(LinkChanged(AT, LinkState.REFUSED, "secret host 10.0.0.7"))
    floor.lag = 9000
    answer = await client.get("/readyz")
    body = problem(answer, 503, "not_ready") if answer.headers.get("cache-control") else answer.json()
    assert answer.status_code == 503
    assert body["ready"] is False
    assert body["detail"] == "the link to demo is refused; the journal is 9000 ms behind"
    assert "10.0.0.7" not in answer.text
    assert "python_info" in (await client.get("/metrics")).text


async def test_a_record_that_cannot_be_written_is_not_ready(
    client: httpx.AsyncClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    transaction = database._transaction

    @asynccontextmanager
    async def full() -> AsyncIterator[Connection]:
        async with transaction() as conn:
            yield conn
            raise sa.exc.OperationalError("COMMIT", None, Exception("database or disk is full"))

    monkeypatch.setattr(database, "_transaction", full)
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "unwritable"
    assert answer.json()["detail"] == "the database cannot be written: database or disk is full"
    assert answer.json()["remedy"] == "Run cti-server doctor."
    body = {"login": "li", "password": "correct horse"}
    problem(await client.post("/api/session", json=body), 503, "unavailable")
    monkeypatch.undo()
    assert (await client.get("/readyz")).json()["database"] == "ok"


async def test_a_script_asks_who_calls(
    client: httpx.AsyncClient, identified: list[tuple[str, str, Identified | None]], world: World
) -> None:
    asked = {"uniqueid": "demo-1.9", "pbx": "demo", "ani": "13800138000", "dnis": "85550000", "future": 1}
    answer = await client.post("/api/identify", json=asked, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.json()["variables"]["CTI_CUSTOMER"] == str(world.li)
    assert answer.json()["variables"]["CTI_STATUS"] == "ok"
    assert [(pbx, uniqueid) for pbx, uniqueid, _ in identified] == [("demo", "demo-1.9")]
    hostile = {"uniqueid": "x", "ani": "9" * 300, "ani_name": '"\r\n\x00👍'}
    answer = await client.post("/api/identify", json=hostile, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.json()["variables"]["CTI_STATUS"] == "unknown"


@pytest.mark.parametrize(
    ("raw", "channel", "name"),
    [
        (b"J\xfcrgen", "SIP/a-1", "Jürgen"),
        (b"\xd5\xc5\xc8\xfd", None, "张三"),
        (b"\xc8\xe2\xe0\xed\xee\xe2", "DAHDI/7-1", "Иванов"),
        (b"\xc8\xe2\xe0\xed\xee\xe2", "SIP/a-1", "\uefc8\uefe2\uefe0\uefed\uefee\uefe2"),
        ("王".encode(), "DAHDI/7-1", "王"),
    ],
)
async def test_a_script_sends_bytes_and_the_server_reads_them(
    client: httpx.AsyncClient,
    identified: list[tuple[str, str, Identified | None]],
    raw: bytes,
    channel: str | None,
    name: str,
) -> None:
    asked = {"uniqueid": "demo-1.9", "pbx": "demo", "channel": channel, "ani_name": to_text(raw, "utf-8")}
    await client.post("/api/identify", json=asked, headers={"Authorization": f"Bearer {TOKEN}"})
    [(_, _, who)] = identified
    assert who is not None
    assert who.ani_name == name


async def test_a_script_needs_the_token(client: httpx.AsyncClient) -> None:
    for header in (None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}"):
        headers = {"Authorization": header} if header is not None else {}
        answer = await client.post("/api/identify", json={"uniqueid": "x"}, headers=headers)
        problem(answer, 401, "wrong_token")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_what_cannot_be_taken_in_now_is_to_be_tried_again(
    li: httpx.AsyncClient, commands: FakeCommands, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> str:
        raise SinkFull("20000 signals wait to be applied")

    monkeypatch.setattr(commands, "set_state", full)
    problem(await li.post("/api/me/state", json={"state": "ready"}), 503, "overloaded")
