"""Scenarios in which a conversation changes hands: transfers, conference, hold, park, pickup."""

from __future__ import annotations

from typing import Any

from cti_server.asterisk import moves
from cti_server.demo.calls import Deskphone
from cti_server.demo.sipp_process import Sipp
from tests.transcripts.scenarios_queue import inbound, offered
from tests.transcripts.stage import Stage, Truth, scenario
from tests.transcripts.tap import Message


def talking(stage: Stage) -> tuple[Sipp, Deskphone, Message]:
    """A caller of the sales line, the agent at 1002 who talks to them, and the AgentConnect that says so."""
    phone = stage.phone("1002")
    caller = stage.caller("4008002000")
    stage.event("AgentCalled")
    stage.pause(0.5)
    stage.mark("1002 answers")
    phone.answer()
    connected = stage.answered("PJSIP/1002")
    stage.pause(1)
    return caller, phone, connected


def sales(**facts: Any) -> Truth:
    return inbound(dnis="4008002000", queue="sales", **facts)


FIRST = offered("PJSIP/1002", "transferred", ring_ms=[400, 1500])


def ringing(stage: Stage, extension: str, since: int) -> Message:
    """Waits until that phone rings."""
    return stage.tape.wait(
        lambda m: (
            m.get("Event") == "Newstate"
            and m["ChannelStateDesc"] == "Ringing"
            and m["Channel"].startswith(f"PJSIP/{extension}-")
        ),
        f"{extension} rings",
        since,
    )


@scenario()
def blind_transfer(stage: Stage) -> Truth:
    """1002 sends the caller to 1003 by AMI BlindTransfer; 1003 answers; the caller hangs up."""
    third = stage.phone("1003")
    caller, _, connected = talking(stage)
    here = stage.tape.here()
    stage.act("cti-call", "BlindTransfer", Channel=connected["DestChannel"], Exten="1003", Context="cti-phones")
    ringing(stage, "1003", here)
    stage.pause(0.5)
    stage.snapshot("the target rings")
    stage.mark("1003 answers")
    third.answer()
    stage.event("BridgeEnter", here)
    stage.pause(1)
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "origin": "transfer", "outcome": "answered", "talk_ms": [900, 2000]}
    return sales(outcome="transferred", ended_by="caller", segments=[FIRST, second])


@scenario()
def blind_transfer_not_answered(stage: Stage) -> Truth:
    """1002 sends the caller to 1003, who does not answer; the dialplan ends the call."""
    stage.phone("1003", refuse="480 Temporarily Unavailable")
    _, _, connected = talking(stage)
    stage.act("cti-call", "BlindTransfer", Channel=connected["DestChannel"], Exten="1003", Context="cti-phones")
    second = {"seat": "PJSIP/1003", "origin": "transfer", "outcome": "rejected"}
    return sales(outcome="transfer_failed", ended_by="system", segments=[FIRST, second])


@scenario()
def blind_transfer_to_queue(stage: Stage) -> Truth:
    """1002 sends the caller into another queue, where 1001 answers: one call, two queues."""
    first = stage.phone("1001")
    caller, _, connected = talking(stage)
    here = stage.tape.here()
    stage.act(
        "cti-call", "BlindTransfer", Channel=connected["DestChannel"], Exten="support", Context="cti-line-known"
    )
    stage.event("AgentCalled", here, Interface="PJSIP/1001")
    stage.pause(0.5)
    first.answer()
    stage.answered("PJSIP/1001", here)
    stage.pause(1)
    caller.hang_up()
    second = offered("PJSIP/1001", "answered", queue="support", talk_ms=[900, 2000])
    return inbound(
        dnis="4008002000",
        queue="support",
        outcome="transferred",
        ended_by="caller",
        queues=["sales", "support"],
        segments=[FIRST, second],
    )


def consult(stage: Stage, connected: Message, exten: str = "1003") -> int:
    """1002 starts an attended transfer; the caller hears music, 1002 hears the target ring."""
    here = stage.tape.here()
    stage.act("cti-call", "Atxfer", Channel=connected["DestChannel"], Exten=exten, Context="cti-phones")
    ringing(stage, exten, here)
    stage.pause(0.7)
    return here


