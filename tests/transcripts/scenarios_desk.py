"""Scenarios of the agent's desk: what the server's own moves (asterisk/moves.py) make of a call."""

from __future__ import annotations

from cti_server.asterisk import moves
from cti_server.demo.calls import Deskphone
from cti_server.demo.sipp_process import Sipp
from tests.transcripts.scenarios_odd import _outbound
from tests.transcripts.scenarios_queue import inbound, offered
from tests.transcripts.scenarios_transfer import FIRST, ringing, sales, talking
from tests.transcripts.stage import Stage, Truth, scenario
from tests.transcripts.tap import Message

SHORT = {"site": {"CTI_RING": "2"}}
ANSWERED = offered("PJSIP/1002", "answered", ring_ms=[400, 1500])


def talks(stage: Stage, extension: str, since: int) -> Message:
    """Waits until that phone is in a bridge."""
    return stage.tape.wait(
        lambda m: m.get("Event") == "BridgeEnter" and m["Channel"].startswith(f"PJSIP/{extension}-"),
        f"{extension} talks",
        since,
    )


def consulting(stage: Stage) -> tuple[Sipp, Deskphone, str]:
    """1002 talks to a caller and consults 1003, who answered; the channel of 1002."""
    third = stage.phone("1003")
    caller, _, connected = talking(stage)
    mine = connected["DestChannel"]
    here = stage.tape.here()
    stage.do(moves.consult(mine, moves.Number("1003")))
    ringing(stage, "1003", here)
    stage.pause(0.5)
    third.answer()
    talks(stage, "1003", here)
    stage.pause(1)
    stage.snapshot("consulting")
    return caller, third, mine


@scenario()
def desk_hold(stage: Stage) -> Truth:
    """Hold and retrieve by the server, twice, with an agent who was called by a queue."""
    caller, _, connected = talking(stage)
    mine = connected["DestChannel"]
    for turn in (1, 2):
        here = stage.tape.here()
        stage.do(moves.hold(mine))
        stage.event("Hold", here)
        stage.pause(1)
        if turn == 1:
            stage.snapshot("on hold")
        stage.do(moves.retrieve(mine))
        stage.event("Unhold", here)
        stage.pause(0.5)
    caller.hang_up()
    segment = offered("PJSIP/1002", "answered", hold_ms=[1900, 3500], talk_ms=[1800, 3500])
    return sales(outcome="answered", ended_by="caller", segments=[segment])


@scenario()
def desk_hold_and_caller_hangs_up(stage: Stage) -> Truth:
    """The caller hangs up while held: the agent's phone is let go up to a second later."""
    caller, _, connected = talking(stage)
    stage.do(moves.hold(connected["DestChannel"]))
    stage.event("Hold")
    stage.pause(1)
    caller.hang_up()
    segment = offered("PJSIP/1002", "answered", hold_ms=[900, 2200], talk_ms=[900, 2000])
    return sales(outcome="answered", ended_by="caller", segments=[segment])


@scenario()
def desk_alternate(stage: Stage) -> Truth:
    """1002 consults 1003, swaps to the caller, back to 1003, to the caller again, and cancels."""
    caller, _, mine = consulting(stage)
    for to in ("the caller", "1003", "the caller"):
        here = stage.tape.here()
        stage.do(moves.alternate(mine))
        stage.event("BridgeEnter", here, Channel=mine)
        stage.pause(0.7)
        stage.snapshot(f"swapped to {to}")
    here = stage.tape.here()
    stage.do(moves.cancel(mine))
    gone = stage.tape.wait(
        lambda m: m.get("Event") == "Hangup" and m["Channel"].startswith("PJSIP/1003-"), "1003 is let go", here
    )
    assert gone
    stage.pause(0.7)
    caller.hang_up()
    consulted = {"seat": "PJSIP/1003", "origin": "consult", "outcome": "answered", "talk_ms": [2500, 6000]}
    return sales(outcome="answered", ended_by="caller", segments=[ANSWERED, consulted])


