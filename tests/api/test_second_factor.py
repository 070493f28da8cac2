"""The second factor: turned on by password and code, asked for at the sign-in, each code once, guesses few."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pyotp
import pytest
from fastapi import FastAPI

from cti_server.api.access.attempts import LOGIN
from cti_server.api.access.tickets import Tickets
from cti_server.api.create import openapi_document
from cti_server.record.center import second_factors, sessions
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, new_key
from tests.api.conftest import PASSWORD, SignIn, Time, client_of, problem
from tests.api.fakes import FakeCommands
from tests.lookup.seed import World

KEY = new_key()
ON, OFF = "/api/me/second-factor", "/api/me/second-factor/off"


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """With a key to keep secrets with, and without a role that needs a second factor."""
    app.state.deps = replace(app.state.deps, sealer=Sealer([KEY]))
    return app


def wanting(app: FastAPI, *roles: str) -> None:
    """These roles need a second factor from now on."""
    deps = app.state.deps = replace(app.state.deps, second_factor_roles=roles)
    app.state.tickets = Tickets(deps.database, deps.now, roles)  # type: ignore[arg-type]


class Phone:
    """An authenticator app."""

    def __init__(self, secret: str, clock: Time) -> None:
        self._totp, self._clock = pyotp.TOTP(secret), clock

    def code(self, steps: int = 0) -> str:
        """The code that it shows, or showed or will show some steps away."""
        return self._totp.at(self._clock.now + steps * timedelta(seconds=30))

    def next(self) -> str:
        """The code after this one, once it is shown."""
        self._clock.now += timedelta(seconds=30)
        return self.code()


async def turn_on(client: httpx.AsyncClient, clock: Time) -> tuple[Phone, list[str]]:
    begun = await client.post(ON, json={"password": PASSWORD})
    assert begun.status_code == 200, begun.text
    phone = Phone(begun.json()["secret"], clock)
    done = await client.put(ON, json={"code": phone.code()})
    assert done.status_code == 200, done.text
    return phone, done.json()["codes"]


async def signs_in(app: FastAPI, **more: str) -> httpx.Response:
    async with client_of(app) as fresh:
        return await fresh.post("/api/session", json={"login": "li", "password": PASSWORD, **more})


async def test_it_is_turned_on_by_password_and_code_and_asked_for_from_then_on(
    app: FastAPI, sign_in: SignIn, clock: Time, commands: FakeCommands, world: World, database: Database
) -> None:
    here, elsewhere = await sign_in("li"), await sign_in("li")
    before = {
        "on": False,
        "since": None,
        "recovery_codes_left": 0,
        "wanted": False,
        "possible": True,
        "has_password": True,
    }
    assert (await here.get(ON)).json() == before
    problem(await here.post(ON, json={"password": "not this one"}), 403, "wrong_password")
    begun = (await here.post(ON, json={"password": PASSWORD})).json()
    assert begun["uri"] == f"otpauth://totp/cti-server:li?secret={begun['secret']}&issuer=cti-server"
    assert begun["qr"].startswith("data:image/svg+xml")
    assert (await signs_in(app)).status_code == 200, "it does not count before a code of it was brought"
    again = (await here.post(ON, json={"password": PASSWORD})).json()
    assert again["secret"] == begun["secret"], "a phone may have it already"
    problem(await here.put(ON, json={"code": "000000"}), 403, "wrong_code")
    phone = Phone(begun["secret"], clock)
    codes = (await here.put(ON, json={"code": phone.code()})).json()["codes"]
    assert len(set(codes)) == 10
    assert (await here.get(ON)).json()["recovery_codes_left"] == 10
    assert (await here.get("/api/me")).status_code == 200
    problem(await elsewhere.get("/api/me"), 401, "not_signed_in")
    assert ("signed_out", world.agent) in commands.asked, "their websockets too"
    async with database.read() as conn:
        kept = await second_factors.find(conn, world.agent)
    assert kept is not None
    assert begun["secret"] not in kept.secret

    problem(await signs_in(app), 401, "code_needed")
    problem(await signs_in(app, code=""), 401, "code_needed")
    problem(await signs_in(app, code=phone.code()), 401, "wrong_code")  # it turned the factor on: used
    first = phone.next()
    assert (await signs_in(app, code=first)).status_code == 200
    problem(await signs_in(app, code=first), 401, "wrong_code")
    assert "set-cookie" not in (await signs_in(app, code=first)).headers


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
async def test_a_code_counts_one_step_to_either_side(
    app: FastAPI, sign_in: SignIn, clock: Time, steps: int, status: int
) -> None:
    phone, _ = await turn_on(await sign_in("li"), clock)
    clock.now += timedelta(minutes=10)
    assert (await signs_in(app, code=phone.code(steps))).status_code == status


async def test_a_later_code_uses_up_those_before(app: FastAPI, sign_in: SignIn, clock: Time) -> None:
    phone, _ = await turn_on(await sign_in("li"), clock)
    clock.now += timedelta(minutes=10)
    assert (await signs_in(app, code=phone.code(1))).status_code == 200
    problem(await signs_in(app, code=phone.code()), 401, "wrong_code")


@pytest.mark.parametrize("kind", ["app", "recovery"])
async def test_the_same_code_at_once_signs_in_once(app: FastAPI, sign_in: SignIn, clock: Time, kind: str) -> None:
    phone, codes = await turn_on(await sign_in("li"), clock)
    code = phone.next() if kind == "app" else codes[0]
    said = [one.status_code for one in await asyncio.gather(*(signs_in(app, code=code) for _ in range(4)))]
    assert sorted(said) == [200, 401, 401, 401]


@pytest.mark.parametrize("typed", ["{0} {1}", " {0}{1}\n", "{0}-{1}", "full width"])
async def test_a_code_may_be_pasted_as_the_app_writes_it(
    app: FastAPI, sign_in: SignIn, clock: Time, typed: str
) -> None:
    phone, codes = await turn_on(await sign_in("li"), clock)
    code = phone.next()
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)  # what a Chinese input method types
    written = wide if typed == "full width" else typed.format(code[:3], code[3:])
    assert (await signs_in(app, code=written)).status_code == 200
    assert (await signs_in(app, code=codes[0].upper().replace("-", " "))).status_code == 200


@pytest.mark.parametrize("code", ["1234567", "abcdef", "١٢٣٤٥٦", "\x00", "aaaa-aaaa-aaaa-aaaa"])
async def test_what_is_no_code_is_wrong(app: FastAPI, sign_in: SignIn, clock: Time, code: str) -> None:
    await turn_on(await sign_in("li"), clock)
    problem(await signs_in(app, code=code), 401, "wrong_code")


async def test_each_recovery_code_works_once_and_new_ones_replace_them(
    app: FastAPI, sign_in: SignIn, clock: Time
) -> None:
    here = await sign_in("li")
    phone, codes = await turn_on(here, clock)
    assert (await signs_in(app, code=codes[3])).status_code == 200
    problem(await signs_in(app, code=codes[3]), 401, "wrong_code")
    assert (await here.get(ON)).json()["recovery_codes_left"] == 9
    both = {"password": PASSWORD, "code": phone.next()}
    fresh = (await here.post(f"{ON}/recovery-codes", json=both)).json()["codes"]
    assert len(set(fresh) - set(codes)) == 10
    problem(await signs_in(app, code=codes[0]), 401, "wrong_code")
    assert (await signs_in(app, code=fresh[0])).status_code == 200


async def test_codes_are_guessed_as_slowly_as_passwords(app: FastAPI, sign_in: SignIn, clock: Time) -> None:
    """And a right password without a code in between does not begin the guessing anew."""
    phone, _ = await turn_on(await sign_in("li"), clock)
    clock.now += timedelta(minutes=5)
    for n in range(LOGIN.at_once):
        problem(await signs_in(app, code=f"{n:06}"), 401, "wrong_code")
        if n < LOGIN.at_once - 1:
            problem(await signs_in(app), 401, "code_needed")
    problem(await signs_in(app, code=phone.code()), 429, "too_many_attempts")
    problem(await signs_in(app), 429, "too_many_attempts")


async def test_sixty_codes_at_once_are_five(app: FastAPI, sign_in: SignIn, clock: Time) -> None:
    await turn_on(await sign_in("li"), clock)
    clock.now += timedelta(minutes=5)
    said = await asyncio.gather(*(signs_in(app, code=f"{n:06}") for n in range(60)))
    assert sorted(one.status_code for one in said) == [401] * LOGIN.at_once + [429] * (60 - LOGIN.at_once)


async def test_a_wrong_password_says_nothing_of_the_code(app: FastAPI, sign_in: SignIn, clock: Time) -> None:
    phone, codes = await turn_on(await sign_in("li"), clock)
    async with client_of(app) as fresh:
        for code in (phone.next(), codes[0]):
            answer = await fresh.post("/api/session", json={"login": "li", "password": "wrong", "code": code})
            problem(answer, 401, "wrong_credentials")
    assert (await signs_in(app, code=codes[0])).status_code == 200, "it was not used up"


async def test_it_is_turned_off_by_password_and_code(
    app: FastAPI, sign_in: SignIn, clock: Time, commands: FakeCommands, world: World
) -> None:
    here = await sign_in("li")
    phone, codes = await turn_on(here, clock)
    elsewhere = client_of(app)
    both = {"login": "li", "password": PASSWORD, "code": phone.next()}
    assert (await elsewhere.post("/api/session", json=both)).status_code == 200
    problem(await here.post(OFF, json={"password": "wrong", "code": codes[0]}), 403, "wrong_password")
    problem(await here.post(OFF, json={"password": PASSWORD, "code": "000000"}), 403, "wrong_code")
    commands.asked.clear()
    assert (await here.post(OFF, json={"password": PASSWORD, "code": codes[0]})).status_code == 204
    problem(await elsewhere.get("/api/me"), 401, "not_signed_in")
    assert (await here.get("/api/me")).status_code == 200
    assert commands.asked == [("signed_out", world.agent)]
    assert (await signs_in(app)).status_code == 200
    problem(await here.post(OFF, json={"password": PASSWORD, "code": codes[1]}), 409, "second_factor_off")
    await elsewhere.aclose()


async def test_a_set_up_that_was_left_is_begun_anew(sign_in: SignIn, clock: Time) -> None:
    here = await sign_in("li")
    problem(await here.put(ON, json={"code": "123456"}), 409, "second_factor_not_begun")
    secret = (await here.post(ON, json={"password": PASSWORD})).json()["secret"]
    clock.now += timedelta(minutes=31)
    problem(await here.put(ON, json={"code": Phone(secret, clock).code()}), 409, "second_factor_not_begun")
    assert (await here.post(ON, json={"password": PASSWORD})).json()["secret"] != secret


async def test_one_that_is_on_is_not_replaced(sign_in: SignIn, clock: Time) -> None:
    here = await sign_in("li")
    await turn_on(here, clock)
    problem(await here.post(ON, json={"password": PASSWORD}), 409, "second_factor_on")
    problem(await here.put(ON, json={"code": "123456"}), 409, "second_factor_not_begun")


async def test_without_a_key_it_is_refused_with_the_remedy(app: FastAPI, sign_in: SignIn) -> None:
    app.state.deps = replace(app.state.deps, sealer=Sealer())
    here = await sign_in("li")
    assert (await here.get(ON)).json()["possible"] is False
    said = problem(await here.post(ON, json={"password": PASSWORD}), 409, "second_factor_no_key")
    assert "cti-server key" in str(said["remedy"])


async def test_with_the_key_lost_recovery_codes_still_work(app: FastAPI, sign_in: SignIn, clock: Time) -> None:
    phone, codes = await turn_on(await sign_in("li"), clock)
    app.state.deps = replace(app.state.deps, sealer=Sealer([new_key()]))
    said = problem(await signs_in(app, code=phone.next()), 503, "second_factor_unreadable")
    assert "CTI_SECRET_KEY" in str(said["remedy"])
    assert (await signs_in(app, code=codes[0])).status_code == 200


# --- roles that need one -----------------------------------------------------------------------------------

#: what a session may do that must set its second factor up first; every other operation is refused
STILL_OPEN = {
    "signIn",
    "signOut",
    "getWaysToSignIn",
    "goToProvider",
    "comeFromProvider",
    "endByProvider",  # by the provider's signature
    "getHealth",
    "getReadiness",
    "identifyCaller",  # by a token of its own
    "getMySecondFactor",
    "beginMySecondFactor",
    "confirmMySecondFactor",
    "endMySecondFactor",
    "renewMyRecoveryCodes",
}
OPERATIONS = [
    (method, path, operation["operationId"])
    for path, methods in openapi_document()["paths"].items()
    for method, operation in methods.items()
]


@pytest.mark.parametrize(("method", "path", "name"), OPERATIONS, ids=[name for _, _, name in OPERATIONS])
async def test_a_role_that_needs_one_may_do_nothing_else_before(
    app: FastAPI, sign_in: SignIn, method: str, path: str, name: str
) -> None:
    zhao = await sign_in("zhao")
    wanting(app, "supervisor", "administrator")
    url = path.replace("{", "").replace("}", "")
    answer = await zhao.request(method, url, json={} if method in ("post", "put", "patch") else None)
    if name in STILL_OPEN:
        assert "second_factor_needed" not in answer.text
    else:
        problem(answer, 403, "second_factor_needed")


async def test_it_is_told_so_at_the_sign_in_and_goes_on_once_it_is_set_up(
    app: FastAPI, client: httpx.AsyncClient, sign_in: SignIn, clock: Time
) -> None:
    wanting(app, "supervisor")
    answer = await client.post("/api/session", json={"login": "zhao", "password": PASSWORD})
    assert answer.json()["must_set_up"] is True
    problem(await client.get("/api/me"), 403, "second_factor_needed")
    assert (await client.get(ON)).json()["wanted"] is True
    phone, codes = await turn_on(client, clock)
    assert (await client.get("/api/me")).status_code == 200
    assert (await client.post("/api/session/ticket")).status_code == 200
    refused = await client.post(OFF, json={"password": PASSWORD, "code": codes[0]})
    problem(refused, 409, "second_factor_wanted")
    both = {"login": "zhao", "password": PASSWORD, "code": phone.next()}
    assert (await client.post("/api/session", json=both)).json()["must_set_up"] is False
    li = await client.post("/api/session", json={"login": "li", "password": PASSWORD})
    assert li.json()["must_set_up"] is False, "agents need none"


async def test_a_ticket_of_before_does_not_outlive_a_sign_out(
    app: FastAPI, sign_in: SignIn, clock: Time, database: Database, world: World
) -> None:
    here, elsewhere = await sign_in("li"), await sign_in("li")
    ticket = (await elsewhere.post("/api/session/ticket")).json()["ticket"]
    await turn_on(here, clock)
    assert await Tickets(database, clock).redeem(ticket) is None
    async with database.read() as conn:
        assert len(await sessions.of_agent(conn, world.agent, clock.now)) == 1
