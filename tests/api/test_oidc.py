"""Sign-in through an identity provider: who comes in as whom, what is refused by which code, who is signed out."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey

from cti_server.api.access.attempts import ADDRESS
from cti_server.api.ports import SignOn
from cti_server.provider import keys, web
from cti_server.provider.client import Provider
from cti_server.provider.tokens import EVENT, SKEW_S
from cti_server.record.audit.entries import page
from cti_server.record.center import agents, identities
from cti_server.record.center.identities import Identity
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, new_key
from cti_server.rules.identity import RoleMap
from tests.api.conftest import PASSWORD, SignIn, Time, client_of, problem
from tests.api.fakes import FakeCommands
from tests.api.idp import CLIENT, ISSUER, SECRET, Idp
from tests.lookup.seed import World

DESK = "https://desk.example"
ROLES = RoleMap.parse("groups: cti-admins=administrator, cti-leads=supervisor, cti-agents=agent")


@pytest.fixture
def idp(monkeypatch: pytest.MonkeyPatch) -> Idp:
    made = Idp()
    monkeypatch.setattr(web, "_client", made.client)
    return made


@pytest.fixture
def app(app: FastAPI, clock: Time) -> FastAPI:
    clock.now = datetime.now(UTC)
    put(app)
    return app


def put(app: FastAPI, **changes: Any) -> None:
    """The server begins with these settings, and has asked the provider nothing yet."""
    sign_on = SignOn(Provider(ISSUER, CLIENT, SECRET), **changes)
    app.state.deps = replace(
        app.state.deps, sign_on=sign_on, origins=(f"{DESK}/", "https://other.example"), sealer=Sealer([new_key()])
    )


class Browser:
    """A browser with the desktop's page."""

    def __init__(self, app: FastAPI, idp: Idp, origin: str = DESK) -> None:
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://cti.test")
        self.http.headers.update({"origin": origin, "sec-fetch-site": "same-origin"})
        self.idp = idp

    async def go(self) -> str:
        answer = await self.http.post("/api/oidc/sign-in", json={"language": "zh"})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    async def come(self, **changes: Any) -> httpx.Response:
        """To the provider and back."""
        return await self.back(self.idp.visit(await self.go()) | changes)

    async def back(self, given: dict[str, Any]) -> httpx.Response:
        body = {name: value for name, value in given.items() if value is not None}
        return await self.http.post("/api/oidc/session", json=body)

    async def me(self) -> httpx.Response:
        return await self.http.get("/api/me")


@pytest.fixture
async def browser(app: FastAPI, idp: Idp) -> AsyncIterator[Browser]:
    made = Browser(app, idp)
    yield made
    await made.http.aclose()


async def bound(database: Database, agent: int, subject: str = "u-1", issuer: str = ISSUER) -> None:
    async with database.begin() as conn:
        await identities.bind(conn, Identity(issuer, subject, agent, datetime.now(UTC)))


# --- there and back ----------------------------------------------------------------------------------------


async def test_there_and_back(browser: Browser, idp: Idp, world: World, database: Database) -> None:
    url = await browser.go()
    assert url.startswith("https://idp.example/realms/cti/auth?realm=cti&")
    query = parse_qs(urlsplit(url).query)
    assert query["redirect_uri"] == ["https://desk.example/sign-in/back"]
    assert query["scope"] == ["openid profile email"]
    assert query["ui_locales"] == ["zh-CN zh"]
    answer = await browser.back(idp.visit(url))
    assert answer.status_code == 200, answer.text
    assert (answer.json()["id"], answer.json()["must_set_up"]) == (world.agent, False)
    for cookie in answer.headers.get_list("set-cookie"):
        assert "samesite=strict" in cookie.lower()
        assert "httponly" in cookie.lower()
        assert "secure" in cookie.lower(), "the page is on https, whatever stands between"
    assert (await browser.me()).json()["login"] == "li"
    async with database.read() as conn:
        assert [one.subject for one in await identities.of_agent(conn, world.agent)] == ["u-1"]