@scenario()
def attended_transfer(stage: Stage) -> Truth:
    """1002 consults 1003 (Atxfer), talks 1 s, hangs up: the caller and 1003 are connected."""
    third = stage.phone("1003")
    caller, phone, connected = talking(stage)
    here = consult(stage, connected)
    stage.mark("1003 answers the consultation")
    third.answer()
    stage.event("BridgeEnter", here)
    stage.pause(1)
    stage.snapshot("consulting")
    stage.mark("1002 hangs up and so completes the transfer")
    phone.hang_up()
    stage.event("AttendedTransfer")
    stage.pause(1)
    stage.snapshot("transferred")
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "origin": "consult", "outcome": "answered", "talk_ms": [1800, 4000]}
    return sales(outcome="transferred", ended_by="caller", segments=[FIRST, second])


@scenario()
def attended_transfer_cancelled(stage: Stage) -> Truth:
    """1002 consults 1003, who answers; CancelAtxfer brings 1002 back to the caller."""
    third = stage.phone("1003")
    caller, _, connected = talking(stage)
    here = consult(stage, connected)
    third.answer()
    stage.event("BridgeEnter", here)
    stage.pause(1)
    stage.act("cti-call", "CancelAtxfer", Channel=connected["DestChannel"])
    stage.tape.wait(
        lambda m: m.get("Event") == "Hangup" and m["Channel"].startswith("PJSIP/1003-"), "1003 is let go", here
    )
    stage.pause(1)
    caller.hang_up()
    segments = [
        offered("PJSIP/1002", "answered", ring_ms=[400, 1500]),
        {"seat": "PJSIP/1003", "origin": "consult", "outcome": "answered", "talk_ms": [900, 2500]},
    ]
    return sales(outcome="answered", ended_by="caller", segments=segments)


@scenario()
def attended_transfer_refused(stage: Stage) -> Truth:
    """1002 consults 1003, who is busy; 1002 is back with the caller by itself."""
    stage.phone("1003", refuse="486 Busy Here")
    caller, _, connected = talking(stage)
    here = stage.tape.here()
    stage.act("cti-call", "Atxfer", Channel=connected["DestChannel"], Exten="1003", Context="cti-phones")
    stage.event("DialEnd", here, DialStatus="BUSY")
    stage.tape.wait(
        lambda m: m.get("Event") == "BridgeEnter" and m["Channel"] == connected["DestChannel"],
        "1002 is back",
        here,
    )
    stage.pause(1)
    caller.hang_up()
    segments = [
        offered("PJSIP/1002", "answered", ring_ms=[400, 1500]),
        {"seat": "PJSIP/1003", "origin": "consult", "outcome": "rejected"},
    ]
    return sales(outcome="answered", ended_by="caller", segments=segments)


@scenario()
def blonde_transfer(stage: Stage) -> Truth:
    """1002 starts an attended transfer and hangs up while 1003 is still ringing; 1003 answers the caller."""
    third = stage.phone("1003")
    caller, phone, connected = talking(stage)
    here = consult(stage, connected)
    stage.mark("1002 hangs up while 1003 rings")
    phone.hang_up()
    stage.pause(0.7)
    stage.snapshot("the caller hears it ring")
    third.answer()
    stage.tape.wait(
        lambda m: m.get("Event") == "BridgeEnter" and m["Channel"].startswith("PJSIP/1003-"), "1003 talks", here
    )
    stage.pause(1)
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "origin": "transfer", "outcome": "answered", "talk_ms": [900, 2500]}
    return sales(outcome="transferred", ended_by="caller", segments=[FIRST, second])


@scenario()
def hold_retrieve(stage: Stage) -> Truth:
    """The phone's hold key: talk 1 s, hold 2 s, talk 1 s."""
    caller, phone, _ = talking(stage)
    stage.mark("1002 holds")
    phone.hold()
    stage.event("Hold")
    stage.pause(1)
    stage.snapshot("on hold")
    stage.pause(1)
    stage.mark("1002 retrieves")
    phone.retrieve()
    stage.event("Unhold")
    stage.pause(1)
    caller.hang_up()
    segment = offered("PJSIP/1002", "answered", hold_ms=[1900, 3500], talk_ms=[1900, 3500])
    return sales(outcome="answered", ended_by="caller", segments=[segment])


