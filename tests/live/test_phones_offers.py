"""Phones that ring: declined, gone, two of them for one extension, picked up, and what is no call at all."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.live.asterisk_says import TRUNK
from tests.live.baresip import Baresip
from tests.live.center import until
from tests.live.real_desks import DIRECT, Desks, desks, press, segments
from tests.live.sip_message import send_message
from tests.live.test_control import ALICE, ANI, BOB, CHEN, SUPPORT

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

TWO_PHONES = "4008009002"
# As FreePBX rings an extension: all its contacts at once.
RINGS_BOTH = f"""[from-trunk-cti](+)
exten => {TWO_PHONES},1,Dial(${{PJSIP_DIAL_CONTACTS(1002)}},20,tkb(cti-leg^s^1))"""
TWO_CONTACTS = "[1002](+type=aor)\nmax_contacts = 2\nremove_existing = no"


# --- 6a2: two phones at one extension ------------------------------------------------------------------------


async def test_one_of_two_phones_declines_and_the_other_answers(shop: Desks) -> None:
    await shop.configured(pjsip=TWO_CONTACTS, extensions=RINGS_BOTH)
    desk_phone, soft_phone = await shop.desk(Baresip, "1002"), await shop.desk(Baresip, "1002")
    caller = await shop.caller(TWO_PHONES)
    await press(desk_phone.rings)
    await press(soft_phone.rings)
    await press(desk_phone.hang_up)
    bob = shop.agents["bob"]
    await shop.says.has(TRUNK, BOB)
    await bob.call(mine="ringing")
    await press(soft_phone.answer)
    await shop.says.are_together([BOB, TRUNK])
    await bob.call(mine="talking", state="talking")
    await press(caller.hang_up)
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("answered", "caller")
    assert segments(found) == [(BOB, "answered")]


async def test_one_of_two_phones_answers_and_the_other_stops(shop: Desks) -> None:
    await shop.configured(pjsip=TWO_CONTACTS, extensions=RINGS_BOTH)
    desk_phone, soft_phone = await shop.desk(Baresip, "1002"), await shop.desk(Baresip, "1002")
    await shop.caller(TWO_PHONES)
    await press(desk_phone.rings)
    await press(soft_phone.rings)
    await press(desk_phone.answer)
    await press(soft_phone.wait, "CALL_CLOSED")
    await shop.agents["bob"].call(mine="talking", state="talking")
    await press(desk_phone.hang_up)
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("answered", "agent")
    assert segments(found) == [(BOB, "answered")]


async def test_both_phones_decline(shop: Desks) -> None:
    await shop.configured(pjsip=TWO_CONTACTS, extensions=RINGS_BOTH)
    desk_phone, soft_phone = await shop.desk(Baresip, "1002"), await shop.desk(Baresip, "1002")
    await shop.caller(TWO_PHONES)
    await press(desk_phone.rings)
    await press(soft_phone.rings)
    await press(desk_phone.hang_up)
    await press(soft_phone.hang_up)
    found = await shop.contact()
    assert found["outcome"] == "busy"
    assert segments(found) == [(BOB, "rejected")]


# --- 5b, 5c: a direct line that the phone does not take ------------------------------------------------------


async def test_a_declined_call_was_not_given_up_by_the_caller(shop: Desks) -> None:
    mine = await shop.desk(Baresip, "1001")
    await shop.caller(DIRECT)
    await press(mine.rings)
    await press(mine.hang_up)
    await shop.says.nobody()
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("busy", "system")
    assert segments(found) == [(ALICE, "rejected")]


async def test_a_phone_that_is_gone_is_not_the_callers_doing(shop: Desks) -> None:
    """Nobody sits at the phone of this line."""
    await shop.caller(DIRECT)
    await shop.says.nobody()
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("no_agent", "system")


# --- picking up by key ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [SUPPORT, DIRECT])
async def test_the_call_that_rings_a_colleague_is_picked_up_by_her_number(shop: Desks, line: str) -> None:
    # The queue rings 1003 only when nobody else is there. Her phone is there before the caller comes: one that
    # starts while another rings may take longer than the ring.
    mine, theirs = await shop.desk(Baresip, "1001"), await shop.desk(Baresip, "1003")
    caller = await shop.caller(line)
    await press(mine.rings)
    await press(theirs.dial, "*81001")
    await press(theirs.wait, "CALL_ESTABLISHED")
    await shop.says.are_together([CHEN, TRUNK])
    await press(mine.wait, "CALL_CLOSED")
    chen = shop.agents["chenjing"]
    call = (await chen.call(mine="talking", state="talking"))["call"]
    await chen.do(call, "hold")  # whose call it is now has an agent's keys
    await chen.do(call, "retrieve")
    await press(caller.hang_up)
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("answered", "caller")
    assert segments(found, "seat", "origin", "outcome")[-1] == (CHEN, "pickup", "answered")
    assert segments(found)[0] == (ALICE, "answered_elsewhere")


async def test_nothing_is_picked_up_where_nothing_rings(shop: Desks) -> None:
    theirs = await shop.desk(Baresip, "1002")
    await press(theirs.dial, "*81001")
    await press(theirs.wait, "CALL_CLOSED")
    await shop.says.nobody()


# --- 10e: a text message -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["02162881234", "1002"])
async def test_a_text_message_is_no_call(shop: Desks, sender: str) -> None:
    mine = await shop.desk(Baresip, "1001")
    pbx = shop.site.pbx.config
    for line in (SUPPORT, DIRECT):
        status = await asyncio.to_thread(send_message, pbx.sip_port, sender, line)
        assert status in (401, 404), "the PBX takes no message"
    # A call that comes after it is the first that anybody sees.
    caller = await shop.caller(DIRECT)
    await press(mine.rings)
    assert not mine.told("CALL_INCOMING")
    await press(mine.answer)
    await press(caller.hang_up)
    found = await shop.contact()
    assert found["dnis"] == DIRECT


# --- 7i: a phone that dials an application -------------------------------------------------------------------


async def test_a_phone_that_sits_alone_in_a_room_has_been_answered(shop: Desks) -> None:
    mine = await shop.desk(Baresip, "1001")
    await press(mine.dial, "8001")
    await press(mine.wait, "CALL_ESTABLISHED")
    alice = shop.agents["alice"]

    async def connected() -> bool:
        items = (await alice.api.get("/api/calls")).json()["items"]
        parts = [await alice._part(call["call"]) for call in items]
        return bool(parts) and parts[-1]["state"] not in ("ringing", None)

    await until(connected, "her part not to ring any more")
    await press(mine.hang_up)
    found = await shop.contact()
    assert (found["direction"], found["outcome"], found["ended_by"]) == ("internal", "internal", "agent")
    assert segments(found) == [(ALICE, "answered")]


# --- the plug: last, for the PBX goes on believing in this phone --------------------------------------------


async def test_a_phone_whose_plug_was_pulled_is_not_the_callers_doing(shop: Desks) -> None:
    """The PBX still believes that it is there, and rings it."""
    await shop.configured(extensions="[globals](+)\nCTI_RING = 2")
    mine = await shop.desk(Baresip, "1001")
    await press(mine.pull_the_plug)
    await shop.caller(DIRECT)
    await shop.says.has(ALICE, TRUNK)
    await shop.says.nobody()
    found = await shop.contact()
    assert (found["outcome"], found["ended_by"]) == ("no_agent", "system")


# --- a number that is not to be shown ------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "match"), [("masked", "verified"), ("withheld", "none")])
async def test_a_number_that_the_caller_hides_is_shown_to_nobody(
    sqlite_url: str,
    tmp_path: Path,
    policy: str,
    match: str,
) -> None:
    async with desks(sqlite_url, tmp_path, site={"CTI_PRIVATE": policy}) as shop:
        mine = await shop.desk(Baresip, "1001")
        caller = await shop.caller(SUPPORT, hides=True)
        await press(mine.rings)
        await press(mine.answer)
        alice = shop.agents["alice"]
        call = await alice.call(mine="talking", state="talking")
        card = (await alice.api.get(f"/api/calls/{call['call']}/card")).raise_for_status().json()
        assert card["number"]["kind"] == "withheld"
        assert (call["match"], call["ani"]) == (match, "withheld")
        # A customer who is found has this number in the record, which is no secret; that it calls is told nowhere.
        told = json.dumps([{**frame.get("body", {}), "card": None} for frame in alice.told])
        assert ANI[-8:] not in told
        await press(caller.hang_up)
        found = await shop.contact()
        assert (found["match"], found["outcome"]) == (match, "answered")
        assert (found["ani"], found["ani_raw"]) == (None, "withheld")
