"""Call commands over the API, on a real Asterisk with phones on desks: what its CLI says after each of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from cti_server.demo.calls import Deskphone, PhoneHabits, place_call, trunk_far_end
from cti_server.demo.sipp_process import Sipp
from tests.live.asterisk_says import TRUNK, AsteriskSays, Channel
from tests.live.center import Center, center, until

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

ANI, SUPPORT, SALES = "02162881234", "4008004000", "4008002000"
ALICE, BOB, CHEN = "PJSIP/1001", "PJSIP/1002", "PJSIP/1003"


class Says(AsteriskSays):
    async def channels(self) -> list[Channel]:
        """Without what plays the announcements of a conference room: nobody is there."""
        return [one for one in await super().channels() if not one.name.startswith("CBAnn/")]


@dataclass
class Agent:
    """A desktop without its pictures: the API, and what the websocket told."""

    api: httpx.AsyncClient
    id: int
    told: list[dict[str, Any]] = field(default_factory=list)

    async def listen(self, socket: Any) -> None:
        async for text in socket:
            self.told.append(json.loads(text))

    async def call(self, **wanted: Any) -> dict[str, Any]:
        """My call, once it is so: `state` and `mine` are the call's state and that of my part."""

        seen: list[dict[str, Any]] = []

        async def found() -> dict[str, Any] | None:
            items = (await self.api.get("/api/calls")).raise_for_status().json()["items"]
            seen[:] = items
            for call in items:
                call["own_part"] = await self._part(call["call"])
            own = [c for c in items if self.part(c)["state"] != "wrap_up" or "mine" in wanted]
            return next((c for c in own if self._is(c, wanted)), None)

        try:
            return await until(found, f"a call that is {wanted}")  # type: ignore[no-any-return]
        except AssertionError as late:
            raise AssertionError(f"{late}; there are {json.dumps(seen)}") from None

    def part(self, call: dict[str, Any]) -> dict[str, Any]:
        return call["own_part"]  # type: ignore[no-any-return]

    async def _part(self, call: str) -> dict[str, Any]:
        """My last part of a call; without a state where I have none, or may not see it."""
        answer = await self.api.get(f"/api/calls/{call}/parts")
        parts = answer.json() if answer.is_success else []
        own: list[dict[str, Any]] = [part for part in parts if part["agent"] == self.id]
        return own[-1] if own else {"state": None}

    def _is(self, call: dict[str, Any], wanted: dict[str, Any]) -> bool:
        seen = {"mine": self.part(call)["state"], "state": call["state"], "recording": call["recording"]}
        return all(seen[name] == value for name, value in wanted.items())

    @asynccontextmanager
    async def on_shift(self) -> AsyncIterator[None]:
        """At work at their own phone, and ready: only who is on shift dials outside."""
        assert (await self.ask("/api/me/shift", {"phone": None}))["ok"]
        assert (await self.ask("/api/me/state", {"state": "ready"}))["ok"]
        yield

        async def ended() -> bool:
            return (await self.api.delete("/api/me/shift")).status_code == 202

        await until(ended, "the shift to end")

    async def refused(self, call: str, verb: str, body: Any = None) -> tuple[int, str]:
        answer = await self.api.post(f"/api/calls/{call}/{verb}", json=body or {})
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.json()["code"]

    async def ask(self, path: str, body: Any = None) -> dict[str, Any]:
        """A command, and the event that tells what became of it."""
        answer = await self.api.post(path, json=body or {})
        assert answer.status_code == 202, answer.text
        request = answer.json()["request"]

        def done() -> list[dict[str, Any]]:
            mine = [f["body"] for f in self.told if f.get("kind") == "command.done"]
            return [body for body in mine if body["request"] == request]

        (result,) = await until(done, f"the result of {path}", 15)
        return result  # type: ignore[no-any-return]

    async def do(self, call: str, verb: str, body: Any = None) -> dict[str, Any]:
        done = await self.ask(f"/api/calls/{call}/{verb}", body)
        if verb == "consult" and not done["ok"] and done["problem"]["code"] == "not_confirmed":
            await self.call(mine="talking")  # a busy machine loses keys: Asterisk gives the caller back meanwhile
            done = await self.ask(f"/api/calls/{call}/{verb}", body)
        assert done["ok"], done
        return done