@scenario()
def hold_and_caller_hangs_up(stage: Stage) -> Truth:
    """The caller hangs up while on hold: no Unhold comes."""
    caller, phone, _ = talking(stage)
    phone.hold()
    stage.event("Hold")
    stage.pause(1)
    caller.hang_up()
    segment = offered("PJSIP/1002", "answered", hold_ms=[900, 2000], talk_ms=[900, 2000])
    return sales(outcome="answered", ended_by="caller", segments=[segment])


@scenario()
def park_and_retrieve(stage: Stage) -> Truth:
    """1002 parks the caller (AMI Park); 1003 fetches them by dialling the space."""
    caller, _, connected = talking(stage)
    stage.phone("1003")
    stage.act(
        "cti-call",
        "Park",
        Channel=connected["Channel"],
        TimeoutChannel=connected["DestChannel"],
        AnnounceChannel=connected["DestChannel"],
    )
    parked = stage.event("ParkedCall")
    stage.pause(1)
    stage.snapshot("parked")
    fetch = stage.dials("1003", parked["ParkingSpace"])
    stage.event("UnParkedCall")
    stage.pause(1)
    stage.mark("1003 hangs up")
    fetch.hang_up()
    caller.wait(10)
    second = {"seat": "PJSIP/1003", "origin": "pickup", "outcome": "answered", "talk_ms": [900, 2500]}
    return sales(outcome="transferred", ended_by="agent", segments=[FIRST, second])


@scenario()
def parked_and_gives_up(stage: Stage) -> Truth:
    """1002 parks the caller by transferring to 700; the caller hangs up there."""
    caller, _, connected = talking(stage)
    stage.act("cti-call", "BlindTransfer", Channel=connected["DestChannel"], Exten="700", Context="cti-phones")
    stage.event("ParkedCall")
    stage.pause(1)
    caller.hang_up()
    stage.event("ParkedCallGiveUp")
    return sales(outcome="transfer_failed", ended_by="caller", segments=[FIRST])


@scenario()
def pickup(stage: Stage) -> Truth:
    """1002 rings for the queue; 1003 dials *8 and takes the call."""
    stage.phone("1002")
    stage.phone("1003")
    caller = stage.caller("4008002000")
    stage.event("DialState", DialStatus="RINGING")
    stage.pause(1)
    stage.dials("1003", "*8")
    stage.event("Pickup")
    stage.pause(1)
    caller.hang_up()
    segments = [
        offered("PJSIP/1002", "answered_elsewhere", ring_ms=[900, 2500]),
        {"seat": "PJSIP/1003", "origin": "pickup", "outcome": "answered", "talk_ms": [900, 2500]},
    ]
    return sales(outcome="answered", ended_by="caller", segments=segments)


@scenario()
def conference(stage: Stage) -> Truth:
    """The caller and 1002 are moved into a conference room (AMI Redirect of both legs); 1003 dials in."""
    caller, _, connected = talking(stage)
    stage.phone("1003")
    stage.act(
        "cti-call",
        "Redirect",
        Channel=connected["Channel"],
        Exten="8001",
        Context="cti-conference",
        Priority="1",
        ExtraChannel=connected["DestChannel"],
        ExtraExten="8001",
        ExtraContext="cti-conference",
        ExtraPriority="1",
    )
    stage.event("ConfbridgeJoin", Channel=connected["Channel"])
    stage.event("ConfbridgeJoin", Channel=connected["DestChannel"])
    joined = stage.dials("1003", "8001")
    stage.tape.wait(
        lambda m: m.get("Event") == "ConfbridgeJoin" and m["Channel"].startswith("PJSIP/1003-"), "1003 joins"
    )
    stage.pause(1)
    stage.snapshot("three in the room")
    caller.hang_up()
    stage.event("ConfbridgeLeave", Channel=connected["Channel"])
    stage.pause(0.5)
    joined.hang_up()
    stage.pause(0.3)
    stage.act("cti-call", "Hangup", Channel=connected["DestChannel"])
    segments = [
        offered("PJSIP/1002", "answered", ring_ms=[400, 1500]),
        {"seat": "PJSIP/1003", "origin": "conference", "outcome": "answered", "talk_ms": [900, 3000]},
    ]
    return sales(outcome="answered", ended_by="caller", segments=segments)


