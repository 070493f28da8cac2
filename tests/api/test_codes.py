"""Reasons and wrap-up codes: everybody reads them, supervisors choose them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cti_server.record.journal import Entry
from tests.api.conftest import SignIn, problem

LUNCH = {"code": "lunch", "title_en": "Lunch", "title_zh": "午餐", "position": 2}
BREAK = {"code": "break", "title_en": "Break", "title_zh": "休息", "position": 1}


def code(path: str, **fields: Any) -> dict[str, Any]:
    return {"code": path, "title_en": path, "title_zh": path, **fields}


async def test_reasons(sign_in: SignIn, published: list[Entry]) -> None:
    li, zhao = await sign_in("li"), await sign_in("zhao")
    assert {"lunch", "training"} <= {
        one["code"] for one in (await li.get("/api/reasons")).json()
    }  # from the start
    assert (await zhao.put("/api/reasons", json=[LUNCH, BREAK])).status_code == 200
    assert [one["code"] for one in (await li.get("/api/reasons")).json() if one["active"]] == ["break", "lunch"]
    await zhao.put("/api/reasons", json=[{**BREAK, "title_zh": "请假"}])
    known = {one["code"]: (one["title_zh"], one["active"]) for one in (await li.get("/api/reasons")).json()}
    assert (known["break"], known["lunch"]) == (("请假", True), ("午餐", False))
    assert [e.kind for e in published] == ["reasons.changed"] * 2
    problem(await li.put("/api/reasons", json=[LUNCH]), 403, "forbidden")


@pytest.mark.parametrize(
    "wrong",
    [[LUNCH, LUNCH], [{**LUNCH, "code": "no_answer"}], [{**LUNCH, "code": "Lunch!"}], [{**LUNCH, "title_en": ""}]],
)
async def test_bad_reasons(zhao: httpx.AsyncClient, wrong: list[dict[str, Any]]) -> None:
    before = (await zhao.get("/api/reasons")).json()
    problem(await zhao.put("/api/reasons", json=wrong), 422, "invalid")
    assert (await zhao.get("/api/reasons")).json() == before


async def test_codes_are_a_tree(sign_in: SignIn) -> None:
    li, zhao = await sign_in("li"), await sign_in("zhao")
    given = [
        code("billing/refund"),
        code("billing"),
        code("sold", queue="sales"),
        code("billing/other", queue="vip"),
    ]
    assert (await zhao.put("/api/wrap-up-codes", json=given)).status_code == 200
    tree = (await li.get("/api/wrap-up-codes", params={"queue": "vip"})).json()
    assert [(one["code"], one["parent"], one["leaf"]) for one in tree if one["active"]] == [
        ("billing", None, False),
        ("billing/other", "billing", True),
        ("billing/refund", "billing", True),
    ]
    assert len([one for one in (await li.get("/api/wrap-up-codes")).json() if one["active"]]) == 4
    await zhao.put("/api/wrap-up-codes", json=[code("billing")])
    [billing] = [one for one in (await li.get("/api/wrap-up-codes")).json() if one["active"]]
    assert (billing["code"], billing["leaf"]) == ("billing", True)
    problem(await li.put("/api/wrap-up-codes", json=given), 403, "forbidden")


@pytest.mark.parametrize(
    "wrong",
    [
        [code("billing/refund")],  # under nothing
        [code("a"), code("a")],
        [code("a", queue="vip"), code("a/b")],  # for more queues than its heading
        [code("/a")],
        [code("a//b")],
        [code("a/b/c/d/e/f")],
    ],
)
async def test_bad_codes(zhao: httpx.AsyncClient, wrong: list[dict[str, Any]]) -> None:
    problem(await zhao.put("/api/wrap-up-codes", json=wrong), 422, "invalid")
