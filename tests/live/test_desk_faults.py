"""Bad input and faults: browsers that close, phones that go, commands that cannot be, a PBX that is gone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.live.asterisk_says import TRUNK
from tests.live.center import until
from tests.live.two_browsers import Agent
from tests.live.workplace import CUSTOMER, Workplace

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_a_call_at_a_desk_phone_outlives_the_browser(work: Workplace) -> None:
    says = work.asterisk
    phone = await work.phone("1004")
    liu = await work.office.sign_in("liuyang", "1004")
    await expect(liu.get("phone-bar")).to_have_count(0)
    await liu.ready()
    await work.caller()
    await liu.call_is("ringing")
    await says.has(TRUNK, liu.seat)
    await asyncio.to_thread(phone.answer)
    await liu.call_is("talking")
    await says.are_together([liu.seat, TRUNK])

    await liu.close()
    async with work.site.signed_in("susan") as boss:

        async def not_ready_to_come() -> bool:
            team = (await boss.get("/api/team")).json()
            mate = next(one for one in team if one["agent"] == liu.id)
            return (mate["state"]["pending"] or {}).get("reason") == "connection_lost"

        await until(not_ready_to_come, "the grace period to be over")
    await says.are_together([liu.seat, TRUNK])

    back = await work.office.sign_in("liuyang", "1004", again=True)
    await back.call_is("talking")
    await expect(back.get("card-customer")).to_contain_text(CUSTOMER)
    await expect(back.get("state-pending")).to_contain_text("Desk connection lost")
    await back.choose("ready")
    await expect(back.get("state-pending")).to_contain_text("Ready")
    await back.do("hold")
    await back.call_is("hold")
    await back.do("retrieve")
    await back.call_is("talking")

    await asyncio.to_thread(phone.register, 0)
    await expect(back.get("phone-reach")).to_have_attribute("data-state", "lost", timeout=30_000)
    assert " 1004/" not in await says.cli("pjsip show contacts")
    await says.are_together([back.seat, TRUNK])
    await back.do("hangup")
    await back.finish()
    await back.is_("not_ready", "could not be reached")
    await back.close()


async def test_a_browser_phone_opened_again_has_its_call_back(work: Workplace) -> None:
    alice, says = work.alice, work.asterisk
    caller = await work.answered_call(alice)
    await work.hears(caller, "alice")
    before = await legs(work, alice)

    await alice.page.close()
    await says.has(TRUNK, alice.seat, state="Up")
    alice.page = await alice.context.new_page()
    alice.listen()
    await alice.page.goto(work.site.url)

    async def another_leg() -> bool:
        now = await legs(work, alice)
        return len(now) == 1 and now != before

    await until(another_leg, "the call to be back on a leg of its own")
    await alice.call_is("talking")
    await says.are_together([alice.seat, TRUNK])
    await work.hears(caller, "alice")
    await alice.hears("alice")
    await expect(alice.get("card-customer")).to_contain_text(CUSTOMER)


async def test_what_cannot_be_done_is_refused_at_once(work: Workplace) -> None:
    alice, bob, says = work.alice, work.bob, work.asterisk
    caller = await work.answered_call(alice)
    call = (await alice.the_call())["call"]
    async with alice.api() as mine, bob.api() as theirs:

        async def refused(answer: Awaitable[httpx.Response], status: int, code: str) -> dict[str, Any]:
            got = await answer
            body: dict[str, Any] = got.json()
            assert (got.status_code, body.get("code")) == (status, code), got.text
            return body

        def ask(api: httpx.AsyncClient, verb: str, body: Any = None, key: str | None = None) -> Any:
            headers = {"Idempotency-Key": key} if key is not None else {}
            return api.post(f"/api/calls/{call}/{verb}", json=body or {}, headers=headers)

        for verb in ("hold", "hangup", "park", "recording/start"):
            await refused(ask(theirs, verb), 403, "not_yours")
        target = {"target": {"kind": "agent", "id": bob.id}}
        await refused(ask(theirs, "transfer", target), 403, "not_yours")
        await refused(ask(mine, "retrieve"), 409, "already")
        await refused(ask(mine, "complete"), 409, "wrong_state")
        await refused(ask(mine, "transfer", {"target": {"kind": "queue", "name": "none"}}), 422, "bad_target")
        await refused(ask(mine, "dtmf", {"digits": "0123456789E"}), 422, "invalid")
        await says.are_together([alice.seat, TRUNK])

        one, other = await asyncio.gather(ask(mine, "hold"), ask(mine, "hold"))
        assert one.status_code == other.status_code == 202
        assert one.json()["request"] == other.json()["request"]
        await alice.call_is("hold")
        first, again = [await ask(mine, "retrieve", key="once") for _ in range(2)]
        assert first.json()["request"] == again.json()["request"]
        await alice.call_is("talking")
        later = await ask(mine, "retrieve", key="once")
        assert later.json()["request"] == first.json()["request"], "done once, whenever it is asked again"

        await asyncio.to_thread(caller.hang_up)
        await alice.call_is("wrap_up")
        for verb in ("hold", "hangup", "transfer"):
            body = target if verb == "transfer" else None
            await refused(ask(mine, verb, body), 409, "call_over")
        await says.nobody()


async def test_while_the_server_is_down_the_call_goes_on(work: Workplace) -> None:
    alice, says = work.alice, work.asterisk
    caller = await work.answered_call(alice)
    await work.site.stop(signal.SIGKILL)
    await expect(alice.get("link-state")).to_have_attribute("data-state", "server_lost", timeout=30_000)
    await says.are_together([alice.seat, TRUNK])
    await work.hears(caller, "alice")
    await work.site.start()
    await expect(alice.get("link-state")).to_have_attribute("data-state", "live", timeout=20_000)
    await alice.call_is("talking")
    await alice.do("hold")
    await alice.call_is("hold")
    await work.hears(caller, "music")


async def test_while_the_pbx_is_away_nothing_is_half_done(work: Workplace) -> None:
    alice = work.alice
    await work.answered_call(alice)
    call = (await alice.the_call())["call"]
    await asyncio.to_thread(work.site.pbx.stop)
    async with alice.api() as api:

        async def refused() -> bool:
            answer = await api.post(f"/api/calls/{call}/hold", json={})
            return answer.status_code == 503 and answer.json()["code"] == "pbx_unreachable"

        await until(refused, "the loss to be known")
        dialled = await api.post("/api/calls", json={"to": "02162881234"})
        assert (dialled.status_code, dialled.json()["code"]) == (503, "pbx_unreachable")
    await expect(alice.get("link-state")).to_have_attribute("data-state", "stale", timeout=30_000)
    await asyncio.to_thread(work.site.pbx.start)
    await expect(alice.get("link-state")).to_have_attribute("data-state", "live", timeout=30_000)
    for agent in (alice, work.bob):
        await expect(agent.get("phone-bar")).to_have_attribute("data-state", "registered", timeout=40_000)
    await work.asterisk.member_is("night", alice.seat, "dynamic")


# --- what these tests share ------------------------------------------------------------------------------


async def legs(work: Workplace, agent: Agent) -> list[str]:
    return [c.name for c in await work.asterisk.channels() if c.device == agent.seat]
