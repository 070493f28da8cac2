"""Interactions over HTTP: whose they are, filters, and the note."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa

from cti_server.api.crm import interactions
from cti_server.record.contacts import history
from cti_server.record.contacts.interactions import InteractionRecord, SegmentRecord, save_calls
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from cti_server.record.journal import Entry
from tests.api.conftest import problem
from tests.lookup.seed import NOW, World


@pytest.fixture
async def calls(database: Database, world: World) -> None:
    """Li answered one call, Wang another."""

    def one(linkedid: str, agent: int, queue: str, minutes: int) -> InteractionRecord:
        started = NOW - timedelta(minutes=minutes)
        part = SegmentRecord(
            position=0, origin="offer", agent_id=agent, offered_at=started, answered_at=started, talk_ms=5000
        )
        return InteractionRecord(
            pbx="demo",
            boot=1795323600,
            linkedid=linkedid,
            customer_id=world.li,
            ani_raw="13800138000",
            ani_e164="+8613800138000",
            queue=queue,
            ivr_path=[{"step": "main-menu", "choice": "1", "at": "2026-11-22T05:00:00.000Z"}],
            started_at=started,
            answered_at=started,
            outcome="answered",
            complete=True,
            segments=(part,),
        )

    async with database.begin() as conn:
        await save_calls(
            conn, [one("demo-1.1", world.agent, "support", 10), one("demo-1.2", world.other_agent, "sales", 5)]
        )


async def listed(client: httpx.AsyncClient, **params: object) -> list[str | None]:
    answer = await client.get("/api/interactions", params={k: str(v) for k, v in params.items()})
    assert answer.status_code == 200, answer.text
    return [one["call"] for one in answer.json()["items"]]


MINE, OTHERS = "demo:1795323600:demo-1.1", "demo:1795323600:demo-1.2"


async def test_an_agent_sees_their_own_and_a_customers(li: httpx.AsyncClient, calls: None, world: World) -> None:
    assert await listed(li) == [MINE, None]
    assert await listed(li, agent="me") == [MINE, None]
    assert await listed(li, customer=world.li) == [OTHERS, MINE, None]
    problem(await li.get("/api/interactions", params={"agent": str(world.other_agent)}), 403, "forbidden")


async def test_a_supervisor_sees_all(zhao: httpx.AsyncClient, calls: None, world: World) -> None:
    assert await listed(zhao) == [OTHERS, MINE, None]
    assert await listed(zhao, agent=world.other_agent) == [OTHERS]
    assert await listed(zhao, agent="me") == []


async def test_filters(zhao: httpx.AsyncClient, calls: None) -> None:
    assert await listed(zhao, queue="sales") == [OTHERS]
    assert await listed(zhao, outcome="abandoned") == []
    assert await listed(zhao, direction="inbound", channel="visit") == [None]
    assert await listed(zhao, q="00138000") == [OTHERS, MINE]
    assert await listed(zhao, q="new drum") == [None]
    since = (NOW - timedelta(minutes=7)).isoformat()
    assert await listed(zhao, **{"from": since}) == [OTHERS]
    assert await listed(zhao, to=since) == [MINE, None]
    assert await listed(zhao, **{"from": "0001-01-01T00:00:00+14:00", "to": "9999-12-31T23:59:59-12:00"})


REFUSED = [
    {"outcome": "exploded"},
    {"from": "2026-11-22T05:00:00"},  # no zone
    {"from": "yesterday"},
    {"to": "0.5"},
    {"agent": "you"},
    {"limit": "0"},
    {"limit": "1000"},
    {"customer": "0"},
]


async def test_bad_filters(zhao: httpx.AsyncClient) -> None:
    for params in REFUSED:
        problem(await zhao.get("/api/interactions", params=params), 422, "invalid")


async def test_a_search_that_takes_too_long_is_refused_with_what_helps(
    zhao: httpx.AsyncClient, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(conn: Connection, *rest: object) -> None:
        """What keeps the engine busy until it is stopped."""
        if conn.dialect.name == "sqlite":
            n = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n"
            await conn.execute(sa.text(n))
        else:
            await conn.execute(sa.text("SELECT pg_sleep(30)"))

    monkeypatch.setattr(interactions, "SEARCH_S", 0.1)
    with monkeypatch.context() as slow:
        slow.setattr(history, "page", endless)
        refused = await zhao.get("/api/interactions", params={"q": "drum"})
    problem(refused, 422, "too_broad")
    assert "0.1 s" in refused.json()["detail"]
    assert "time span" in refused.json()["remedy"]
    assert await listed(zhao, q="new drum") == [None]


async def test_pages(zhao: httpx.AsyncClient, calls: None) -> None:
    first = (await zhao.get("/api/interactions", params={"limit": "2"})).json()
    rest = (await zhao.get("/api/interactions", params={"limit": "2", "cursor": first["next"]})).json()
    assert [one["call"] for one in first["items"] + rest["items"]] == [OTHERS, MINE, None]
    assert rest["next"] is None


async def test_the_note(
    li: httpx.AsyncClient, zhao: httpx.AsyncClient, calls: None, world: World, published: list[Entry]
) -> None:
    items = (await zhao.get("/api/interactions")).json()["items"]
    others, mine = items[0]["id"], items[1]["id"]
    answer = await li.put(f"/api/interactions/{mine}/note", json={"text": "Toner ordered\n明天到"})
    assert (answer.status_code, answer.json()["note"]) == (200, "Toner ordered\n明天到")
    assert (await li.get(f"/api/interactions/{mine}")).json()["note"] == "Toner ordered\n明天到"
    problem(await li.put(f"/api/interactions/{others}/note", json={"text": "x"}), 403, "not_yours")
    assert (await zhao.put(f"/api/interactions/{others}/note", json={"text": "x"})).status_code == 200
    assert (await li.put(f"/api/interactions/{mine}/note", json={"text": ""})).json()["note"] is None
    problem(await li.put("/api/interactions/999999/note", json={"text": "x"}), 404, "not_found")
    assert [entry.body["interaction"] for entry in published] == [mine, others, mine]
