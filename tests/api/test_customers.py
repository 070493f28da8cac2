"""Customers over HTTP: found, read, added, changed by two people at once, and told to the desktops."""

from __future__ import annotations

import asyncio
import base64
import json

import httpx

from cti_server.record.journal import Entry
from tests.api.conftest import problem
from tests.lookup.seed import World

SEARCHES = [
    ("小明", ["李小明"]),
    ("ma", ["Ma Bo", "Ma Li"]),
    ("acme", ["Acme 机械", "Chen Jie"]),
    ("C-1001", ["李小明"]),
    ("00138000", ["李小明"]),
    ("138 0013", ["李小明"]),
    ("nobody at all", []),
    ("\x00'\"%_\\", []),
]


async def test_search(li: httpx.AsyncClient) -> None:
    for q, names in SEARCHES:
        answer = await li.get("/api/customers", params={"q": q})
        assert answer.status_code == 200
        assert [one["name"] for one in answer.json()["items"]] == names, q


async def test_a_row_says_number_and_verdict(li: httpx.AsyncClient, world: World) -> None:
    (row,) = (await li.get("/api/customers", params={"q": "小明"})).json()["items"]
    assert row == {
        "id": world.li,
        "kind": "person",
        "name": "李小明",
        "tier": "gold",
        "company": None,
        "numbers": ["+8613800138000"],
        "contract": {"number": "C-1001", "verdict": "covered"},
    }


async def test_pages(li: httpx.AsyncClient) -> None:
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(10):
        params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await li.get("/api/customers", params=params)).json()
        seen += [one["name"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 6


async def test_bad_cursors(li: httpx.AsyncClient, world: World) -> None:
    for path in ("/api/customers", "/api/interactions", f"/api/customers/{world.li}/timeline"):
        for cursor in ("rubbish", "WzFd", "", "W10", "é"):
            body = problem(await li.get(path, params={"cursor": cursor}), 400, "bad_cursor")
            assert body["remedy"] == "Begin again without a cursor."


async def test_one_customer(li: httpx.AsyncClient, world: World) -> None:
    one = (await li.get(f"/api/customers/{world.li}")).json()
    assert one["name"] == "李小明"
    assert one["preferred_agent"] == {"id": world.agent, "name": "Li Wei"}
    assert [c["number"] for c in one["contracts"]] == ["C-1001"]
    assert [c["number"] for c in one["cases"]] == ["K-1"]
    assert [p["contract"] for p in one["products"]] == ["C-1001"]
    assert one["notes"][0]["agent"]["name"] == "Li Wei"
    assert one["verdict"]["code"] == "covered"
    company = (await li.get(f"/api/customers/{world.acme}")).json()
    assert [p["name"] for p in company["people"]] == ["Chen Jie"]
    chen = (await li.get(f"/api/customers/{world.chen}")).json()
    assert chen["verdict"]["rule"]["code"] == "contract.of_company"


async def test_unknown_and_impossible_ids(li: httpx.AsyncClient) -> None:
    for path in ("999999", "999999/timeline"):
        problem(await li.get(f"/api/customers/{path}"), 404, "not_found")
    for path in ("0", "-1", "x", str(2**63), "1.5"):
        body = problem(await li.get(f"/api/customers/{path}"), 422, "invalid")
        assert body["errors"][0]["at"] == "path.customer"  # type: ignore[index]


async def test_timeline(li: httpx.AsyncClient, world: World) -> None:
    (one,) = (await li.get(f"/api/customers/{world.li}/timeline")).json()["items"]
    assert (one["channel"], one["subject"], one["started_at"]) == (
        "visit",
        "Installed a new drum",
        "2026-11-19T05:00:00.000Z",
    )
    assert one["segments"][0]["agent"] == {"id": world.agent, "name": "Li Wei"}


async def test_add(li: httpx.AsyncClient, world: World, published: list[Entry]) -> None:
    new = {
        "name": "  Zhang San ",
        "company_id": world.acme,
        "time_zone": "Asia/Shanghai",
        "contact_points": [{"raw": "139 1234 5678"}, {"kind": "email", "raw": "z@example.com"}],
    }
    answer = await li.post("/api/customers", json=new)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["company"]["name"]) == ("Zhang San", "Acme 机械")
    assert [(p["kind"], p["e164"]) for p in made["contact_points"]] == [
        ("phone", "+8613912345678"),
        ("email", None),
    ]
    assert answer.headers["location"] == f"/api/customers/{made['id']}"
    assert (await li.get(answer.headers["location"])).json() == made
    (told,) = published
    assert (told.stream, told.seq, told.kind) == ("desk", 1, "customer.changed")
    assert told.body == {"customer": made["id"], "version": made["version"]}


REFUSED: list[tuple[dict[str, object], int, str]] = [
    ({"name": "   "}, 422, "invalid"),
    ({"name": "A", "tier": "x" * 81}, 422, "invalid"),
    ({"name": "A", "time_zone": "Mars/Olympus"}, 422, "invalid"),
    ({"name": "A", "preferred_agent_id": 4711}, 422, "invalid"),
    ({"name": "A", "company_id": 1}, 422, "bad_company"),
    ({"name": "A", "unheard": 1}, 422, "invalid"),
    ({"name": "A", "contact_points": [{"raw": "12125551234"}]}, 422, "bad_number"),
    (
        {"name": "A", "contact_points": [{"raw": "1391234567８"}, {"raw": "13912345678"}]},
        409,
        "contact_point_taken",
    ),
    ({"name": "A", "contact_points": [{"kind": "email", "raw": "nobody"}]}, 422, "invalid"),
]


async def test_what_cannot_be_added_leaves_nothing(zhao: httpx.AsyncClient, published: list[Entry]) -> None:
    for new, status, code in REFUSED:
        problem(await zhao.post("/api/customers", json=new), status, code)
    assert len((await zhao.get("/api/customers")).json()["items"]) == 6
    assert published == []


async def test_two_people_change_one_customer(
    li: httpx.AsyncClient, zhao: httpx.AsyncClient, world: World
) -> None:
    path = f"/api/customers/{world.old}"
    version = (await li.get(path)).json()["version"]
    mine = await li.patch(path, json={"version": version, "role_title": "CTO", "remarks": "deaf"})
    assert (mine.status_code, mine.json()["role_title"], mine.json()["version"]) == (200, "CTO", version + 1)
    theirs = await zhao.patch(path, json={"version": version, "tier": "gold"})
    assert "version" in str(problem(theirs, 409, "stale")["detail"])
    again = await zhao.patch(path, json={"version": version + 1, "tier": None})
    assert (again.json()["tier"], again.json()["remarks"]) == (None, "deaf")
    problem(await li.patch(path, json={"version": version + 2, "name": None}), 422, "invalid")
    emptied = {"tier": " ", "remarks": "", "external_ref": "", "role_title": "", "time_zone": ""}
    empty = await li.patch(path, json={"version": version + 2, **emptied})
    assert {name: empty.json()[name] for name in emptied} == dict.fromkeys(emptied)
    problem(await li.patch("/api/customers/999999", json={"version": 1}), 404, "not_found")


async def test_contact_points(li: httpx.AsyncClient, world: World, published: list[Entry]) -> None:
    path = f"/api/customers/{world.li}/contact-points"
    answer = await li.post(path, json={"raw": "010-85551234转8002", "label": "office", "standing": "shared"})
    assert answer.status_code == 201
    point = answer.json()
    assert (point["e164"], point["extension"], point["standing"]) == ("+861085551234", "8002", "shared")
    problem(await li.post(path, json={"raw": "+8610 8555 1234 ext 8002"}), 409, "contact_point_taken")
    problem(await li.post(path, json={"raw": "anonymous"}), 422, "bad_number")
    body = problem(await li.post(path, json={"raw": "85551234"}), 422, "bad_number")
    assert "area code" in body["errors"][0]["message"]  # type: ignore[index]
    problem(await li.post("/api/customers/999999/contact-points", json={"raw": "13912345678"}), 404, "not_found")
    assert (await li.delete(f"{path}/{point['id']}")).status_code == 204
    problem(await li.delete(f"{path}/{point['id']}"), 404, "not_found")
    assert [entry.seq for entry in published] == [1, 2]


async def test_a_nul_is_no_failure_of_the_server(li: httpx.AsyncClient, world: World) -> None:
    """PostgreSQL cannot hold one, in a value or in what a value is compared with."""
    nul = "a\x00b"
    answers = [
        await li.post("/api/customers", json={"name": nul, "external_ref": nul, "remarks": nul}),
        await li.post(
            "/api/customers", json={"name": "A", "contact_points": [{"kind": "email", "raw": f"{nul}@c.de"}]}
        ),
        await li.post(f"/api/customers/{world.li}/contact-points", json={"kind": "email", "raw": f"{nul}@c.de"}),
        await li.post(f"/api/customers/{world.li}/notes", json={"text": nul}),
        await li.get("/api/customers", params={"q": nul}),
        await li.get("/api/interactions", params={"queue": nul}),
    ]
    assert [answer.status_code for answer in answers if answer.status_code not in (200, 201, 422)] == []


async def test_one_reference_for_two_at_the_same_moment(li: httpx.AsyncClient) -> None:
    new = [li.post("/api/customers", json={"name": f"N{n}", "external_ref": "SAME"}) for n in range(8)]
    answers = await asyncio.gather(*new)
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 7]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "taken",
        "external_ref_taken",
    }


