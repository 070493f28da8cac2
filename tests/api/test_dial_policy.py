"""The dial policy over REST: administrators set it, everybody asks what it says of a number."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cti_server.commands import CommandRefused
from cti_server.record.center import agents, dial_policies
from cti_server.record.database import Database
from cti_server.rules.dial_policy import DEFAULT
from cti_server.rules.dial_policy_form import written
from cti_server.rules.facts import Reason
from tests.api.conftest import SignIn, problem
from tests.api.fakes import FakeControl

POLICY = {
    "rules": [
        {
            "name": "hong-kong",
            "answer": "allow",
            "kinds": ["international"],
            "countries": ["HK"],
            "roles": ["agent"],
        },
        {"name": "office", "answer": "allow", "hours": {"zone": "Asia/Shanghai", "from": "08:00", "to": "18:00"}},
    ],
    "limits": [{"a_minute": 5, "at_once": 1}],
}


async def test_the_default_is_version_0_of_nobody(sign_in: SignIn) -> None:
    root = await sign_in("root")
    assert (await root.get("/api/dial-policy")).json() == {
        "version": 0,
        "at": None,
        "author": None,
        "policy": written(DEFAULT),
    }


async def test_it_is_set_by_administrators_and_keeps_who_did_it(sign_in: SignIn, database: Database) -> None:
    root = await sign_in("root")
    for version in (1, 2):
        answer = await root.put("/api/dial-policy", json={"version": version - 1, "policy": POLICY})
        assert answer.status_code == 200, answer.text
        found = (await root.get("/api/dial-policy")).json()
        assert found == answer.json()
        assert (found["version"], found["author"]) == (version, "root")
        assert found["policy"]["rules"][0] == POLICY["rules"][0]
        assert found["policy"]["rules"][1]["hours"]["weekdays"] == [
            "mon",
            "tue",
            "wed",
            "thu",
            "fri",
            "sat",
            "sun",
        ]
    async with database.begin() as conn:
        assert [kept.version for kept in await dial_policies.history(conn)] == [2, 1], "the first is kept"
        author = await agents.by_login(conn, "root")
        assert author is not None
        assert (await dial_policies.current(conn)).author_id == author.id


@pytest.mark.parametrize("login", ["li", "zhao"])
async def test_others_may_neither_read_nor_set_it(sign_in: SignIn, login: str) -> None:
    one = await sign_in(login)
    problem(await one.get("/api/dial-policy"), 403, "grant_needed")
    problem(await one.put("/api/dial-policy", json={"version": 0, "policy": POLICY}), 403, "grant_needed")


async def test_of_two_administrators_the_second_reads_again(sign_in: SignIn) -> None:
    root = await sign_in("root")
    assert (await root.put("/api/dial-policy", json={"version": 0, "policy": POLICY})).status_code == 200
    stale = problem(await root.put("/api/dial-policy", json={"version": 0, "policy": POLICY}), 409, "stale")
    assert "dial policy" in str(stale["detail"])


@pytest.mark.parametrize(
    ("policy", "code", "at"),
    [
        ({"rules": []}, "invalid", "body.policy.rules"),
        ({"rules": [{"name": "a", "answer": "perhaps"}]}, "invalid", "body.policy.rules.0.answer"),
        (
            {"rules": [{"name": "a", "answer": "allow", "kinds": ["dear"]}]},
            "invalid",
            "body.policy.rules.0.kinds.0",
        ),
        ({"rules": [{"name": "a", "answer": "allow", "kind": []}]}, "invalid", "body.policy.rules.0.kind"),
        (
            {"rules": [{"name": "a", "answer": "allow", "countries": ["UK"]}]},
            "bad_policy",
            "body.policy.rules.0.countries",
        ),
        (
            {"rules": [{"name": "a", "answer": "allow"}, {"name": "a", "answer": "allow"}]},
            "bad_policy",
            "body.policy.rules.1.name",
        ),
        (
            {"rules": [{"name": "a", "answer": "allow", "hours": {"zone": "Nowhere"}}]},
            "bad_policy",
            "body.policy.rules.0.hours.zone",
        ),
    ],
)
async def test_a_mistake_is_named_and_changes_nothing(
    sign_in: SignIn, policy: dict[str, Any], code: str, at: str
) -> None:
    root = await sign_in("root")
    found = problem(await root.put("/api/dial-policy", json={"version": 0, "policy": policy}), 422, code)
    assert at in str(found["errors"])
    assert (await root.get("/api/dial-policy")).json()["version"] == 0


async def test_a_decision_for_oneself_and_for_others(sign_in: SignIn) -> None:
    async def asked(by: httpx.AsyncClient, **query: str) -> dict[str, Any]:
        answer = await by.get("/api/dial-policy/decision", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    li, root = await sign_in("li"), await sign_in("root")
    assert await asked(li, number="+44 20 7946 0018") == {
        "allowed": False,
        "code": "rule",
        "rule": "abroad",
        "number": "+442079460018",
        "kind": "international",
        "country": "GB",
        "policy": 0,
    }
    assert (await asked(li, number="9-110"))["kind"] == "emergency"
    assert (await asked(li, number="110", login="li"))["allowed"] is True
    none = await asked(li, number="1-900-FLOWERS")
    assert (none["allowed"], none["code"], none["kind"], none["number"]) == (False, "not_a_number", None, None)
    assert (await asked(root, number="+44 20 7946 0018"))["allowed"] is True
    assert (await asked(root, number="+44 20 7946 0018", login="LI"))["allowed"] is False
    url = "/api/dial-policy/decision"
    problem(await li.get(url, params={"number": "110", "login": "wang"}), 403, "forbidden")
    problem(await root.get(url, params={"number": "110", "login": "nobody"}), 404, "not_found")
    problem(await root.get(url), 422, "invalid")


async def test_a_refusal_is_403_with_its_reason(li: httpx.AsyncClient, control: FakeControl) -> None:
    control.refusal = CommandRefused(
        "dial_refused", "the dial policy …", "An administrator …", Reason("rule", {"rule": "abroad"})
    )
    found = problem(await li.post("/api/calls", json={"to": "+442079460018"}), 403, "dial_refused")
    assert found["reason"] == {"code": "rule", "params": {"rule": "abroad"}}
    assert found["remedy"] == "An administrator …"


async def test_call_control_knows_who_asks(sign_in: SignIn, control: FakeControl) -> None:
    for login, role in (("li", "agent"), ("zhao", "supervisor"), ("root", "administrator")):
        await (await sign_in(login)).post("/api/calls", json={"to": "110"})
        asking = control.asked[-1][0]
        assert (asking.login, asking.role, asking.dial_anywhere) == (login, role, False)
