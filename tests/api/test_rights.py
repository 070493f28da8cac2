"""Operation × role, as one table: who may do what, said here a second time and by hand.

An operation without a row here fails, and so does one whose row says something else than what the server does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cti_server.api.admin.api_keys import made_key
from cti_server.record.audit.entries import page
from cti_server.record.center import agents
from cti_server.record.database import Database
from cti_server.rules.operations import OPERATIONS, SCOPES
from cti_server.rules.rights import BY_ROLE, GRANTS, REACH, is_at_least
from tests.api.conftest import NOW, PASSWORD, SignIn, Time, client_of, problem

ALL = "nobody agent supervisor administrator"


def words(text: str) -> list[str]:
    return text.strip().split()


PEOPLE = "agent supervisor administrator"
ABOVE = "supervisor administrator"
ADMIN = "administrator"

#: who may do it by their role, and the scope with which a program may
WHO: dict[str, tuple[str, str | None]] = {
    **dict.fromkeys(
        [
            "signIn",
            "signOut",
            "issueTicket",
            "getWaysToSignIn",
            "goToProvider",
            "comeFromProvider",
            "endByProvider",
            "getHealth",
            "getReadiness",
            "getMetrics",
        ],
        (ALL, None),
    ),
    "identifyCaller": (ALL, None),
    **dict.fromkeys(
        words(
            """
getMySecondFactor beginMySecondFactor confirmMySecondFactor renewMyRecoveryCodes endMySecondFactor
changePassword listMySessions endMyOtherSessions getMe changeMe beginShift endShift setMyState getMyDay
listOwed listPhones getSoftphone claimSoftphone getDraft saveDraft finishInteraction finishWrapUp
extendWrapUp requestWrapUp listMessages sendMessage readMessages listHelp askForHelp finishHelp
listPromises makePromise changePromise addNote writeNote reassociate getCard chooseCustomer getHandover
findTargets dialNumber transferCall consultCall conferenceCall sendKeys dropParticipant answerCall
hangupCall holdCall retrieveCall muteCall unmuteCall alternateCall completeCall cancelCall parkCall
pickUpCall startRecording pauseRecording resumeRecording stopRecording reconnectCall
"""
        ),
        (PEOPLE, None),
    ),
    **dict.fromkeys(["takeHelp", "setReasons", "setWrapUpCodes"], (ABOVE, None)),
    **dict.fromkeys(
        words("listReasons listWrapUpCodes listCalls getCall listParts listQueues listMembers getTeam"),
        (PEOPLE, "floor:read"),
    ),
    **dict.fromkeys(["findCustomers", "getCustomer", "getValueChanges"], (PEOPLE, "customers:read")),
    **dict.fromkeys(
        ["addCustomer", "changeCustomer", "addContactPoint", "removeContactPoint"], (PEOPLE, "customers:write")
    ),
    **dict.fromkeys(["getTimeline", "listInteractions", "getInteraction"], (PEOPLE, "contacts:read")),
    **dict.fromkeys(
        words(
            """