async def test_a_cursor_of_no_year_that_there_is(li: httpx.AsyncClient) -> None:
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        cursor = base64.urlsafe_b64encode(json.dumps([at, 1]).encode()).decode().rstrip("=")
        problem(await li.get("/api/interactions", params={"cursor": cursor}), 400, "bad_cursor")


async def test_notes(li: httpx.AsyncClient, world: World) -> None:
    path = f"/api/customers/{world.old}/notes"
    note = (await li.post(path, json={"text": "Speaks 客家话 👍", "pinned": True})).json()
    assert note["agent"] == {"id": world.agent, "name": "Li Wei"}
    assert (await li.get(f"/api/customers/{world.old}")).json()["notes"] == [note]
    problem(await li.post(path, json={"text": " "}), 422, "invalid")
    problem(await li.post("/api/customers/999999/notes", json={"text": "x"}), 404, "not_found")


async def test_a_field_that_is_plain_text_is_written_read_and_emptied(li: httpx.AsyncClient) -> None:
    """`salutation` is declared in migration, table, fact and view; nothing else names it."""
    made = await li.post("/api/customers", json={"name": "Erika Mustermann", "salutation": "  Frau Dr.  "})
    assert made.status_code == 201
    customer = made.json()
    assert customer["salutation"] == "Frau Dr."
    path = f"/api/customers/{customer['id']}"
    assert (await li.get(path)).json()["salutation"] == "Frau Dr."

    kept = await li.patch(path, json={"version": customer["version"], "role_title": "CTO"})
    assert (kept.json()["salutation"], kept.json()["role_title"]) == ("Frau Dr.", "CTO")
    emptied = await li.patch(path, json={"version": kept.json()["version"], "salutation": " "})
    assert emptied.json()["salutation"] is None

    too_long = await li.patch(path, json={"version": emptied.json()["version"], "salutation": "x" * 81})
    assert "body.salutation" in str(problem(too_long, 422, "invalid")["errors"])