@scenario()
def desk_alternate_and_complete(stage: Stage) -> Truth:
    """1002 consults 1003, swaps to the caller, and completes from there."""
    caller, _, mine = consulting(stage)
    here = stage.tape.here()
    stage.do(moves.alternate(mine))
    stage.event("BridgeEnter", here, Channel=mine)
    stage.pause(0.5)
    stage.do(moves.complete(mine))
    stage.event("AttendedTransfer", here)
    stage.pause(1)
    stage.snapshot("transferred")
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "origin": "consult", "outcome": "answered", "talk_ms": [2300, 5000]}
    return sales(outcome="transferred", ended_by="caller", segments=[FIRST, second])


@scenario()
def desk_merge(stage: Stage) -> Truth:
    """1002 consults 1003 and makes it a conference; 1002 leaves, the caller and 1003 go on."""
    caller, _, mine = consulting(stage)
    here = stage.tape.here()
    stage.do(moves.merge(mine))
    stage.event("AttendedTransfer", here)
    stage.pause(1)
    stage.snapshot("three in one bridge")
    stage.do(moves.hang_up(mine))
    stage.pause(1)
    stage.snapshot("1002 has left")
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "origin": "conference", "outcome": "answered", "talk_ms": [2800, 6000]}
    first = offered("PJSIP/1002", "answered")
    return sales(outcome="answered", ended_by="caller", segments=[first, second])


@scenario()
def desk_consult_while_ringing_cancelled(stage: Stage) -> Truth:
    """1002 consults 1003 and cancels while 1003 still rings."""
    stage.phone("1003")
    caller, _, connected = talking(stage)
    mine = connected["DestChannel"]
    here = stage.tape.here()
    stage.do(moves.consult(mine, moves.Number("1003")))
    ringing(stage, "1003", here)
    stage.pause(0.7)
    here = stage.tape.here()
    stage.do(moves.cancel(mine))
    stage.event("BridgeEnter", here, Channel=mine)
    stage.pause(0.7)
    caller.hang_up()
    consulted = {"seat": "PJSIP/1003", "origin": "consult", "outcome": "caller_left", "ring_ms": [600, 2000]}
    return sales(outcome="answered", ended_by="caller", segments=[ANSWERED, consulted])


@scenario(**SHORT)
def desk_blind_not_answered(stage: Stage) -> Truth:
    """1002 sends the caller to 1003, who does not answer; the caller rings 1002 again, who takes them back."""
    stage.phone("1003")
    caller, phone, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.transfer(connected["DestChannel"], moves.Number("1003")))
    stage.event("UserEvent", here, UserEvent="CTIBack", Status="NOANSWER")
    ringing(stage, "1002", here)
    stage.pause(0.5)
    stage.snapshot("rings back")
    phone.answer()
    talks(stage, "1002", here)
    stage.pause(1)
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "origin": "transfer", "outcome": "no_answer", "ring_ms": [1900, 3000]}
    back = {"seat": "PJSIP/1002", "origin": "transfer", "outcome": "answered", "talk_ms": [900, 2000]}
    return sales(outcome="transferred", ended_by="caller", segments=[FIRST, second, back])


@scenario(**SHORT)
def desk_blind_back_to_queue(stage: Stage) -> Truth:
    """1003 is busy, 1002 does not answer the returned call: it goes to the queue of before, where 1004 answers."""
    stage.phone("1003", refuse="486 Busy Here")
    _, _, connected = talking(stage)
    other = stage.phone("1004")
    here = stage.tape.here()
    stage.do(moves.transfer(connected["DestChannel"], moves.Number("1003")))
    ringing(stage, "1002", here)
    stage.event("QueueCallerJoin", here, Queue="sales")
    stage.event("AgentCalled", here, Interface="PJSIP/1004")
    stage.pause(0.5)
    other.answer()
    stage.answered("PJSIP/1004", here)
    stage.pause(1)
    stage.mark("1004 hangs up")
    other.hang_up()
    segments = [
        FIRST,
        {"seat": "PJSIP/1003", "origin": "transfer", "outcome": "rejected"},
        {"seat": "PJSIP/1002", "origin": "transfer", "outcome": "no_answer", "ring_ms": [1900, 3000]},
        offered("PJSIP/1004", "answered", queue="sales", talk_ms=[900, 2000]),
    ]
    return sales(outcome="transferred", ended_by="agent", segments_at_least=segments)