@scenario()
def three_way(stage: Stage) -> Truth:
    """1002 consults 1003 and makes it a three-way call (the feature *3 of an attended transfer)."""
    third = stage.phone("1003")
    caller, phone, connected = talking(stage)
    here = consult(stage, connected)
    third.answer()
    stage.event("BridgeEnter", here)
    stage.pause(1)
    stage.mark("1002 presses *3")
    phone.press("*3")
    stage.tape.wait(
        lambda m: m.get("Event") == "BridgeEnter" and m["BridgeNumChannels"] == "3",
        "three in one bridge",
        here,
    )
    stage.pause(1)
    stage.snapshot("three in one bridge")
    caller.hang_up()
    stage.pause(0.5)
    phone.hang_up()
    segments = [
        offered("PJSIP/1002", "answered", ring_ms=[400, 1500]),
        {"seat": "PJSIP/1003", "origin": "conference", "outcome": "answered", "talk_ms": [1800, 4500]},
    ]
    return sales(outcome="answered", ended_by="caller", segments=segments)


def comes_back(stage: Stage, caller: Sipp, phone: Deskphone, since: int) -> None:
    """The PBX calls 1002 again, who takes the caller back; the caller hangs up."""
    ringing(stage, "1002", since)
    stage.snapshot("it rings at 1002 again")
    stage.pause(0.5)
    phone.answer()
    stage.tape.wait(
        lambda m: m.get("Event") == "BridgeEnter" and m["Channel"].startswith("PJSIP/1002-"), "1002 talks", since
    )
    stage.pause(1)
    caller.hang_up()


@scenario()
def blonde_transfer_comes_back(stage: Stage) -> Truth:
    """1002 starts an attended transfer and hangs up while 1003 is still ringing; 1003 declines, the PBX calls 1002
    again, who takes the caller back."""
    third = stage.phone("1003")
    caller, phone, connected = talking(stage)
    consult(stage, connected)
    stage.mark("1002 hangs up while 1003 rings")
    phone.hang_up()
    stage.pause(0.7)
    again = stage.tape.here()
    stage.mark("1003 declines")
    third.decline()
    comes_back(stage, caller, phone, again)
    second = {"seat": "PJSIP/1003", "origin": "transfer", "outcome": "rejected"}
    back = {"seat": "PJSIP/1002", "origin": "transfer", "outcome": "answered", "talk_ms": [900, 2500]}
    return sales(outcome="transferred", ended_by="caller", segments=[FIRST, second, back])


@scenario()
def given_to_a_queue_comes_back(stage: Stage) -> Truth:
    """1002 asks the support queue for advice and hangs up before anybody takes it, so that the caller waits there;
    1004 picks them there and does not answer either; the PBX calls 1002 again, who takes the caller back."""
    stage.phone("1004")
    caller, phone, connected = talking(stage)
    mine = connected["DestChannel"]
    here = stage.tape.here()
    stage.do(moves.consult(mine, moves.Queue("support")))
    joined = stage.event("QueueCallerJoin", here)
    stage.pause(1)
    stage.do(moves.hang_up(mine))
    stage.event("AttendedTransfer", here)
    stage.pause(1)
    stage.do(moves.pick(joined["Channel"], "1004", "support", 1))
    ringing(stage, "1004", here)
    stage.snapshot("1004 rings for the caller who was picked")
    again = stage.tape.here()
    comes_back(stage, caller, phone, again)  # after atxfernoanswertimeout
    picked = {"seat": "PJSIP/1004", "origin": "pickup", "outcome": "no_answer"}
    back = {"seat": "PJSIP/1002", "origin": "transfer", "outcome": "answered", "talk_ms": [900, 2500]}
    return inbound(
        dnis="4008002000",
        outcome="transferred",
        ended_by="caller",
        queue="support",
        queues=["sales", "support"],
        segments=[FIRST, picked, back],
    )
