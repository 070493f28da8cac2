"""Wrap-up over HTTP: drafts as typed, finishing once, follow-ups, and what is owed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from cti_server.commands import CommandRefused
from cti_server.desk import only
from cti_server.lookup.identify import Lookup
from cti_server.record.center import queues, wrap_up_codes
from cti_server.record.center.wrap_up_codes import WrapUpCode
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.database import Database
from cti_server.record.desk.promises import promises
from cti_server.record.journal import Entry
from tests.api.calls import a_call, record, segment
from tests.api.conftest import SignIn, problem
from tests.api.fakes import FakeCommands, FakeFloor, call, part
from tests.lookup.seed import NOW, World

CALL = "demo:1:a.1"
CALLBACK = {
    "kind": "callback",
    "from": "2026-11-23T01:00:00Z",
    "to": "2026-11-23T02:00:00Z",
    "number": "+8613800138000",
    "text": "about the drum",
}


@pytest.fixture
async def number(database: Database, world: World) -> int:
    """A call that Li answered; it is over."""
    async with database.begin() as conn:
        await wrap_up_codes.replace(
            conn,
            [
                WrapUpCode(code="billing", title_en="Billing", title_zh="账单"),
                WrapUpCode(code="billing/refund", title_en="Refund", title_zh="退款"),
                WrapUpCode(code="sold", title_en="Sold", title_zh="成交", queue="sales"),
                WrapUpCode(code="old", title_en="Old", title_zh="旧", active=False),
            ],
        )
    return await a_call(database, CALL, world.agent, customer_id=world.li)


def on_floor(floor: FakeFloor, world: World, number: int, state: str) -> None:
    floor.show(call(CALL, part(world.agent, state), interaction=number))


async def require_a_code(database: Database) -> None:
    async with database.begin() as conn:
        [support] = await queues.all_queues(conn, "demo")
        await queues.save(conn, replace(support, wrap_up_code_required=True))


async def save(client: httpx.AsyncClient, number: int, **draft: Any) -> httpx.Response:
    return await client.put(f"/api/interactions/{number}/draft", json=draft)


async def finish(client: httpx.AsyncClient, number: int, **draft: Any) -> httpx.Response:
    return await client.post(f"/api/interactions/{number}/wrap-up", json=draft)


async def test_a_draft_is_kept_as_typed(
    li: httpx.AsyncClient, number: int, published: list[Entry], world: World
) -> None:
    assert (await save(li, number, note="Toner", code="billing", follow_up=CALLBACK)).status_code == 200
    draft = (await save(li, number, note="Toner ordered")).json()
    assert draft == {
        "interaction": number,
        "segment": 0,
        "note": "Toner ordered",
        "code": "billing",
        "code_required": False,
        "follow_up": {**CALLBACK, "from": "2026-11-23T01:00:00Z"},
        "finished_at": None,
    }
    assert (await li.get(f"/api/interactions/{number}/draft")).json() == draft
    assert (await save(li, number, code=None, follow_up=None)).json()["note"] == "Toner ordered"
    assert [(e.kind, e.body["agent"], e.audience) for e in published] == [
        ("draft.changed", world.agent, only(world.agent))
    ] * 3


async def test_drafts_of_two_agents_of_one_call_stand_side_by_side(
    sign_in: SignIn, database: Database, world: World
) -> None:
    li, wang, zhao = await sign_in("li"), await sign_in("wang"), await sign_in("zhao")
    both = record(CALL, segment(world.agent, outcome="transferred"), segment(world.other_agent, 1))
    async with database.begin() as conn:
        [number] = (await save_calls(conn, [both])).values()
    await save(li, number, note="He wants his money back")
    await save(wang, number, note="Refunded")
    assert (await li.get(f"/api/interactions/{number}/draft")).json()["note"] == "He wants his money back"
    assert (await zhao.get(f"/api/interactions/{number}")).json()["note"] is None, "each is its author's so far"
    mine = (await li.get(f"/api/interactions/{number}")).json()
    assert [one["note"] for one in mine["segments"]] == ["He wants his money back", None]
    for client in (li, wang):
        await finish(client, number)
    seen = (await zhao.get(f"/api/interactions/{number}")).json()
    assert seen["note"] == "He wants his money back\nRefunded"
    assert [one["note"] for one in seen["segments"]] == ["He wants his money back", "Refunded"]
    found = await zhao.get("/api/interactions", params={"q": "refunded"})
    assert [one["id"] for one in found.json()["items"]] == [number]
    async with database.begin() as conn:
        await save_calls(conn, [both])  # the pipeline writes the call once more
    assert (await zhao.get(f"/api/interactions/{number}")).json()["note"] == seen["note"]
    assert (await zhao.put(f"/api/interactions/{number}/note", json={"text": "Checked"})).status_code == 200
    assert (await li.get(f"/api/interactions/{number}")).json()["note"] == f"Checked\n{seen['note']}"


async def test_two_windows_do_not_overwrite_each_other(li: httpx.AsyncClient, number: int) -> None:
    assert (await save(li, number, note="one", base=None)).status_code == 200
    assert (await save(li, number, note="one", base=None)).status_code == 200  # the same, sent again
    refused = problem(await save(li, number, note="two", base=None), 409, "draft_conflict")
    assert refused["draft"]["note"] == "one"  # type: ignore[index]
    assert (await save(li, number, note="one and two", base="one")).json()["note"] == "one and two"


async def test_whose_draft(sign_in: SignIn, number: int, world: World) -> None:
    wang, zhao = await sign_in("wang"), await sign_in("zhao")
    problem(await save(wang, number, note="x"), 403, "not_yours")
    problem(await save(zhao, number, note="x"), 403, "not_yours")
    problem(await finish(wang, number), 403, "not_yours")
    problem(await save(wang, 999_999, note="x"), 404, "not_found")
    problem(await wang.put(f"/api/interactions/{number}/draft", content=b"{"), 422, "invalid")


async def test_a_code_set_during_the_call_is_on_the_floor_too(
    li: httpx.AsyncClient, number: int, floor: FakeFloor, commands: FakeCommands, world: World
) -> None:
    on_floor(floor, world, number, "talking")
    await save(li, number, code="billing/refund")
    await save(li, number, note="no code in this one")
    assert commands.asked == [("note_code", CALL, world.agent, "billing/refund")]
    problem(await finish(li, number), 409, "still_in_call")


async def test_a_part_that_the_record_does_not_have_yet(
    sign_in: SignIn, number: int, floor: FakeFloor, world: World
) -> None:
    floor.show(call(CALL, part(world.other_agent, "talking"), interaction=number))
    problem(await save(await sign_in("wang"), number, note="x"), 503, "not_written_yet")


async def test_finishing_ends_wrap_up_and_makes_the_promise(
    li: httpx.AsyncClient,
    number: int,
    floor: FakeFloor,
    commands: FakeCommands,
    world: World,
    published: list[Entry],
    database: Database,
) -> None:
    on_floor(floor, world, number, "wrap_up")
    await save(li, number, note="Toner", follow_up=CALLBACK)
    answer = await finish(li, number, code="billing/refund")
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert (done["note"], done["code"], done["finished_at"]) == (
        "Toner",
        "billing/refund",
        "2026-11-22T05:00:00.000Z",
    )
    promise = done["promise"]
    assert (promise["kind"], promise["from"], promise["due"], promise["number"]) == (
        "callback",
        "2026-11-23T01:00:00.000Z",
        "2026-11-23T02:00:00.000Z",
        "+8613800138000",
    )
    assert (promise["customer"]["id"], promise["owner"]["id"], promise["interaction"]) == (
        world.li,
        world.agent,
        number,
    )
    assert commands.asked == [("finish_wrap_up", CALL, world.agent, "billing/refund")]
    assert [e.kind for e in published] == [
        "draft.changed",
        "promise.changed",
        "interaction.changed",
        "draft.changed",
    ]
    # Sent again by another window: the same answer, and nothing is made twice.
    again = await finish(li, number, code="billing/refund", note="Toner")
    assert (again.status_code, again.json()["promise"]["id"]) == (200, promise["id"])
    assert len(published) == 4
    problem(await finish(li, number, note="Something else"), 409, "finished")
    problem(await save(li, number, note="late"), 409, "finished")
    seen = (await li.get(f"/api/interactions/{number}")).json()["segments"][0]
    assert (seen["code"], seen["follow_up"]["promise"], seen["owed"]) == ("billing/refund", promise["id"], False)


async def test_of_two_finishes_at_once_one_makes_the_promise(
    sign_in: SignIn, number: int, database: Database, world: World
) -> None:
    windows = [await sign_in("li") for _ in range(4)]
    answers = await asyncio.gather(*(finish(one, number, note="n", follow_up=CALLBACK) for one in windows))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert 200 in {answer.status_code for answer in answers}
    async with database.read() as conn:
        assert await conn.scalar(sa.select(sa.func.count()).select_from(promises)) == 1


async def test_a_case_as_follow_up(li: httpx.AsyncClient, number: int, world: World) -> None:
    problem(await finish(li, number, follow_up={"kind": "case", "subject": " "}), 422, "no_subject")
    done = (
        await finish(li, number, follow_up={"kind": "case", "subject": "Paper jam again", "text": "third time"})
    ).json()
    assert done["case"]["name"].startswith("CS-")
    customer = (await li.get(f"/api/customers/{world.li}")).json()
    assert [one["number"] for one in customer["cases"]] == [done["case"]["name"], "K-1"]
    assert f"{done['case']['name']}: third time" in [one["text"] for one in customer["notes"]]
    again = await finish(
        li, number, follow_up={"kind": "case", "subject": "Paper jam again", "text": "third time"}
    )
    assert again.json()["case"] == done["case"]


async def test_a_refused_follow_up_finishes_nothing(
    li: httpx.AsyncClient, number: int, database: Database, world: World
) -> None:
    problem(await finish(li, number, follow_up={"kind": "callback"}), 422, "no_time")
    late = {**CALLBACK, "from": None, "to": "2026-11-22T04:00:00Z"}
    problem(await finish(li, number, follow_up=late), 422, "in_the_past")
    turned = {**CALLBACK, "from": CALLBACK["to"], "to": CALLBACK["from"]}
    problem(await finish(li, number, follow_up=turned), 422, "bad_period")
    assert (await li.get(f"/api/interactions/{number}/draft")).json()["finished_at"] is None
    stranger = await a_call(database, "demo:1:a.9", world.agent)
    problem(await finish(li, stranger, follow_up=CALLBACK), 422, "no_customer")


async def test_codes(li: httpx.AsyncClient, number: int, database: Database) -> None:
    await require_a_code(database)
    problem(await finish(li, number, note="n"), 422, "code_required")
    for wrong in ("billing", "sold", "old", "nobody knows"):
        problem(await finish(li, number, code=wrong), 422, "unknown_code")
    assert (await finish(li, number, code="billing/refund")).status_code == 200


async def test_the_call_left_the_floor_meanwhile(
    li: httpx.AsyncClient, number: int, floor: FakeFloor, commands: FakeCommands, world: World
) -> None:
    on_floor(floor, world, number, "wrap_up")
    commands.refusal = CommandRefused("call_over", "that call is wrapped up already")
    assert (await finish(li, number, note="n")).status_code == 200
    commands.refusal = CommandRefused("pbx_unreachable", "the PBX is away")
    problem(await finish(li, number, note="n"), 503, "pbx_unreachable")
    commands.refusal = None
    assert (await finish(li, number, note="n")).status_code == 200
    assert commands.asked == [("finish_wrap_up", CALL, world.agent, None)]


async def owed(client: httpx.AsyncClient) -> list[tuple[int, str]]:
    tray = (await client.get("/api/me/owed")).json()
    assert (await client.get("/api/me")).json()["owed"] == tray["count"] == len(tray["items"])
    return [(item["interaction"]["id"], item["because"]) for item in tray["items"]]


async def test_what_i_owe(
    sign_in: SignIn, number: int, floor: FakeFloor, database: Database, world: World
) -> None:
    li, wang = await sign_in("li"), await sign_in("wang")
    assert await owed(li) == [(number, "unfinished")]
    on_floor(floor, world, number, "wrap_up")
    assert await owed(li) == []  # it is before my eyes
    expired = segment(world.agent, wrapped_at=NOW, owed=True)
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, expired, customer_id=world.li)])
    on_floor(floor, world, number, "left")
    assert await owed(li) == [(number, "code")]
    assert await owed(wang) == []
    assert (await finish(li, number, code="billing/refund")).status_code == 200
    assert await owed(li) == []
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, expired, customer_id=world.li)])  # the floor did not hear of it
    assert await owed(li) == []


async def test_a_follow_up_that_nobody_finished_is_owed(
    li: httpx.AsyncClient, number: int, database: Database, world: World
) -> None:
    await save(li, number, follow_up={"kind": "callback", "text": "tomorrow"})
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, segment(world.agent, wrapped_at=NOW), customer_id=world.li)])
    assert await owed(li) == [(number, "follow_up")]
    assert (await finish(li, number, follow_up=None)).status_code == 200
    assert await owed(li) == []


async def test_a_call_that_goes_on_again_is_unfinished(
    li: httpx.AsyncClient, number: int, database: Database, world: World
) -> None:
    assert (await finish(li, number, note="done")).status_code == 200
    back = segment(world.agent, ended_at=None, outcome=None)
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, back, outcome=None, complete=False)])
    assert (await save(li, number, note="done, and more")).json()["finished_at"] is None


async def test_a_text_of_full_length_fits_and_one_longer_does_not(li: httpx.AsyncClient, number: int) -> None:
    assert (await save(li, number, note="长" * 10_000)).status_code == 200
    problem(await save(li, number, note="x" * 10_001), 422, "invalid")
    assert (await li.get("/api/me/owed")).json()["items"][0]["draft"]["note"] == "长" * 10_000


async def test_whose_it_was_until_i_am_done(
    sign_in: SignIn, number: int, floor: FakeFloor, commands: FakeCommands, world: World, database: Database
) -> None:
    li, wang = await sign_in("li"), await sign_in("wang")
    path = f"/api/interactions/{number}/customer"
    problem(await wang.put(path, json={"customer_id": world.son}), 403, "not_yours")
    problem(await li.put(path, json={"customer_id": 999_999}), 404, "not_found")
    on_floor(floor, world, number, "wrap_up")
    assert (await li.put(path, json={"customer_id": world.son})).status_code == 204
    assert commands.asked == [("choose_customer", CALL, world.son, world.agent)]
    floor.show()
    assert (await li.put(path, json={"customer_id": world.mother})).status_code == 204
    found = (await li.get(f"/api/interactions/{number}")).json()
    assert (found["customer"]["id"], found["match"]) == (world.mother, "verified")
    async with database.begin() as conn:
        await save_calls(conn, [record(CALL, segment(world.agent), customer_id=world.li)])
    done = (await finish(li, number, follow_up=CALLBACK)).json()
    assert done["promise"]["customer"]["id"] == world.mother
    problem(await li.put(path, json={"customer_id": world.li}), 409, "finished")
    # The number is learnt: the next call from it begins with her.
    matched = await Lookup(database).identify("demo", "13800138000")
    assert matched.match.candidates[0].customer.id == world.mother