@dataclass
class Shop:
    """The PBX with its phones, and Alice, Bob and Chen Jing at their desks."""

    site: Center
    phones: ExitStack
    agents: dict[str, Agent]

    @property
    def says(self) -> AsteriskSays:
        return Says(self.site.pbx)

    async def phone(self, extension: str, ring_s: float | None = 0.3, refuse: str = "") -> Deskphone:
        habits = PhoneHabits(ring_s=ring_s, refuse=refuse)
        made = self.phones.enter_context(await asyncio.to_thread(Deskphone, self.site.pbx, extension, habits))

        async def known() -> bool:
            api = self.agents["susan"].api
            queues = (await api.get("/api/queues")).raise_for_status().json()
            paths = [f"/api/queues/{queue['pbx']}/{queue['queue']}/members" for queue in queues]
            members = [m for path in paths for m in (await api.get(path)).raise_for_status().json()]
            return any(m["seat"] == f"PJSIP/{extension}" and m["status"] == "idle" for m in members)

        await until(known, f"{extension} to be reachable")
        return made

    async def caller(self, line: str = SUPPORT, **changes: Any) -> Sipp:
        return self.phones.enter_context(await asyncio.to_thread(place_call, self.site.pbx, ANI, line, **changes))

    async def outside(self) -> Sipp:
        """Whoever is called through the trunk."""
        return self.phones.enter_context(
            await asyncio.to_thread(trunk_far_end, self.site.pbx, PhoneHabits(ring_s=0.3))
        )

    async def alice_talks(self) -> tuple[Agent, str]:
        """Alice in a call with a customer."""
        await self.phone("1001")
        await self.caller()
        alice = self.agents["alice"]
        call = await alice.call(mine="talking", state="talking")
        await self.says.are_together([ALICE, TRUNK])
        return alice, call["call"]


@pytest.fixture
def phones() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def shop(sqlite_url: str, tmp_path: Path, phones: ExitStack) -> AsyncIterator[Shop]:
    # Snapshots come often here: whatever a command brings about must look the same in the lists.
    async with center(sqlite_url, tmp_path, CTI_SNAPSHOT_EVERY_S="2") as site:
        await site.start()
        async with opened(site, phones, "alice", "bob", "chenjing", "susan") as made:
            yield made


@asynccontextmanager
async def opened(site: Center, phones: ExitStack, *logins: str) -> AsyncIterator[Shop]:
    """These people at their desks; the server runs."""
    async with AsyncExitStack() as desks:
        made = Shop(site, phones, {})
        for login in logins:
            api = await desks.enter_async_context(site.signed_in(login))
            me = (await api.get("/api/me")).json()
            agent = made.agents[login] = Agent(api, me["id"])
            ticket = (await api.post("/api/session/ticket")).json()["ticket"]
            socket = await desks.enter_async_context(websockets.connect(f"ws://127.0.0.1:{site.http_port}/ws"))
            await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
            assert json.loads(await socket.recv())["type"] == "welcome"
            listening = asyncio.create_task(agent.listen(socket))
            desks.callback(listening.cancel)
        yield made
        phones.close()  # before the PBX they are registered at


def to(agent: Agent) -> dict[str, Any]:
    return {"target": {"kind": "agent", "id": agent.id}}


async def test_hold_mute_record_and_hang_up(shop: Shop) -> None:
    alice, call = await shop.alice_talks()

    await alice.do(call, "hold")
    assert alice.part(await alice.call(state="held"))["state"] == "hold"
    assert await alice.refused(call, "hold") == (409, "already")
    assert await alice.refused(call, "complete") == (409, "wrong_state")
    await alice.do(call, "retrieve")
    await alice.call(mine="talking")

    await alice.do(call, "mute")
    assert alice.part(await alice.call(mine="talking"))["muted"] is True
    await alice.do(call, "unmute")

    await alice.do(call, "recording/start")
    await alice.call(recording="on")
    await alice.do(call, "recording/pause")
    await alice.call(recording="paused")
    await alice.do(call, "recording/resume")
    await alice.do(call, "recording/stop")
    await alice.call(recording="off")

    await alice.do(call, "dtmf", {"digits": "1122#"})
    await shop.says.are_together([ALICE, TRUNK])
    assert await shop.agents["bob"].refused(call, "hold") == (403, "not_yours")

    await alice.do(call, "hangup")
    await shop.says.has()
    assert await alice.refused(call, "hold") in ((409, "call_over"), (409, "wrong_state"))


