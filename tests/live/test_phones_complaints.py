"""What users of other call centers' software complain of with their phones' keys, tried here."""

from __future__ import annotations

import pytest

from tests.live.asterisk_says import TRUNK
from tests.live.baresip import Baresip
from tests.live.linphone import Linphone
from tests.live.real_desks import Desks, calls_on_its_second_line, press, segments, talks
from tests.live.test_control import ALICE, BOB, SALES

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


async def test_a_consultation_begun_on_the_phone_can_be_ended_from_the_desk(shop: Desks) -> None:
    """By the key *2 of the PBX: the desk shows it, and can go back to the caller."""
    mine, theirs = await shop.desk(Baresip, "1001"), await shop.desk(Baresip, "1002")
    _, call = await talks(shop, mine)
    await press(mine.keys, "*21002")
    await press(theirs.rings)
    await press(theirs.answer)
    await shop.says.are_together([ALICE, BOB], [TRUNK])
    alice = shop.agents["alice"]
    await alice.call(mine="consulting")
    await alice.do(call, "cancel")
    await shop.says.are_together([ALICE, TRUNK])


async def test_the_transfer_key_works_after_a_consultation_from_the_desk(shop: Desks) -> None:
    """The desk's consultation leaves its own context with the agent's leg, which the phone's key then uses."""
    mine, theirs = await shop.desk(Baresip, "1001"), await shop.desk(Baresip, "1002")
    caller, call = await talks(shop, mine)
    alice, bob = shop.agents["alice"], shop.agents["bob"]
    await alice.do(call, "consult", {"target": {"kind": "agent", "id": bob.id}})
    await press(theirs.rings)
    await alice.do(call, "cancel")
    await shop.says.are_together([ALICE, TRUNK])
    await press(theirs.wait, "CALL_CLOSED")
    await press(mine.transfer, "1002")
    await press(theirs.rings)
    await press(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])
    await press(caller.hang_up)
    found = await shop.contact()
    assert (found["outcome"], segments(found)[-1]) == ("transferred", (BOB, "answered"))


async def test_a_caller_sent_to_a_queue_by_an_attended_transfer(shop: Desks) -> None:
    """Alice's second line waits in another queue until Bob answers there; then she connects the two."""
    mine, theirs = await shop.desk(Linphone, "1001"), await shop.desk(Baresip, "1002")
    to_the_queue = f"exten => 7777,1,Gosub(cti-leg,s,1)\n same => n,Goto(from-trunk-cti,{SALES},1)"
    await shop.configured(extensions=f"[cti-phones](+)\n{to_the_queue}")
    caller, _ = await talks(shop, mine)
    await calls_on_its_second_line(mine, "7777")
    await press(theirs.rings)
    await press(theirs.answer)
    await shop.says.are_together([ALICE, BOB], [ALICE, TRUNK])
    await press(mine.complete)
    await shop.says.are_together([BOB, TRUNK])
    await shop.agents["bob"].call(mine="talking", state="talking")
    await press(caller.hang_up)
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("transferred", "caller")
    assert [seat for seat, outcome in segments(found) if outcome == "answered"] == [BOB]


async def test_a_caller_sent_to_a_queue_by_the_phone_keeps_their_card(shop: Desks) -> None:
    """Blind into another queue: the next agent sees who calls on the first ring, not who sent them."""
    mine, theirs = await shop.desk(Baresip, "1001"), await shop.desk(Baresip, "1002")
    await shop.configured(extensions="[cti-phones](+)\nexten => 7778,1,Goto(cti-transfer-queue,sales,1)")
    caller, call = await talks(shop, mine)
    bob = shop.agents["bob"]
    known = (await shop.agents["susan"].api.get(f"/api/calls/{call}")).json()
    assert known["customer"] is not None
    await press(mine.transfer, "7778")
    await press(theirs.rings)
    ringing = await bob.call(mine="ringing")
    assert (ringing["call"], ringing["customer"], ringing["ani"]) == (call, known["customer"], known["ani"])
    await press(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])
    await press(caller.hang_up)
    found = await shop.contact()
    assert segments(found, "seat", "queue", "outcome") == [
        (ALICE, None, "transferred"),
        (BOB, "sales", "answered"),
    ]


async def test_a_call_that_the_agent_made_is_transferred_with_its_number(shop: Desks) -> None:
    """The colleague sees whom the call is with, and not the letter s or the center's own number."""
    mine, theirs = await shop.desk(Baresip, "1001"), await shop.desk(Baresip, "1002")
    other = await shop.outside()
    await press(mine.dial, "9021-6288-0000".replace("-", ""))
    await press(mine.wait, "CALL_ESTABLISHED")
    await shop.says.are_together([ALICE, TRUNK])
    call = (await shop.agents["alice"].call(mine="talking", state="talking"))["call"]
    await press(mine.transfer, "1002")
    await press(theirs.rings)
    bob = shop.agents["bob"]
    ringing = await bob.call(mine="ringing")
    assert (ringing["call"], ringing["direction"], ringing["dnis"]) == (call, "outbound", "02162880000")
    await press(theirs.answer)
    await shop.says.are_together([BOB, TRUNK])
    await press(theirs.hang_up)
    found = await shop.contact()
    assert (found["direction"], found["outcome"], found["ended_by"]) == ("outbound", "outbound", "agent")
    assert segments(found) == [(ALICE, "transferred"), (BOB, "answered")]
    assert other.running


async def test_a_fetched_call_is_held_and_resumed(shop: Desks) -> None:
    """Fetched from a space by the phone, then held and resumed again and again, as after a hold reminder."""
    mine, theirs = await shop.desk(Baresip, "1001"), await shop.desk(Linphone, "1002")
    caller, call = await talks(shop, mine)
    await press(mine.transfer, "705")
    await shop.says.has(TRUNK)
    await press(theirs.dial, "705")
    await shop.says.are_together([BOB, TRUNK])
    bob = shop.agents["bob"]
    for _ in range(3):
        await bob.call(mine="talking", state="talking")
        await press(theirs.hold)
        await bob.call(mine="hold", state="held")
        await press(theirs.resume)
    await bob.call(mine="talking", state="talking")
    await bob.do(call, "hold")
    await bob.do(call, "retrieve")
    await press(caller.hang_up)
    found = await shop.contact()
    assert segments(found) == [(ALICE, "transferred"), (BOB, "answered")]
