"""What agents do with the transfer keys of their own phones: what Asterisk, the floor and the record then say."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cti_server.demo.calls import place_call
from tests.live.asterisk_says import TRUNK
from tests.live.baresip import Baresip
from tests.live.linphone import Linphone
from tests.live.real_desks import DIRECT, Desks, calls_on_its_second_line, press, segments, talks
from tests.live.test_control import ALICE, BOB, CHEN, SUPPORT

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


# --- 3a: it works, and whoever was transferred has no rights of an agent -------------------------------------


async def test_a_caller_who_was_transferred_has_no_keys(shop: Desks) -> None:
    mine, theirs = await shop.desk(Baresip, "1001"), await shop.desk(Baresip, "1002")
    await shop.desk(Baresip, "1003")
    caller, _ = await talks(shop, mine)
    await press(mine.transfer, "1002")
    await press(theirs.rings)
    await press(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])
    await shop.agents["bob"].call(mine="talking", state="talking")

    await keys_are_only_keys(caller, theirs)
    await shop.says.are_together([BOB, TRUNK])
    await press(caller.hang_up)
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("transferred", "caller")
    assert segments(found, "seat", "origin", "outcome") == [
        (ALICE, "offer", "transferred"),
        (BOB, "transfer", "answered"),
    ]


async def test_a_caller_who_was_transferred_while_it_rang_has_no_keys(shop: Desks) -> None:
    """Semi-attended: the caller then has the agent's own channel, with the options of its Dial()."""
    third = await shop.desk(Baresip, "1003")
    mine, theirs = await shop.desk(Linphone, "1001"), await shop.desk(Baresip, "1002")
    caller, _ = await talks(shop, mine)
    await calls_on_its_second_line(mine, "1002")
    await press(theirs.rings)
    await press(mine.complete)
    await shop.says.has(BOB, TRUNK)
    await press(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])
    await shop.agents["bob"].call(mine="talking", state="talking")

    await keys_lead_nowhere(caller, theirs)
    await shop.says.are_together([BOB, TRUNK])
    assert not third.told("CALL_INCOMING")
    await press(caller.hang_up)
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("transferred", "caller")
    assert segments(found)[0] == (ALICE, "transferred")
    assert segments(found)[-1] == (BOB, "answered")


async def keys_are_only_keys(caller: Any, heard_by: Baresip) -> None:
    """The colleague hears the keys of transfer, park and hold: the PBX did not take them for itself."""
    for keys in ("##", "*2", "*4", "A"):
        await press(caller.press, f"{keys}5")
        heard = ""
        while not heard.endswith("5"):
            heard += (await hears(heard_by))["param"]
        assert set(heard) == set(f"{keys}5"), "a key that comes twice at once may be heard as one"


async def hears(phone: Baresip) -> dict[str, Any]:
    return await asyncio.to_thread(phone.wait, "CALL_DTMF_START")


async def keys_lead_nowhere(caller: Any, heard_by: Baresip) -> None:
    """The key of a transfer is taken, but no number is one: after it keys are only keys again."""
    await press(caller.press, "##1003")
    heard = asyncio.create_task(hears(heard_by))
    while not heard.done():
        await press(caller.press, "5")
    assert (await heard)["param"] in "10035"


async def test_a_room_ends_with_its_last_agent_though_the_caller_was_transferred(shop: Desks) -> None:
    mine, theirs = await shop.desk(Linphone, "1001"), await shop.desk(Baresip, "1002")
    third = await shop.desk(Baresip, "1003")
    await talks(shop, mine)
    await calls_on_its_second_line(mine, "1002")
    await press(theirs.rings)
    await press(mine.complete)
    await press(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])
    bob, chen = shop.agents["bob"], shop.agents["chenjing"]
    call = (await bob.call(mine="talking", state="talking"))["call"]

    asked = await bob.api.post(f"/api/calls/{call}/conference", json={"target": {"kind": "agent", "id": chen.id}})
    assert asked.status_code == 202, asked.text
    await press(third.rings)
    await press(third.answer)
    await shop.says.are_together([BOB, CHEN, TRUNK])
    await press(theirs.hang_up)
    await shop.says.are_together([CHEN, TRUNK])
    await press(third.hang_up)
    await shop.says.nobody()


# --- 3c: nobody takes it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["not there", "declines"])
async def test_a_transfer_that_nobody_takes_comes_back(shop: Desks, why: str) -> None:
    mine = await shop.desk(Baresip, "1001")
    theirs = await shop.desk(Baresip, "1002") if why == "declines" else None
    caller, _ = await talks(shop, mine)
    await press(mine.transfer, "1002")
    if theirs is not None:
        await press(theirs.rings)
        await press(theirs.hang_up)
    await press(mine.rings)
    await press(mine.answer)
    await shop.says.are_together([ALICE, TRUNK])
    await shop.agents["alice"].call(mine="talking", state="talking")
    await press(caller.hang_up)
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("transferred", "caller"), "and she had it in the end"
    assert segments(found)[0] == (ALICE, "transferred")
    assert segments(found)[-1] == (ALICE, "answered")