async def test_the_secret_goes_as_the_specification_says(browser: Browser, idp: Idp) -> None:
    """RFC 6749, 2.3.1: form-encoded, then base64; at the example's end stand %, :, + and ü."""
    seen: list[str] = []

    def token(request: httpx.Request) -> httpx.Response:
        seen.append(base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode())
        return idp._token(request)

    idp.answers["token"] = token
    assert (await browser.come()).status_code == 200
    assert seen == ["cti+desk:s%25cret%3A%2B%C3%BC"]


async def test_ways_to_sign_in(app: FastAPI, client: httpx.AsyncClient) -> None:
    put(app, name="Example Ltd")
    assert (await client.get("/api/session/ways")).json() == {
        "password": True,
        "provider": {"name": "Example Ltd"},
    }
    app.state.deps = replace(app.state.deps, sign_on=None)
    assert (await client.get("/api/session/ways")).json() == {"password": True, "provider": None}
    problem(await client.post("/api/oidc/sign-in", json={}), 404, "oidc_off")
    problem(await client.post("/api/oidc/logout", data={"logout_token": "x"}), 404, "oidc_off")


async def test_the_redirect_goes_to_an_address_of_the_settings_only(app: FastAPI, idp: Idp) -> None:
    """Never by the Host header: whoever chooses that would have the code."""
    other = Browser(app, idp, "https://other.example")
    other.http.headers["host"] = "evil.example"
    assert "redirect_uri=https%3A%2F%2Fother.example%2Fsign-in%2Fback" in await other.go()
    strange = Browser(app, idp, "http://cti.test")  # the same origin, by a name that the settings lack
    said = problem(await strange.http.post("/api/oidc/sign-in", json={}), 409, "oidc_other_address")
    assert DESK in str(said["remedy"])
    program = client_of(app)
    program.headers["host"] = "evil.example"
    answer = await program.post("/api/oidc/sign-in", json={})
    assert "redirect_uri=https%3A%2F%2Fdesk.example%2Fsign-in%2Fback" in answer.json()["url"]
    for one in (other.http, strange.http, program):
        await one.aclose()


async def test_two_tabs_both_come_back(browser: Browser, idp: Idp) -> None:
    first, second = await browser.go(), await browser.go()
    assert (await browser.back(idp.visit(second))).status_code == 200
    assert (await browser.back(idp.visit(first))).status_code == 200


async def test_tabs_that_never_come_back_are_forgotten(browser: Browser, idp: Idp) -> None:
    for _ in range(20):
        last = await browser.go()
    assert len([name for name in browser.http.cookies if name.startswith("cti_oidc_")]) <= 5
    assert (await browser.back(idp.visit(last))).status_code == 200


async def test_a_state_counts_once_and_in_its_browser_only(
    app: FastAPI, browser: Browser, idp: Idp, clock: Time
) -> None:
    url = await browser.go()
    thief = Browser(app, idp)
    problem(await thief.back(idp.visit(url)), 409, "oidc_old_state")
    given = idp.visit(url)
    assert (await browser.back(given)).status_code == 200
    problem(await browser.back(given), 409, "oidc_old_state")
    problem(await browser.back({"state": "\x00" * 5, "code": "x"}), 409, "oidc_old_state")
    late = idp.visit(await browser.go())
    clock.now = clock.now.replace(year=clock.now.year + 1)
    problem(await browser.back(late), 409, "oidc_old_state")
    await thief.http.aclose()


# --- what the provider signs -------------------------------------------------------------------------------


@dataclass(frozen=True)
class After:
    """A time so many seconds after the test has begun, and not after it was collected."""

    seconds: int


