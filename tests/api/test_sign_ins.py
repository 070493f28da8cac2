"""Guessing passwords: budgets that count before the hash, devices that are known, a queue that is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from cti_server.api.access import passwords
from cti_server.api.access.attempts import ADDRESS, KEPT, LOGIN, NETWORK, Attempts, Try
from cti_server.api.access.passwords import Crowded, Verifier, WeakPassword, check_password
from tests.api.conftest import PASSWORD, problem


def takes(
    attempts: Attempts, login: str = "a", address: str = "192.0.2.1", device: str | None = None
) -> Callable[[float], Try | float]:
    return lambda now: attempts.take(login, address, device, now)


def test_the_waits_of_a_login_grow_from_any_address_and_are_bounded() -> None:
    attempts, now = Attempts(), 0.0
    waits = []
    for n in range(LOGIN.at_once + 20):
        while isinstance(wait := attempts.take("a", f"192.0.{n}.1", None, now), float):
            waits.append(wait)
            now += wait
    assert waits[:4] == [2.0, 4.0, 8.0, 16.0]
    assert max(waits) == LOGIN.longest
    tried = attempts.take("a", "203.0.113.1", "her own desk", now)
    assert isinstance(tried, Try), "strangers who guess do not lock her out of where she sits"
    assert isinstance(attempts.take("b", "203.0.113.1", None, now), Try)


def test_a_login_that_was_left_alone_begins_anew() -> None:
    attempts = Attempts()
    for _ in range(LOGIN.at_once):
        assert isinstance(takes(attempts)(0.0), Try)
    assert isinstance(takes(attempts)(1.0), float)
    assert isinstance(takes(attempts)(2 * LOGIN.longest), Try)


def test_spraying_many_logins_from_one_address_is_slow() -> None:
    attempts = Attempts()
    good = sum(isinstance(attempts.take(f"login {n}", "192.0.2.1", None, 0.0), Try) for n in range(200))
    assert good == ADDRESS.at_once
    later = [attempts.take(login, "192.0.2.1", None, ADDRESS.every) for login in ("another", "yet another")]
    assert [isinstance(one, Try) for one in later] == [True, False], "one more, a few seconds later"


def test_a_whole_network_is_slow_too() -> None:
    attempts = Attempts()
    good = sum(isinstance(attempts.take(f"l{n}", f"192.0.2.{n % 250}", None, 0.0), Try) for n in range(600))
    assert good == NETWORK.at_once
    assert isinstance(attempts.take("x", "2001:db8::1", None, 0.0), Try)


def test_who_is_right_gives_the_try_back() -> None:
    attempts = Attempts()
    for _ in range(10 * ADDRESS.at_once):
        tried = takes(attempts)(0.0)
        assert isinstance(tried, Try)
        attempts.right(tried, 0.0)


def test_its_memory_is_bounded() -> None:
    attempts = Attempts()
    for n in range(KEPT + 10):
        attempts.take(f"l{n}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", None, 0.0)
    assert all(len(spent) <= KEPT for spent in attempts._spent.values())


async def test_sixty_at_once_are_five(client: httpx.AsyncClient) -> None:
    """Counted before they are hashed."""
    tries = [client.post("/api/session", json={"login": "li", "password": f"no {n}"}) for n in range(60)]
    said = [answer.status_code for answer in await asyncio.gather(*tries)]
    assert (said.count(401), said.count(429)) == (LOGIN.at_once, 60 - LOGIN.at_once)


async def test_a_device_that_is_known_is_not_locked_out(client: httpx.AsyncClient) -> None:
    right = {"login": "li", "password": PASSWORD}
    known = await client.post("/api/session", json=right)
    device = known.cookies["cti_device"]
    client.cookies.clear()
    for n in range(LOGIN.at_once):
        await client.post("/api/session", json={"login": "li", "password": f"no {n}"})
    problem(await client.post("/api/session", json=right), 429, "too_many_attempts")
    client.cookies.set("cti_device", "forged", path="/api/session")
    problem(await client.post("/api/session", json=right), 429, "too_many_attempts")
    client.cookies.clear()
    client.cookies.set("cti_device", device, path="/api/session")
    assert (await client.post("/api/session", json=right)).status_code == 200
    client.cookies.set("cti_device", device, path="/api/session")
    wang = {"login": "wang", "password": PASSWORD}
    assert (await client.post("/api/session", json=wang)).status_code == 200, "a shared desk"


async def test_known_devices_go_first_and_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    free = asyncio.Event()

    async def in_thread(check: object, password: str, stored: str | None) -> bool:
        await free.wait()
        order.append(password)
        return True

    monkeypatch.setattr(passwords.asyncio, "to_thread", in_thread)
    verifier = Verifier()
    strangers = [asyncio.create_task(verifier.matches(f"s{n}", None)) for n in range(2 + passwords.MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Crowded):
        await verifier.matches("one more", None)
    known = asyncio.create_task(verifier.matches("known", None, first=True))
    gone = strangers[5]
    gone.cancel()
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(known, *strangers, return_exceptions=True)
    assert order[2] == "known"
    assert len(order) == passwords.MAX_WAITING + 2, "all but the one who went away"
    assert await verifier.matches("after", None), "every slot came back"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "too_short"),
        ("x" * 257, "too_long"),
        (" " * 10, "easy_to_guess"),
        ("password12", "easy_to_guess"),
        ("1234567890", "easy_to_guess"),
        ("qwertyuiop", "easy_to_guess"),
        ("li wei li wei", "easy_to_guess"),
        ("lilililili", "easy_to_guess"),
    ],
)
def test_a_weak_password_is_refused(password: str, code: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        check_password(password, "li", "Li Wei")
    assert refused.value.code == code


@pytest.mark.parametrize("password", ["correct horse battery", "三更灯火五更鸡正是", "x9!Kq_2w" * 30])
def test_a_long_one_is_taken_whatever_it_is_made_of(password: str) -> None:
    check_password(password + " indeed", "li", "Li Wei")