async def test_a_transfer_while_it_rang_that_nobody_takes_comes_back(shop: Desks) -> None:
    mine, theirs = await shop.desk(Linphone, "1001"), await shop.desk(Baresip, "1002")
    caller, _ = await talks(shop, mine)
    await calls_on_its_second_line(mine, "1002")
    await press(theirs.rings)
    await press(mine.complete)
    await shop.says.has(BOB, TRUNK)
    await press(theirs.hang_up)
    await press(mine.rings)
    await press(mine.answer)
    await shop.says.are_together([ALICE, TRUNK])
    await shop.agents["alice"].call(mine="talking", state="talking")
    await press(caller.hang_up)
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("transferred", "caller"), "and she had it in the end"


async def test_whom_nobody_takes_at_all_is_no_success(shop: Desks) -> None:
    """The colleague declines, and so does the agent when the call is back; there was no queue before."""
    mine, theirs = await shop.desk(Baresip, "1001"), await shop.desk(Baresip, "1002")
    caller, _ = await talks(shop, mine)
    await press(mine.transfer, "1002")
    await press(theirs.rings)
    await press(theirs.hang_up)
    await press(mine.rings)
    await press(mine.hang_up)
    await shop.says.nobody()
    found = await shop.contact()
    assert found["outcome"] not in ("answered", "transferred"), "nobody had the caller in the end"
    assert await until_over(caller)


async def until_over(caller: Any) -> bool:
    await asyncio.to_thread(caller.wait)
    return True


# --- 3n: into a parking space --------------------------------------------------------------------------------


async def test_an_attended_transfer_into_a_parking_space(shop: Desks) -> None:
    mine = await shop.desk(Linphone, "1001")
    caller, call = await talks(shop, mine)
    await calls_on_its_second_line(mine, "700")
    await press(mine.complete)
    await shop.says.has(TRUNK)
    alice, susan = shop.agents["alice"], shop.agents["susan"]
    await alice.call(mine="wrap_up", state="parked")
    assert (await susan.api.get(f"/api/calls/{call}")).json()["park_space"] == "701"
    await press(caller.hang_up)
    found = await shop.contact()
    assert found["ended_by"] == "caller"
    assert segments(found) == [(ALICE, "transferred")]


async def test_a_key_that_watches_a_parking_space_parks(shop: Desks) -> None:
    """Many phones park by REFER to the space itself, and fetch by dialling it."""
    mine, theirs = await shop.desk(Baresip, "1001"), await shop.desk(Baresip, "1002")
    caller, _ = await talks(shop, mine)
    await press(mine.transfer, "705")
    await shop.says.has(TRUNK)
    await shop.agents["alice"].call(mine="wrap_up", state="parked")
    await press(theirs.dial, "705")
    await press(theirs.wait, "CALL_ESTABLISHED")
    await shop.says.are_together([BOB, TRUNK])
    await shop.agents["bob"].call(mine="talking", state="talking")
    await press(caller.hang_up)
    found = await shop.contact()
    assert segments(found) == [(ALICE, "transferred"), (BOB, "answered")]


# --- 5d: forwarded by the phone ------------------------------------------------------------------------------


async def test_a_queue_call_that_a_phone_forwards_is_the_colleagues(shop: Desks) -> None:
    mine = await shop.desk(Linphone, "1001")
    alice, bob = shop.agents["alice"], shop.agents["bob"]
    caller = await shop.caller(SUPPORT)
    await press(mine.rings)
    theirs = await shop.desk(Baresip, "1002")
    await press(mine.forward, "1002")
    await press(theirs.rings)
    await press(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])
    await bob.call(mine="talking", state="talking")
    await press(caller.hang_up)
    await bob.call(mine="wrap_up")
    found = await shop.contact()
    assert found["outcome"] == "answered"
    talked = [segment["seat"] for segment in found["segments"] if segment["outcome"] == "answered"]
    assert talked == [BOB], "the colleague, once"
    # A busy machine may have rung her in vain before her phone forwarded.
    assert [s["outcome"] for s in found["segments"] if s["seat"] == ALICE][-1:] == ["forwarded"]
    assert await states(alice) != {"wrap_up"}, "she owes nothing"


async def states(agent: Any) -> set[str]:
    """The states of the agent's parts of the calls that are still shown to them."""
    items = (await agent.api.get("/api/calls")).raise_for_status().json()["items"]
    return {(await agent._part(call["call"]))["state"] for call in items}


# --- 6f: two customers joined --------------------------------------------------------------------------------


async def test_two_customers_who_are_joined_are_two_contacts(shop: Desks) -> None:
    """Alice holds a caller of the queue, takes a second one on her own number, and connects the two."""
    mine = await shop.desk(Linphone, "1001")
    first, _ = await talks(shop, mine, SUPPORT)
    # linphonec declines a second call from one and the same number.
    second = shop.phones.enter_context(await asyncio.to_thread(place_call, shop.site.pbx, "13900139000", DIRECT))
    await press(mine.rings)
    await press(mine.hold)
    await press(mine.press, "answer 2")
    await press(mine.wait, r"Call 2 with .* connected\.")
    await shop.says.are_together([ALICE, TRUNK], [ALICE, TRUNK])
    await press(mine.complete)
    await shop.says.are_together([TRUNK, TRUNK])
    await press(first.hang_up)
    await until_over(second)
    found = await shop.contacts(2)
    assert [contact["dnis"] for contact in found] == [SUPPORT, DIRECT]
    for contact in found:
        assert ALICE in [segment["seat"] for segment in contact["segments"]]
        assert contact["talk_ms"] > 0
    assert found[0]["ended_by"] == "caller"