def at_once(claims: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    return {name: now + value.seconds if isinstance(value, After) else value for name, value in claims.items()}


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": "https://evil.example"}, "bad_token"),
    "another client": ({"aud": "somebody else"}, "bad_token"),
    "several clients, made for another": ({"aud": [CLIENT, "other"], "azp": "other"}, "bad_token"),
    "several clients, made for nobody": ({"aud": [CLIENT, "other"]}, "bad_token"),
    "another nonce": ({"nonce": "mine"}, "bad_token"),
    "no nonce": ({"nonce": None}, "bad_token"),
    "no subject": ({"sub": None}, "bad_token"),
    "a subject that is no text": ({"sub": 7}, "bad_token"),
    "an endless subject": ({"sub": "x" * 256}, "bad_token"),
    "no time": ({"iat": None}, "bad_token"),
    "a time that is no number": ({"exp": "tomorrow"}, "bad_token"),
    "no end": ({"exp": None}, "bad_token"),
    "another access token": ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "bad_token"),
    "a clock that is fast": ({"iat": After(600 + SKEW_S), "exp": After(1200)}, "clock"),
    "a clock that is slow": ({"iat": After(-1200), "exp": After(-600 - SKEW_S)}, "clock"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_id_token_that_is_not_for_this_sign_in(browser: Browser, idp: Idp, fault: str) -> None:
    changes, code = FAULTS[fault]
    idp.id_token = at_once(changes)
    answer = await browser.come()
    problem(answer, 502 if code == "clock" else 403, f"oidc_{code}")
    assert "cti_session" not in answer.headers.get("set-cookie", "")


async def test_a_minute_of_another_clock_is_nothing(browser: Browser, idp: Idp) -> None:
    idp.id_token = {"iat": int(time.time()) + 60, "exp": int(time.time()) + 360}
    assert (await browser.come()).status_code == 200


@pytest.mark.parametrize("how", ["alg none", "public key as secret", "another key", "no token", "too long"])
async def test_a_token_that_the_provider_did_not_sign(browser: Browser, idp: Idp, how: str) -> None:
    given = idp.visit(await browser.go())
    nonce = idp._nonces[given["code"]][0]
    token = idp.token(nonce=nonce)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    if how == "alg none":
        head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        token = f"{head}.{token.split('.')[1]}."
    elif how == "public key as secret":
        token = idp.forged(claims)
    elif how == "another key":
        idp.key = RSAKey.generate_key(2048, {"kid": "k1"})
        token = idp.signed(claims)
    elif how == "no token":
        token = "a.b"
    else:
        token = "x" * 100_000
    idp.answers["token"] = lambda request: httpx.Response(200, json={"access_token": "a", "id_token": token})
    problem(await browser.back(given), 403, "oidc_bad_token")


async def test_keys_that_were_rotated_are_found(browser: Browser, idp: Idp) -> None:
    assert (await browser.come()).status_code == 200
    idp.key = RSAKey.generate_key(2048, {"kid": "k2"})
    idp.listed = [idp.key]
    assert (await browser.come()).status_code == 200
    assert idp.asked.count("jwks") == 2


async def test_invented_key_names_do_not_make_us_ask_for_each(client: httpx.AsyncClient, idp: Idp) -> None:
    other = Idp()
    for number in range(20):
        other.key = RSAKey.generate_key(2048, {"kid": f"invented {number}"}) if number < 2 else other.key
        answer = await client.post("/api/oidc/logout", data={"logout_token": other.logout_token()})
        problem(answer, 400, "oidc_bad_token")
    assert idp.asked.count("jwks") <= 1 + keys.AT_ONCE


async def test_claims_of_userinfo_count_where_the_token_lacks_them(
    app: FastAPI, browser: Browser, idp: Idp, world: World
) -> None:
    put(app, roles=ROLES)
    idp.claims = {"sub": "u-1"}
    idp.in_userinfo = {"preferred_username": "li", "groups": ["cti-agents"]}
    assert (await browser.come()).json()["id"] == world.agent
    idp.in_userinfo["sub"] = "u-2"
    problem(await browser.come(), 403, "oidc_bad_token")


# --- the provider's errors, and ours -----------------------------------------------------------------------


def fails(cause: Exception) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        raise cause

    return answer


def says(status: int, **given: Any) -> Any:
    return lambda request: httpx.Response(status, **given)


TROUBLES: dict[str, tuple[str, Any, int, str]] = {
    "down": ("openid-configuration", fails(httpx.ConnectError("refused")), 503, "oidc_unreachable"),
    "slow": ("openid-configuration", fails(httpx.ReadTimeout("slow")), 503, "oidc_unreachable"),
    "starting": ("openid-configuration", says(503), 503, "oidc_unreachable"),
    "no such realm": ("openid-configuration", says(404, json={}), 502, "oidc_misconfigured"),
    "a web page": ("openid-configuration", says(200, text="<html>"), 502, "oidc_misconfigured"),
    "a redirect": ("openid-configuration", says(302, headers={"location": "/x"}), 502, "oidc_misconfigured"),
    "another issuer": (
        "openid-configuration",
        says(200, json={"issuer": "https://evil.example"}),
        502,
        "oidc_misconfigured",
    ),
    "no addresses": ("openid-configuration", says(200, json={"issuer": ISSUER}), 502, "oidc_misconfigured"),
    "token: down": ("token", fails(httpx.ConnectError("refused")), 503, "oidc_unreachable"),
    "token: wrong client": ("token", says(401, json={"error": "invalid_client"}), 502, "oidc_wrong_client"),
    "token: old code": ("token", says(400, json={"error": "invalid_grant"}), 409, "oidc_old_state"),
    "token: other error": ("token", says(400, json={"error": "invalid_target"}), 502, "oidc_misconfigured"),
    "token: no ID token": ("token", says(200, json={"access_token": "a"}), 502, "oidc_misconfigured"),
    "token: a list": ("token", says(200, json=[]), 502, "oidc_misconfigured"),
    "keys: down": ("jwks", fails(httpx.ConnectError("refused")), 503, "oidc_unreachable"),
    "keys: none": ("jwks", says(200, json={}), 502, "oidc_misconfigured"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_goes_wrong_has_a_code_and_a_remedy(browser: Browser, idp: Idp, trouble: str) -> None:
    path, answers, status, code = TROUBLES[trouble]
    idp.answers[path] = answers
    if path == "openid-configuration":
        answer = await browser.http.post("/api/oidc/sign-in", json={})
    else:
        answer = await browser.come()
    assert problem(answer, status, code)["remedy"]


async def test_a_document_that_cannot_be_read_again_counts_on(
    browser: Browser, idp: Idp, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await browser.come()).status_code == 200
    monkeypatch.setattr("cti_server.provider.metadata.LASTS_S", 0.0)
    idp.answers["openid-configuration"] = fails(httpx.ConnectError("refused"))
    assert (await browser.come()).status_code == 200


@pytest.mark.parametrize("issuer", [ISSUER, f"{ISSUER}/"])
async def test_an_issuer_may_end_in_a_slash_or_not(app: FastAPI, idp: Idp, issuer: str) -> None:
    idp.issuer = issuer
    browser = Browser(app, idp)
    assert (await browser.come()).status_code == 200
    idp.id_token = {"iss": ISSUER + "/" if issuer == ISSUER else ISSUER}
    problem(await browser.come(), 403, "oidc_bad_token")
    await browser.http.aclose()


async def test_an_answer_without_end_is_cut_off() -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    transport = web._Bounded(httpx.MockTransport(lambda request: httpx.Response(200, content=endless())))
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(web.TooLong):
            await client.get("https://idp.example/")


RETURNS: dict[str, tuple[dict[str, Any], int, str]] = {
    "cancelled": ({"code": None, "error": "access_denied"}, 403, "oidc_cancelled"),
    "busy": ({"code": None, "error": "temporarily_unavailable"}, 503, "oidc_unreachable"),
    "wrong scope": ({"code": None, "error": "invalid_scope"}, 502, "oidc_misconfigured"),
    "login needed": ({"code": None, "error": "login_required"}, 403, "oidc_refused"),
    "nothing": ({"code": None}, 403, "oidc_refused"),
    "another provider": ({"iss": "https://evil.example"}, 403, "oidc_bad_token"),
    "a provider without a name": ({"iss": None}, 403, "oidc_bad_token"),
    "another code": ({"code": "guessed"}, 409, "oidc_old_state"),
}


@pytest.mark.parametrize("case", RETURNS)
async def test_what_a_browser_may_come_back_with(browser: Browser, idp: Idp, case: str) -> None:
    changes, status, code = RETURNS[case]
    problem(await browser.come(**changes), status, code)


async def test_somebody_who_invents_codes_is_slowed_down(browser: Browser) -> None:
    said: list[int] = []
    while 429 not in said:  # the budget grows by the second, so a few more than at once
        said.append((await browser.come(code="guessed")).status_code)
        assert len(said) < 2 * ADDRESS.at_once
    assert said[: ADDRESS.at_once] == [409] * ADDRESS.at_once


# --- who comes in, as whom ---------------------------------------------------------------------------------


async def test_an_identity_is_bound_by_its_subject_and_not_by_its_name(
    browser: Browser, idp: Idp, world: World
) -> None:
    assert (await browser.come()).json()["id"] == world.agent
    idp.claims["preferred_username"] = "wang"  # they changed it
    assert (await browser.come()).json()["id"] == world.agent
    idp.claims |= {"sub": "u-2", "preferred_username": "li"}  # and somebody took the old one
    said = problem(await browser.come(), 403, "oidc_taken")
    assert "user unlink li" in str(said["remedy"])


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an administrator's name": ({"preferred_username": "root"}, {}, "oidc_link_needed"),
    "an administrator's name, by an administrator": (
        {"preferred_username": "root", "groups": ["cti-admins"]},
        {"roles": ROLES},
        "oidc_link_needed",
    ),
    "a supervisor's name, where groups say nothing": ({"preferred_username": "zhao"}, {}, "oidc_link_needed"),
    "a supervisor's name, by an agent": (
        {"preferred_username": "zhao", "groups": ["cti-agents"]},
        {"roles": ROLES},
        "oidc_link_needed",
    ),
    "no group of ours": ({"groups": ["sales"]}, {"roles": ROLES}, "oidc_no_role"),
    "no groups": ({}, {"roles": ROLES}, "oidc_no_role"),
    "nobody we know": ({"preferred_username": "new"}, {}, "oidc_unknown_person"),
    "no login": ({"preferred_username": None}, {}, "oidc_no_login"),
    "a login with a space": ({"preferred_username": "li wei"}, {"may_create": True}, "oidc_no_login"),
    "a mail address that nobody verified": (
        {"email": "li", "email_verified": False},
        {"login_claim": "email"},
        "oidc_email_unverified",
    ),
    "a mail address of which nothing is said": (
        {"email": "li"},
        {"login_claim": "email"},
        "oidc_email_unverified",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_who_is_refused(app: FastAPI, browser: Browser, idp: Idp, database: Database, case: str) -> None:
    claims, settings, code = REFUSED[case]
    put(app, **settings)
    idp.claims = {name: value for name, value in (idp.claims | claims).items() if value is not None}
    answer = await browser.come()
    assert problem(answer, 403, code)["remedy"]
    assert "cti_session" not in answer.headers.get("set-cookie", "")
    async with database.read() as conn:
        assert await identities.find(conn, ISSUER, "u-1") is None


async def test_an_administrator_comes_in_once_linked(
    browser: Browser, idp: Idp, world: World, database: Database
) -> None:
    idp.claims["preferred_username"] = "root"
    problem(await browser.come(), 403, "oidc_link_needed")
    await bound(database, world.administrator)
    assert (await browser.come()).json()["login"] == "root"


async def test_a_supervisor_of_the_provider_is_one_here(app: FastAPI, browser: Browser, idp: Idp) -> None:
    put(app, roles=ROLES)
    idp.claims |= {"preferred_username": "zhao", "groups": ["x", "cti-leads"]}
    assert (await browser.come()).json()["role"] == "supervisor"


async def test_a_new_role_comes_with_the_next_sign_in_and_ends_the_other_sessions(
    app: FastAPI, browser: Browser, idp: Idp, commands: FakeCommands, world: World, database: Database
) -> None:
    put(app, roles=ROLES)
    idp.claims["groups"] = ["cti-agents"]
    assert (await browser.come()).json()["role"] == "agent"
    elsewhere = Browser(app, idp)
    assert (await elsewhere.come()).json()["role"] == "agent"
    assert (await browser.me()).status_code == 200
    idp.claims["groups"] = ["cti-leads", "cti-agents"]
    commands.asked.clear()
    assert (await elsewhere.come()).json()["role"] == "supervisor"
    problem(await browser.me(), 401, "not_signed_in")
    assert (await elsewhere.me()).json()["role"] == "supervisor"
    assert ("signed_out", world.agent) in commands.asked
    await elsewhere.http.aclose()
    async with database.read() as conn:
        noted = [(one.action, one.thing, one.actor.partition(":")[0]) for one in (await page(conn)).items]
    thing = f"user:{world.agent}"
    assert [entry for entry in noted if not entry[0].startswith("session.")] == [
        ("user.role", thing, "provider"),
        ("identity.bound", thing, "provider"),
    ]
    assert ("session.opened", thing, "user") in noted


async def test_who_was_disabled_stays_disabled(
    browser: Browser, idp: Idp, database: Database, world: World
) -> None:
    assert (await browser.come()).status_code == 200
    async with database.begin() as conn:
        await agents.update(conn, world.agent, active=False)
    problem(await browser.come(), 403, "oidc_disabled")
    async with database.begin() as conn:
        await identities.unbind(conn, world.agent)
    problem(await browser.come(), 403, "oidc_disabled")


async def test_a_person_who_is_not_known_is_made_where_that_is_allowed(
    app: FastAPI, browser: Browser, idp: Idp, database: Database
) -> None:
    put(app, may_create=True, roles=ROLES)
    idp.claims |= {"preferred_username": "New.Person", "name": "新 人", "groups": ["cti-leads"]}
    me = (await browser.come()).json()
    assert (me["login"], me["name"], me["role"]) == ("new.person", "新 人", "supervisor")
    again = (await browser.come()).json()
    assert again["id"] == me["id"]
    answer = await browser.http.post("/api/session", json={"login": "new.person", "password": PASSWORD})
    problem(answer, 401, "wrong_credentials")
    factor = (await browser.http.get("/api/me/second-factor")).json()
    assert (factor["has_password"], factor["possible"]) == (False, False)
    async with database.read() as conn:
        made = await agents.get(conn, me["id"])
    assert made is not None
    assert made.password_hash is None


async def test_the_providers_second_factor_counts_for_its_sessions(
    app: FastAPI, browser: Browser, idp: Idp, client: httpx.AsyncClient
) -> None:
    app.state.deps = replace(app.state.deps, second_factor_roles=("agent",))
    assert (await browser.come()).json()["must_set_up"] is False
    assert (await browser.me()).status_code == 200
    by_password = await client.post("/api/session", json={"login": "li", "password": PASSWORD})
    assert by_password.json()["must_set_up"] is True


async def test_without_passwords_only_an_emergency_login_has_one(
    app: FastAPI, client: httpx.AsyncClient, browser: Browser, database: Database, world: World
) -> None:
    app.state.deps = replace(app.state.deps, password_sign_in=False)
    assert (await client.get("/api/session/ways")).json()["password"] is False
    right = {"login": "root", "password": PASSWORD}
    problem(await client.post("/api/session", json=right), 403, "password_sign_in_off")
    problem(await client.post("/api/session", json=right | {"password": "no"}), 401, "wrong_credentials")
    async with database.begin() as conn:
        await agents.update(conn, world.administrator, break_glass=True)
    assert (await client.post("/api/session", json=right)).status_code == 200
    assert (await browser.come()).status_code == 200


# --- signing out -------------------------------------------------------------------------------------------


async def test_who_signs_out_here_is_sent_to_sign_out_there(browser: Browser, idp: Idp, sign_in: SignIn) -> None:
    await browser.come()
    answer = await browser.http.delete("/api/session")
    assert answer.status_code == 200
    url = urlsplit(answer.json()["url"])
    query = parse_qs(url.query)
    assert url.path == "/realms/cti/end"
    assert query["post_logout_redirect_uri"] == [f"{DESK}/"]
    assert query["client_id"] == [CLIENT]
    assert query["id_token_hint"][0].count(".") == 2
    assert 'cti_session=""' in answer.headers["set-cookie"]
    problem(await browser.me(), 401, "not_signed_in")
    assert (await (await sign_in("wang")).delete("/api/session")).status_code == 204, "one that began by password"


async def test_the_id_token_is_kept_encrypted_where_there_is_a_key(
    browser: Browser, idp: Idp, database: Database
) -> None:
    await browser.come()
    async with database.read() as conn:
        (token,) = await identities.sessions_of(conn, ISSUER, "u-1", None)
        kept = await identities.session_of(conn, token)
    assert kept is not None
    assert kept.id_token.startswith("v1:")


async def test_a_provider_without_a_sign_out_page(app: FastAPI, browser: Browser, idp: Idp) -> None:
    idp.document = {"end_session_endpoint": None}
    put(app)
    await browser.come()
    assert (await browser.http.delete("/api/session")).status_code == 204


async def test_a_logout_token_ends_the_sessions_of_its_sid(
    app: FastAPI, browser: Browser, idp: Idp, commands: FakeCommands, world: World, sign_in: SignIn
) -> None:
    await browser.come()
    elsewhere, wang = Browser(app, idp), await sign_in("wang")
    idp.claims["sid"] = "s-2"
    await elsewhere.come()
    by_password = await sign_in("li")
    commands.asked.clear()
    async with client_of(app) as provider:
        token = idp.logout_token(sid="s-1")
        answer = await provider.post("/api/oidc/logout", data={"logout_token": token})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        problem(await browser.me(), 401, "not_signed_in")
        assert commands.asked == [("signed_out", world.agent)]
        for other in (elsewhere.http, by_password, wang):
            assert (await other.get("/api/me")).status_code == 200
        problem(await provider.post("/api/oidc/logout", data={"logout_token": token}), 400, "oidc_bad_token")
        answer = await provider.post("/api/oidc/logout", data={"logout_token": idp.logout_token(sid=None)})
        assert answer.status_code == 200
        problem(await elsewhere.me(), 401, "not_signed_in")
        assert (await by_password.get("/api/me")).status_code == 200, "it is none of the provider's"
    await elsewhere.http.aclose()


async def test_a_session_that_never_learnt_its_sid_ends_with_its_subject(
    app: FastAPI, browser: Browser, idp: Idp
) -> None:
    del idp.claims["sid"]
    await browser.come()
    async with client_of(app) as provider:
        other = idp.logout_token(sub="u-2", sid="s-9")
        assert (await provider.post("/api/oidc/logout", data={"logout_token": other})).status_code == 200
        assert (await browser.me()).status_code == 200
        mine = idp.logout_token(sid="s-9")
        assert (await provider.post("/api/oidc/logout", data={"logout_token": mine})).status_code == 200
        problem(await browser.me(), 401, "not_signed_in")


LOGOUT_FAULTS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another client": {"aud": "somebody else"},
    "no audience": {"aud": None},
    "no time": {"iat": None},
    "no end": {"exp": None},
    "over": {"iat": After(-900), "exp": After(-600)},
    "of tomorrow": {"iat": After(86_400), "exp": After(86_500)},
    "of yesterday": {"iat": After(-86_400), "exp": After(86_400)},
    "no events": {"events": None},
    "another event": {"events": {"https://other.example/event": {}}},
    "an event that is no object": {"events": {EVENT: True}},
    "neither sub nor sid": {"sub": None, "sid": None},
    "a nonce": {"nonce": "x"},
    "no jti": {"jti": None},
    "an endless jti": {"jti": "x" * 300},
    "a sid that is no text": {"sid": ["s-1"]},
}


@pytest.mark.parametrize("fault", LOGOUT_FAULTS)
async def test_a_logout_token_that_lacks_anything_ends_nothing(
    app: FastAPI, browser: Browser, idp: Idp, fault: str
) -> None:
    await browser.come()
    async with client_of(app) as provider:
        token = idp.logout_token(**at_once(LOGOUT_FAULTS[fault]))
        answer = await provider.post("/api/oidc/logout", data={"logout_token": token})
        assert answer.status_code == 400
        assert answer.json()["code"] in ("oidc_bad_token", "oidc_clock")
    assert (await browser.me()).status_code == 200


@pytest.mark.parametrize(
    "body", [b"", b"logout_token=", b"logout_token=a&logout_token=b", b"\xff", b"logout_token=a.b.c", b"x=1&" * 99]
)
async def test_what_is_no_logout_token(app: FastAPI, idp: Idp, body: bytes) -> None:
    async with client_of(app) as provider:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await provider.post("/api/oidc/logout", content=body, headers=headers)
        problem(answer, 400, "oidc_bad_token")


async def test_an_id_token_ends_nothing(app: FastAPI, browser: Browser, idp: Idp) -> None:
    await browser.come()
    async with client_of(app) as provider:
        answer = await provider.post("/api/oidc/logout", data={"logout_token": idp.token(jti="1")})
        problem(answer, 400, "oidc_bad_token")
    assert (await browser.me()).status_code == 200