listUsers changeUser endSessionsOf listTeams addTeam changeTeam removeTeam listApiKeys addApiKey
revokeApiKey
"""
        ),
        (ADMIN, None),
    ),
    "decideDialling": (PEOPLE, None),
    "getDialPolicy": (ADMIN, None),
    "setDialPolicy": (ADMIN, None),
    "listAudit": (ADMIN, "audit:read"),
}
#: they look at the session, the password, the provider or their token themselves
ITSELF = {
    "signOut",
    "signIn",
    "issueTicket",
    "identifyCaller",
    "goToProvider",
    "comeFromProvider",
    "endByProvider",
}
REFUSALS = {"forbidden", "grant_needed", "scope_needed", "not_for_programs", "wrong_key"}


@dataclass(frozen=True)
class Route:
    method: str
    path: str


def routes(app: FastAPI) -> dict[str, Route]:
    found = {}
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            filled = path
            for name in ("call", "queue", "pbx"):
                filled = filled.replace(
                    "{" + name + "}", {"call": "demo:1:x", "queue": "none", "pbx": "demo"}[name]
                )
            while "{" in filled:
                filled = filled[: filled.index("{")] + "999999" + filled[filled.index("}") + 1 :]
            found[operation["operationId"]] = Route(method.upper(), filled)
    return found


def test_every_operation_has_a_row(app: FastAPI) -> None:
    assert WHO.keys() == OPERATIONS.keys() == routes(app).keys() | {"getMetrics"}  # metrics are in no document


def was_refused(answer: httpx.Response) -> bool:
    if answer.status_code not in (401, 403):
        return False
    code = answer.json().get("code")
    return answer.status_code == 401 or code in REFUSALS


async def ask(client: httpx.AsyncClient, route: Route) -> httpx.Response:
    body = {} if route.method in ("POST", "PUT", "PATCH") else None
    return await client.request(route.method, route.path, json=body)


LOGINS = {"agent": "li", "supervisor": "zhao", "administrator": "root"}


@pytest.mark.parametrize("role", ["nobody", *LOGINS])
async def test_operation_by_role(role: str, app: FastAPI, client: httpx.AsyncClient, sign_in: SignIn) -> None:
    signed = await sign_in(LOGINS[role]) if role in LOGINS else client
    wrong = {}
    for name, route in routes(app).items():
        if name in ITSELF:
            continue
        refused = was_refused(await ask(signed, route))
        if refused == (role in WHO[name][0].split()):
            wrong[name] = refused
    assert wrong == {}


@pytest.mark.parametrize("scope", SCOPES)
async def test_operation_by_scope(scope: str, app: FastAPI, database: Database) -> None:
    async with database.begin() as conn:
        token, _ = await made_key(conn, "crm", frozenset({scope}), 30, "root", NOW)
    wrong = {}
    async with client_of(app) as program:
        program.headers["Authorization"] = f"Bearer {token}"
        for name, route in routes(app).items():
            people, wanted = WHO[name]
            if "nobody" in people.split():
                continue
            refused = was_refused(await ask(program, route))
            if refused == (wanted == scope):
                wrong[name] = refused
    assert wrong == {}


# --- keys of other programs ----------------------------------------------------------------------------------


async def test_a_key_that_is_over_or_revoked_or_nobodys_opens_nothing(
    app: FastAPI, sign_in: SignIn, clock: Time
) -> None:
    root = await sign_in("root")
    made = await root.post("/api/admin/api-keys", json={"name": "crm", "scopes": ["customers:read"], "days": 30})
    assert made.status_code == 201, made.text
    async with client_of(app) as program:
        program.headers["Authorization"] = f"Bearer {made.json()['token']}"
        assert (await program.get("/api/customers")).status_code == 200
        listed = (await root.get("/api/admin/api-keys")).json()
        assert (listed[0]["good"], listed[0]["used_at"] is not None, "token" in listed[0]) == (True, True, False)
        clock.now = NOW + timedelta(days=31)
        problem(await program.get("/api/customers"), 401, "wrong_key")
        clock.now = NOW
        assert (await root.delete(f"/api/admin/api-keys/{made.json()['id']}")).status_code == 204
        problem(await program.get("/api/customers"), 401, "wrong_key")
        program.headers["Authorization"] = "Bearer ctik_nonsense"
        problem(await program.get("/api/customers"), 401, "wrong_key")


async def test_a_program_sees_numbers_only_with_that_among_its_scopes(app: FastAPI, database: Database) -> None:
    told = []
    for scopes in ({"customers:read"}, {"customers:read", "full_numbers"}):
        async with database.begin() as conn:
            token, _ = await made_key(conn, "crm", frozenset(scopes), 30, "root", NOW)
        async with client_of(app) as program:
            program.headers["Authorization"] = f"Bearer {token}"
            items = (await program.get("/api/customers")).json()["items"]
            told.append("•" in str([one["numbers"] for one in items]))
    assert told == [True, False]
    async with database.read() as conn:
        noted = {(one.actor, one.action, one.allowed_by) for one in (await page(conn)).items}
    assert noted == {("key:1", "key.read", "customers:read"), ("key:2", "numbers.seen", "full_numbers")}


# --- grants, users, teams ------------------------------------------------------------------------------------


async def test_a_grant_counts_at_once_and_is_in_the_audit_log(sign_in: SignIn, database: Database) -> None:
    li, root = await sign_in("li"), await sign_in("root")
    problem(await li.get("/api/admin/users"), 403, "grant_needed")
    user = next(one for one in (await root.get("/api/admin/users")).json() if one["login"] == "li")
    path = f"/api/admin/users/{user['id']}"
    assert (await root.patch(path, json={"grants": ["administer"]})).status_code == 200
    assert (await li.get("/api/admin/users")).status_code == 200
    assert (await root.patch(path, json={"grants": []})).json()["all_grants"] == []
    problem(await li.get("/api/admin/users"), 403, "grant_needed")
    async with database.read() as conn:
        entries = (await page(conn, action="changeUser")).items
    assert [(one.actor_name, one.thing, one.allowed_by) for one in entries] == [
        ("root", f"user:{user['id']}", "administer")
    ] * 2
    assert '"grants":["administer"]' in entries[-1].detail


async def test_disabling_ends_the_sessions_and_the_last_administrator_stays(
    sign_in: SignIn, database: Database
) -> None:
    li, root = await sign_in("li"), await sign_in("root")
    users = {one["login"]: one["id"] for one in (await root.get("/api/admin/users")).json()}
    assert (await root.patch(f"/api/admin/users/{users['li']}", json={"active": False})).status_code == 200
    problem(await li.get("/api/me"), 401, "not_signed_in")
    for change in ({"active": False}, {"role": "agent"}):
        problem(await root.patch(f"/api/admin/users/{users['root']}", json=change), 409, "last_administrator")
    problem(await root.patch("/api/admin/users/99999", json={"active": False}), 404, "not_found")


async def test_whoever_reads_numbers_by_a_grant_is_noted_once_a_day(
    li: httpx.AsyncClient, database: Database, world: Any
) -> None:
    for _ in range(3):
        assert (await li.get(f"/api/customers/{world.li}")).status_code == 200
    async with database.begin() as conn:
        agent = await agents.by_login(conn, "li")
        assert agent is not None
        await agents.update(conn, agent.id, grants=frozenset())
    assert (await li.get(f"/api/customers/{world.acme}")).status_code == 200
    async with database.read() as conn:
        entries = (await page(conn, action="numbers.seen")).items
    assert [(one.actor_name, one.thing, one.allowed_by) for one in entries] == [
        ("li", f"customer:{world.li}", "full_numbers")
    ]


async def test_what_was_refused_is_not_noted_as_done(sign_in: SignIn, database: Database) -> None:
    root = await sign_in("root")
    problem(await root.post("/api/admin/teams", json={"name": "A", "members": [99999]}), 422, "unknown_user")
    async with database.read() as conn:
        assert (await page(conn, action="addTeam")).items == ()


def test_what_the_roles_bring_only_grows() -> None:
    for lower, higher in (("agent", "supervisor"), ("supervisor", "administrator")):
        assert BY_ROLE[lower] <= BY_ROLE[higher]  # type: ignore[index]
        assert is_at_least(higher, lower)  # type: ignore[arg-type]
        order = ["none", "own", "team", "all"]
        for right, reach in REACH.items():
            assert order.index(reach[lower]) <= order.index(reach[higher]), right  # type: ignore[index]
    assert {"listen", "recordings"}.isdisjoint(BY_ROLE["administrator"])
    assert BY_ROLE["administrator"] <= set(GRANTS)


# --- signing in and out is in the log ------------------------------------------------------------------------


async def test_who_signs_in_and_out_is_noted(client: httpx.AsyncClient, database: Database) -> None:
    assert (await client.post("/api/session", json={"login": "li", "password": "wrong wrong"})).status_code == 401
    assert (await client.post("/api/session", json={"login": "li", "password": PASSWORD})).status_code == 200
    assert (await client.delete("/api/session")).status_code == 204
    async with database.read() as conn:
        entries = (await page(conn, action="session.")).items
    assert [(one.action, one.actor_name) for one in entries] == [
        ("session.closed", "li"),
        ("session.opened", "li"),
    ]
    assert PASSWORD not in str(entries)


def test_the_document_says_which_scope_opens_what(app: FastAPI) -> None:
    told = {
        operation["operationId"]: [scheme["key"][0] for scheme in operation["security"] if "key" in scheme]
        for methods in app.openapi()["paths"].values()
        for operation in methods.values()
    }
    assert {name: [scope] if scope else [] for name, (_, scope) in WHO.items() if name in told} == told
