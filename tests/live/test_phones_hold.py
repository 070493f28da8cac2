"""Hold, by the phone and from the desk at once; and who is the customer of a conference that they have left."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live.asterisk_says import TRUNK
from tests.live.baresip import Baresip
from tests.live.center import until
from tests.live.real_desks import Desks, press, segments
from tests.live.test_control import ALICE, BOB, SUPPORT, Agent

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


async def talks(shop: Desks) -> tuple[Baresip, Any, str]:
    """Alice's phone, a caller who talks to her, and the call's id."""
    mine = await shop.desk(Baresip, "1001")
    caller = await shop.caller(SUPPORT)
    await press(mine.rings)
    await press(mine.answer)
    await shop.says.are_together([ALICE, TRUNK])
    return mine, caller, (await shop.agents["alice"].call(mine="talking", state="talking"))["call"]


async def stands(agent: Agent, standing: str) -> None:
    """Waits until the agent stands so in their call."""

    async def so() -> bool:
        return bool(agent.part(await agent.call())["standing"] == standing)

    await until(so, f"{standing}")


async def music(shop: Desks) -> bool:
    """Whether somebody hears music on hold, by the PBX's own word."""
    log = shop.log
    return log.count("Started music on hold") > log.count("Stopped music on hold")


async def test_the_phones_hold_key_while_the_desk_holds(shop: Desks) -> None:
    mine, caller, call = await talks(shop)
    alice = shop.agents["alice"]
    await alice.do(call, "hold")
    await alice.call(mine="hold", state="held")
    await press(mine.hold)
    await stands(alice, "phone_hold")
    await press(mine.resume)
    await stands(alice, "hold")
    await alice.call(mine="hold", state="held")
    assert await music(shop), "the caller hears music as before"

    await alice.do(call, "retrieve")
    await alice.call(mine="talking", state="talking")
    assert not await music(shop)
    await press(caller.hang_up)
    found = await shop.contact()
    assert segments(found) == [(ALICE, "answered")]
    assert found["hold_ms"] > 0


async def test_the_desk_cannot_end_a_hold_of_the_phones_own(shop: Desks) -> None:
    """It says which key does; what only the phone can begin waits for it, too."""
    mine, _, call = await talks(shop)
    alice, bob = shop.agents["alice"], shop.agents["bob"]
    await shop.desk(Baresip, "1002")
    await press(mine.hold)
    await alice.call(mine="hold", state="held")
    target = {"target": {"kind": "agent", "id": bob.id}}
    for verb, body in (("retrieve", {}), ("consult", target), ("conference", target)):
        answer = await alice.api.post(f"/api/calls/{call}/{verb}", json=body)
        assert answer.status_code == 409, (verb, answer.text)
        assert "key of your phone" in answer.json()["remedy"], (verb, answer.text)
    assert alice.part(await alice.call(mine="hold"))["can"]["retrieve"] == "phone_holds"
    await press(mine.resume)
    await alice.call(mine="talking", state="talking")
    await alice.do(call, "hold")
    await alice.do(call, "retrieve")


async def test_a_call_that_the_phone_holds_is_transferred_from_the_desk(shop: Desks) -> None:
    mine, caller, call = await talks(shop)
    alice, bob = shop.agents["alice"], shop.agents["bob"]
    theirs = await shop.desk(Baresip, "1002")
    await press(mine.hold)
    await alice.call(mine="hold", state="held")
    await alice.do(call, "transfer", {"target": {"kind": "agent", "id": bob.id}})
    await press(theirs.rings)
    await press(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])
    await bob.call(mine="talking", state="talking")
    assert not await music(shop)
    await press(caller.hang_up)
    found = await shop.contact()
    assert segments(found) == [(ALICE, "transferred"), (BOB, "answered")]


async def test_a_call_that_the_phone_holds_is_parked_from_the_desk(shop: Desks) -> None:
    mine, _, call = await talks(shop)
    alice = shop.agents["alice"]
    await press(mine.hold)
    await alice.call(mine="hold", state="held")
    await alice.do(call, "park")
    await shop.says.has(TRUNK)
    assert await shop.says.parked() == [TRUNK]
    await alice.call(mine="wrap_up", state="parked")


async def test_a_call_on_hold_twice_is_transferred_from_the_desk(shop: Desks) -> None:
    mine, _, call = await talks(shop)
    alice, bob = shop.agents["alice"], shop.agents["bob"]
    theirs = await shop.desk(Baresip, "1002")
    await alice.do(call, "hold")
    await press(mine.hold)
    await stands(alice, "phone_hold")
    await alice.do(call, "transfer", {"target": {"kind": "agent", "id": bob.id}})
    await press(theirs.rings)
    await press(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])
    await bob.call(mine="talking", state="talking")


async def test_hold_and_resume_many_times_by_the_phone(shop: Desks) -> None:
    """A phone that reminds of a held call makes its agent press the key again and again."""
    mine, caller, _ = await talks(shop)
    alice = shop.agents["alice"]
    for _ in range(4):
        await press(mine.hold)
        await alice.call(mine="hold", state="held")
        await press(mine.resume)
        await alice.call(mine="talking", state="talking")
    await press(caller.hang_up)
    found = await shop.contact()
    assert segments(found) == [(ALICE, "answered")]


# --- 7j: who is the customer ---------------------------------------------------------------------------------


async def test_the_expert_who_stays_is_not_the_customer(shop: Desks) -> None:
    alice, susan = shop.agents["alice"], shop.agents["susan"]
    async with alice.on_shift():
        mine, caller, call = await talks(shop)
        await shop.outside()
        await alice.do(call, "conference", {"target": {"kind": "number", "number": "02062880000"}})
        await shop.says.are_together([ALICE, TRUNK, TRUNK])
        customer = next(p for p in (await people(susan, call)) if p["role"] == "customer")
        await press(caller.hang_up)
        await shop.says.are_together([ALICE, TRUNK])
        left = await until(lambda: without(susan, call, customer["leg"]), "the customer to have left")
        assert [person["role"] for person in left if person["agent"] is None] == ["other"]
        assert customer["name"] not in [person["name"] for person in left if person["agent"] is None]
        await press(mine.hang_up)


async def without(agent: Any, call: str, leg: str) -> list[dict[str, Any]] | None:
    found = await people(agent, call)
    return found if leg not in [person["leg"] for person in found] else None


async def people(agent: Any, call: str) -> list[dict[str, Any]]:
    answer = await agent.api.get(f"/api/calls/{call}")
    found: list[dict[str, Any]] = answer.raise_for_status().json()["people"]
    return found