@scenario()
def desk_consult_queue(stage: Stage) -> Truth:
    """1002 consults the queue support, where 1001 answers, and completes."""
    first = stage.phone("1001")
    caller, _, connected = talking(stage)
    mine = connected["DestChannel"]
    here = stage.tape.here()
    stage.do(moves.consult(mine, moves.Queue("support")))
    stage.event("AgentCalled", here, Interface="PJSIP/1001")
    stage.pause(0.5)
    first.answer()
    stage.answered("PJSIP/1001", here)
    stage.pause(1)
    stage.snapshot("consulting")
    stage.do(moves.complete(mine))
    stage.event("AttendedTransfer", here)
    stage.pause(1)
    caller.hang_up()
    second = offered("PJSIP/1001", "answered", queue="support", talk_ms=[1900, 4000])
    return inbound(dnis="4008002000", outcome="transferred", ended_by="caller", segments=[FIRST, second])


@scenario()
def desk_park_and_fetch(stage: Stage) -> Truth:
    """1002 parks the caller; 1003 fetches them from the screen: the phone rings first."""
    third = stage.phone("1003")
    _, _, connected = talking(stage)
    stage.do(moves.park(connected["DestChannel"]))
    parked = stage.event("ParkedCall")
    stage.pause(1)
    stage.snapshot("parked")
    here = stage.tape.here()
    stage.do(moves.fetch("PJSIP/1003", parked["ParkingSpace"], leg="cti-fetch-1"))
    ringing(stage, "1003", here)
    stage.pause(0.5)
    stage.snapshot("1003 rings for it")
    third.answer()
    stage.event("UnParkedCall")
    stage.pause(1)
    stage.snapshot("fetched")
    third.hang_up()
    second = {"seat": "PJSIP/1003", "origin": "pickup", "outcome": "answered", "talk_ms": [900, 2500]}
    return sales(outcome="transferred", ended_by="agent", segments=[FIRST, second])


@scenario()
def desk_take_ringing(stage: Stage) -> Truth:
    """The queue rings 1002; 1003 takes the call from the screen."""
    stage.phone("1002")
    third = stage.phone("1003")
    caller = stage.caller("4008002000")
    offer = ringing(stage, "1002", 0)
    stage.pause(0.5)
    here = stage.tape.here()
    stage.do(moves.take("PJSIP/1003", offer["Channel"], leg="cti-take-1"))
    ringing(stage, "1003", here)
    stage.pause(0.5)
    third.answer()
    stage.event("Pickup")
    stage.pause(1)
    stage.snapshot("taken")
    caller.hang_up()
    segments = [
        offered("PJSIP/1002", "answered_elsewhere", ring_ms=[900, 2500]),
        {"seat": "PJSIP/1003", "origin": "pickup", "outcome": "answered", "talk_ms": [900, 2500]},
    ]
    return sales(outcome="answered", ended_by="caller", segments=segments)


def waiting(stage: Stage) -> tuple[Sipp, str]:
    """A caller in sales while its only phone there is paused; 1003, no member, is registered."""
    stage.phone("1002")
    stage.act("cti-agent", "QueuePause", Queue="sales", Interface="PJSIP/1002", Paused="true", Reason="lunch")
    caller = stage.caller("4008002000")
    joined = stage.event("QueueCallerJoin")
    stage.pause(1)
    return caller, joined["Channel"]


@scenario()
def desk_pick(stage: Stage) -> Truth:
    """1003 picks the waiting caller."""
    third = stage.phone("1003")
    caller, channel = waiting(stage)
    here = stage.tape.here()
    stage.do(moves.pick(channel, "1003", "sales", 1))
    ringing(stage, "1003", here)
    stage.pause(0.5)
    stage.snapshot("1003 rings")
    third.answer()
    talks(stage, "1003", here)
    stage.pause(1)
    stage.snapshot("picked")
    caller.hang_up()
    segment = {"seat": "PJSIP/1003", "origin": "pickup", "outcome": "answered", "queue": "sales"}
    return sales(
        outcome="answered",
        ended_by="caller",
        wait_ms=[1400, 3500],
        segments=[{**segment, "ring_ms": [400, 1500], "talk_ms": [900, 2000]}],
    )