async def test_consult_alternate_and_complete_from_hold(shop: Shop) -> None:
    alice, call = await shop.alice_talks()
    bob = shop.agents["bob"]
    theirs = await shop.phone("1002", ring_s=None)
    await alice.do(call, "hold")

    await alice.do(call, "consult", {**to(bob), "said": "asks about the refund"})
    await shop.says.has(ALICE, BOB, TRUNK)
    capsule = (await bob.api.get(f"/api/calls/{call}/handover")).raise_for_status().json()
    assert (capsule["from"]["name"], capsule["kind"], capsule["said"]) == (
        "Alice Walker",
        "consult",
        "asks about the refund",
    )
    await asyncio.to_thread(theirs.answer)
    await shop.says.are_together([ALICE, BOB], [TRUNK])
    assert alice.part(await alice.call(mine="consulting"))["state"] == "consulting"
    assert await bob.refused(call, "complete") == (409, "wrong_state")

    await alice.do(call, "alternate")
    await shop.says.are_together([ALICE, TRUNK], [BOB])
    await alice.do(call, "alternate")
    await shop.says.are_together([ALICE, BOB], [TRUNK])
    await alice.do(call, "complete")
    await shop.says.are_together([BOB, TRUNK])
    await bob.call(mine="talking")
    assert alice.part(await alice.call(mine="wrap_up"))["state"] == "wrap_up"

    # Whose call it is now may give it on.
    chen = shop.agents["chenjing"]
    await shop.phone("1003", ring_s=0.3)
    await bob.do(call, "transfer", to(chen))
    await shop.says.are_together([CHEN, TRUNK])
    capsule = (await chen.api.get(f"/api/calls/{call}/handover")).raise_for_status().json()
    assert (capsule["from"]["name"], capsule["kind"], capsule["said"]) == ("Bob Miller", "transfer", None)


async def test_a_consultation_is_cancelled_while_it_rings_and_after(shop: Shop) -> None:
    alice, call = await shop.alice_talks()
    theirs = await shop.phone("1002", ring_s=None)
    bob = shop.agents["bob"]

    await alice.do(call, "consult", to(bob))
    await shop.says.has(ALICE, BOB, TRUNK)
    await alice.do(call, "cancel")
    await shop.says.are_together([ALICE, TRUNK])
    await shop.says.has(ALICE, TRUNK)

    await alice.do(call, "consult", to(bob))
    await asyncio.to_thread(theirs.answer)
    await shop.says.are_together([ALICE, BOB], [TRUNK])
    await alice.do(call, "cancel")
    await shop.says.are_together([ALICE, TRUNK])


async def test_a_consultation_is_completed_while_it_rings(shop: Shop) -> None:
    alice, call = await shop.alice_talks()
    theirs = await shop.phone("1002", ring_s=None)
    bob = shop.agents["bob"]
    await alice.do(call, "consult", to(bob))
    await alice.do(call, "complete")
    # Her phone is free; Asterisk keeps her channel, in no bridge, until it is known whether Bob answers.
    assert alice.part(await alice.call(mine="wrap_up"))["state"] == "wrap_up"
    assert bob.part(await bob.call(mine="ringing"))["why"]["from"] == "Alice Walker"
    await asyncio.to_thread(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])


async def test_a_caller_who_is_given_to_a_queue_that_was_asked_waits_there(shop: Shop) -> None:
    alice = shop.agents["alice"]
    assert (await alice.ask("/api/me/shift", {"phone": None}))["ok"]  # at work: no queue rings her while she talks
    assert (await alice.ask("/api/me/state", {"state": "ready"}))["ok"]
    _, call = await shop.alice_talks()
    await alice.do(call, "consult", {"target": {"kind": "queue", "name": "support"}})
    await alice.do(call, "complete")
    assert alice.part(await alice.call(mine="wrap_up"))["outcome"] == "transferred"
    susan = shop.agents["susan"]

    async def waits() -> bool:
        items = (await susan.api.get("/api/calls")).json()["items"]
        return [(one["call"], one["state"], one["queue"]) for one in items] == [(call, "queued", "support")]

    await until(waits, "the caller to wait in the queue")
    await asyncio.sleep(16)  # past the time after which Asterisk rings whoever began a consultation
    assert await waits()
    await shop.says.has(TRUNK)


