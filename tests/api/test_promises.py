"""Promises over HTTP: made, found, changed with care, raised once, shown on the card."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from cti_server.api.agent.promises import raise_due
from cti_server.desk import Desk, audience
from cti_server.lookup.identify import Lookup
from cti_server.record.database import Database
from cti_server.record.journal import Entry
from tests.api.conftest import SignIn, Time, problem
from tests.api.fakes import FakeFloor, call, part
from tests.lookup.seed import NOW, World


def iso(minutes: float) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def make(client: httpx.AsyncClient, customer: int, **fields: Any) -> dict[str, Any]:
    given = {"customer_id": customer, "kind": "visit", "text": "Engineer by 17:00", "due": iso(60)}
    answer = await client.post("/api/promises", json=given | fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def change(client: httpx.AsyncClient, made: dict[str, Any], **changes: Any) -> httpx.Response:
    body = {"version": made["version"], **changes}
    return await client.patch(f"/api/promises/{made['id']}", json=body)


async def texts(client: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await client.get("/api/promises", params={k: str(v) for k, v in params.items()})
    assert answer.status_code == 200, answer.text
    return [one["text"] for one in answer.json()["items"]]


@pytest.fixture
def desk(database: Database, published: list[Entry], clock: Time) -> Desk:
    return Desk(database, published.extend, clock)


async def test_made_and_kept(li: httpx.AsyncClient, world: World, published: list[Entry]) -> None:
    made = await make(li, world.li)
    assert (made["state"], made["owner"]["name"], made["created_by"]["id"]) == ("open", "Li Wei", world.agent)
    kept = await change(li, made, state="kept")
    assert (kept.status_code, kept.json()["state"], kept.json()["settled_at"]) == (200, "kept", iso(0))
    readers = audience(world.agent, topics=[f"customer:{world.li}"], supervisors=True, of=[world.agent])
    assert [(e.kind, e.body["promise"]["state"], e.audience) for e in published] == [
        ("promise.changed", "open", readers),
        ("promise.changed", "kept", readers),
    ]


async def test_lists(sign_in: SignIn, world: World) -> None:
    li, wang, zhao = await sign_in("li"), await sign_in("wang"), await sign_in("zhao")
    await make(li, world.li, text="second", due=iso(90))
    await make(li, world.acme, text="first")
    await make(wang, world.chen, text="third", due=iso(120))
    assert await texts(li) == ["first", "second"]
    assert await texts(li, owner="me", customer=world.li) == ["second"]
    assert await texts(li, customer=world.chen) == ["first", "third"]  # with the company's
    assert await texts(zhao) == ["first", "second", "third"]
    assert await texts(zhao, owner=world.other_agent) == ["third"]
    assert await texts(zhao, state="kept") == []
    problem(await li.get("/api/promises", params={"owner": str(world.other_agent)}), 403, "forbidden")
    problem(await li.get("/api/promises", params={"customer": "999999"}), 404, "not_found")
    page = (await zhao.get("/api/promises", params={"limit": "1"})).json()
    rest = (await zhao.get("/api/promises", params={"limit": "2", "cursor": page["next"]})).json()
    assert [one["text"] for one in page["items"] + rest["items"]] == ["first", "second", "third"]
    assert rest["next"] is None


async def test_two_who_change_the_same_promise(sign_in: SignIn, world: World) -> None:
    li, zhao = await sign_in("li"), await sign_in("zhao")
    made = await make(li, world.li)
    answers = await asyncio.gather(change(li, made, state="kept"), change(zhao, made, due=iso(200)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    stale = next(answer for answer in answers if answer.status_code == 409)
    assert "promise" in str(problem(stale, 409, "stale")["remedy"])
    problem(await change(zhao, made | {"version": 2**31 - 1}, text="x"), 409, "stale")


async def test_whose_promise(sign_in: SignIn, world: World, floor: FakeFloor) -> None:
    li, wang, zhao = await sign_in("li"), await sign_in("wang"), await sign_in("zhao")
    made = await make(li, world.acme)
    problem(await change(wang, made, state="kept"), 403, "not_yours")
    # Whoever speaks with the customer, or with the company's people, may make it good.
    floor.show(call("demo:1:a.1", part(world.other_agent, "talking"), customer=world.chen))
    made = (await change(wang, made, state="kept")).json()
    handed = (await change(zhao, made, owner_id=world.other_agent)).json()
    assert handed["owner"]["id"] == world.other_agent


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"due": iso(-1)}, 422, "in_the_past"),
    ({"due": iso(0)}, 422, "in_the_past"),
    ({"from": iso(60)}, 422, "bad_period"),
    ({"text": "  "}, 422, "invalid"),
    ({"text": "x" * 501}, 422, "invalid"),
    ({"due": "tomorrow"}, 422, "invalid"),
    ({"due": 1795323600}, 422, "invalid"),
    ({"kind": "gift"}, 422, "invalid"),
    ({"owner_id": 999}, 422, "invalid"),
    ({"customer_id": 999_999}, 404, "not_found"),
    ({"interaction_id": 999_999}, 404, "not_found"),
    ({"remind_ms": -1}, 422, "invalid"),
]


@pytest.mark.parametrize(("wrong", "status", "code"), REFUSED)
async def test_bad_promises(
    li: httpx.AsyncClient, world: World, wrong: dict[str, Any], status: int, code: str
) -> None:
    given = {"customer_id": world.li, "kind": "visit", "text": "Engineer", "due": iso(60)}
    problem(await li.post("/api/promises", json=given | wrong), status, code)


async def test_bad_changes(li: httpx.AsyncClient, world: World) -> None:
    made = await make(li, world.li)
    problem(await change(li, made, due=iso(-5)), 422, "in_the_past")
    problem(await change(li, made, due=iso(90), state="kept"), 422, "invalid")
    problem(await change(li, made, due=None), 422, "invalid")
    problem(await change(li, made, state="forgotten"), 422, "invalid")
    problem(await li.patch("/api/promises/999999", json={"version": 1}), 404, "not_found")


async def test_settled_by_mistake(li: httpx.AsyncClient, world: World, clock: Time) -> None:
    kept = (await change(li, await make(li, world.li), state="kept")).json()
    again = (await change(li, kept, state="open")).json()
    assert (again["state"], again["settled_at"]) == ("open", None)
    kept = (await change(li, again, state="kept")).json()
    clock.now = NOW + timedelta(hours=2)
    problem(await change(li, kept, state="open"), 422, "in_the_past")


async def test_raised_once_and_broken_once(
    li: httpx.AsyncClient, world: World, clock: Time, desk: Desk, published: list[Entry]
) -> None:
    made = await make(li, world.li)
    published.clear()
    clock.now = NOW + timedelta(minutes=44)
    assert await raise_due(desk) == 0
    clock.now = NOW + timedelta(minutes=45)  # a quarter of an hour before
    assert sorted(await asyncio.gather(raise_due(desk), raise_due(desk))) == [0, 1]
    assert [(e.kind, e.body["promise"]["state"], e.audience) for e in published] == [
        ("promise.due", "open", audience(world.agent, supervisors=True, of=[world.agent]))
    ]
    clock.now = NOW + timedelta(minutes=60)
    assert [await raise_due(desk), await raise_due(desk)] == [1, 0]
    assert [(e.kind, e.body["promise"]["state"]) for e in published[1:]] == [
        ("promise.due", "broken"),
        ("promise.changed", "broken"),
    ]
    problem(await change(li, made, state="kept"), 409, "stale")  # it has become another since
    late = (await change(li, published[-1].body["promise"], state="kept")).json()
    assert (late["state"], late["broken_at"]) == ("kept", iso(60))


async def test_after_a_long_sleep_it_is_told_once_as_broken(
    li: httpx.AsyncClient, world: World, clock: Time, desk: Desk, published: list[Entry]
) -> None:
    await make(li, world.li)
    published.clear()
    clock.now = NOW + timedelta(days=2)
    assert [await raise_due(desk), await raise_due(desk)] == [1, 0]
    assert [e.kind for e in published] == ["promise.due", "promise.changed"]


async def test_a_crash_before_the_commit_raises_it_again(
    li: httpx.AsyncClient,
    world: World,
    clock: Time,
    desk: Desk,
    published: list[Entry],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await make(li, world.li)
    published.clear()
    clock.now = NOW + timedelta(minutes=50)

    async def crash(*_: object) -> range:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr("cti_server.record.journal.append", crash)
        with pytest.raises(RuntimeError, match="killed"):
            await raise_due(desk)
    assert published == []
    assert [await raise_due(desk), await raise_due(desk)] == [1, 0]


async def test_another_time_opens_it_again(
    li: httpx.AsyncClient, world: World, clock: Time, desk: Desk, published: list[Entry]
) -> None:
    await make(li, world.li)
    clock.now = NOW + timedelta(minutes=61)
    await raise_due(desk)
    moved = (await change(li, published[-1].body["promise"], due=iso(180))).json()
    assert (moved["state"], moved["raised_at"]) == ("open", None)
    clock.now = NOW + timedelta(minutes=166)
    assert await raise_due(desk) == 1


async def test_a_callback_is_raised_when_its_time_begins(
    li: httpx.AsyncClient, world: World, clock: Time, desk: Desk
) -> None:
    window = {"from": iso(60), "due": iso(180)}
    await make(li, world.li, kind="callback", text="", **window)
    await make(li, world.li, kind="visit", text="between one and three", **window)
    clock.now = NOW + timedelta(minutes=60)
    assert await raise_due(desk) == 1


async def test_on_the_card(
    li: httpx.AsyncClient, world: World, clock: Time, desk: Desk, database: Database
) -> None:
    await make(li, world.acme, text="A new machine")
    chens = await make(li, world.chen, text="An engineer", due=iso(30))
    await make(li, world.li, text="Somebody else's")
    lookup = Lookup(database, now=clock)

    async def seen(number: str, customer: int) -> list[str]:
        found = await lookup.identify("demo", number)
        chosen = await lookup.showing(found, customer)
        assert chosen is not None
        shown = await lookup.card("demo:1:a.1", chosen)
        promised.append([one["code"] for one in shown["why"] if one["code"].startswith("promise")])
        return [one["text"] for one in shown["promises"]]

    promised: list[list[str]] = []
    assert await seen("010-85551234", world.chen) == ["An engineer", "A new machine"]
    assert await seen("010-85551234", world.acme) == ["An engineer", "A new machine"]
    assert promised == [["promise_due"], ["promise_due"]]
    clock.now = NOW + timedelta(minutes=31)
    await raise_due(desk)
    assert await seen("010-85551234", world.chen) == ["An engineer", "A new machine"]
    assert promised[-1] == ["promise_broken", "promise_due"]
    clock.now = NOW + timedelta(days=15)
    assert await seen("010-85551234", world.chen) == ["A new machine"]
    assert chens["state"] == "open"


@pytest.mark.parametrize("state", ["kept", "broken", "cancelled"])
async def test_what_is_settled_is_not_raised(
    li: httpx.AsyncClient, world: World, clock: Time, desk: Desk, state: str
) -> None:
    made = await make(li, world.li)
    assert (await change(li, made, state=state)).json()["state"] == state
    clock.now = NOW + timedelta(days=1)
    assert await raise_due(desk) == 0