@scenario(**SHORT)
def desk_pick_not_answered(stage: Stage) -> Truth:
    """1003 picks the waiting caller and does not answer: back to the same place; the caller gives up there."""
    stage.phone("1003")
    caller, channel = waiting(stage)
    later = stage.tape.here()
    stage.caller("4008002000", ani="13900139000", name="Li Lei", stay_s=8)
    stage.event("QueueCallerJoin", later)
    here = stage.tape.here()
    stage.do(moves.pick(channel, "1003", "sales", 1))
    ringing(stage, "1003", here)
    back = stage.event("QueueCallerJoin", here, Channel=channel)
    assert back["Position"] == "1", back
    stage.pause(2.5)
    stage.snapshot("back in the queue")
    caller.hang_up()
    missed = {"seat": "PJSIP/1003", "origin": "pickup", "outcome": "no_answer", "ring_ms": [1900, 3000]}
    first = sales(outcome="abandoned", ended_by="caller", segments=[missed])["calls"][0]
    other = sales(ani="13900139000", ani_name="Li Lei", ended_by="caller", segments=[])["calls"][0]
    return {"calls": [first, other]}


@scenario()
def desk_reconnect(stage: Stage) -> Truth:
    """The phone of 1002 lost its page in mid-call; the caller is brought back to it and they talk on."""
    caller, phone, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.reconnect(connected["Channel"], "1002"))
    ringing(stage, "1002", here)
    stage.pause(0.5)
    stage.snapshot("rings again")
    phone.answer()
    talks(stage, "1002", here)
    stage.pause(1)
    stage.snapshot("talks again")
    caller.hang_up()
    segments = [
        offered("PJSIP/1002", "answered", talk_ms=[900, 2500]),
        {"seat": "PJSIP/1002", "origin": "pickup", "outcome": "answered", "talk_ms": [900, 2000]},
    ]
    return sales(outcome="answered", ended_by="caller", segments=segments)


@scenario()
def desk_dial(stage: Stage) -> Truth:
    """1001 dials a customer from the screen, holds them for a second, and hangs up."""
    phone = stage.phone("1001")
    stage.network(ring_s=0.7)
    here = stage.tape.here()
    stage.do(moves.dial("PJSIP/1001", "13800138000", leg="cti-dial-1"))
    ringing(stage, "1001", here)
    stage.pause(0.5)
    stage.snapshot("the agent's own phone rings")
    phone.answer()
    talks(stage, "1001", here)
    stage.pause(1)
    mine = talks(stage, "1001", here)["Channel"]
    stage.do(moves.hold(mine))
    stage.event("Hold", here)
    stage.pause(1)
    stage.do(moves.retrieve(mine))
    stage.event("Unhold", here)
    stage.pause(0.5)
    phone.hang_up()
    segment = {"seat": "PJSIP/1001", "origin": "outbound", "outcome": "answered", "talk_ms": [1400, 3500]}
    truth = _outbound(stage, "13800138000", "outbound", ended_by="agent", segments=[segment])
    del truth["calls"][0]["ani"]
    return truth


@scenario()
def desk_dial_colleague(stage: Stage) -> Truth:
    """1001 dials 1003 from the screen; they talk 1 s."""
    phone, third = stage.phone("1001"), stage.phone("1003")
    here = stage.tape.here()
    stage.do(moves.dial("PJSIP/1001", "1003", leg="cti-dial-1"))
    ringing(stage, "1001", here)
    stage.pause(0.3)
    phone.answer()
    ringing(stage, "1003", here)
    stage.pause(0.5)
    third.answer()
    talks(stage, "1003", here)
    stage.pause(1)
    phone.hang_up()
    segments = [
        {"seat": "PJSIP/1001", "origin": "internal", "outcome": "answered", "talk_ms": [900, 2000]},
        {"seat": "PJSIP/1003", "origin": "internal", "outcome": "answered", "talk_ms": [900, 2000]},
    ]
    fact = {"direction": "internal", "ani": "1001", "dnis": "1003", "outcome": "internal", "segments": segments}
    return {"calls": [{**fact, "ended_by": "agent"}]}


