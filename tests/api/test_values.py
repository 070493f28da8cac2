"""Who may change what a customer is worth: role × operation, what is refused, and what is kept of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cti_server.record.journal import Entry
from tests.api.conftest import SignIn, problem
from tests.lookup.seed import World

#: login → whether they may
MAY = {"li": False, "wang": False, "zhao": True, "root": True}
GIVEN: dict[str, Any] = {"tier": "vip", "preferred_agent_id": 1}


async def _version(client: httpx.AsyncClient, customer: int) -> int:
    return int((await client.get(f"/api/customers/{customer}")).json()["version"])


@pytest.mark.parametrize("field", list(GIVEN))
@pytest.mark.parametrize(("login", "may"), list(MAY.items()))
async def test_adding(sign_in: SignIn, login: str, may: bool, field: str, published: list[Entry]) -> None:
    client = await sign_in(login)
    answer = await client.post("/api/customers", json={"name": "Wu", field: GIVEN[field]})
    if not may:
        body = problem(answer, 403, "not_your_value")
        assert "ask a supervisor" in str(body["remedy"])
        assert published == []
        return
    assert answer.status_code == 201
    [kept] = (await client.get(f"/api/customers/{answer.json()['id']}/values")).json()
    assert (kept["field"], kept["before"], kept["version"]) == (field.removesuffix("_id"), None, 1)


@pytest.mark.parametrize("field", list(GIVEN))
@pytest.mark.parametrize(("login", "may"), list(MAY.items()))
async def test_changing(
    sign_in: SignIn, login: str, may: bool, field: str, world: World, published: list[Entry]
) -> None:
    client = await sign_in(login)
    version = await _version(client, world.old)
    path = f"/api/customers/{world.old}"
    answer = await client.patch(path, json={"version": version, field: GIVEN[field], "reason": "三年合同"})
    if not may:
        problem(answer, 403, "not_your_value")
        assert (await _version(client, world.old), published) == (version, [])
        assert (await client.get(f"{path}/values")).json() == []
        return
    assert answer.status_code == 200
    [kept] = (await client.get(f"{path}/values")).json()
    me = (await client.get("/api/me")).json()
    assert (kept["author"], kept["author_id"], kept["origin"]) == (me["name"], me["id"], "person")
    assert (kept["version"], kept["reason"]) == (version + 1, "三年合同")
    taken = await client.patch(path, json={"version": version + 1, field: None})
    assert taken.status_code == 200
    assert [one["reason"] for one in (await client.get(f"{path}/values")).json()] == [None, "三年合同"]


@pytest.mark.parametrize("login", list(MAY))
async def test_everybody_adds_and_changes_the_rest(sign_in: SignIn, login: str, world: World) -> None:
    """Without the two, or with both as they are: an older desktop sends what it did not touch."""
    client = await sign_in(login)
    added = await client.post("/api/customers", json={"name": "Wu", "tier": " ", "preferred_agent_id": None})
    assert added.status_code == 201
    path = f"/api/customers/{world.li}"
    before = (await client.get(path)).json()
    same = {"tier": before["tier"], "preferred_agent_id": before["preferred_agent"]["id"]}
    answer = await client.patch(path, json={"version": before["version"], "remarks": "deaf", **same})
    assert answer.status_code == 200
    assert {one["origin"] for one in (await client.get(f"{path}/values")).json()} == {"command"}


@pytest.mark.parametrize("login", list(MAY))
async def test_everybody_reads_them(sign_in: SignIn, login: str, world: World) -> None:
    found = (await (await sign_in(login)).get(f"/api/customers/{world.li}/values")).json()
    assert {one["field"]: one["after"] for one in found} == {"tier": "gold", "preferred_agent": "Li Wei"}


async def test_nobody_reads_them_unsigned_or_of_nobody(client: httpx.AsyncClient, li: httpx.AsyncClient) -> None:
    problem(await client.get("/api/customers/1/values"), 401, "not_signed_in")
    problem(await li.get("/api/customers/999999/values"), 404, "not_found")


async def test_a_change_meanwhile_is_told_before_the_right(
    li: httpx.AsyncClient, zhao: httpx.AsyncClient, world: World
) -> None:
    """Li read `tier` before Zhao raised it: what Li sends back is no change that Li wanted."""
    path = f"/api/customers/{world.old}"
    version = await _version(li, world.old)
    assert (await zhao.patch(path, json={"version": version, "tier": "gold"})).status_code == 200
    problem(await li.patch(path, json={"version": version, "tier": None, "remarks": "deaf"}), 409, "stale")
    problem(await zhao.patch(path, json={"version": version, "tier": "silver"}), 409, "stale")
    [kept] = (await li.get(f"{path}/values")).json()
    assert kept["after"] == "gold"


async def test_a_reason_has_an_end(zhao: httpx.AsyncClient, world: World) -> None:
    body = {"version": await _version(zhao, world.old), "tier": "gold", "reason": "x" * 201}
    problem(await zhao.patch(f"/api/customers/{world.old}", json=body), 422, "invalid")
