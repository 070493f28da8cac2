"""Wrap-up of a contact that I had more than once, that goes on again, or that merged into another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from cti_server.record.contacts import briefs
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.database import Database
from cti_server.record.desk import promises as ledger
from cti_server.record.desk.promises import promises
from tests.api.calls import a_call, record, segment
from tests.api.conftest import SignIn, Time, problem
from tests.api.fakes import FakeCommands, FakeFloor, call, part
from tests.lookup.seed import NOW, World

CALL = "demo:1:a.1"
CALLBACK = {
    "kind": "callback",
    "from": None,
    "to": "2026-11-23T02:00:00Z",
    "number": "+8613800138000",
    "text": "about the drum",
}


@pytest.fixture
async def number(database: Database, world: World) -> int:
    """A call that Li answered; it is over."""
    return await a_call(database, CALL, world.agent, customer_id=world.li)


async def save(client: httpx.AsyncClient, number: int, **draft: Any) -> httpx.Response:
    return await client.put(f"/api/interactions/{number}/draft", json=draft)


async def finish(client: httpx.AsyncClient, number: int, **draft: Any) -> httpx.Response:
    return await client.post(f"/api/interactions/{number}/wrap-up", json=draft)


async def owed(client: httpx.AsyncClient) -> list[int]:
    tray = (await client.get("/api/me/owed")).json()
    assert (await client.get("/api/me")).json()["owed"] == tray["count"] == len(tray["items"])
    return [item["interaction"]["id"] for item in tray["items"]]


async def how_many(database: Database) -> int:
    async with database.read() as conn:
        return int(await conn.scalar(sa.select(sa.func.count()).select_from(promises)) or 0)


async def test_the_draft_stays_when_the_call_comes_back_to_me(
    li: httpx.AsyncClient, number: int, database: Database, world: World
) -> None:
    await save(li, number, note="He wants his money back", follow_up=CALLBACK)
    given = segment(world.agent, outcome="transferred", wrapped_at=NOW)
    back = segment(world.agent, 1, origin="transfer", ended_at=NOW - timedelta(minutes=2))
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, given, back, customer_id=world.li)])
    draft = (await li.get(f"/api/interactions/{number}/draft")).json()
    assert (draft["note"], draft["follow_up"]) == ("He wants his money back", CALLBACK)
    assert (await finish(li, number)).json()["promise"]["text"] == "about the drum"
    assert await owed(li) == []
    problem(await save(li, number, note="late"), 409, "finished")


async def test_being_done_with_a_contact_ends_all_my_parts_of_it(
    li: httpx.AsyncClient, number: int, database: Database, world: World
) -> None:
    expired = segment(world.agent, outcome="transferred", wrapped_at=NOW, owed=True)
    back = segment(world.agent, 1, origin="transfer", ended_at=NOW - timedelta(minutes=2))
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, expired, back, customer_id=world.li)])
    assert await owed(li) == [number]
    assert (await finish(li, number, note="done")).status_code == 200
    assert await owed(li) == []
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, expired, back, customer_id=world.li)])
    assert await owed(li) == []


async def test_what_was_promised_is_not_promised_again_when_the_call_goes_on(
    li: httpx.AsyncClient, number: int, database: Database, world: World
) -> None:
    await save(li, number, note="n", follow_up=CALLBACK)
    assert (await finish(li, number)).status_code == 200
    on_again = segment(world.agent, ended_at=None, outcome=None)
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, on_again, outcome=None, complete=False, customer_id=world.li)])
    draft = (await li.get(f"/api/interactions/{number}/draft")).json()
    assert (await save(li, number, note="more", follow_up=draft["follow_up"])).status_code == 200
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, segment(world.agent), customer_id=world.li)])
    assert (await finish(li, number)).status_code == 200
    assert await how_many(database) == 1


async def test_what_is_finished_stays_so_when_the_call_merges_into_another(
    li: httpx.AsyncClient, number: int, database: Database, world: World
) -> None:
    await save(li, number, note="n", follow_up=CALLBACK)
    promise = (await finish(li, number)).json()["promise"]["id"]
    both = record("demo:1:a.0", segment(world.agent), aliases=("a.1",), customer_id=world.li)
    async with database.begin() as conn:
        [into] = (await save_calls(conn, [both])).values()
    assert await owed(li) == []
    draft = (await li.get(f"/api/interactions/{into}/draft")).json()
    assert (draft["note"], draft["finished_at"] is not None) == ("n", True)
    problem(await save(li, into, note="late"), 409, "finished")
    assert await how_many(database) == 1
    async with database.read() as conn:
        kept = await ledger.get(conn, promise)
    assert kept is not None
    assert kept.interaction_id == into


async def test_a_code_that_i_took_back_does_not_return(
    li: httpx.AsyncClient, number: int, database: Database, world: World
) -> None:
    await save(li, number, code="billing")
    await save(li, number, code=None)
    async with database.begin() as conn:  # the floor has not heard of it yet
        await save_calls(conn, [record(CALL, segment(world.agent, wrap_code="billing"), customer_id=world.li)])
    assert (await li.get(f"/api/interactions/{number}/draft")).json()["code"] is None


async def test_whose_it_was_is_said_by_those_who_had_it(
    sign_in: SignIn, number: int, database: Database, world: World
) -> None:
    wang, path = await sign_in("wang"), f"/api/interactions/{number}/customer"
    rang = segment(world.other_agent, 1, answered_at=None, outcome="no_answer", wrapped_at=NOW)
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, segment(world.agent), rang, customer_id=world.li)])
    problem(await wang.put(path, json={"customer_id": world.son}), 403, "not_yours")


async def test_whose_it_is_shows_to_who_speaks_with_them_now(
    li: httpx.AsyncClient, number: int, floor: FakeFloor, commands: FakeCommands, world: World
) -> None:
    parts = (part(world.agent, "left"), part(world.other_agent, "talking", "PJSIP/1002"))
    floor.show(call(CALL, *parts, interaction=number))
    answer = await li.put(f"/api/interactions/{number}/customer", json={"customer_id": world.son})
    assert answer.status_code == 204
    assert commands.asked == [("choose_customer", CALL, world.son, world.agent)]


async def test_what_i_finish_from_the_tray_took_no_hours_of_wrap_up(
    li: httpx.AsyncClient, number: int, clock: Time
) -> None:
    clock.now = NOW + timedelta(hours=3)  # the server was away meanwhile, and nobody saw the wrap-up's end
    assert (await finish(li, number, note="late")).status_code == 200
    numbers = (await li.get("/api/me/day", params={"date": "2026-11-22"})).json()["numbers"]
    assert (numbers["handled"], numbers["wrap_ms"], numbers["aht_ms"]) == (1, 0, 240_000)


async def test_what_is_not_finished_is_read_by_its_author_only(
    sign_in: SignIn, number: int, database: Database, world: World
) -> None:
    """By id, in lists, by a word of it, on the customer's timeline and on the card of their next call."""
    li, wang, zhao = await sign_in("li"), await sign_in("wang"), await sign_in("zhao")
    await save(li, number, note="he sounds drunk", follow_up=CALLBACK)

    async def notes(reader: httpx.AsyncClient) -> set[str | None]:
        one = (await reader.get(f"/api/interactions/{number}")).json()
        listed = (await reader.get("/api/interactions", params={"customer": world.li})).json()["items"]
        timeline = (await reader.get(f"/api/customers/{world.li}/timeline")).json()["items"]
        same = [one, *(row for row in (*listed, *timeline) if row["id"] == number)]
        assert len(same) == 3
        assert {bool(row["segments"][0]["follow_up"]) for row in same} == {same[0]["note"] is not None}
        return {text for row in same for text in (row["note"], row["segments"][0]["note"])}

    async def found(reader: httpx.AsyncClient) -> bool:
        answer = await reader.get("/api/interactions", params={"customer": world.li, "q": "drunk"})
        return number in [row["id"] for row in answer.json()["items"]]

    async def on_card() -> str | None:
        async with database.read() as conn:
            recent = await briefs.recent(conn, world.li)
        return next(one.note for one in recent if one.id == number)

    assert await notes(li) == {"he sounds drunk"}
    assert await notes(wang) == await notes(zhao) == {None}
    assert (await found(wang), await on_card()) == (False, None)
    await finish(li, number, note="cannot hear well")
    assert await notes(wang) == await notes(zhao) == {"cannot hear well"}
    assert await on_card() == "cannot hear well"