async def test_a_call_comes_back_to_a_phone_that_was_started_anew(shop: Shop) -> None:
    alice, call = await shop.alice_talks()
    before = alice.part(await alice.call(mine="talking"))["leg"]
    await alice.do(call, "reconnect")
    await shop.says.are_together([ALICE, TRUNK])
    assert alice.part(await alice.call(mine="talking"))["leg"] != before


async def test_a_target_who_does_not_take_it_the_caller_comes_back(shop: Shop) -> None:
    alice, call = await shop.alice_talks()
    bob = shop.agents["bob"]
    await shop.phone("1002", refuse="486 Busy Here")

    done = await alice.ask(f"/api/calls/{call}/consult", to(bob))
    if done["problem"]["detail"].endswith("nobody was rung"):
        await alice.call(mine="talking")  # a busy machine loses keys: Asterisk gives the caller back meanwhile
        done = await alice.ask(f"/api/calls/{call}/consult", to(bob))
    assert (done["ok"], done["problem"]["code"]) == (False, "not_confirmed")
    assert done["problem"]["detail"] == "they rejected it"
    await shop.says.are_together([ALICE, TRUNK])
    await alice.call(mine="talking")

    await alice.do(call, "transfer", to(bob))
    await shop.says.are_together([ALICE, TRUNK])  # her phone rang again and answered by itself
    assert alice.part(await alice.call(mine="talking"))["state"] == "talking"


async def test_a_colleague_who_is_signed_out_is_no_target(shop: Shop) -> None:
    alice, call = await shop.alice_talks()
    tom = (await shop.agents["susan"].api.get("/api/me")).json()
    body = {"target": {"kind": "agent", "id": tom["id"]}}
    assert await alice.refused(call, "transfer", body) in ((409, "agent_unreachable"), (422, "bad_target"))
    assert await alice.refused(call, "consult", to(shop.agents["bob"])) == (409, "agent_unreachable"), "no phone"
    await shop.says.are_together([ALICE, TRUNK])


async def test_conferences_by_merging_and_by_adding(shop: Shop) -> None:
    alice, call = await shop.alice_talks()
    bob, chen = shop.agents["bob"], shop.agents["chenjing"]
    for extension in ("1002", "1003"):
        await shop.phone(extension)

    await alice.do(call, "consult", to(bob))
    await shop.says.are_together([ALICE, BOB], [TRUNK])
    await alice.do(call, "conference", {"target": None})
    await shop.says.are_together([ALICE, BOB, TRUNK])
    view = await alice.call(state="conference")
    leg = next(p["leg"] for p in view["people"] if p["agent"] == bob.id)
    await alice.do(call, "drop", {"leg": leg})
    await shop.says.are_together([ALICE, TRUNK])

    await alice.do(call, "conference", to(bob))
    await shop.says.are_together([ALICE, BOB, TRUNK])
    await alice.do(call, "conference", to(chen))
    await shop.says.are_together([ALICE, BOB, CHEN, TRUNK])

    async def all_four() -> dict[str, Any] | None:
        shown = await alice.call(state="conference")
        return shown if len(shown["people"]) == 4 else None

    view = await until(all_four, "four people in one call")
    leg = next(p["leg"] for p in view["people"] if p["agent"] == chen.id)
    done = await shop.agents["susan"].ask(f"/api/calls/{call}/drop", {"leg": leg})
    assert done["ok"], done
    await shop.says.are_together([ALICE, BOB, TRUNK])


async def test_park_and_pick_up(shop: Shop) -> None:
    alice, call = await shop.alice_talks()
    bob = shop.agents["bob"]
    await shop.phone("1002")

    await alice.do(call, "park")
    await shop.says.has(TRUNK)
    assert alice.part(await alice.call(mine="wrap_up"))["state"] == "wrap_up"
    await bob.do(call, "pick-up")
    await shop.says.are_together([BOB, TRUNK])
    assert bob.part(await bob.call(mine="talking"))["state"] == "talking"


async def test_a_ringing_and_a_waiting_call_are_picked_up(shop: Shop) -> None:
    alice, bob, susan = shop.agents["alice"], shop.agents["bob"], shop.agents["susan"]
    await shop.phone("1001", ring_s=None)
    await shop.caller(SUPPORT)
    call = (await alice.call(mine="ringing"))["call"]
    assert await bob.refused(call, "answer") == (403, "not_yours")
    await shop.phone("1003")
    chen = shop.agents["chenjing"]
    assert await alice.refused(call, "pick-up") == (409, "wrong_state"), (
        "it rings at her own phone: she answers it"
    )
    assert await alice.refused(call, "answer") == (409, "not_possible"), "a desk phone is answered by hand"
    await chen.do(call, "pick-up")
    await shop.says.are_together([CHEN, TRUNK])
    await chen.call(mine="talking")  # a picked call changes its channels; whoever has a desk is shown that first

    assert await susan.refused(call, "hold") == (403, "not_yours")
    await chen.do(call, "hangup")
    await shop.says.has()