@scenario()
def desk_record(stage: Stage) -> Truth:
    """Recording: started, paused, resumed, goes on through a transfer to 1003, and stopped there."""
    third = stage.phone("1003")
    caller, _, connected = talking(stage)
    recorded = connected["Channel"]
    here = stage.tape.here()
    stage.do(moves.start_recording(connected["DestChannel"]))
    stage.event("MixMonitorStart", here, Channel=recorded)
    stage.pause(0.3)
    stage.snapshot("recording")
    stage.do(moves.pause_recording(recorded))
    stage.event("MixMonitorMute", here, State="1")
    stage.pause(0.3)
    stage.snapshot("paused")
    stage.do(moves.resume_recording(recorded))
    stage.do(moves.transfer(connected["DestChannel"], moves.Number("1003")))
    ringing(stage, "1003", here)
    third.answer()
    talks(stage, "1003", here)
    stage.pause(0.7)
    stage.snapshot("still recording")
    stage.do(moves.stop_recording(recorded))
    stage.event("MixMonitorStop", here)
    stage.pause(0.3)
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "origin": "transfer", "outcome": "answered", "talk_ms": [800, 2500]}
    return sales(outcome="transferred", ended_by="caller", segments=[FIRST, second])


@scenario()
def desk_room(stage: Stage) -> Truth:
    """1002 turns the call into a room, invites 1003 and somebody outside; the agents leave and the room ends."""
    third = stage.phone("1003")
    stage.network(ring_s=0.5)
    _, _, connected = talking(stage)
    mine = connected["DestChannel"]
    here = stage.tape.here()
    stage.do(moves.open_room(mine, connected["Channel"], "77"))
    stage.event("ConfbridgeJoin", here, Channel=mine)
    stage.event("ConfbridgeJoin", here, Channel=connected["Channel"])
    stage.do(moves.invite_phone("PJSIP/1003", "77", leg="cti-invite-1"))
    ringing(stage, "1003", here)
    stage.pause(0.5)
    third.answer()
    talks(stage, "1003", here)
    stage.do(moves.invite_number("13900139000", "77", leg="cti-invite-2"))
    stage.tape.wait(
        lambda m: m.get("Event") == "ConfbridgeJoin" and "13900139000" in m["Channel"], "the outside joins", here
    )
    stage.pause(1)
    stage.snapshot("four in the room")
    third.hang_up()
    stage.pause(0.5)
    stage.do(moves.hang_up(mine))
    segments = [
        offered("PJSIP/1002", "answered"),
        {"seat": "PJSIP/1003", "origin": "conference", "outcome": "answered", "talk_ms": [1400, 4000]},
    ]
    return sales(outcome="answered", ended_by="agent", segments=segments)


@scenario()
def desk_reject(stage: Stage) -> Truth:
    """1002 rejects the offer from the screen; the queue rings 1002 again, who answers."""
    phone = stage.phone("1002")
    caller = stage.caller("4008002000")
    offer = ringing(stage, "1002", 0)
    stage.pause(0.7)
    here = stage.tape.here()
    stage.do(moves.reject(offer["Channel"]))
    stage.event("AgentRingNoAnswer", here)
    ringing(stage, "1002", here)
    stage.pause(0.3)
    phone.answer()
    stage.answered("PJSIP/1002", here)
    stage.pause(1)
    caller.hang_up()
    segments = [
        offered("PJSIP/1002", "rejected", ring_ms=[600, 2000]),
        offered("PJSIP/1002", "answered", talk_ms=[900, 2000]),
    ]
    return sales(outcome="answered", ended_by="caller", segments=segments)
