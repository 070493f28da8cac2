"""Agents at work against a real Asterisk: what the desk says and what `queue show` says are the same thing."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from tests.live.center import Center, center, until

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

MEMBERSHIPS = [(queue, "PJSIP/1001") for queue in ("night", "support", "vip")]
MEMBERSHIPS += [("freepbx", "Local/1001@from-queue/n")]
ANI, NIGHT = "02162881234", "4008005000"


@pytest.fixture
async def site(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Center]:
    async with center(sqlite_url, tmp_path, CTI_DESKTOP_GRACE_S="2", CTI_PHONE_GRACE_S="1") as made:
        await made.start()
        yield made


@pytest.fixture
def phones() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class Desk:
    """Alice's desktop without its pictures: the API, and a websocket that stays open until `leave`."""

    def __init__(self, site: Center, api: httpx.AsyncClient) -> None:
        self.site, self.api = site, api
        self.socket: Any = None

    async def connect(self) -> None:
        ticket = (await self.api.post("/api/session/ticket")).raise_for_status().json()["ticket"]
        self.socket = await websockets.connect(f"ws://127.0.0.1:{self.site.http_port}/ws")
        await self.socket.send(json.dumps({"type": "hello", "ticket": ticket}))
        assert json.loads(await self.socket.recv())["type"] == "welcome"

    async def leave(self) -> None:
        await self.socket.close()

    async def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A command, and the event that tells what became of it."""
        answer = await self.api.request(method, path, json=body)
        assert answer.status_code == 202, answer.text
        request = answer.json()["request"]
        async with asyncio.timeout(10):
            while True:
                frame = json.loads(await self.socket.recv())
                if frame.get("kind") == "command.done" and frame["body"]["request"] == request:
                    done: dict[str, Any] = frame["body"]
                    return done

    async def begin(self, phone: str | None = None) -> None:
        done = await self.ask("POST", "/api/me/shift", {"phone": phone})
        assert done["ok"], done

    async def ready(self) -> None:
        done = await self.ask("POST", "/api/me/state", {"state": "ready"})
        assert done["ok"], done

    async def state(self) -> dict[str, Any]:
        shown: dict[str, Any] = (await self.api.get("/api/me")).raise_for_status().json()["state"]
        return shown

    async def becomes(self, name: str, reason: str | None = None) -> dict[str, Any]:
        async def so() -> dict[str, Any] | None:
            now = await self.state()
            return now if (now["name"], now["reason"]) == (name, reason) else None

        found: dict[str, Any] = await until(so, f"{name}/{reason}")
        return found

    async def call(self) -> dict[str, Any]:
        (call,) = (await self.api.get("/api/calls")).raise_for_status().json()["items"]
        found: dict[str, Any] = call
        return found


@asynccontextmanager
async def desk(site: Center, login: str = "alice") -> AsyncIterator[Desk]:
    async with site.signed_in(login) as api:
        made = Desk(site, api)
        await made.connect()
        yield made
        await made.leave()


def member(site: Center, queue: str, phone: str = "PJSIP/1001") -> str:
    """The line of `queue show` for this member; empty without one."""
    lines = site.pbx.cli(f"queue show {queue}").splitlines()
    return next((line.strip() for line in lines if phone in line), "")


async def plug_in(phones: ExitStack, site: Center, extension: str, habits: PhoneHabits) -> Deskphone:
    return phones.enter_context(await asyncio.to_thread(Deskphone, site.pbx, extension, habits))


async def test_a_shift_is_what_queue_show_says(site: Center, phones: ExitStack) -> None:
    await plug_in(phones, site, "1001", PhoneHabits())
    async with desk(site) as alice:
        await alice.begin()
        assert "paused:signed_in" in member(site, "night"), "joined, as the record says"
        assert "dynamic" in member(site, "night")
        assert "paused:signed_in" in member(site, "support"), "a member of queues.conf is only paused"
        await alice.becomes("not_ready", "signed_in")

        await alice.ready()
        for queue in ("night", "support", "vip"):
            assert "paused" not in member(site, queue)
        await alice.becomes("ready")

        done = await alice.ask("POST", "/api/me/state", {"state": "not_ready", "reason": "lunch"})
        assert done["ok"]
        assert "paused:lunch" in member(site, "night")

        site.pbx.cli("queue unpause member PJSIP/1001")
        assert (await alice.becomes("ready"))["by"] == {"kind": "pbx", "name": None}
        for queue, interface in MEMBERSHIPS:
            site.pbx.cli(f"queue pause member {interface} queue {queue} reason coffee")
        assert (await alice.becomes("not_ready", "coffee"))["because"]["event"] == "paused_in_pbx"

        assert (await alice.ask("DELETE", "/api/me/shift"))["ok"]
        await until(lambda: not member(site, "night"), "the queue to be left")
        assert "paused:signed_out" in member(site, "support")
        await alice.becomes("signed_out")


async def test_from_the_answer_to_the_end_of_wrap_up_no_queue_rings(site: Center, phones: ExitStack) -> None:
    phone = await plug_in(phones, site, "1001", PhoneHabits(ring_s=None))
    async with desk(site) as alice:
        await alice.begin()
        await alice.ready()
        phones.enter_context(place_call(site.pbx, ANI, NIGHT, stay_s=60))
        await alice.becomes("reserved")
        assert "Ringing" in member(site, "night")
        await asyncio.to_thread(phone.answer)
        await alice.becomes("talking")
        await until(lambda: "paused:on_call" in member(site, "night"), "the pause of the call")
        assert (await alice.ask("POST", "/api/me/state", {"state": "not_ready", "reason": "lunch"}))["ok"]
        assert (await alice.state())["pending"]["reason"] == "lunch"
        await asyncio.to_thread(phone.hang_up)
        await alice.becomes("wrap_up")

        await site.stop(signal.SIGKILL)
        await site.start()
        await alice.connect()
        await alice.becomes("wrap_up")
        assert (await alice.state())["pending"]["reason"] == "lunch"
        call = await alice.call()
        body = {"note": "after the power cut", "code": None}
        answer = await alice.api.post(f"/api/interactions/{call['interaction']}/wrap-up", json=body)
        assert answer.is_success, answer.text
        await alice.becomes("not_ready", "lunch")
        assert "paused:lunch" in member(site, "night")


async def test_a_phone_that_rings_in_vain_is_taken_out(site: Center, phones: ExitStack) -> None:
    await plug_in(phones, site, "1001", PhoneHabits(ring_s=None))
    async with desk(site) as alice:
        await alice.begin()
        await alice.ready()
        phones.enter_context(place_call(site.pbx, ANI, NIGHT, stay_s=25))
        await alice.becomes("reserved")
        shown = await alice.becomes("not_ready", "no_answer")
        assert (shown["by"]["kind"], shown["because"]["queue"]) == ("system", "night")
        await until(lambda: "paused:no_answer" in member(site, "night"), "the queue to have been told")


async def test_a_closed_browser_keeps_the_call_and_then_the_agent_is_not_ready(
    site: Center, phones: ExitStack
) -> None:
    await plug_in(phones, site, "1001", PhoneHabits(ring_s=0.5))
    async with desk(site) as alice:
        await alice.begin()
        await alice.ready()
        phones.enter_context(place_call(site.pbx, ANI, NIGHT, stay_s=60))
        await alice.becomes("talking")
        await alice.leave()

        async def waits() -> bool:
            return ((await alice.state())["pending"] or {}).get("reason") == "connection_lost"

        await until(waits, "the grace to be over")
        assert (await alice.state())["name"] == "talking"
        assert "Up" in site.pbx.cli("core show channels concise")
        await alice.connect()
        assert (await alice.ask("POST", "/api/me/state", {"state": "ready"}))["ok"]
        assert (await alice.state())["pending"]["name"] == "ready"


async def test_a_phone_that_goes_away_makes_not_ready(site: Center, phones: ExitStack) -> None:
    phone = await plug_in(phones, site, "1001", PhoneHabits())
    async with desk(site) as alice:
        await alice.begin()
        await alice.ready()
        await asyncio.to_thread(phone.register, 0)
        assert (await alice.becomes("not_ready", "phone_unreachable"))["phone"]["reachable"] is False


async def test_free_seating_and_its_refusals(site: Center, phones: ExitStack) -> None:
    await plug_in(phones, site, "1001", PhoneHabits())
    async with desk(site) as alice, desk(site, "bob") as bob:
        assert (await alice.api.post("/api/me/shift", json={"phone": "4711"})).json()["code"] == "unknown_phone"
        await alice.begin("1002")
        assert "paused:signed_in" in member(site, "night", "PJSIP/1002")
        taken = await bob.api.post("/api/me/shift", json={"phone": None})
        assert (taken.status_code, taken.json()["code"]) == (409, "seat_taken")
        assert "Alice" in taken.json()["detail"]
        await bob.begin("1001")
        assert (await bob.api.get("/api/me")).json()["shift"]["seat"] == "PJSIP/1001"
        phones.enter_context(place_call(site.pbx, ANI, NIGHT, stay_s=10))
        await bob.ready()
        await bob.becomes("reserved")


async def test_while_the_pbx_is_away_a_state_is_refused_at_once(site: Center, phones: ExitStack) -> None:
    await plug_in(phones, site, "1001", PhoneHabits())
    async with desk(site) as alice:
        await alice.begin()
        await asyncio.to_thread(site.pbx.stop)

        async def refused() -> bool:
            answer = await alice.api.post("/api/me/state", json={"state": "ready"})
            return answer.status_code == 503 and answer.json()["code"] == "pbx_unreachable"

        await until(refused, "the link to be known as lost")
        await asyncio.to_thread(site.pbx.start)
        await until(lambda: "paused:signed_in" in member(site, "night"), "the queue to be joined again", 30)