async def test_a_waiting_caller_is_picked_by_who_may(shop: Shop) -> None:
    await shop.alice_talks()
    susan, chen = shop.agents["susan"], shop.agents["chenjing"]
    assert (await chen.ask("/api/me/shift", {"phone": None}))["ok"]  # at work, and not ready: no queue rings her
    for extension in ("1002", "1003"):
        await shop.phone(extension)
    assert (await shop.agents["bob"].ask("/api/me/shift", {"phone": None}))["ok"]
    await shop.caller(SUPPORT)

    async def waits() -> str | None:
        items = (await susan.api.get("/api/calls")).json()["items"]
        return next((c["call"] for c in items if c["state"] == "queued"), None)

    call = await until(waits, "a second caller to wait")
    assert await susan.refused(call, "pick-up") == (409, "no_phone"), "she may, and sits nowhere"
    assert await shop.agents["bob"].refused(call, "pick-up") == (403, "not_yours")
    await chen.do(call, "pick-up")
    await shop.says.are_together([ALICE, TRUNK], [CHEN, TRUNK])
    assert chen.part(await chen.call(mine="talking"))["state"] == "talking"


async def test_a_ringing_call_is_rejected_and_goes_on(shop: Shop) -> None:
    alice, chen = shop.agents["alice"], shop.agents["chenjing"]
    for extension, ring_s in (("1001", None), ("1003", 0.3)):
        await shop.phone(extension, ring_s=ring_s)
    for path, body in (("/api/me/shift", {"phone": None}), ("/api/me/state", {"state": "ready"})):
        assert (await alice.ask(path, body))["ok"]
    await shop.caller(SUPPORT)
    call = (await alice.call(mine="ringing"))["call"]
    await alice.do(call, "hangup")  # who rejects is not ready, and the queue goes on to the next
    await chen.call(mine="talking")
    await shop.says.are_together([CHEN, TRUNK])


async def test_dialling_out_and_to_a_queue(shop: Shop) -> None:
    alice = shop.agents["alice"]
    await shop.phone("1001")
    await shop.outside()
    assert (await alice.ask("/api/me/shift", {"phone": None}))["ok"]  # only who is on shift dials outside
    done = await alice.ask("/api/calls", {"to": "021-6288 1234", "from_page": "/customers/1"})
    assert done["ok"], done
    await shop.says.are_together([ALICE, TRUNK])
    call = await alice.call(mine="talking", state="talking")
    assert call["call"] == done["call"]
    assert call["direction"] == "outbound"
    assert (await alice.api.post("/api/calls", json={"to": "1002"})).json()["code"] == "in_a_call"

    await shop.phone("1002")
    await alice.do(call["call"], "transfer", {"target": {"kind": "queue", "name": "sales"}})
    await shop.says.are_together([BOB, TRUNK])


async def test_the_same_twice_and_a_link_that_is_down(shop: Shop) -> None:
    alice, call = await shop.alice_talks()
    path, headers = f"/api/calls/{call}/hold", {"Idempotency-Key": "once"}
    answers = await asyncio.gather(*(alice.api.post(path, json={}, headers=headers) for _ in range(5)))
    assert {a.status_code for a in answers} == {202}
    (request,) = {a.json()["request"] for a in answers}

    def results() -> list[dict[str, Any]]:
        return [f["body"] for f in alice.told if f.get("kind") == "command.done"]

    await until(lambda: results(), "the result")
    await alice.do(call, "retrieve")
    assert [r["request"] for r in results()].count(request) == 1

    await asyncio.to_thread(shop.site.pbx.kill9)
    assert await until(lambda: down(alice, call), "the link to be known as down") == (503, "pbx_unreachable")


async def down(alice: Agent, call: str) -> tuple[int, str] | None:
    answer = await alice.api.post(f"/api/calls/{call}/hold", json={})
    return (503, answer.json()["code"]) if answer.status_code == 503 else None
